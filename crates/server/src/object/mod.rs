//! Managed objects: what they are at rest, how they live, what may be done to their attributes,
//! how they are found.
//!
//! Knows nothing of messages, clients or roles. Everything goes through a [`Tx`], which records
//! what was read, so that a commit is all or nothing.

pub mod adoption;
mod cache;
mod hand_out;
mod holders;
pub mod id;
mod interner;
mod layout;
pub mod lifecycle;
mod locate;
mod managed;
mod names;
mod objects;
mod partition;
mod record;
pub mod rules;
mod served;
mod size;
pub mod succession;
mod tx;
pub mod usage;

pub use cache::Cache;
pub use holders::{Fetches, Held, Holder};
pub use id::{IdSource, ObjectId};
pub use layout::{HELD, INDEX, NAME, OBJECT, SERVED};
pub use locate::Query;
pub use managed::{ManagedObject, Outline, link};
pub use objects::{Objects, Partition};
pub use tx::Tx;

use crate::seal::{Barrier, Key};

/// The index rows that belong to a record of an object under that key; none to another record. `None`
/// if it does not parse.
pub fn index_rows(barrier: &Barrier, key: &[u8], plain: &[u8]) -> Option<Vec<Key>> {
    let Some((&OBJECT, ids)) = key.split_first() else { return Some(Vec::new()) };
    let (mount, rest) = ids.split_first_chunk()?;
    let (scope, rest) = rest.split_first_chunk()?;
    let id: layout::Id = rest.try_into().ok()?;
    let object = record::decode(ObjectId::from_bytes(id), plain).ok()?;
    let terms = locate::terms(barrier, &object).into_iter();
    Some(terms.map(|term| layout::index(mount, scope, &term, &id)).collect())
}
