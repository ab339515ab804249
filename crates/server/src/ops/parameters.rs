//! Cryptographic Parameters of an operation: the request's, else the key's own (KMIP 2.1 §4.17,
//! KMIP 1.4 §3.6).
//!
//! They are taken as a whole: a request that gives any replaces all of the key's.

use claviger_crypto::Parameters;
use claviger_kmip::attributes::values::CryptographicParameters;
use claviger_kmip::attributes::{Attribute, AttributeId};

use crate::object::ManagedObject;

/// What the request says, else the parameters of the key with the lowest index, else nothing.
pub(super) fn chosen(
    requested: Option<&CryptographicParameters>,
    key: &ManagedObject,
) -> Parameters {
    match (requested, key.attributes.first(AttributeId::CryptographicParameters)) {
        (Some(parameters), _) => neutral(parameters),
        (None, Some(Attribute::CryptographicParameters(parameters))) => neutral(parameters),
        _ => Parameters::default(),
    }
}

/// The same in the form that cryptography takes.
pub(super) fn neutral(parameters: &CryptographicParameters) -> Parameters {
    Parameters {
        block_cipher_mode: parameters.block_cipher_mode,
        padding_method: parameters.padding_method,
        hashing_algorithm: parameters.hashing_algorithm,
        digital_signature_algorithm: parameters.digital_signature_algorithm,
        cryptographic_algorithm: parameters.cryptographic_algorithm,
        random_iv: parameters.random_iv.unwrap_or(false),
        iv_length: parameters.iv_length,
        tag_length: parameters.tag_length,
        counter_length: parameters.counter_length,
        initial_counter_value: parameters.initial_counter_value,
        salt_length: parameters.salt_length,
        mask_generator: parameters.mask_generator,
        mask_generator_hashing_algorithm: parameters.mask_generator_hashing_algorithm,
        p_source: parameters.p_source.as_ref().map(|label| label.0.clone()),
        trailer_field: parameters.trailer_field,
    }
}
