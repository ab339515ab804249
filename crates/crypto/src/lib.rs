//! What keys can do: ciphers, signatures, MACs, key wrapping, derivation, generation and formats.
//!
//! Pure functions over bytes and parameters. This crate must never know users, storage, a
//! clock or a message; of KMIP it knows the enumerations and [`Secret`] only. Randomness comes in as [`Rng`],
//! key bytes go out as [`Secret`], and no error holds a byte of either.

pub mod cipher;
pub mod derive;
mod error;
pub mod format;
mod gaps;
pub mod generate;
pub mod hash;
mod key;
pub mod mac;
mod parameters;
mod random;
mod secret;
pub mod signature;
#[cfg(test)]
mod testing;
pub mod wrap;

pub use error::CryptoError;
pub use key::KeyMaterialRef;
pub use parameters::Parameters;
pub use random::{Rng, SystemRng};
pub use secret::{Secret, equal};
