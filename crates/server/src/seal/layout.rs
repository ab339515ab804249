//! The key space: which records exist and how their keys are made. `docs/formats.md` §2.
//!
//! The first byte of a key is its kind. Identifiers are fixed in length, so that keys need no
//! separators and the records of one scope, or of one mount, are one range.

use claviger_store::{Key, Range};

/// A mount's, scope's or object's identifier.
pub type Id = [u8; 16];

/// Kinds of records. Each value is taken once.
pub mod kind {
    /// A certificate authority's key and certificate: `a ‖ mount ‖ name`.
    pub const AUTHORITY: u8 = b'a';
    /// A credential: `e ‖ mount ‖ serial`.
    pub const CREDENTIAL: u8 = b'e';
    /// Configuration: `g ‖ mount ‖ name`, or `g ‖ name` of the server as a whole.
    pub const CONFIG: u8 = b'g';
    /// The keyring: `k`, alone.
    pub const KEYRING: u8 = b'k';
    /// A mount: `m ‖ path`.
    pub const MOUNT: u8 = b'm';
    /// A managed object: `o ‖ mount ‖ scope ‖ unique identifier`.
    pub const OBJECT: u8 = b'o';
    /// A role: `r ‖ mount ‖ scope ‖ name`.
    pub const ROLE: u8 = b'r';
    /// A scope: `s ‖ mount ‖ name`.
    pub const SCOPE: u8 = b's';
    /// A token of the API: `t ‖ keyed hash`.
    pub const TOKEN: u8 = b't';
    /// An index row: `x ‖ mount ‖ scope ‖ keyed hash ‖ unique identifier`; it has no value.
    pub const INDEX: u8 = b'x';
}

/// Bytes of a managed object's key.
pub const OBJECT_KEY_BYTES: usize = 49;
/// Bytes of an index row's key.
pub const INDEX_KEY_BYTES: usize = 65;

/// A record's kind.
pub fn kind_of(key: &[u8]) -> Option<u8> {
    key.first().copied()
}

/// Whether the record is only a key: it has no value to seal.
pub fn is_mark(key: &[u8]) -> bool {
    kind_of(key) == Some(kind::INDEX)
}

/// The one keyring.
pub fn keyring() -> Key {
    vec![kind::KEYRING]
}

/// A server-owned record: its kind, then its parts. Parts of variable length go last.
pub fn owned(kind: u8, parts: &[&[u8]]) -> Key {
    let mut key = vec![kind];
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// A managed object.
pub fn object(mount: &Id, scope: &Id, unique_identifier: &Id) -> Key {
    owned(kind::OBJECT, &[mount, scope, unique_identifier])
}

/// All managed objects of a scope, oldest first where identifiers are time-ordered.
pub fn objects(mount: &Id, scope: &Id) -> Range {
    Range::prefix(&owned(kind::OBJECT, &[mount, scope]))
}

/// The unique identifier in a managed object's key.
pub fn object_id(key: &[u8]) -> Option<Id> {
    (kind_of(key) == Some(kind::OBJECT) && key.len() == OBJECT_KEY_BYTES)
        .then(|| key.last_chunk().copied())?
}

/// An index row: the object has what was hashed.
pub fn index(mount: &Id, scope: &Id, blind: &Id, unique_identifier: &Id) -> Key {
    owned(kind::INDEX, &[mount, scope, blind, unique_identifier])
}

/// All index rows of a scope with one hash.
pub fn indexed(mount: &Id, scope: &Id, blind: &Id) -> Range {
    Range::prefix(&owned(kind::INDEX, &[mount, scope, blind]))
}

/// The unique identifier in an index row's key.
pub fn index_id(key: &[u8]) -> Option<Id> {
    (is_mark(key) && key.len() == INDEX_KEY_BYTES).then(|| key.last_chunk().copied())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_long_as_documented_and_lie_in_their_ranges() {
        let (mount, scope, other, id) = ([1; 16], [0xff; 16], [3; 16], [4; 16]);
        let object_key = object(&mount, &scope, &id);
        assert_eq!(object_key.len(), OBJECT_KEY_BYTES);
        assert_eq!(object_id(&object_key), Some(id));
        assert!(objects(&mount, &scope).contains(&object_key));
        assert!(!objects(&mount, &other).contains(&object_key));
        let row = index(&mount, &scope, &other, &id);
        assert_eq!(row.len(), INDEX_KEY_BYTES);
        assert_eq!(
            (index_id(&row), object_id(&row), index_id(&object_key)),
            (Some(id), None, None)
        );
        assert!(indexed(&mount, &scope, &other).contains(&row));
        assert!(!indexed(&mount, &scope, &id).contains(&row));
        assert!(is_mark(&row) && !is_mark(&object_key));
    }
}
