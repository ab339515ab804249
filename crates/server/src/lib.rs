//! The KMIP service.
//!
//! Data runs down once and up once: [`front`] → [`dispatch`] → [`ops`] → [`object`] → [`seal`] →
//! the store. Nothing below knows anything above it; [`node`] seals and unseals them, [`assemble`]
//! starts them.

pub mod access;
#[cfg(test)]
#[path = "../../../tests/servers/address.rs"]
mod address;
pub mod assemble;
pub use assemble::open_store;
pub use claviger_store::{Durability, make_directory};
mod aside;
pub mod audit;
pub mod audit_devices;
pub mod auth;
pub mod backup;
pub mod clock;
pub mod dispatch;
mod duration;
pub mod export;
pub mod failure;
pub mod front;
pub mod limits;
pub mod mount;
pub mod node;
pub mod object;
pub mod ops;
pub mod pki;
pub mod policy;
pub mod record;
pub mod rotation;
pub mod seal;
pub mod token;
pub mod upkeep;
