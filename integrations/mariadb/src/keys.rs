//! Versions of keys, as a KMIP server has them: which is the latest, its bytes, a new one.
//!
//! It must never know MariaDB's interface, and keeps nothing: [`crate::cache`] does.

mod all;

use claviger_client::blocking::Client;
use claviger_client::tls::TlsFailure;
use claviger_client::{Error, Failover, requests};
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::{Name, UniqueIdentifier};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, ResultReason, State,
};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::objects::{KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::LocateRequest;

pub(crate) use self::all::{All, ReadVersion};
use crate::naming::{Described, Group, asked};

/// How long keys may be, in bits.
pub const KEY_BITS: [i32; 3] = [128, 192, 256];
/// The highest version: the attribute is an Integer.
const VERSION_MAX: u32 = i32::MAX as u32;
/// How many versions of one key are looked at.
const VERSIONS_MAX: usize = 1000;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No answer, or a refusal.
    #[error(transparent)]
    Client(#[from] Error),
    /// The server has no version of a key that may be used for encrypting.
    #[error("the KMIP server has no Active version of key {0}")]
    NoVersion(u32),
    /// The key has versions, but none was Active: somebody is making one, or did not get to its end.
    #[error("the KMIP server has key {0}, but no version of it is Active")]
    NotActive(u32),
    /// The server has no such version, or one that is not in use yet.
    #[error("the KMIP server has no key with the Name {0}")]
    Absent(String),
    /// Several objects have the Name.
    #[error("{count} keys on the KMIP server have the Name {name}")]
    Ambiguous {
        /// The Name.
        name: String,
        /// How many.
        count: usize,
    },
    /// The object has the Name, but is no version of the key.
    #[error("{name}: {problem}")]
    Wrong {
        /// The Name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There are too many versions.
    #[error("key {0} has more than 1000 versions")]
    TooMany(u32),
    /// There are too many keys.
    #[error("more than {0} keys are asked for")]
    TooManyKeys(usize),
}

impl Problem {
    /// Whether nobody could be asked: what is known from before may still be true. What a server
    /// says of the key itself or of who asks is final; that it failed is not.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Client(Error::Servers(failures)) => {
                !failures.iter().any(|failure| is_final(&failure.error))
            }
            Self::Client(error) => !is_final(error),
            _ => false,
        }
    }
}

fn is_final(error: &Error) -> bool {
    match error {
        // By the names of the alerts. An expired certificate is no such word: it is forgotten
        // more often than taken away.
        Error::Tls(TlsFailure::CertificateRejected(alert)) => {
            ["CertificateRevoked", "AccessDenied"].contains(&alert.as_str())
        }
        error => error.reason().is_some_and(|reason| {
            [
                ResultReason::PERMISSION_DENIED,
                ResultReason::AUTHENTICATION_NOT_SUCCESSFUL,
                ResultReason::ITEM_NOT_FOUND,
                ResultReason::OBJECT_NOT_FOUND,
                ResultReason::OBJECT_DESTROYED,
                ResultReason::OBJECT_ARCHIVED,
                ResultReason::WRONG_KEY_LIFECYCLE_STATE,
            ]
            .contains(&reason)
        }),
    }
}

/// The highest Active version of a key, as it was found.
#[derive(Debug)]
pub struct Latest {
    /// Which it is.
    pub version: u32,
    identifier: UniqueIdentifier,
    found: Described,
}

/// The keys of one group on one or several servers that hold the same.
#[derive(Debug)]
pub struct Keys {
    client: Client,
    group: Group,
}

impl Keys {
    /// Connects when it is asked for something.
    #[must_use]
    pub const fn new(client: Client, group: Group) -> Self {
        Self { client, group }
    }

    /// The highest Active version of a key.
    ///
    /// # Errors
    /// [`Problem::NoVersion`], several have the Name, or no answer.
    pub fn latest(&self, key_id: u32) -> Result<Latest, Problem> {
        let mut active = self.versions(key_id, Some(State::ACTIVE))?;
        let version = active.iter().filter_map(|(_, found)| found.version).max();
        let version = version.ok_or(Problem::NoVersion(key_id))?;
        active.retain(|(_, found)| found.version == Some(version));
        let count = active.len();
        match active.pop() {
            Some((identifier, found)) if count == 1 => Ok(Latest { version, identifier, found }),
            _ => Err(Problem::Ambiguous { name: self.group.name(key_id, version), count }),
        }
    }

