//! The directory a database lives in: who may read it, and that only one process uses it.
//! Knows no SQL.

use crate::error::OpenError;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The database file's name within its directory.
pub const DATABASE_FILE: &str = "claviger.db";
/// The lock file's name within its directory.
pub const LOCK_FILE: &str = "lock";

/// A directory that this process alone has open.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// The kernel lets go of the lock if we die.
    lock: File,
}

/// Closing the file is not enough: a process that is being started at this moment holds a copy of it
/// until its own program runs.
impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = self.lock.unlock() {
            tracing::warn!("{}: cannot be unlocked: {error}", self.path.display());
        }
    }
}

impl Directory {
    /// Makes the directory if need be and locks it.
    pub(crate) fn lock(path: &Path) -> Result<Self, OpenError> {
        make_directory(path)?;
        let lock_path = path.join(LOCK_FILE);
        let lock = private().open(&lock_path).map_err(|source| file_error(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_path_buf(), lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_path_buf())),
            Err(TryLockError::Error(source)) => Err(file_error(&lock_path, source)),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE_FILE)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the names in it survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), OpenError> {
        sync(&self.path)
    }

    /// Makes an empty database file, readable by its owner only, whose name survives a power cut.
    /// SQLite gives its log and index files the same permissions.
    pub(crate) fn create_database(&self) -> Result<(), OpenError> {
        let path = self.database();
        let file = private().open(&path).map_err(|source| file_error(&path, source))?;
        file.sync_all().map_err(|source| file_error(&path, source))?;
        sync(&self.path)
    }
}

/// Makes the directory of a database, for its owner only, unless it is there. When this returns, it survives a power
/// cut, and so do those above it that had to be made.
///
/// # Errors
/// [`OpenError::File`].
pub fn make_directory(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = path.ancestors().take_while(|above| !is_there(above)).collect();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| file_error(path, source))?;
    missing.into_iter().rev().try_for_each(sync_parent)
}

/// The empty path is where we are.
fn is_there(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.is_dir()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

fn sync(directory: &Path) -> Result<(), OpenError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|source| file_error(directory, source))
}

fn sync_parent(path: &Path) -> Result<(), OpenError> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync(parent),
        _ => sync(Path::new(".")),
    }
}

fn file_error(path: &Path, source: io::Error) -> OpenError {
    OpenError::File { path: path.to_path_buf(), source }
}
