//! The keyring: every key in memory, and the KMIP servers behind it.
//!
//! Who reads waits for nobody who speaks to a server. Who changes something must be alone in that. It must never know MySQL's interface: [`crate::ffi`] does.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use claviger_kmip::codec::Secret;

use crate::advice::advice;
use crate::naming::{Identity, Kind};
use crate::server::{Key, Problem, Server};
use crate::settings::{Settings, Wrong};

/// What the status shows where there is no keyring.
const NO_KEYRING: &str = "Disabled";
/// Bytes of a name: those of MySQL's own interface.
const NAME_MAX: usize = 250;
/// Bytes of a problem's text.
const PROBLEM_MAX: usize = 300;

/// How much a line of the error log matters.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Note,
    Warning,
    Error,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The configuration.
    #[error(transparent)]
    Option(#[from] Wrong),
    /// The keys.
    #[error("{}", explained(.0))]
    Keys(#[from] Problem),
}

impl Refused {
    /// What a user asked for that there is not is no matter of the operator's.
    pub(crate) const fn severity(&self) -> Severity {
        match self {
            Self::Keys(Problem::Exists(_) | Problem::Unsupported(_)) => Severity::Note,
            _ => Severity::Error,
        }
    }
}

/// Keys by their names; a few may have the same, with other owners.
type Keys = HashMap<String, Vec<Arc<Key>>>;

/// The keys of a configuration.
pub(crate) struct Keyring {
    server: Server,
    keys: RwLock<Keys>,
    shown: Vec<(&'static str, String)>,
}

impl Keyring {
    /// Reads the configuration and every key; with what an operator should know of it.
    ///
    /// # Errors
    /// Something is wrong with either. There is no keyring with half of the keys.
    pub(crate) fn load(plugins: &Path, data: &Path) -> Result<(Self, Vec<String>), Refused> {
        let settings = Settings::read(plugins, data)?;
        let server = Server::new(settings.client, settings.group, settings.objects_max);
        let loaded = server.load()?;
        let mut keys = Keys::new();
        for key in loaded.keys {
            keys.entry(key.identity.data_id.clone()).or_default().push(Arc::new(key));
        }
        let keyring = Self { server, keys: RwLock::new(keys), shown: settings.shown };
        Ok((keyring, loaded.warnings))
    }

    /// A key, from memory.
    pub(crate) fn find(&self, data_id: &str, auth_id: &str) -> Option<Arc<Key>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let named = keys.get(data_id)?;
        named.iter().find(|key| key.identity.auth_id == auth_id).cloned()
    }

    /// Stores a key on the server, then in memory.
    pub(crate) fn store(
        &self,
        identity: Identity,
        kind: &str,
        bytes: Secret,
    ) -> Result<(), Problem> {
        self.make(identity, kind, bytes.len(), |_| Ok(bytes))
    }

    /// Makes a key and stores it.
    pub(crate) fn generate(
        &self,
        identity: Identity,
        kind: &str,
        length: usize,
    ) -> Result<(), Problem> {
        self.make(identity, kind, length, |length| {
            let mut bytes = zeroize::Zeroizing::new(vec![0; length]);
            aws_lc_rs::rand::fill(&mut bytes)
                .map_err(|_| Problem::Unsupported("there is no randomness"))?;
            Ok(Secret::from(std::mem::take(&mut *bytes)))
        })
    }

    fn make(
        &self,
        identity: Identity,
        kind: &str,
        length: usize,
        bytes: impl FnOnce(usize) -> Result<Secret, Problem>,
    ) -> Result<(), Problem> {
        let kind = Kind::named(kind)
            .ok_or(Problem::Unsupported("keys are of the types AES and SECRET"))?;
        if !kind.takes(length) {
            return Err(Problem::Unsupported(match kind {
                Kind::Aes => "an AES key has 16, 24 or 32 bytes",
                Kind::Secret => "a secret has 1 to 16384 bytes",
            }));
        }
        if [&identity.data_id, &identity.auth_id].iter().any(|it| it.len() > NAME_MAX)
            || identity.data_id.is_empty()
        {
            return Err(Problem::Unsupported(
                "the name of a key has 1 to 250 bytes, and its owner's at most 250",
            ));
        }
        if self.find(&identity.data_id, &identity.auth_id).is_some() {
            return Err(Problem::Exists(identity.data_id));
        }
        let bytes = bytes(length)?;
        let known = self.named(&identity.data_id);
        let identifier = self.server.store(&identity, kind, &bytes, &known)?;
        let key = Arc::new(Key { identity, kind, bytes, identifier });
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.entry(key.identity.data_id.clone()).or_default().push(key);
        drop(keys);
        Ok(())
    }

    /// The objects of a name.
    fn named(&self, data_id: &str) -> Vec<String> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let named = keys.get(data_id).into_iter().flatten();
        named.map(|key| key.identifier.clone()).collect()
    }

    /// Destroys a key on the server, then in memory. That there is none is as good.
    pub(crate) fn remove(&self, data_id: &str, auth_id: &str) -> Result<(), Problem> {
        let Some(key) = self.find(data_id, auth_id) else { return Ok(()) };
        self.server.remove(&key.identifier)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = keys.get_mut(data_id) {
            named.retain(|it| it.identity.auth_id != auth_id);
            if named.is_empty() {
                keys.remove(data_id);
            }
        }
        drop(keys);
        Ok(())
    }

    /// Who all the keys are, in order.
    pub(crate) fn list(&self) -> Vec<Identity> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = keys.values().flatten().map(|key| key.identity.clone()).collect();
        drop(keys);
        all.sort_unstable();
        all
    }
}

/// The rows of performance_schema.keyring_component_status.
pub(crate) fn status(keyring: Option<&Keyring>) -> Vec<(&'static str, String)> {
    let mut rows: Vec<_> = [
        ("Component_name", "component_claviger_kmip"),
        ("Author", "Claviger"),
        ("License", "MIT OR Apache-2.0"),
        ("Implementation_name", "component_claviger_kmip"),
        ("Version", env!("CARGO_PKG_VERSION")),
        ("Component_status", if keyring.is_some() { "Active" } else { NO_KEYRING }),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    rows.extend(keyring.into_iter().flat_map(|keyring| keyring.shown.iter().cloned()));
    rows
}

/// A problem and what to do about it. A list of servers is long: what to do must not be lost behind it.
fn explained(problem: &Problem) -> String {
    let mut text = String::new();
    for character in problem.to_string().chars() {
        if text.len() >= PROBLEM_MAX {
            text.push('…');
            break;
        }
        text.push(character);
    }
    match advice(problem) {
        "" => text,
        advice => format!("{text}: {advice}"),
    }
}
