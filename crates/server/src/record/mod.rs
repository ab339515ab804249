//! Server-owned records: mounts, authorities, scopes, roles, credentials, tokens.
//!
//! Managed objects are not here. A record is one version byte and JSON, sealed by the barrier; this
//! module is the only one that turns records into bytes and back, and the only one of `mount`,
//! `access` and `token` that touches the barrier. Layout: docs/formats.md, "Server-owned records".

mod change;
mod identifier;
mod secret;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::seal::{Barrier, Changes, CommitError, Expect, Key, Range, SealError};

pub use change::Change;
pub use identifier::{
    AppRoleId, AuthorityId, MethodId, MountId, RequestId, RoleId, ScopeId, SecretIdAccessor,
    base62, random_uuid,
};
pub(crate) use secret::{base64_bytes, base64_secret};

/// The first byte of every server-owned record; readers refuse a newer one.
const RECORD_FORMAT: u8 = 1;

/// Room for the largest ordinary record (an engine with RSA authorities), so that growing the
/// buffer does not leave unwiped copies of private keys behind.
const RECORD_BYTES_EXPECTED: usize = 32 * 1024;

/// How many records are held at once where all of a kind are read.
const PAGE: usize = 256;

macro_rules! kinds {
    ($($(#[$text:meta])* $kind:ident = $letter:literal,)*) => {
        /// What kind of record a key leads to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$text])* $kind = $letter,)*
        }

        impl Kind {
            /// Every kind.
            const ALL: &[Self] = &[$(Self::$kind,)*];
        }
    };
}

kinds! {
    /// A mount: `m ‖ keyed hash of its path`.
    Mount = b'm',
    /// A named certificate authority: `c ‖ mount ‖ keyed hash of its name`.
    NamedAuthority = b'c',
    /// A revoked serial: `d ‖ mount ‖ authority ‖ serial`.
    Revoked = b'd',
    /// The configuration of a mount's KMIP engine: `g ‖ mount`.
    Engine = b'g',
    /// A certificate authority: `a ‖ mount ‖ authority`.
    Authority = b'a',
    /// A named listener: `l ‖ mount ‖ keyed hash of its name`.
    Listener = b'l',
    /// A scope: `s ‖ mount ‖ keyed hash of its name`.
    Scope = b's',
    /// A role: `r ‖ mount ‖ scope ‖ keyed hash of its name`.
    Role = b'r',
    /// A credential: `e ‖ mount ‖ scope ‖ role ‖ serial`.
    Credential = b'e',
    /// A token of the HTTP API: `t ‖ keyed hash of the token`.
    Token = b't',
    /// Which token an accessor means: `n ‖ keyed hash of the accessor`.
    Accessor = b'n',
    /// That a token has a child: `h ‖ keyed hash of the parent ‖ keyed hash of the child`.
    Child = b'h',
    /// When a token ends: `q ‖ seconds since 1970 (8) ‖ keyed hash of the token`.
    Expiry = b'q',
    /// An access policy: `p ‖ keyed hash of its name`.
    Policy = b'p',
    /// An audit device: `u ‖ keyed hash of its path`.
    AuditDevice = b'u',
    /// What tokens made under a name get: `i ‖ keyed hash of the name`.
    TokenRole = b'i',
    /// An answer that waits to be unwrapped: `w ‖ keyed hash of the wrapping token`.
    Wrapped = b'w',
    /// An auth method: `f ‖ keyed hash of its path`.
    AuthMethod = b'f',
    /// Who can log in by an auth method (a user, a role, a certificate): `b ‖ method ‖ keyed hash of
    /// its name`.
    Principal = b'b',
    /// Which role a role ID means: `j ‖ method ‖ keyed hash of the role ID`.
    AppRoleName = b'j',
    /// A secret ID: `z ‖ method ‖ role ‖ keyed hash of the secret ID`.
    SecretId = b'z',
    /// A revocation list of an auth method: `C ‖ method ‖ keyed hash of its name`.
    RevokedList = b'C',
    /// When the record key is rotated, and what it has sealed: `R`.
    Rotation = b'R',
}

impl Kind {
    /// The kind whose keys begin so.
    pub fn of(byte: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as u8 == byte)
    }
}

