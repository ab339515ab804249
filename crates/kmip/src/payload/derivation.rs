//! The parameters of Derive Key (KMIP 2.1 §7.12).
//!
//! Shapes only: it must never know how a key is derived.

use crate::attributes::values::CryptographicParameters;
use crate::codec::structure::structure;
use crate::codec::{ByteString, Secret};

structure! {
    /// Parameters of a derivation method.
    #[derive(Default)]
    pub struct DerivationParameters {
        /// The pseudo-random function or cipher.
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS,
        /// The initialization vector.
        initialization_vector: Option<ByteString> = INITIALIZATION_VECTOR,
        /// The data to derive from; several in 2.1, for AWS signatures.
        derivation_data: Vec<Secret> = DERIVATION_DATA,
        /// The salt.
        salt: Option<ByteString> = SALT,
        /// How often to iterate.
        iteration_count: Option<i32> = ITERATION_COUNT,
    }
}
