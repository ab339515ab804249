//! The vocabulary of KMIP 1.0 to 2.1.
//!
//! Does no IO, reads no clock, holds no policy.

pub mod tables;
pub mod version;

pub use tables::{enums, masks, tags};
pub use version::Version;
