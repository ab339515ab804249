//! The directory of a keystore: that one process alone uses it, and how a file of it changes as a
//! whole or not at all.
//!
//! It must never know what the files hold.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::Error;

/// The lock file's name within the directory.
const LOCK_FILE: &str = "lock";
/// What a file is called until it is whole.
const DRAFT_SUFFIX: &str = ".draft";

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
    pub(crate) fn lock(path: &Path) -> Result<Self, Error> {
        if !path.is_dir() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(|source| Error::file(path, source))?;
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            sync(parent.unwrap_or(Path::new(".")))?;
        }
        let lock_path = path.join(LOCK_FILE);
        let lock = private(&lock_path).map_err(|source| Error::file(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(Error::file(&lock_path, source)),
        }
    }

    /// A path in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Puts a file in place of another, or where there was none: written under another name, synced,
    /// renamed, and the name synced. `before` is passed when the file is whole, but not in its place.
    pub(crate) fn replace(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> Result<(), Error>,
        before: impl FnOnce(),
    ) -> Result<(), Error> {
        let path = self.join(name);
        let draft = self.join(&format!("{name}{DRAFT_SUFFIX}"));
        let written = self.write_draft(&draft, write);
        if let Err(error) = written {
            // Half a file under a name that nobody reads; the next draft begins at nothing.
            let _ = fs::remove_file(&draft);
            return Err(error);
        }
        before();
        fs::rename(&draft, &path).map_err(|source| Error::file(&path, source))?;
        self.sync()
    }

    fn write_draft(
        &self,
        draft: &Path,
        write: impl FnOnce(&mut File) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut file = private(draft).map_err(|source| Error::file(draft, source))?;
        file.set_len(0).map_err(|source| Error::file(draft, source))?;
        write(&mut file)?;
        file.sync_all().map_err(|source| Error::file(draft, source))
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.join(name);
        match fs::remove_file(&path) {
            Ok(()) => self.sync(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(Error::file(&path, source)),
        }
    }

    /// Makes the names in it survive a power cut.
    fn sync(&self) -> Result<(), Error> {
        sync(&self.path)
    }
}

/// Opens a file that its owner alone may read, making it if need be.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn sync(directory: &Path) -> Result<(), Error> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|source| Error::file(directory, source))
}
