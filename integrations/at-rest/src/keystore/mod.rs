//! A directory with the data keys of databases, sealed by a master key (docs/formats.md §13).
//!
//! What has been acknowledged is counted by the header, which is written only after it: a crash
//! leaves the keystore as it was before a change, or as it is after. The names are in memory, the
//! keys are not: each is read from the file when it is asked for.
//!
//! It must never know where a master key comes from.

mod directory;
mod format;
pub(crate) mod note;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use format::{HEADER_MAX, Header, NAME_MAX, RECORD_MAX, Record, Sealer, Unreadable};
use scan::scan;

pub(crate) use directory::Directory;
pub(crate) use format::IDENTIFIER_MAX;
pub use format::{Configured, DataKey, FORMAT};

use crate::Error;
use crate::fault::{self, Point};
use crate::master_key::MasterKey;

/// The keystore file's name within its directory.
pub const FILE: &str = "keystore";
/// The most databases of a keystore.
pub const DATABASES_MAX: usize = 1_000_000;
/// Buffer for writing a whole keystore.
const BUFFER: usize = 256 * 1024;

/// A keystore that this process alone uses, and has not opened yet.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) directory: Directory,
    found: Option<(File, Header)>,
}

impl Closed {
    /// Locks a directory, which is made if it is not there, and reads the header in it.
    pub(crate) fn lock(path: &Path) -> Result<Self, Error> {
        let directory = Directory::lock(path)?;
        let found = read_header(&directory.join(FILE), Access::Write)?;
        Ok(Self { directory, found })
    }

    /// Who keeps the master key; `None` if there is no keystore yet.
    pub(crate) fn configured(&self) -> Option<&Configured> {
        self.found.as_ref().map(|(_, header)| &header.configured)
    }

    /// As [`Keystore::id`]; empty if there is no keystore.
    pub(crate) fn id(&self) -> String {
        self.found.as_ref().map(|(_, header)| header.id_text()).unwrap_or_default()
    }

    /// Makes an empty keystore where there is none.
    pub(crate) fn create(
        self,
        master: &MasterKey,
        configured: Configured,
    ) -> Result<Keystore, Error> {
        let sealer = Sealer::new(master)?;
        let mut header = Header::new(configured)?;
        let end = header.length();
        let path = self.directory.join(FILE);
        let bytes = header.seal(&sealer, end)?;
        self.directory.replace(
            FILE,
            |file| file.write_all(&bytes).map_err(|source| Error::file(&path, source)),
            || fault::point(Point::KeystoreWritten),
        )?;
        fault::point(Point::KeystoreInPlace);
        Self { found: read_header(&path, Access::Write)?, ..self }.open(master)
    }

    /// Opens the keystore: every record is checked. One of an older format is copied and then
    /// written anew.
    pub(crate) fn open(self, master: &MasterKey) -> Result<Keystore, Error> {
        let path = self.directory.join(FILE);
        let Some((file, header)) = self.found else {
            return Err(Error::NoKeystore(path));
        };
        let sealer = Sealer::new(master)?;
        if !header.opens_with(&sealer) {
            return Err(Error::DoesNotOpen(path));
        }
        let length = file.metadata().map_err(|source| Error::file(&path, source))?.len();
        let end = header.end.unwrap_or(length);
        if end > length || end < header.length() {
            return Err(Error::damaged(&path, "records are missing at its end"));
        }
        let mut places = HashMap::new();
        scan(&file, &path, header.length()..end, |place, record, _| {
            if record.open(&sealer, &header.id).is_none() {
                let problem = format!("the key of {:?} does not open", record.name);
                return Err(Error::damaged(&path, problem));
            }
            if places.insert(Box::from(record.name), place).is_some() {
                let problem = format!("it has two keys for {:?}", record.name);
                return Err(Error::damaged(&path, problem));
            }
            Ok(())
        })?;
        let mut keystore = Keystore {
            directory: self.directory,
            path,
            file,
            header,
            end,
            sealer,
            places,
            is_uncertain: false,
        };
        keystore.upgrade()?;
        Ok(keystore)
    }
}

/// What can be read of a keystore without its master key.
#[derive(Debug)]
pub struct Summary {
    /// Who keeps the master key.
    pub configured: Configured,
    /// The names of its databases, in the order in which they came.
    pub databases: Vec<String>,
}

