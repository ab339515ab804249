//! What a store holds, under a passphrase: without its seal, its hashes and its tokens, so that a store
//! under another seal can take it in.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use claviger_store::{Engine, Key, Range, Record};
use zeroize::Zeroizing;

use super::container::push_row;
use super::passphrase::Writer;
use super::verify::scan;
use super::{BackupError, kinds};
use crate::seal::{Barrier, Opener, SealConfig};

/// How many records are read at once.
const PAGE: usize = 64;

/// Where an export comes from.
pub enum Source<'a> {
    /// A backup, of a server that may be running.
    Backup(&'a mut File),
    /// The store of a server that does not run.
    Store(Arc<dyn Engine>),
}

/// Exports what a store holds; how many records that is.
///
/// # Errors
/// What is wrong with the source; what the seal refuses; [`BackupError::ShortPassphrase`]; the writer's.
pub fn export(
    source: Source<'_>,
    opener: &Opener,
    passphrase: &[u8],
    out: &mut dyn Write,
) -> Result<u64, BackupError> {
    let mut writer = Writer::begin(out, passphrase)?;
    match source {
        Source::Backup(file) => {
            let barrier = scan(file, |_, _| Ok(()))?.unseal(opener)?;
            scan(file, |key, record| add(&barrier, key, record, &mut writer))?;
        }
        Source::Store(engine) => {
            let barrier = unseal(&engine, opener)?;
            let snapshot = engine.snapshot()?;
            let mut range = Range::all().limit(PAGE);
            loop {
                let rows = snapshot.scan(&range)?;
                for (key, record) in &rows {
                    add(&barrier, key, record, &mut writer)?;
                }
                let Some((last, _)) = rows.last().filter(|_| rows.len() == PAGE) else { break };
                range = range.after(last);
            }
        }
    }
    writer.end()
}

/// Opens a store.
pub(super) fn unseal(engine: &Arc<dyn Engine>, opener: &Opener) -> Result<Barrier, BackupError> {
    if !Barrier::is_initialised(engine.as_ref())? {
        return Err(BackupError::NoKeyring);
    }
    let config = SealConfig::read(engine.as_ref())?.map(|(config, _)| config);
    Ok(Barrier::unseal(Arc::clone(engine), &opener.open(config.as_ref())?)?)
}

fn add(
    barrier: &Barrier,
    key: &Key,
    record: &Record,
    writer: &mut Writer<&mut dyn Write>,
) -> Result<(), BackupError> {
    let plain = barrier.open(key, record)?.bytes;
    let Some(key) = kinds::outgoing(barrier, key, &plain)? else { return Ok(()) };
    let mut row = Zeroizing::new(Vec::with_capacity(plain.len().saturating_add(1100)));
    push_row(&mut row, &key, record.version, &plain)?;
    writer.add(&row)
}
