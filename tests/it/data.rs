//! Where test data that is not in the repository lies, and what happens when it is not there.

use std::path::PathBuf;

/// The directory that the environment variable names. Unset is a printed skip; unset under `CI`, or naming nothing,
/// is a failure.
pub(crate) fn directory(variable: &str, what: &str) -> Option<PathBuf> {
    match std::env::var_os(variable) {
        Some(path) => {
            let path = PathBuf::from(path);
            assert!(path.is_dir(), "{variable} names {}, which is no directory", path.display());
            Some(path)
        }
        None => {
            assert!(std::env::var_os("CI").is_none(), "{variable} must name the {what} under CI");
            eprintln!("skipped: {variable} does not name the {what}");
            None
        }
    }
}
