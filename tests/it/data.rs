//! Where test data that is not in the repository lies, and what happens when it is not there; what files hold.

use std::fs;
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

/// The files below a directory that have a text in them.
pub(crate) fn files_with(directory: PathBuf, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![directory];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            // Sockets cannot be read, and temporary files go while one looks.
            let Ok(bytes) = fs::read(&path) else { continue };
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}
