//! Which records an export takes along, and how their keys are made anew under another store's keyed
//! hashes. One table; a record of a kind that is not in it stops an export.

use claviger_store::Key;
use serde_json::Value;
use zeroize::Zeroizing;

use super::BackupError;
use crate::object;
use crate::record::Kind;
use crate::seal::Barrier;

const HASH_BYTES: usize = 16;

/// What becomes of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Its key holds identifiers only: it stays as it is.
    Plain,
    /// Its key ends with the keyed hash of a field, under that context.
    Named { context: &'static str, field: &'static str },
    /// It is left behind: it means nothing elsewhere, or is made anew.
    Left,
}

fn of_kind(kind: Kind) -> Form {
    match kind {
        Kind::Mount => Form::Named { context: "mount", field: "path" },
        Kind::Scope => Form::Named { context: "scope", field: "name" },
        Kind::Role => Form::Named { context: "role", field: "name" },
        Kind::Policy => Form::Named { context: "policy", field: "name" },
        Kind::TokenRole => Form::Named { context: "token role", field: "name" },
        Kind::NamedAuthority => Form::Named { context: "authority", field: "name" },
        Kind::Listener => Form::Named { context: "listener", field: "name" },
        Kind::AuthMethod => Form::Named { context: "auth method", field: "path" },
        Kind::Principal => Form::Named { context: "principal", field: "name" },
        Kind::RevokedList => Form::Named { context: "revocation list", field: "name" },
        Kind::AppRoleName => Form::Named { context: "role id", field: "role_id" },
        Kind::Engine | Kind::Authority | Kind::Credential | Kind::Revoked => Form::Plain,
        // Its hash is under the key of its role, which goes along.
        Kind::SecretId => Form::Plain,
        // Whoever administers the other server has a token and an audit there.
        Kind::Token | Kind::Accessor | Kind::Child | Kind::Expiry | Kind::AuditDevice => Form::Left,
        // The other server's keys have counts of their own.
        Kind::Rotation => Form::Left,
        // Nobody there has the token that unwraps it.
        Kind::Wrapped => Form::Left,
    }
}

/// What becomes of the record with that key.
pub(super) fn form(key: &[u8]) -> Result<Form, BackupError> {
    if Barrier::is_own(key) {
        return Ok(Form::Left);
    }
    let byte = key.first().copied().unwrap_or_default();
    if let Some(kind) = Kind::of(byte) {
        return Ok(of_kind(kind));
    }
    match byte {
        object::OBJECT | object::SERVED | object::HELD => Ok(Form::Plain),
        object::INDEX | object::NAME => Ok(Form::Left),
        unknown => Err(BackupError::UnknownKind(char::from(unknown))),
    }
}

/// The key of a record in an export: without the hash that only its store can make.
pub(super) fn outgoing(
    barrier: &Barrier,
    key: &[u8],
    plain: &[u8],
) -> Result<Option<Key>, BackupError> {
    match form(key)? {
        Form::Left => Ok(None),
        Form::Plain => Ok(Some(key.to_vec())),
        Form::Named { context, field } => {
            let kept = key.len().checked_sub(HASH_BYTES).and_then(|length| key.get(..length));
            let kept = kept.ok_or(BackupError::Malformed)?;
            // The table must be right about what it leaves out.
            if named(barrier, kept, context, field, plain)? == key {
                Ok(Some(kept.to_vec()))
            } else {
                Err(BackupError::Malformed)
            }
        }
    }
}

/// The key of an imported record in this store.
pub(super) fn incoming(barrier: &Barrier, key: &[u8], plain: &[u8]) -> Result<Key, BackupError> {
    match form(key)? {
        Form::Plain => Ok(key.to_vec()),
        Form::Named { context, field } => named(barrier, key, context, field, plain),
        Form::Left => Err(BackupError::Malformed),
    }
}

fn named(
    barrier: &Barrier,
    kept: &[u8],
    context: &str,
    field: &str,
    plain: &[u8],
) -> Result<Key, BackupError> {
    let json = plain.get(1..).ok_or(BackupError::Malformed)?;
    let record: Value = serde_json::from_slice(json).map_err(|_| BackupError::Malformed)?;
    let name = record.get(field).and_then(Value::as_str).ok_or(BackupError::Malformed)?;
    let name = Zeroizing::new(name.to_owned());
    let hash = barrier.blind(context.as_bytes(), name.as_bytes());
    Ok([kept, hash.as_slice()].concat())
}
