//! A database that is made beside the one in use and takes its place as a whole: a crash leaves the
//! old one or the new one. Knows no record.

use super::directory::{DATABASE_FILE, Directory};
use super::{Durability, Sqlite};
use crate::error::OpenError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory, within that of the database, that a draft is made in. One that a crash has left is
/// in nobody's way.
pub const DRAFT_DIRECTORY: &str = "claviger.db.draft";

/// A database to be.
#[derive(Debug)]
pub struct Draft {
    /// Locked until the draft is in place or given up.
    directory: Arc<Directory>,
    place: PathBuf,
    engine: Sqlite,
}

impl Draft {
    /// Locks the directory and makes an empty draft in it.
    ///
    /// # Errors
    /// [`OpenError`]: in use, or the file system refuses.
    pub fn begin(directory: &Path) -> Result<Self, OpenError> {
        let directory = Arc::new(Directory::lock(directory)?);
        let place = directory.path().join(DRAFT_DIRECTORY);
        remove(&place)?;
        let engine = Sqlite::open(&place, Durability::Full)?;
        Ok(Self { directory, place, engine })
    }

    /// What is written to becomes the database.
    pub fn engine(&self) -> &Sqlite {
        &self.engine
    }

    /// The database in use, to be closed before the draft takes its place.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn present(&self) -> Result<Sqlite, OpenError> {
        Sqlite::open_locked(Arc::clone(&self.directory), Durability::Full)
    }

    /// Puts the draft in the place of the database. When this returns, it survives a power cut.
    ///
    /// # Errors
    /// [`OpenError`]; the database that was in use is then still the one, or the draft is.
    pub fn publish(self) -> Result<(), OpenError> {
        let Self { directory, place, engine } = self;
        drop(engine);
        let (from, to) = (place.join(DATABASE_FILE), directory.database());
        // A log that is left would be taken for one of the database that comes beside it.
        for path in [&from, &to] {
            let mut log = path.clone().into_os_string();
            log.push("-wal");
            let log = PathBuf::from(log);
            if log.exists() {
                let reason = "its log could not be moved into it".to_owned();
                return Err(OpenError::Database { path: path.clone(), reason });
            }
        }
        fs::rename(&from, &to).map_err(|source| OpenError::File { path: to, source })?;
        directory.sync()?;
        remove(&place)
    }
}

fn remove(place: &Path) -> Result<(), OpenError> {
    match fs::remove_dir_all(place) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(OpenError::File { path: place.to_path_buf(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Engine, Put};

    fn put(engine: &dyn Engine, key: &[u8]) {
        let put = vec![Put { key: key.to_vec(), version: 1, value: b"value".to_vec() }];
        engine.commit(Batch { put, ..Batch::default() }).wait().unwrap();
    }

    fn holds(directory: &Path) -> Vec<Vec<u8>> {
        let engine = Sqlite::open(directory, Durability::Full).unwrap();
        let rows = engine.scan(&crate::Range::all()).unwrap();
        rows.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn a_draft_takes_the_place_of_what_is_there_or_leaves_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        put(&Sqlite::open(path, Durability::Full).unwrap(), b"old");

        let given_up = Draft::begin(path).unwrap();
        put(given_up.engine(), b"half");
        assert!(matches!(Sqlite::open(path, Durability::Full), Err(OpenError::InUse(_))));
        drop(given_up);
        assert_eq!(holds(path), [b"old"]);

        let draft = Draft::begin(path).unwrap();
        let present = draft.present().unwrap();
        for (key, _) in present.scan(&crate::Range::all()).unwrap() {
            put(draft.engine(), &key);
        }
        put(draft.engine(), b"new");
        drop(present);
        draft.publish().unwrap();
        assert_eq!(holds(path), [b"new", b"old"]);
        assert!(!path.join(DRAFT_DIRECTORY).exists());
    }

    #[test]
    fn the_database_in_use_must_be_closed() {
        let directory = tempfile::tempdir().unwrap();
        let draft = Draft::begin(directory.path()).unwrap();
        let present = draft.present().unwrap();
        put(&present, b"late");
        assert!(matches!(draft.publish(), Err(OpenError::Database { .. })));
        drop(present);
        assert_eq!(holds(directory.path()), [b"late"]);
    }
}
