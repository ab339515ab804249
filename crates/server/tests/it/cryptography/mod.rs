//! Keys at work: used, wrapped, converted, derived.

mod certificates;
mod derivation;
mod formats;
mod parts;
mod wrapping;

use claviger_kmip::Version;
use claviger_kmip::attributes::values::{CryptographicParameters, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference, Attributes};
use claviger_kmip::codec::DateTime;
use claviger_kmip::compat::References;
use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, KeyFormatType, ObjectType, ResultReason,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::{
    DecryptRequest, EncryptRequest, GetAttributesRequest, GetRequest, RegisterRequest, Request,
};

use crate::fixture::{Fixture, START};

pub(crate) const KEY: [u8; 16] = [7; 16];

/// A key block in the clear.
pub(crate) fn block(format: KeyFormatType, material: KeyMaterial) -> KeyBlock {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::plain(material)),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    }
}

/// An AES key of those bytes.
pub(crate) fn aes(bytes: &[u8]) -> Object {
    let mut block = block(KeyFormatType::RAW, KeyMaterial::Bytes(bytes.to_vec().into()));
    block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    Object::SymmetricKey(Key { key_block: Some(block) })
}

/// Registers an object that is active since a while.
pub(crate) async fn register(
    fixture: &Fixture,
    object: Object,
    usage: Usage,
    more: Vec<Attribute>,
) -> String {
    let mut attributes: Attributes = [
        Attribute::CryptographicUsageMask(usage),
        Attribute::ActivationDate(DateTime(START - 100)),
    ]
    .into_iter()
    .collect();
    for attribute in more {
        attributes.push(attribute);
    }
    let request = RegisterRequest {
        object_type: object.object_type(),
        attributes: attributes.into(),
        object,
        protection_storage_masks: None,
    };
    match fixture.call(Version::V1_4, &request).await.unique_identifier {
        UniqueIdentifier::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn get(fixture: &Fixture, key: &str, format: Option<KeyFormatType>) -> Object {
    let request = GetRequest {
        unique_identifier: Some(key.into()),
        key_format_type: format,
        ..GetRequest::default()
    };
    fixture.call(Version::V1_4, &request).await.object
}

pub(crate) async fn values(fixture: &Fixture, key: &str, attribute: AttributeId) -> Vec<Attribute> {
    let request = GetAttributesRequest {
        unique_identifier: Some(key.into()),
        attribute_reference: References(vec![AttributeReference::Standard(attribute)]),
    };
    let response = fixture.call(Version::V1_4, &request).await;
    response.attributes.0.0.into_iter().map(|instance| instance.attribute).collect()
}

pub(crate) async fn reason<R: Request>(
    fixture: &Fixture,
    version: Version,
    request: &R,
) -> Option<ResultReason> {
    fixture.attempt(version, request).await.reason
}

pub(crate) fn mode(mode: BlockCipherMode) -> CryptographicParameters {
    CryptographicParameters { block_cipher_mode: Some(mode), ..CryptographicParameters::none() }
}

pub(crate) fn encrypt(
    key: &str,
    parameters: CryptographicParameters,
    data: &[u8],
) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: Some(key.into()),
        cryptographic_parameters: Some(parameters),
        data: Some(data.to_vec().into()),
        ..EncryptRequest::default()
    }
}

#[tokio::test]
async fn each_version_has_its_word_for_a_misused_key() {
    let fixture = Fixture::new();
    let mute = register(&fixture, aes(&KEY), Usage::DECRYPT, vec![]).await;
    let idle = fixture.create(vec![]).await;
    let request = |key: &str| encrypt(key, mode(BlockCipherMode::ECB), &KEY);
    let cases = [
        (mute.as_str(), ResultReason::INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK),
        (idle.as_str(), ResultReason::WRONG_KEY_LIFECYCLE_STATE),
    ];
    for (key, in_2x) in cases {
        let in_1x = ResultReason::PERMISSION_DENIED;
        assert_eq!(reason(&fixture, Version::V1_2, &request(key)).await, Some(in_1x));
        assert_eq!(reason(&fixture, Version::V2_1, &request(key)).await, Some(in_2x));
    }
}

#[tokio::test]
async fn a_tag_is_never_lost_for_want_of_a_field() {
    let fixture = Fixture::new();
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT | Usage::DECRYPT, vec![]).await;
    let parameters =
        CryptographicParameters { random_iv: Some(true), ..mode(BlockCipherMode::GCM) };
    let request = encrypt(&key, parameters, b"secret");
    let refused = reason(&fixture, Version::V1_3, &request).await;
    assert_eq!(refused, Some(ResultReason::INVALID_FIELD));
    let sealed = fixture.call(Version::V1_4, &request).await;
    let mut opened = DecryptRequest {
        unique_identifier: Some(key.as_str().into()),
        cryptographic_parameters: Some(mode(BlockCipherMode::GCM)),
        data: sealed.data.map(|data| data.0.into()),
        iv_counter_nonce: sealed.iv_counter_nonce,
        authenticated_encryption_tag: sealed.authenticated_encryption_tag,
        ..DecryptRequest::default()
    };
    let response = fixture.call(Version::V1_4, &opened).await;
    assert_eq!(response.data.unwrap().expose(), b"secret");
    opened.authenticated_encryption_additional_data = Some(Default::default());
    opened.authenticated_encryption_tag.as_mut().unwrap().0[0] ^= 1;
    let refused = reason(&fixture, Version::V1_4, &opened).await;
    assert_eq!(refused, Some(ResultReason::CRYPTOGRAPHIC_FAILURE));
}

#[tokio::test]
async fn only_keys_are_used_as_keys() {
    let fixture = Fixture::new();
    let opaque = Object::OpaqueObject(claviger_kmip::objects::OpaqueObject {
        opaque_data_type: claviger_kmip::enums::OpaqueDataType(0x8000_0001),
        opaque_data_value: KEY.to_vec().into(),
    });
    let opaque = register(&fixture, opaque, Usage::ENCRYPT, vec![]).await;
    let request = encrypt(&opaque, mode(BlockCipherMode::ECB), &KEY);
    let refused = reason(&fixture, Version::V2_1, &request).await;
    assert_eq!(refused, Some(ResultReason::INVALID_OBJECT_TYPE));
    assert_eq!(ObjectType::OPAQUE_OBJECT, get(&fixture, &opaque, None).await.object_type());
}