/// Reads what a keystore says without its master key; it may be in use. Nothing of it is proven.
///
/// # Errors
/// There is no keystore, or it cannot be read.
pub fn summary(directory: &Path) -> Result<Summary, Error> {
    let path = directory.join(FILE);
    let Some((file, header)) = read_header(&path, Access::Read)? else {
        return Err(Error::NoKeystore(directory.to_owned()));
    };
    let length = file.metadata().map_err(|source| Error::file(&path, source))?.len();
    let mut databases = Vec::new();
    let records = header.length()..header.end.unwrap_or(length);
    scan(&file, &path, records, |_, record, _| {
        databases.push(record.name.to_owned());
        Ok(())
    })?;
    Ok(Summary { configured: header.configured, databases })
}

/// What a file is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

fn read_header(path: &Path, access: Access) -> Result<Option<(File, Header)>, Error> {
    let is_written = access == Access::Write;
    let file = match File::options().read(true).write(is_written).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::file(path, source)),
    };
    let mut bytes = vec![0; HEADER_MAX];
    let count = scan::read_at_most(&file, &mut bytes, 0);
    bytes.truncate(count.map_err(|source| Error::file(path, source))?);
    match Header::parse(&bytes) {
        Ok(header) => Ok(Some((file, header))),
        Err(Unreadable::Newer(format)) => Err(Error::Newer { path: path.to_owned(), format }),
        Err(Unreadable::Damaged(problem)) => Err(Error::damaged(path, problem)),
    }
}

/// An open keystore.
#[derive(Debug)]
pub struct Keystore {
    directory: Directory,
    path: PathBuf,
    file: File,
    header: Header,
    /// Where the records end.
    end: u64,
    sealer: Sealer,
    /// Where in the file the record of each database begins.
    places: HashMap<Box<str>, u64>,
    /// A write failed, and nobody knows what of it is on disk: nothing may be written over it.
    is_uncertain: bool,
}

impl Keystore {
    /// Who keeps the master key.
    #[must_use]
    pub const fn configured(&self) -> &Configured {
        &self.header.configured
    }

    /// How many databases have a key.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether that database has a key.
    #[must_use]
    pub fn contains(&self, database: &str) -> bool {
        self.places.contains_key(database)
    }

    /// The key of a database.
    ///
    /// # Errors
    /// It has none, or its record was damaged since the keystore was opened.
    pub fn data_key(&self, database: &str) -> Result<DataKey, Error> {
        let unknown = || Error::UnknownDatabase(database.to_owned());
        let place = *self.places.get(database).ok_or_else(unknown)?;
        let mut bytes = [0; RECORD_MAX];
        let count = scan::read_at_most(&self.file, &mut bytes, place);
        let count = count.map_err(|source| Error::file(&self.path, source))?;
        let record = Record::parse(bytes.get(..count).unwrap_or_default());
        let record = record.filter(|(record, _)| record.name == database);
        let key = record.and_then(|(record, _)| record.open(&self.sealer, &self.header.id));
        key.ok_or_else(|| {
            Error::damaged(&self.path, format!("the key of {database:?} does not open"))
        })
    }

    /// Makes a key for a database; it is durable when this returns.
    ///
    /// # Errors
    /// It has one, the name is none, or the keystore cannot be written.
    pub fn add(&mut self, database: &str) -> Result<(), Error> {
        self.add_all(&[database])
    }

    /// Makes a key for each of several databases, for all of them or for none.
    ///
    /// # Errors
    /// As [`Keystore::add`].
    pub fn add_all(&mut self, databases: &[&str]) -> Result<(), Error> {
        if self.is_uncertain {
            let problem = "an earlier write failed: open the keystore anew";
            return Err(Error::file(&self.path, io::Error::other(problem)));
        }
        if self.len().saturating_add(databases.len()) > DATABASES_MAX {
            return Err(Error::Limit { what: "databases", most: DATABASES_MAX as u64 });
        }
        let mut bytes = Vec::new();
        let mut places = HashMap::new();
        for name in databases {
            let is_bad =
                name.is_empty() || name.len() > NAME_MAX || name.contains(char::is_control);
            if is_bad {
                return Err(Error::DatabaseName((*name).to_owned()));
            }
            let place = self.end.saturating_add(bytes.len() as u64);
            if self.contains(name) || places.insert(Box::from(*name), place).is_some() {
                return Err(Error::KnownDatabase((*name).to_owned()));
            }
            let key = DataKey::generate()?;
            format::write_record(&mut bytes, &self.sealer, &self.header.id, name, &key)?;
        }
        let mut header = self.header.clone();
        let end = self.end.saturating_add(bytes.len() as u64);
        let header_bytes = header.seal(&self.sealer, end)?;
        // Behind what the header counts: whatever happens here changes nothing that anybody reads.
        self.write(&bytes, self.end)?;
        fault::point(Point::DataKeyWritten);
        self.is_uncertain = true;
        self.write(&header_bytes, 0)?;
        self.is_uncertain = false;
        fault::point(Point::DataKeyCounted);
        self.header = header;
        self.end = end;
        self.places.extend(places);
        Ok(())
    }

