//! The two things that the barrier has to know about the key space: where the keyring is, and which
//! records are only keys. All else about keys belongs to `object` and `record`; `docs/formats.md` §2
//! lists every kind.

use claviger_store::Key;

/// The first byte of the keyring's key, which has no other.
const KEYRING: u8 = b'k';

/// Kinds whose rows say all by being there: index rows, and objects handed out before.
const MARKS: [u8; 2] = [b'x', b'v'];

/// The one keyring.
pub(super) fn keyring() -> Key {
    vec![KEYRING]
}

/// Whether the record is only a key: it has no value to seal.
pub(super) fn is_mark(key: &[u8]) -> bool {
    key.first().is_some_and(|kind| MARKS.contains(kind))
}
