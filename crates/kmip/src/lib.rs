//! The vocabulary of KMIP 1.0 to 2.1: what messages, objects and attributes are.
//!
//! - [`tables`]: tags, enumerations and masks with the versions that have them.
//! - [`attributes`] and [`objects`]: what a managed object is.
//! - [`message`] and [`payload`]: what travels.
//! - [`compat`]: the one place that knows how 1.x and 2.x differ in shape.
//! - [`tolerance`]: what known clients send against the letter of their version.
//!
//! One set of types serves every version, in the shape of 2.x. This crate does no IO, reads no
//! clock and holds no policy.

pub mod attributes;
pub mod codec;
pub mod compat;
pub mod error;
pub mod message;
pub mod objects;
pub mod payload;
pub mod tables;
pub mod tolerance;
pub mod version;

pub use codec::Secret;
pub use error::{Error, Problem};
pub use tables::{enums, masks, tags};
pub use version::Version;
