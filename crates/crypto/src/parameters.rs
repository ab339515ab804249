//! KMIP's Cryptographic Parameters, as far as they steer an operation (KMIP 2.1 §4.15).
//!
//! A neutral mirror of the structure: the server copies the request's or the key's fields
//! here. It must never know a default that depends on the key; those are in the operations.

use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, HashingAlgorithm,
    MaskGenerator, PaddingMethod,
};

/// Cryptographic Parameters; a field that is `None` was not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Block Cipher Mode.
    pub block_cipher_mode: Option<BlockCipherMode>,
    /// Padding Method.
    pub padding_method: Option<PaddingMethod>,
    /// Hashing Algorithm.
    pub hashing_algorithm: Option<HashingAlgorithm>,
    /// Digital Signature Algorithm (implies hashing algorithm and padding).
    pub digital_signature_algorithm: Option<DigitalSignatureAlgorithm>,
    /// Cryptographic Algorithm.
    pub cryptographic_algorithm: Option<CryptographicAlgorithm>,
    /// Random IV: the server chooses the IV and returns it.
    pub random_iv: bool,
    /// IV Length in bits.
    pub iv_length: Option<i32>,
    /// Tag Length in bytes.
    pub tag_length: Option<i32>,
    /// Counter Length in bits.
    pub counter_length: Option<i32>,
    /// Initial Counter Value.
    pub initial_counter_value: Option<i32>,
    /// Salt Length in bytes (PSS).
    pub salt_length: Option<i32>,
    /// Mask Generator (OAEP, PSS).
    pub mask_generator: Option<MaskGenerator>,
    /// Mask Generator Hashing Algorithm (OAEP, PSS).
    pub mask_generator_hashing_algorithm: Option<HashingAlgorithm>,
    /// P Source, the label of OAEP.
    pub p_source: Option<Vec<u8>>,
    /// Trailer Field (PSS); only 1 exists.
    pub trailer_field: Option<i32>,
}