/// A record as it was read.
#[derive(Debug)]
pub struct Stored<T> {
    /// The version to expect when writing over it.
    pub version: u64,
    /// Its content.
    pub value: T,
}

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Somebody else changed it in between; nothing was written. Try again.
    #[error("another change came first")]
    Conflict,
    /// Sealed, or the record does not unseal.
    #[error(transparent)]
    Seal(SealError),
    /// The storage refused.
    #[error(transparent)]
    Storage(CommitError),
    /// A record of a newer version of this software.
    #[error("a stored record has format {0}, which this version does not know")]
    Newer(u8),
    /// A record that does not parse.
    #[error("a stored record does not parse: {0}")]
    Corrupt(String),
}

/// Reads and writes server-owned records.
#[derive(Clone)]
pub struct Records {
    barrier: Arc<Barrier>,
}

impl Records {
    /// On top of an unsealed barrier.
    pub fn new(barrier: Arc<Barrier>) -> Self {
        Self { barrier }
    }

    /// One record.
    ///
    /// # Errors
    /// When it cannot be read, unsealed or parsed.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<Stored<T>>, RecordError> {
        self.barrier
            .get(key)
            .map_err(RecordError::Seal)?
            .map(|opened| {
                decode(&opened.bytes).map(|value| Stored { version: opened.version, value })
            })
            .transpose()
    }

    /// Every record whose key starts with `prefix`.
    ///
    /// # Errors
    /// When one cannot be read, unsealed or parsed.
    pub fn scan<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
    ) -> Result<Vec<(Key, Stored<T>)>, RecordError> {
        self.barrier
            .scan(&Range::prefix(prefix))
            .map_err(RecordError::Seal)?
            .into_iter()
            .map(|(key, opened)| {
                let value = decode(&opened.bytes)?;
                let version = opened.version;
                Ok((key, Stored { version, value }))
            })
            .collect()
    }

    /// Gives `take` every record whose key starts with `prefix`, in order, without holding all of
    /// them at once. Not of one moment: for a start, when nobody else writes.
    ///
    /// # Errors
    /// When one cannot be read, unsealed or parsed, and what `take` says.
    pub fn each<T: DeserializeOwned, E: From<RecordError>>(
        &self,
        prefix: &[u8],
        mut take: impl FnMut(Key, Stored<T>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut range = Range::prefix(prefix).limit(PAGE);
        loop {
            let rows = self.barrier.scan(&range).map_err(RecordError::Seal)?;
            let (count, last) = (rows.len(), rows.last().map(|(key, _)| key.clone()));
            for (key, opened) in rows {
                let value = decode(&opened.bytes)?;
                take(key, Stored { version: opened.version, value })?;
            }
            let Some(last) = last.filter(|_| count == PAGE) else { return Ok(()) };
            range = range.after(&last);
        }
    }

    /// Every key that starts with `prefix`.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn keys(&self, prefix: &[u8]) -> Result<Vec<Key>, RecordError> {
        self.barrier.keys(&Range::prefix(prefix)).map_err(RecordError::Seal)
    }

    /// The keys from `start` up to, not including, `end`.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn keys_between(&self, start: &[u8], end: &[u8]) -> Result<Vec<Key>, RecordError> {
        self.barrier.keys(&Range::between(start, end)).map_err(RecordError::Seal)
    }

    /// Carries out an edit, all of it or none, and waits until it is durable. Blocks.
    ///
    /// # Errors
    /// [`RecordError::Conflict`] when a record is not as the edit expects.
    pub fn commit(&self, edit: Edit) -> Result<(), RecordError> {
        match self.barrier.commit(edit.changes).wait() {
            Ok(_) => Ok(()),
            Err(CommitError::Conflict { .. }) => Err(RecordError::Conflict),
            Err(error) => Err(RecordError::Storage(error)),
        }
    }

    /// A keyed hash, for names within keys.
    pub fn blind(&self, context: &'static str, value: &str) -> [u8; 16] {
        self.barrier.blind(context.as_bytes(), value.as_bytes())
    }
}

