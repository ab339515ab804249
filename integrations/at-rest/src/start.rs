//! Starting: a keystore is made, opened or rotated, as the plan says.
//!
//! The order of steps is what a crash may cut: a note of the new key's name, the key on the server,
//! the keystore, the note's end. A start after a crash finds the key by its name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::keystore::note::{Note, Takes};
use crate::keystore::{Closed, Configured, Keystore};
use crate::kms::{Kms, Read};
use crate::master_key::MasterKey;
use crate::options::{Facility, KmipSettings, Settings};
use crate::plan::{Plan, Wanted, plan, plan_named};
use crate::{Error, Level, names};

/// Whoever keeps master keys, ready to be asked.
#[derive(Debug)]
pub enum Keeper {
    /// KMIP servers.
    Kmip(Kms),
    /// A file.
    KeyFile(PathBuf),
}

impl Keeper {
    /// Reads the files of the settings; no server is asked.
    ///
    /// # Errors
    /// A file cannot be used, or its password is missing or wrong.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        match &settings.facility {
            Facility::Kmip(kmip) => Ok(Self::Kmip(Kms::new(kmip)?)),
            Facility::KeyFile(path) => Ok(Self::KeyFile(path.clone())),
        }
    }
}

/// A keystore that is open.
#[derive(Debug)]
pub struct Started {
    /// The keystore.
    pub keystore: Keystore,
    /// The key whose state is to be polled, and how often.
    pub polling: Option<Polling>,
    /// Whether the keystore has been sealed with another key. The original ends then.
    pub was_rotated: bool,
}

/// A key whose state is to be polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polling {
    /// The key.
    pub key_identifier: String,
    /// How often.
    pub period: Duration,
}

/// Makes, opens or rotates the keystore in a directory, which nobody else may use until it is
/// dropped.
///
/// # Errors
/// Any of [`Error`]; then the keystore is as it was.
pub fn start(settings: &Settings, keeper: &Keeper, directory: &Path) -> Result<Started, Error> {
    let closed = Closed::lock(directory)?;
    let started = match (&settings.facility, keeper) {
        (Facility::Kmip(kmip), Keeper::Kmip(kms)) => {
            Start { kmip, kms, level: settings.level }.run(closed)
        }
        (_, Keeper::KeyFile(path)) | (Facility::KeyFile(path), _) => with_file(closed, path),
    }?;
    // Other tools look for this line.
    tracing::info!(id = 29037, "Encryption keys DB is initialized successfully");
    Ok(started)
}

fn with_file(closed: Closed, path: &Path) -> Result<Started, Error> {
    let key = MasterKey::read(path)?;
    let keystore = match plan(closed.configured(), Wanted::KeyFile)? {
        Plan::CreateWithFile => closed.create(&key, Configured::Nothing)?,
        _ => closed.open(&key)?,
    };
    Ok(Started { keystore, polling: None, was_rotated: false })
}

struct Start<'a> {
    kmip: &'a KmipSettings,
    kms: &'a Kms,
    level: Level,
}

