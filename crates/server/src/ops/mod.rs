//! What each operation does: one file per operation of the table in `dispatch/table.rs`.
//!
//! A handler takes a typed request and returns a typed response. It sees the objects of its
//! client's scope through the transaction of its [`Context`]; that the client may
//! do this has been checked, and that its answer is recorded and durable is seen to by the
//! dispatcher.

pub mod activate;
pub mod add_attribute;
pub mod batch;
pub mod check;
mod context;
pub mod create;
pub mod create_key_pair;
pub mod decrypt;
pub mod delete_attribute;
pub mod derive_key;
pub mod destroy;
pub mod discover_versions;
pub mod encrypt;
pub mod export;
pub mod get;
pub mod get_attribute_list;
pub mod get_attributes;
pub mod get_usage_allocation;
pub mod hash;
pub mod import;
pub mod interop;
pub mod locate;
pub mod log;
pub mod mac;
pub mod mac_verify;
pub mod modify_attribute;
pub mod obtain_lease;
pub mod query;
pub mod re_key;
pub mod re_key_key_pair;
pub mod register;
pub mod revoke;
pub mod rng_retrieve;
pub mod rng_seed;
pub mod set_attribute;
pub mod sign;
pub mod signature_verify;

mod certificate;
mod input;
mod key;
mod key_format;
mod new_object;
mod parameters;
pub mod stream;
mod use_of_key;
mod wrapping;

pub use batch::Batch;
pub use context::{About, Context, Resources};
