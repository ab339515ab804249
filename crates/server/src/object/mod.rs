//! Managed objects: what they are at rest, how they live, what may be done to their attributes,
//! how they are found.
//!
//! Knows nothing of messages, clients or roles. Everything goes through a [`Tx`], which records
//! what was read, so that a commit is all or nothing.

mod cache;
pub mod id;
mod layout;
pub mod lifecycle;
mod locate;
mod managed;
mod objects;
mod partition;
mod record;
pub mod rules;
mod served;
mod tx;
pub mod usage;

pub use cache::Cache;
pub use id::{IdSource, ObjectId};
pub use locate::Query;
pub use managed::{ManagedObject, Outline};
pub use objects::{Objects, Partition};
pub use tx::Tx;
