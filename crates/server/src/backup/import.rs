//! Taking an export into the store of a server that does not run: sealed anew, indexed anew, nothing
//! written over, all of it or nothing.

use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use claviger_store::{DATABASE_FILE, Draft, Engine, Key, OpenError, Put, Range};

use super::container::take_rows;
use super::export::unseal;
use super::passphrase::{Part, Reader};
use super::restore::Filling;
use super::{BackupError, kinds};
use crate::object;
use crate::seal::fault::{Point, point};
use crate::seal::{Barrier, Opener};

/// How many records are read at once.
const PAGE: usize = 64;

/// Imports an export; how many records that is.
///
/// # Errors
/// What is wrong with the export or its passphrase; what the seal refuses; [`BackupError::Conflict`]
/// if the store has one of its records already; storage. Nothing is imported then.
pub fn import(
    file: impl Read,
    passphrase: &[u8],
    opener: &Opener,
    directory: &Path,
) -> Result<u64, BackupError> {
    let database = directory.join(DATABASE_FILE);
    if !database.exists() {
        let source = std::io::ErrorKind::NotFound.into();
        return Err(OpenError::File { path: database, source }.into());
    }
    let mut reader = Reader::begin(BufReader::new(file), passphrase)?;
    let draft = Draft::begin(directory)?;
    let present: Arc<dyn Engine> = Arc::new(draft.present()?);
    let barrier = unseal(&present, opener)?;
    let mut filling = Filling::new(&draft);
    copy(present.as_ref(), &mut filling)?;
    let mut imported: u64 = 0;
    loop {
        match reader.next()? {
            Part::Rows(body) => {
                for (key, version, plain) in take_rows(&body).ok_or(BackupError::Malformed)? {
                    imported = imported.saturating_add(1);
                    add(&barrier, key, version, plain, &mut filling)?;
                }
            }
            Part::End { rows } if rows == imported => break,
            Part::End { .. } => return Err(BackupError::Malformed),
        }
    }
    filling.end()?;
    point(Point::DatabaseWritten);
    // The last that hold the database open.
    drop((barrier, present));
    draft.publish()?;
    point(Point::DatabaseInPlace);
    Ok(imported)
}

fn copy(present: &dyn Engine, filling: &mut Filling<'_>) -> Result<(), BackupError> {
    let mut range = Range::all().limit(PAGE);
    loop {
        let rows = present.scan(&range)?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        range = range.after(last);
        for (key, record) in rows {
            filling.put(Put { key, version: record.version, value: record.value })?;
        }
    }
}

fn add(
    barrier: &Barrier,
    key: &[u8],
    version: u64,
    plain: &[u8],
    filling: &mut Filling<'_>,
) -> Result<(), BackupError> {
    let at = kinds::incoming(barrier, key, plain)?;
    if barrier.engine().get(&at)?.is_some() {
        return Err(BackupError::Conflict(char::from(at.first().copied().unwrap_or_default())));
    }
    let marks = object::index_rows(barrier, &at, plain).ok_or(BackupError::Malformed)?;
    filling.put(barrier.seal_record(at, version, plain)?)?;
    let mark = |key: Key| Put { key, version: 1, value: Vec::new() };
    marks.into_iter().try_for_each(|key| filling.put(mark(key)))
}