    /// Seals every key with another master key; the old keystore is in place until the new one is
    /// whole.
    ///
    /// # Errors
    /// A record was damaged since the keystore was opened, or the new one cannot be written; then
    /// the old one is as it was.
    pub(crate) fn rotate(
        &mut self,
        master: &MasterKey,
        configured: Configured,
    ) -> Result<(), Error> {
        let sealer = Sealer::new(master)?;
        self.rewrite(Some(sealer), configured)
    }

    /// Notes who keeps the master key, which stays the same.
    pub(crate) fn configure(&mut self, configured: Configured) -> Result<(), Error> {
        self.rewrite(None, configured)
    }

    /// The directory, for notes beside the keystore.
    pub(crate) const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What names this keystore, in hex: random, and the same for as long as it lives.
    pub(crate) fn id(&self) -> String {
        self.header.id_text()
    }

    fn write(&self, bytes: &[u8], place: u64) -> Result<(), Error> {
        let written = self.file.write_all_at(bytes, place).and_then(|()| self.file.sync_data());
        written.map_err(|source| Error::file(&self.path, source))
    }

    fn upgrade(&mut self) -> Result<(), Error> {
        if self.header.format == FORMAT {
            return Ok(());
        }
        let copy = format!("{FILE}.format-{}", self.header.format);
        let end = self.end;
        self.directory.replace(
            &copy,
            |to| {
                let copied = scan::copy(&self.file, end, to);
                copied.map_err(|source| Error::file(&self.path, source))
            },
            || {},
        )?;
        fault::point(Point::OldFormatCopied);
        let from = self.header.format;
        self.rewrite(None, self.header.configured.clone())?;
        tracing::info!(from, to = FORMAT, copy, "the keystore has been written in the new format");
        Ok(())
    }

    /// Writes the whole keystore anew: resealed, or with its records as they are.
    fn rewrite(&mut self, sealer: Option<Sealer>, configured: Configured) -> Result<(), Error> {
        let begin = self.header.length();
        let mut header = self.header.configured_as(configured);
        let new_begin = header.length();
        let end = new_begin.saturating_add(self.end.saturating_sub(begin));
        let bytes = header.seal(sealer.as_ref().unwrap_or(&self.sealer), end)?;
        let write = |file: &mut File| {
            let mut writer = BufWriter::with_capacity(BUFFER, file);
            let failed = |source| Error::file(&self.path, source);
            writer.write_all(&bytes).map_err(failed)?;
            let mut resealed = Vec::with_capacity(RECORD_MAX);
            scan(&self.file, &self.path, begin..self.end, |_, record, raw| {
                let Some(sealer) = &sealer else { return writer.write_all(raw).map_err(failed) };
                let key = record.open(&self.sealer, &self.header.id).ok_or_else(|| {
                    let problem = format!("the key of {:?} does not open", record.name);
                    Error::damaged(&self.path, problem)
                })?;
                resealed.clear();
                format::write_record(&mut resealed, sealer, &self.header.id, record.name, &key)?;
                writer.write_all(&resealed).map_err(failed)
            })?;
            writer.flush().map_err(failed)
        };
        self.directory.replace(FILE, write, || fault::point(Point::KeystoreWritten))?;
        fault::point(Point::KeystoreInPlace);
        let file = File::options().read(true).write(true).open(&self.path);
        self.file = file.map_err(|source| Error::file(&self.path, source))?;
        for place in self.places.values_mut() {
            *place = place.saturating_sub(begin).saturating_add(new_begin);
        }
        self.header = header;
        self.end = end;
        if let Some(sealer) = sealer {
            self.sealer = sealer;
        }
        Ok(())
    }
}