    /// The bytes of what [`Keys::latest`] found.
    ///
    /// # Errors
    /// As [`Keys::material`].
    pub fn material_of_latest(&self, key_id: u32, latest: &Latest) -> Result<Secret, Problem> {
        let name = self.group.name(key_id, latest.version);
        let found = self.client.call(&named(&name))?.unique_identifier;
        if found.as_slice() != [latest.identifier.clone()] {
            // Whether the others were ever used has to be looked at.
            return self.material(key_id, latest.version);
        }
        let object = self.client.get(latest.identifier.clone())?.object;
        bytes(object, &name, latest.version, &latest.found)
    }

    /// The bytes of a version: of any that is or was Active.
    ///
    /// # Errors
    /// There is not exactly one such key, it is no AES key, or there is no answer.
    pub fn material(&self, key_id: u32, version: u32) -> Result<Secret, Problem> {
        let name = self.group.name(key_id, version);
        let (identifier, found) = self.only(key_id, &name)?;
        bytes(self.client.get(identifier)?.object, &name, version, &found)
    }

    /// Makes the next version of a key, and puts it to use; says which that is.
    ///
    /// # Errors
    /// No answer, a refusal, or somebody else is making the same version.
    pub fn rotate(&self, key_id: u32, bits: i32) -> Result<u32, Problem> {
        let highest = self.highest(key_id)?;
        let next = highest.checked_add(1).filter(|next| *next <= VERSION_MAX);
        self.make(key_id, next.ok_or(Problem::TooMany(key_id))?, bits)
    }

    /// Makes version 1 of a key that has no version, whatever their states.
    ///
    /// # Errors
    /// [`Problem::NotActive`] if it has one; else as [`Keys::rotate`].
    pub fn make_first(&self, key_id: u32, bits: i32) -> Result<u32, Problem> {
        match self.highest(key_id)? {
            0 => self.make(key_id, 1, bits),
            _ => Err(Problem::NotActive(key_id)),
        }
    }

    /// The highest version in any state; 0 where there is none.
    fn highest(&self, key_id: u32) -> Result<u32, Problem> {
        let all = self.versions(key_id, None)?;
        Ok(all.iter().filter_map(|(_, found)| found.version).max().unwrap_or(0))
    }

    /// Creates a version, makes sure that it is the only one of its Name, and only then activates
    /// it: nobody uses one of two.
    fn make(&self, key_id: u32, version: u32, bits: i32) -> Result<u32, Problem> {
        let usage = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
        let attributes = self.group.attributes(key_id, version);
        let algorithm = CryptographicAlgorithm::AES;
        let made = self.client.create_symmetric_key(algorithm, bits, usage, attributes)?;
        let identifier = made.unique_identifier;
        let name = self.group.name(key_id, version);
        let count = self.client.call(&named(&name))?.unique_identifier.len();
        if count != 1 {
            // It was never used. What remains if this fails is Pre-Active, which nobody uses.
            let _best_effort = self.client.destroy(identifier);
            return Err(Problem::Ambiguous { name, count });
        }
        self.client.activate(identifier)?;
        Ok(version)
    }

    /// The object with the Name of a version, that is or was Active.
    fn only(&self, key_id: u32, name: &str) -> Result<(UniqueIdentifier, Described), Problem> {
        let named = self.client.call(&named(name))?.unique_identifier;
        let mut used = self.describe(key_id, named)?;
        used.retain(|(_, found)| found.state.is_some_and(was_used));
        match (used.len(), used.pop()) {
            (1, Some(only)) => Ok(only),
            (0, _) => Err(Problem::Absent(name.to_owned())),
            (count, _) => Err(Problem::Ambiguous { name: name.to_owned(), count }),
        }
    }

    /// All versions of a key, or those in a state.
    fn versions(
        &self,
        key_id: u32,
        state: Option<State>,
    ) -> Result<Vec<(UniqueIdentifier, Described)>, Problem> {
        let object_type = Attribute::ObjectType(ObjectType::SYMMETRIC_KEY);
        let filter = [object_type, self.group.of_key(key_id)].into_iter();
        let request = requests::locate(filter.chain(state.map(Attribute::State)));
        let found = self.client.call(&request)?.unique_identifier;
        if found.len() > VERSIONS_MAX {
            return Err(Problem::TooMany(key_id));
        }
        self.describe(key_id, found)
    }

