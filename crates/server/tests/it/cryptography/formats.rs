//! One key in every format that it has.

use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{
    CryptographicAlgorithm, KeyCompressionType, KeyFormatType as Format, ResultReason,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::objects::{Key, KeyMaterial, KeyValue, Object, TransparentSymmetricKey};
use claviger_kmip::payload::{CreateKeyPairRequest, GetRequest, RegisterRequest};

use super::{KEY, aes, block, get, reason, register, values};
use crate::fixture::Fixture;

async fn pair(
    fixture: &Fixture,
    algorithm: CryptographicAlgorithm,
    length: i32,
) -> (String, String) {
    let common: Attributes =
        [Attribute::CryptographicAlgorithm(algorithm), Attribute::CryptographicLength(length)]
            .into_iter()
            .collect();
    let usage =
        |usage| -> Attributes { [Attribute::CryptographicUsageMask(usage)].into_iter().collect() };
    let request = CreateKeyPairRequest {
        common_attributes: common.into(),
        private_key_attributes: usage(Usage::SIGN).into(),
        public_key_attributes: usage(Usage::VERIFY).into(),
        common_protection_storage_masks: None,
        private_protection_storage_masks: None,
        public_protection_storage_masks: None,
    };
    let response = fixture.call(Version::V1_4, &request).await;
    match (response.private_key_unique_identifier, response.public_key_unique_identifier) {
        (UniqueIdentifier::Text(private), UniqueIdentifier::Text(public)) => (private, public),
        other => panic!("{other:?}"),
    }
}

/// The private key of a new pair on P-256.
pub(super) async fn private_key(fixture: &Fixture) -> String {
    pair(fixture, CryptographicAlgorithm::EC, 256).await.0
}

fn value(object: &Object) -> &KeyValue {
    object.key_block().unwrap().key_value.as_ref().unwrap()
}

/// Registers the key in each format without saying what it is, and gets the first format back.
async fn round(fixture: &Fixture, key: &str, formats: &[Format]) {
    let original = get(fixture, key, Some(formats[0])).await;
    let known = original.key_block().unwrap();
    let (algorithm, length) = (known.cryptographic_algorithm, known.cryptographic_length);
    for format in formats {
        let mut object = get(fixture, key, Some(*format)).await;
        let block = object.key_block_mut().unwrap();
        assert_eq!(block.key_format_type, *format);
        block.cryptographic_algorithm = None;
        block.cryptographic_length = None;
        let again = register(fixture, object, Usage::SIGN, vec![]).await;
        let found = values(fixture, &again, AttributeId::CryptographicAlgorithm).await;
        assert_eq!(
            found,
            algorithm.map(Attribute::CryptographicAlgorithm).into_iter().collect::<Vec<_>>()
        );
        let found = values(fixture, &again, AttributeId::CryptographicLength).await;
        assert_eq!(
            found,
            length.map(Attribute::CryptographicLength).into_iter().collect::<Vec<_>>()
        );
        let back = get(fixture, &again, Some(formats[0])).await;
        assert_eq!(value(&back), value(&original), "{format:?}");
    }
}

#[tokio::test]
async fn rsa_keys_in_every_format() {
    let fixture = Fixture::new();
    let (private, public) = pair(&fixture, CryptographicAlgorithm::RSA, 2048).await;
    round(
        &fixture,
        &private,
        &[Format::PKCS_8, Format::PKCS_1, Format::TRANSPARENT_RSA_PRIVATE_KEY],
    )
    .await;
    round(&fixture, &public, &[Format::X_509, Format::PKCS_1, Format::TRANSPARENT_RSA_PUBLIC_KEY])
        .await;
}

#[tokio::test]
async fn curve_keys_in_every_format() {
    let fixture = Fixture::new();
    for length in [224, 256, 384, 521] {
        let (private, public) = pair(&fixture, CryptographicAlgorithm::EC, length).await;
        let formats = [Format::PKCS_8, Format::EC_PRIVATE_KEY, Format::TRANSPARENT_EC_PRIVATE_KEY];
        round(&fixture, &private, &formats).await;
        round(&fixture, &public, &[Format::X_509, Format::TRANSPARENT_EC_PUBLIC_KEY]).await;
    }
}

#[tokio::test]
async fn a_symmetric_key_is_the_same_in_its_structure() {
    let fixture = Fixture::new();
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT, vec![]).await;
    let transparent = get(&fixture, &key, Some(Format::TRANSPARENT_SYMMETRIC_KEY)).await;
    let expected = KeyMaterial::TransparentSymmetricKey(TransparentSymmetricKey {
        key: Secret::copy_of(&KEY),
    });
    assert_eq!(*value(&transparent), KeyValue::plain(expected));
    let again = register(&fixture, transparent, Usage::ENCRYPT, vec![]).await;
    assert_eq!(value(&get(&fixture, &again, Some(Format::RAW)).await), value(&aes(&KEY)));
    let length = values(&fixture, &key, AttributeId::CryptographicLength).await;
    assert_eq!(length, [Attribute::CryptographicLength(128)]);
}

