//! Where the OASIS test cases are, for the tests that read them. They are never copied in.

use std::path::{Path, PathBuf};

/// The folder that `CLAVIGER_KMIP_CASES` names. Unset, a test says that it is skipped; under CI
/// it fails instead, so that nothing is skipped there by accident.
pub(crate) fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CLAVIGER_KMIP_CASES") {
        return Some(PathBuf::from(folder));
    }
    assert!(std::env::var_os("CI").is_none(), "CLAVIGER_KMIP_CASES must be set under CI");
    eprintln!("skipped: CLAVIGER_KMIP_CASES is not set");
    None
}

/// The files below a folder whose name ends like this, in a stable order.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
