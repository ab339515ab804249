//! Where objects and their index rows stand in the store; docs/formats.md §2 has the whole key
//! space.

use claviger_store::{Key, Range};

use super::holders::Holder;
use super::objects::Partition;

/// A mount's, a scope's or an object's identifier, or a keyed hash.
pub type Id = [u8; 16];

/// What a value in memory is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The scope.
    pub partition: Partition,
    /// An object or a term of it.
    pub id: Id,
}

/// The first byte of an object's key.
pub const OBJECT: u8 = b'o';
/// The first byte of an index row.
pub const INDEX: u8 = b'x';
/// The first byte of a row that says that an object was handed out.
pub const SERVED: u8 = b'v';
/// The first byte of a row that says who fetched an object.
pub const HELD: u8 = b'H';

/// The first byte of a row that counts who took a Name, in scopes with `unique_names`.
pub const NAME: u8 = b'N';

fn key(kind: u8, parts: &[&Id]) -> Key {
    let mut key = Vec::with_capacity(parts.len().saturating_mul(16).saturating_add(1));
    key.push(kind);
    for part in parts {
        key.extend_from_slice(part.as_slice());
    }
    key
}

/// The record of an object.
pub fn object(mount: &Id, scope: &Id, id: &Id) -> Key {
    key(OBJECT, &[mount, scope, id])
}

/// The records of all objects of a scope, oldest first.
pub fn objects(mount: &Id, scope: &Id) -> Range {
    Range::prefix(&key(OBJECT, &[mount, scope]))
}

/// The row that says: this object has a value with that term.
pub fn index(mount: &Id, scope: &Id, term: &Id, id: &Id) -> Key {
    key(INDEX, &[mount, scope, term, id])
}

/// The rows of all objects of a scope that have a value with that term, oldest first.
pub fn indexed(mount: &Id, scope: &Id, term: &Id) -> Range {
    Range::prefix(&key(INDEX, &[mount, scope, term]))
}

/// All index rows of a scope.
pub fn indices(mount: &Id, scope: &Id) -> Range {
    Range::prefix(&key(INDEX, &[mount, scope]))
}

/// The row that says: this object has been handed to a client.
pub fn served(mount: &Id, scope: &Id, id: &Id) -> Key {
    key(SERVED, &[mount, scope, id])
}

/// All such rows of a scope.
pub fn all_served(mount: &Id, scope: &Id) -> Range {
    Range::prefix(&key(SERVED, &[mount, scope]))
}

/// The row that says when a certificate fetched an object.
pub fn held(mount: &Id, scope: &Id, id: &Id, holder: &Holder) -> Key {
    let mut key = key(HELD, &[mount, scope, id]);
    key.extend(holder.suffix());
    key
}

/// All such rows of an object.
pub fn held_of(mount: &Id, scope: &Id, id: &Id) -> Range {
    Range::prefix(&key(HELD, &[mount, scope, id]))
}

/// All such rows of a scope.
pub fn all_held(mount: &Id, scope: &Id) -> Range {
    Range::prefix(&key(HELD, &[mount, scope]))
}

/// The row that counts who took the Name of that term.
pub fn name(mount: &Id, scope: &Id, term: &Id) -> Key {
    key(NAME, &[mount, scope, term])
}

/// All such rows of a scope.
pub fn all_names(mount: &Id, scope: &Id) -> Range {
    Range::prefix(&key(NAME, &[mount, scope]))
}

/// The object that a record's or an index row's key ends in.
pub fn id_of(key: &[u8]) -> Option<Id> {
    key.last_chunk().copied()
}

/// Whose record that is, or of which term that is a row.
pub fn place_of(key: &[u8]) -> Option<Place> {
    let (_, rest) = key.split_first()?;
    let (mount, rest) = rest.split_first_chunk()?;
    let (scope, rest) = rest.split_first_chunk()?;
    let partition = Partition { mount: *mount, scope: *scope };
    Some(Place { partition, id: *rest.first_chunk()? })
}
