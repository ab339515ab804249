//! What the barrier has to know about the key space: where the keyring and the seal's configuration
//! are, and which records are only keys. All else about keys belongs to `object` and `record`; `docs/formats.md` §2
//! lists every kind.

use claviger_store::Key;

/// The first byte of the keyring's key, which has no other.
const KEYRING: u8 = b'k';

/// The first byte of the key of the seal's configuration, which has no other.
const SEAL_CONFIG: u8 = b'y';

/// Kinds whose rows say all by being there: index rows, and objects handed out before.
const MARKS: [u8; 2] = [b'x', b'v'];

/// The one keyring.
pub(super) fn keyring() -> Key {
    vec![KEYRING]
}

/// The one configuration of the seal.
pub(super) fn seal_config() -> Key {
    vec![SEAL_CONFIG]
}

/// Whether the record is only a key: it has no value to seal.
pub(super) fn is_mark(key: &[u8]) -> bool {
    key.first().is_some_and(|kind| MARKS.contains(kind))
}