/// Changes to records that happen together.
#[derive(Default)]
pub struct Edit {
    changes: Changes,
}

impl Edit {
    /// Adds a record that must not exist yet; returns its version.
    ///
    /// # Errors
    /// When it does not encode, which would be a defect of ours.
    pub fn create<T: Serialize>(&mut self, key: Key, value: &T) -> Result<u64, RecordError> {
        self.changes.expect.push((key.clone(), Expect::Absent));
        self.changes.put.push((key, FIRST_VERSION, encode(value)?));
        Ok(FIRST_VERSION)
    }

    /// Writes over the record that has `version`; its version becomes the next one, which is
    /// returned.
    ///
    /// # Errors
    /// When it does not encode, which would be a defect of ours.
    pub fn update<T: Serialize>(
        &mut self,
        key: Key,
        version: u64,
        value: &T,
    ) -> Result<u64, RecordError> {
        let next = version.saturating_add(1);
        self.changes.expect.push((key.clone(), Expect::Version(version)));
        self.changes.put.push((key, next, encode(value)?));
        Ok(next)
    }

    /// Demands that a record is still the one that was read.
    pub fn expect(&mut self, key: Key, version: u64) {
        self.changes.expect.push((key, Expect::Version(version)));
    }

    /// Removes a record, whatever its version.
    pub fn delete(&mut self, key: Key) {
        self.changes.delete.push(key);
    }
}

/// The version of a record just created.
pub const FIRST_VERSION: u64 = 1;

/// A key: its kind, then its parts.
pub fn key(kind: Kind, parts: &[&[u8]]) -> Key {
    let mut key = vec![kind as u8];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

fn encode<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, RecordError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(RECORD_BYTES_EXPECTED));
    bytes.push(RECORD_FORMAT);
    serde_json::to_writer(&mut *bytes, value)
        .map_err(|error| RecordError::Corrupt(error.to_string()))?;
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
    match bytes.split_first() {
        Some((&RECORD_FORMAT, json)) => serde_json::from_slice(json)
            .map_err(|error| RecordError::Corrupt(format!("{:?}", error.classify()))),
        Some((format, _)) => Err(RecordError::Newer(*format)),
        None => Err(RecordError::Corrupt("empty".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_an_unknown_format_is_refused_not_guessed() {
        let bytes = encode(&serde_json::json!({"a": 1})).unwrap();
        assert_eq!(bytes.first(), Some(&RECORD_FORMAT));
        assert_eq!(decode::<serde_json::Value>(&bytes).unwrap(), serde_json::json!({"a": 1}));
        assert!(matches!(decode::<serde_json::Value>(b"\x02{}"), Err(RecordError::Newer(2))));
        assert!(matches!(decode::<serde_json::Value>(b""), Err(RecordError::Corrupt(_))));
    }

    #[test]
    fn each_record_is_read_once_whatever_a_page_holds() {
        for count in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE] {
            let (_store, records) = testing::TestStore::new();
            let at = |number: usize| key(Kind::Policy, &[&number.to_be_bytes()]);
            let mut edit = Edit::default();
            for number in 0..count {
                edit.create(at(number), &number).unwrap();
            }
            // The kinds before and behind are not read.
            edit.create(key(Kind::AuditDevice, &[]), &"no number").unwrap();
            edit.create(key(Kind::Accessor, &[]), &"no number").unwrap();
            records.commit(edit).unwrap();
            let mut read = Vec::new();
            let all = records.each::<usize, RecordError>(&key(Kind::Policy, &[]), |key, stored| {
                read.push((key, stored.value));
                Ok(())
            });
            all.unwrap();
            assert_eq!(read, (0..count).map(|number| (at(number), number)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_corrupt_record_is_reported_without_its_content() {
        let error = decode::<serde_json::Value>(b"\x01{\"key\":\"hunter2").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
