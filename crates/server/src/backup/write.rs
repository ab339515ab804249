//! Taking a backup of a store that is in use: one frozen moment of it, written as it is sealed.

use std::io::Write;

use claviger_store::{Range, Snapshot};

use super::BackupError;
use super::container::Writer;
use crate::seal::Barrier;
use crate::seal::fault::{Point, point};

/// What binds the parts of a backup to the store, see [`Barrier::derived_key`].
pub(super) const PURPOSE: &[u8] = b"backup";
/// How many records are read at once.
const PAGE: usize = 64;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Records.
    pub records: u64,
    /// Length of the file.
    pub bytes: u64,
    /// The last revision of the store that is in it.
    pub revision: u64,
}

/// Freezes the store and returns what writes it: everything that is durable now, and nothing later.
/// `created` is in microseconds since 1970.
///
/// # Errors
/// Storage.
pub fn write(
    barrier: &Barrier,
    created: i64,
) -> Result<impl FnOnce(&mut dyn Write) -> Result<Written, BackupError> + Send + use<>, BackupError>
{
    let snapshot = barrier.engine().snapshot()?;
    let key = barrier.derived_key(PURPOSE);
    Ok(move |out: &mut dyn Write| write_snapshot(&*snapshot, &key, created, out))
}

fn write_snapshot(
    snapshot: &dyn Snapshot,
    key: &[u8; 32],
    created: i64,
    out: &mut dyn Write,
) -> Result<Written, BackupError> {
    let revision = snapshot.revision().0;
    let mut writer = Writer::begin(out, created, revision)?;
    let mut range = Range::all().limit(PAGE);
    loop {
        let rows = snapshot.scan(&range)?;
        for (key, record) in &rows {
            if writer.add(key, record)? {
                point(Point::BackupPart);
            }
        }
        let Some((last, _)) = rows.last().filter(|_| rows.len() == PAGE) else { break };
        range = range.after(last);
    }
    let (records, bytes) = writer.end(key)?;
    Ok(Written { records, bytes, revision })
}