#[tokio::test]
async fn formats_that_a_key_cannot_have() {
    let fixture = Fixture::new();
    let (private, public) = pair(&fixture, CryptographicAlgorithm::EC, 256).await;
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT, vec![]).await;
    let cases = [
        (&private, Format::PKCS_1),
        (&private, Format::X_509),
        (&private, Format::TRANSPARENT_RSA_PRIVATE_KEY),
        (&public, Format::PKCS_1),
        (&public, Format::EC_PRIVATE_KEY),
        (&key, Format::PKCS_8),
        (&key, Format::TRANSPARENT_EC_PRIVATE_KEY),
    ];
    for (key, format) in cases {
        let request = GetRequest {
            unique_identifier: Some(key.as_str().into()),
            key_format_type: Some(format),
            ..GetRequest::default()
        };
        let refused = reason(&fixture, Version::V1_4, &request).await;
        assert_eq!(refused, Some(ResultReason::KEY_FORMAT_TYPE_NOT_SUPPORTED), "{format:?}");
    }
    let compressed = GetRequest {
        unique_identifier: Some(public.as_str().into()),
        key_compression_type: Some(KeyCompressionType::EC_PUBLIC_KEY_TYPE_X9_62_COMPRESSED_PRIME),
        ..GetRequest::default()
    };
    let refused = reason(&fixture, Version::V1_4, &compressed).await;
    assert_eq!(refused, Some(ResultReason::KEY_COMPRESSION_TYPE_NOT_SUPPORTED));
}

#[tokio::test]
async fn a_key_that_nobody_can_read_is_kept_as_it_is() {
    let fixture = Fixture::new();
    let mut block = block(Format::PKCS_8, KeyMaterial::Bytes(vec![1, 2, 3].into()));
    block.cryptographic_algorithm = Some(CryptographicAlgorithm::EC);
    let object = Object::PrivateKey(Key { key_block: Some(block) });
    let key = register(&fixture, object.clone(), Usage::SIGN, vec![]).await;
    assert_eq!(value(&get(&fixture, &key, None).await), value(&object));
    let sign = claviger_kmip::payload::SignRequest {
        unique_identifier: Some(key.as_str().into()),
        data: Some(b"data".to_vec().into()),
        ..Default::default()
    };
    let refused = reason(&fixture, Version::V1_4, &sign).await;
    assert_eq!(refused, Some(ResultReason::CRYPTOGRAPHIC_FAILURE));
}

#[tokio::test]
async fn a_key_of_no_bytes_is_not_registered_in_any_format() {
    let fixture = Fixture::new();
    let transparent =
        KeyMaterial::TransparentSymmetricKey(TransparentSymmetricKey { key: Secret::default() });
    for (format, material) in [
        (Format::RAW, KeyMaterial::Bytes(Secret::default())),
        (Format::TRANSPARENT_SYMMETRIC_KEY, transparent),
    ] {
        let object = Object::SymmetricKey(Key { key_block: Some(block(format, material)) });
        let request = RegisterRequest {
            object_type: object.object_type(),
            attributes: Attributes::new().into(),
            object,
            protection_storage_masks: None,
        };
        let refused = fixture.attempt(Version::V1_4, &request).await;
        assert_eq!(refused.reason, Some(ResultReason::INVALID_FIELD), "{format:?}");
    }
}