impl Start<'_> {
    fn run(&self, closed: Closed) -> Result<Started, Error> {
        self.finish_note(&closed)?;
        match self.plan(closed.configured())? {
            Plan::CreateWithNew => {
                let (identifier, key) = self.new_key(&closed, None)?;
                let keystore = closed.create(&key, Configured::Kmip(identifier.clone()))?;
                Note::remove(keystore.directory())?;
                self.started(keystore, &identifier, true)
            }
            Plan::CreateWith(identifier) => {
                let Read { key, is_active } = self.kms.read(&identifier)?;
                let keystore = closed.create(&key, Configured::Kmip(identifier.clone()))?;
                self.started(keystore, &identifier, is_active)
            }
            Plan::Open(identifier) => {
                let Read { key, is_active } = self.kms.read(&identifier)?;
                let mut keystore = closed.open(&key)?;
                if *keystore.configured() == Configured::Nothing {
                    keystore.configure(Configured::Kmip(identifier.clone()))?;
                }
                self.started(keystore, &identifier, is_active)
            }
            Plan::RotateToNew { from } => {
                // The state of the key that is left behind is no matter.
                let keystore = closed.open(&self.kms.read_any(&from)?)?;
                self.rotate_to_new(keystore, from)
            }
            Plan::RotateTo { from, to } => {
                let mut keystore = closed.open(&self.kms.read_any(&from)?)?;
                let Read { key, .. } = self.kms.read(&to)?;
                keystore.rotate(&key, Configured::Kmip(to))?;
                Ok(rotated(keystore))
            }
            // The plan has these for key files only.
            Plan::CreateWithFile | Plan::OpenWithFile => Err(Error::NotKmip),
        }
    }

    fn plan(&self, configured: Option<&Configured>) -> Result<Plan, Error> {
        let rotate = self.kmip.rotate_master_key;
        match (self.level, &self.kmip.key_identifier) {
            (Level::V4_2, Some(name)) => {
                let located = self.kms.find(name)?;
                plan_named(configured, name, located.as_deref(), rotate)
            }
            (_, provided) => {
                plan(configured, Wanted::Kmip { provided: provided.as_deref(), rotate })
            }
        }
    }

    fn started(
        &self,
        keystore: Keystore,
        identifier: &str,
        is_active: bool,
    ) -> Result<Started, Error> {
        if let (Level::V4_2, Some(_)) = (self.level, &self.kmip.key_identifier) {
            names::mark(self.kms, identifier, &keystore.id());
        }
        let polling = self.kmip.polling.filter(|_| is_active);
        let polling =
            polling.map(|period| Polling { key_identifier: identifier.to_owned(), period });
        Ok(Started { keystore, polling, was_rotated: false })
    }

    fn rotate_to_new(&self, mut keystore: Keystore, from: String) -> Result<Started, Error> {
        let takes = match (self.level, &self.kmip.key_identifier) {
            (Level::V4_2, Some(name)) => {
                names::refuse_shared(self.kms, &from, name, &keystore.id())?;
                Some(Takes { name: name.clone(), from })
            }
            _ => None,
        };
        let (identifier, key) = self.new_key_in(keystore.directory(), takes.as_ref())?;
        keystore.rotate(&key, Configured::Kmip(identifier.clone()))?;
        if let Some(takes) = takes {
            names::take(self.kms, &takes, &identifier, &keystore.id())?;
        }
        Note::remove(keystore.directory())?;
        Ok(rotated(keystore))
    }

    fn new_key(
        &self,
        closed: &Closed,
        takes: Option<&Takes>,
    ) -> Result<(String, MasterKey), Error> {
        if let (Level::V4_2, Some(name)) = (self.level, &self.kmip.key_identifier) {
            // The name itself is how a start after a crash finds it.
            let key = MasterKey::generate()?;
            let identifier = self.kms.register(&key, Some(name))?;
            // Another keystore may have done the same at the same time.
            if self.kms.find(name)?.as_ref() != Some(&identifier) {
                return Err(Error::NameShared { name: name.clone() });
            }
            return Ok((identifier, key));
        }
        self.new_key_in(&closed.directory, takes)
    }

    fn new_key_in(
        &self,
        directory: &crate::keystore::Directory,
        takes: Option<&Takes>,
    ) -> Result<(String, MasterKey), Error> {
        if !self.kms.names_keys() {
            let key = MasterKey::generate()?;
            return Ok((self.kms.register(&key, None)?, key));
        }
        if let Some(note) = Note::read(directory)? {
            let note = Note { takes: takes.cloned(), ..note };
            if let Some(found) = names::pending(self.kms, &note.name)? {
                note.write(directory)?;
                return Ok(found);
            }
        }
        let note = Note { name: names::unique()?, takes: takes.cloned() };
        note.write(directory)?;
        crate::fault::point(crate::fault::Point::NameNoted);
        let key = MasterKey::generate()?;
        Ok((self.kms.register(&key, Some(&note.name))?, key))
    }

    /// Ends what a crash left after the keystore was sealed with its new key.
    fn finish_note(&self, closed: &Closed) -> Result<(), Error> {
        let Some(Configured::Kmip(used)) = closed.configured() else { return Ok(()) };
        if !self.kms.names_keys() {
            return Ok(());
        }
        let Some(note) = Note::read(&closed.directory)? else { return Ok(()) };
        if !self.kms.names(used)?.contains(&note.name) {
            // The rotation did not get that far; the next one goes on with this key.
            return Ok(());
        }
        if let Some(takes) = &note.takes {
            names::take(self.kms, takes, used, &closed.id())?;
        }
        Note::remove(&closed.directory)
    }
}

fn rotated(keystore: Keystore) -> Started {
    // Other tools look for this line.
    tracing::info!("Rotated master encryption key");
    Started { keystore, polling: None, was_rotated: true }
}
