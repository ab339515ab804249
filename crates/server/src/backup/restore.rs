//! Putting a backup into an empty data directory, if its seal is at hand: all of it or nothing.

use std::io::{Read, Seek};
use std::path::Path;

use claviger_store::{
    Batch, DATABASE_FILE, DRAFT_DIRECTORY, Draft, Engine as _, LOCK_FILE, OpenError, Put,
};

use super::BackupError;
use super::verify::scan;
use crate::seal::Opener;
use crate::seal::fault::{Point, point};

/// What may be in a directory that counts as empty, besides the key file.
const NOTHING: &[&str] = &[LOCK_FILE, DRAFT_DIRECTORY, "lost+found"];
/// How much goes into one batch.
const BATCH_BYTES: usize = 4 << 20;

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Records.
    pub records: u64,
    /// When the backup was taken, in microseconds since 1970.
    pub created: i64,
}

/// Restores a backup. `key_file` names what of the seal may lie in the directory already.
///
/// # Errors
/// What is wrong with the backup; what the seal refuses; [`BackupError::NotEmpty`]; storage. Nothing
/// is restored then.
pub fn restore<F: Read + Seek>(
    file: &mut F,
    opener: &Opener,
    directory: &Path,
    key_file: &str,
) -> Result<Restored, BackupError> {
    let scanned = scan(file, |_, _| Ok(()))?;
    let barrier = scanned.unseal(opener)?;
    require_empty(directory, key_file)?;
    let draft = Draft::begin(directory)?;
    // Nobody may have made a store in it before it was locked.
    require_empty(directory, key_file)?;
    let mut filling = Filling::new(&draft);
    scan(file, |key, record| {
        barrier.open(key, record)?;
        let (key, version, value) = (key.clone(), record.version, record.value.clone());
        filling.put(Put { key, version, value })
    })?;
    filling.end()?;
    point(Point::DatabaseWritten);
    draft.publish()?;
    point(Point::DatabaseInPlace);
    Ok(Restored { records: scanned.verified.records, created: scanned.verified.created })
}

fn require_empty(directory: &Path, key_file: &str) -> Result<(), BackupError> {
    let entries = match directory.read_dir() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|source| OpenError::File { path: directory.to_owned(), source })?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // Of a key file that a crash cut off, its draft: it is in nobody's way.
        let is_key_file = name.strip_suffix(".new").unwrap_or(&name) == key_file;
        if name == DATABASE_FILE || !(NOTHING.contains(&name.as_str()) || is_key_file) {
            return Err(BackupError::NotEmpty { directory: directory.to_owned(), name });
        }
    }
    Ok(())
}

/// Writes records into a draft, many at once.
pub(super) struct Filling<'a> {
    draft: &'a Draft,
    batch: Batch,
    bytes: usize,
}

impl<'a> Filling<'a> {
    pub(super) fn new(draft: &'a Draft) -> Self {
        Self { draft, batch: Batch::default(), bytes: 0 }
    }

    pub(super) fn put(&mut self, put: Put) -> Result<(), BackupError> {
        self.bytes = self.bytes.saturating_add(put.key.len()).saturating_add(put.value.len());
        self.batch.put.push(put);
        if self.bytes < BATCH_BYTES {
            return Ok(());
        }
        self.flush()?;
        point(Point::DatabasePart);
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<(), BackupError> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), BackupError> {
        self.bytes = 0;
        self.draft.engine().commit(std::mem::take(&mut self.batch)).wait()?;
        Ok(())
    }
}
