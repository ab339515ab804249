//! What each operation does: one file per operation of the table in [`crate::dispatch::table`].
//!
//! A handler takes a typed request and returns a typed response. It sees the objects of its
//! client's scope through the transaction of its [`crate::dispatch::Context`]; that the client may
//! do this has been checked, and that its answer is recorded and durable is seen to by the
//! dispatcher.

pub mod activate;
pub mod add_attribute;
pub mod check;
pub mod create;
pub mod create_key_pair;
pub mod delete_attribute;
pub mod destroy;
pub mod discover_versions;
pub mod get;
pub mod get_attribute_list;
pub mod get_attributes;
pub mod interop;
pub mod locate;
pub mod modify_attribute;
mod new_object;
pub mod query;
pub mod register;
pub mod revoke;
pub mod set_attribute;