    /// What there is to know of objects, as many as are still there.
    fn describe(
        &self,
        key_id: u32,
        identifiers: Vec<UniqueIdentifier>,
    ) -> Result<Vec<(UniqueIdentifier, Described)>, Problem> {
        let answers = self.client.many(Failover::Careful, |session, at_once| {
            let asking = identifiers.iter().map(|it| requests::get_attributes(it.clone(), asked()));
            session.call_each(asking, at_once)
        })?;
        let mut described = Vec::with_capacity(identifiers.len());
        for (identifier, answer) in identifiers.into_iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    described.push((identifier, self.group.describe(key_id, &answer.attributes.0)));
                }
                // Destroyed in between.
                Err(refusal) if refusal.reason.is_some_and(is_absence) => {}
                Err(refusal) => return Err(Error::from(refusal).into()),
            }
        }
        Ok(described)
    }
}

/// Asks for the objects with a Name.
fn named(name: &str) -> LocateRequest {
    requests::locate([
        Attribute::ObjectType(ObjectType::SYMMETRIC_KEY),
        Attribute::Name(Name::text(name)),
    ])
}

/// The bytes of an object that has the Name of a version.
fn bytes(object: Object, name: &str, version: u32, found: &Described) -> Result<Secret, Problem> {
    let wrong = |problem: &str| Problem::Wrong { name: name.to_owned(), problem: problem.into() };
    if found.is_replacement {
        return Err(wrong("it took the Name of another key by Re-key, and has other bytes"));
    }
    if found.version != Some(version) {
        return Err(wrong("its attribute x-mariadb-version says something else"));
    }
    let Object::SymmetricKey(key) = object else {
        return Err(wrong("no symmetric key"));
    };
    let block = key.key_block.ok_or_else(|| wrong("it has no Key Block"))?;
    if block.key_wrapping_data.is_some() || block.key_format_type != KeyFormatType::RAW {
        return Err(wrong("a wrapped key, or one that is not in the format Raw"));
    }
    if block.cryptographic_algorithm.is_some_and(|it| it != CryptographicAlgorithm::AES) {
        return Err(wrong("no key for AES"));
    }
    match block.key_value {
        Some(KeyValue::Plain { key_material: KeyMaterial::Bytes(bytes), .. })
            if [16, 24, 32].contains(&bytes.len()) =>
        {
            Ok(bytes)
        }
        _ => Err(wrong("a key that has not 16, 24 or 32 bytes")),
    }
}

fn is_absence(reason: ResultReason) -> bool {
    [ResultReason::ITEM_NOT_FOUND, ResultReason::OBJECT_NOT_FOUND, ResultReason::OBJECT_DESTROYED]
        .contains(&reason)
}

/// Whether something may be encrypted with a key in that state.
fn was_used(state: State) -> bool {
    [State::ACTIVE, State::DEACTIVATED, State::COMPROMISED].contains(&state)
}

#[cfg(test)]
mod tests {
    use std::io;

    use claviger_client::{Endpoint, Refusal, ServerFailure};

    use super::*;

    fn refusal(reason: ResultReason) -> Error {
        Error::Refused(Refusal { operation: None, reason: Some(reason), message: None })
    }

    fn rejection(alert: &str) -> Error {
        Error::Tls(TlsFailure::CertificateRejected(alert.to_owned()))
    }

    #[test]
    fn a_word_on_the_key_or_the_client_is_final_and_a_failure_is_not() {
        let down = || Error::Connect(io::ErrorKind::ConnectionRefused.into());
        for error in [
            down(),
            refusal(ResultReason::GENERAL_FAILURE),
            rejection("CertificateExpired"),
            Error::Tls(TlsFailure::Expired),
        ] {
            assert!(Problem::from(error).is_outage());
        }
        for error in [
            refusal(ResultReason::PERMISSION_DENIED),
            refusal(ResultReason::OBJECT_DESTROYED),
            rejection("CertificateRevoked"),
        ] {
            assert!(!Problem::from(error).is_outage());
        }
        assert!(!Problem::NoVersion(1).is_outage());
        let failure = |error| ServerFailure {
            server: Endpoint { host: String::from("kms"), port: 1 },
            error,
        };
        let both = vec![failure(rejection("CertificateRevoked")), failure(down())];
        assert!(!Problem::from(Error::Servers(both)).is_outage());
        assert!(Problem::from(Error::Servers(vec![failure(down())])).is_outage());
    }
}
