//! Whether a backup is what was written, without its seal; and with it, whether the store it is of
//! has put it together and every record opens.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use claviger_store::{Batch, Engine as _, Key, Memory, Put, Record};

use super::BackupError;
use super::container::{End, Part, Reader};
use super::write::PURPOSE;
use crate::seal::{Barrier, Opener, SealConfig};

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// When it was taken, in microseconds since 1970.
    pub created: i64,
    /// The last revision of the store that is in it.
    pub revision: u64,
    /// Records.
    pub records: u64,
    /// How its root key is kept; `None` where a key file holds it since before there was a record of
    /// that.
    pub seal: Option<SealConfig>,
    /// Whether every record was opened.
    pub opened: bool,
}

/// Reads a backup from its beginning to its end; with an opener, opens every record of it.
///
/// # Errors
/// What is wrong with it; what the seal refuses.
pub fn verify<F: Read + Seek>(
    file: &mut F,
    opener: Option<&Opener>,
) -> Result<Verified, BackupError> {
    let mut scanned = scan(file, |_, _| Ok(()))?;
    if let Some(opener) = opener {
        let barrier = scanned.unseal(opener)?;
        scan(file, |key, record| Ok(barrier.open(key, record).map(drop)?))?;
        scanned.verified.opened = true;
    }
    Ok(scanned.verified)
}

/// A backup that is whole.
pub(super) struct Scanned {
    pub(super) verified: Verified,
    end: End,
    /// The keyring and the seal's configuration.
    keys: Vec<(Key, Record)>,
}

impl Scanned {
    /// Opens its keyring, and checks that the backup belongs to it.
    pub(super) fn unseal(&self, opener: &Opener) -> Result<Barrier, BackupError> {
        let engine = Arc::new(Memory::new());
        let puts = self.keys.iter().cloned();
        let put = puts.map(|(key, Record { version, value })| Put { key, version, value });
        engine.commit(Batch { put: put.collect(), ..Batch::default() }).wait()?;
        if !Barrier::is_initialised(&*engine)? {
            return Err(BackupError::NoKeyring);
        }
        let root = opener.open(self.verified.seal.as_ref())?;
        let barrier = Barrier::unseal(engine, &root)?;
        if self.end.is_of(&barrier.derived_key(PURPOSE)) {
            Ok(barrier)
        } else {
            Err(BackupError::Forged)
        }
    }
}

/// Reads a backup to its end, and shows each record.
pub(super) fn scan<F: Read + Seek>(
    file: &mut F,
    mut each: impl FnMut(&Key, &Record) -> Result<(), BackupError>,
) -> Result<Scanned, BackupError> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = Reader::begin(BufReader::new(file))?;
    let mut keys = Vec::new();
    let end = loop {
        match reader.next()? {
            Part::End(end) => break end,
            Part::Rows(rows) => {
                for (key, record) in &rows {
                    if Barrier::is_own(key) {
                        keys.push((key.clone(), record.clone()));
                    }
                    each(key, record)?;
                }
            }
        }
    };
    let found = Memory::new();
    let puts = keys.iter().cloned();
    let put = puts.map(|(key, Record { version, value })| Put { key, version, value });
    found.commit(Batch { put: put.collect(), ..Batch::default() }).wait()?;
    let seal = SealConfig::read(&found)?.map(|(config, _)| config);
    let (created, revision) = (reader.created, reader.revision);
    let verified = Verified { created, revision, records: end.records, seal, opened: false };
    Ok(Scanned { verified, end, keys })
}
