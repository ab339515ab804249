//! The requests, as Zenko's driver makes them, and what their answers must hold. No IO.
//!
//! Two things are ours: a key has a Name, by which it is found again when the answer to Create is lost,
//! and Activation Date is 1970 because it was meant, not because a date was no number.

use claviger_client::requests;
use claviger_kmip::attributes::values::{CryptographicParameters, Name, VendorAttribute};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::{ByteString, DateTime, Secret};
use claviger_kmip::compat::reference_of;
use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, PaddingMethod, RevocationReasonCode,
};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::payload::{
    ActivateRequest, CreateRequest, DecryptRequest, DestroyRequest, EncryptRequest,
    GetAttributesRequest, LocateRequest, RevokeRequest,
};
use claviger_kmip::tags;
use claviger_ttlv::{Node, Value};

use super::{DataKey, KeyId};

/// Length of a bucket's key in bits.
const KEY_BITS: i32 = 256;
/// What Zenko sends as Initialization Vector: a data key is random, so no two plaintexts are alike.
const IV: [u8; 16] = [0; 16];
/// How long a wrapped data key is: 32 bytes and a block of padding.
pub(super) const CIPHERED_LENGTH: usize = 48;

/// Create of a bucket's key.
pub(super) fn create(
    name: &str,
    bucket_attribute: Option<(&str, &str)>,
    is_compound: bool,
) -> CreateRequest {
    let usage = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
    let bucket = bucket_attribute.map(|(name, bucket)| bucket_attribute_of(name, bucket));
    let active = is_compound.then_some(Attribute::ActivationDate(DateTime(0)));
    let more = [Some(Attribute::Name(Name::text(name))), bucket, active];
    let aes = CryptographicAlgorithm::AES;
    requests::create_symmetric_key(aes, KEY_BITS, usage, more.into_iter().flatten())
}

/// The custom attribute with the bucket's name. In 1.x it is called as it was configured.
fn bucket_attribute_of(name: &str, bucket: &str) -> Attribute {
    let (vendor_identification, attribute_name) = match reference_of(name) {
        AttributeReference::Vendor { vendor_identification, attribute_name } => {
            (vendor_identification, attribute_name)
        }
        _ => (String::new(), name.to_owned()),
    };
    Attribute::Vendor(VendorAttribute {
        vendor_identification,
        attribute_name,
        attribute_value: Node::new(tags::ATTRIBUTE_VALUE, Value::TextString(bucket.to_owned())),
    })
}

fn parameters() -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        ..CryptographicParameters::none()
    }
}

/// Encrypt of a data key under a bucket's key.
pub(super) fn cipher(key: &KeyId, plain: &DataKey) -> EncryptRequest {
    let data = Secret::copy_of(plain.bytes());
    requests::encrypt(key, Some(parameters()), Some(ByteString(IV.to_vec())), data)
}

/// Decrypt of a data key.
pub(super) fn decipher(key: &KeyId, ciphered: &[u8]) -> DecryptRequest {
    let data = ciphered.to_vec();
    requests::decrypt(key, Some(parameters()), Some(ByteString(IV.to_vec())), data)
}

/// Activate.
pub(super) fn activate(key: &KeyId) -> ActivateRequest {
    requests::activate(key)
}

/// Revoke, as a key is before it is destroyed.
pub(super) fn revoke(key: &KeyId) -> RevokeRequest {
    let message = String::from("About to be deleted");
    requests::revoke(key, RevocationReasonCode::CESSATION_OF_OPERATION, Some(message))
}

/// Destroy.
pub(super) fn destroy(key: &KeyId) -> DestroyRequest {
    requests::destroy(key)
}

/// Locate of keys by their Name.
pub(super) fn locate(name: &str) -> LocateRequest {
    requests::locate([Attribute::Name(Name::text(name))])
}

/// Get Attributes of the State.
pub(super) fn state(key: &KeyId) -> GetAttributesRequest {
    requests::get_attributes(key, [AttributeReference::Standard(AttributeId::State)])
}
