//! The directory of a keystore: that one process alone uses it, and how a file of it changes as a
//! whole or not at all.
//!
//! It must never know what the files hold.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
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
    owner: Owner,
}

/// Whose a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    fn of(file: &fs::Metadata) -> Self {
        Self { user: file.uid(), group: file.gid() }
    }
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
        make(path)?;
        let owner = fs::metadata(path).map(|found| Owner::of(&found));
        let owner = owner.map_err(|source| Error::file(path, source))?;
        let lock_path = path.join(LOCK_FILE);
        let lock =
            lock_file(&lock_path, owner).map_err(|source| Error::file(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock, owner }),
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
        let mut file = new_file(draft, self.owner).map_err(|source| Error::file(draft, source))?;
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

/// Makes a directory, and those above it that are missing, for nobody else to read: all of them survive a power cut.
fn make(path: &Path) -> Result<(), Error> {
    let is_missing = |it: &&Path| !it.as_os_str().is_empty() && !it.is_dir();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| Error::file(path, source))?;
    for made in missing {
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync(parent.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// The file that is locked. It has no content, so that nothing happens to whatever a link leads to.
fn lock_file(path: &Path, owner: Owner) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match create(path, owner) {
        // Somebody else was as quick.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().read(true).write(true).open(path)
        }
        created => created,
    }
}

/// A file without content in place of whatever has its name: what a crash left, or a link to elsewhere.
fn new_file(path: &Path, owner: Owner) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create(path, owner),
    }
}

/// Makes a file that its owner alone may read: whoever owns the directory, even if root is at work.
fn create(path: &Path, owner: Owner) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let ours = Owner::of(&file.metadata()?);
    if ours.user != owner.user {
        // Only root can give files away. Whoever else works on a directory of others keeps them.
        let _as_far_as_we_may = fchown(&file, Some(owner.user), Some(owner.group));
    }
    Ok(file)
}

fn sync(directory: &Path) -> Result<(), Error> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|source| Error::file(directory, source))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn replace(directory: &Directory, text: &str) {
        let write = |file: &mut File| {
            file.write_all(text.as_bytes()).unwrap();
            Ok(())
        };
        directory.replace("file", write, || {}).unwrap();
    }

    #[test]
    fn a_file_is_new_whatever_had_the_name_of_its_draft() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a/b/keys");
        let directory = Directory::lock(&path).unwrap();
        let (file, draft) = (path.join("file"), path.join("file.draft"));
        let elsewhere = scratch.path().join("elsewhere");
        fs::write(&elsewhere, "precious").unwrap();
        symlink(&elsewhere, &draft).unwrap();
        replace(&directory, "one");
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "precious");
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
        // A crash left half of one, which others may read.
        fs::write(&draft, "left over, and longer").unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&directory, "two");
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        for (made, mode) in [(&file, 0o600), (&path.join("lock"), 0o600), (&path, 0o700)] {
            let found = fs::metadata(made).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{}", made.display());
        }
    }

    #[test]
    fn what_root_makes_belongs_to_whom_the_directory_belongs() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("keys");
        fs::create_dir(&path).unwrap();
        let owner = Owner { user: 12_345, group: 54_321 };
        if chown(&path, Some(owner.user), Some(owner.group)).is_err() {
            println!("skipped: only root can give files away");
            return;
        }
        let directory = Directory::lock(&path).unwrap();
        replace(&directory, "one");
        replace(&directory, "two");
        for name in ["lock", "file"] {
            assert_eq!(Owner::of(&fs::metadata(path.join(name)).unwrap()), owner, "{name}");
        }
    }
}
