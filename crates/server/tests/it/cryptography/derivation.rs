//! Derive Key.

use claviger_kmip::Version;
use claviger_kmip::attributes::values::{CryptographicParameters, Link, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::enums::{
    CryptographicAlgorithm, DerivationMethod, HashingAlgorithm, KeyFormatType, LinkType,
    ObjectType, ResultReason, SecretDataType,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::message::{RequestHeader, RequestItem};
use claviger_kmip::objects::{KeyMaterial, KeyValue, Object, SecretData};
use claviger_kmip::payload::{DerivationParameters, DeriveKeyRequest, GetRequest};

use super::{KEY, aes, block, get, reason, register, values};
use crate::fixture::{Fixture, answers};

fn request(bases: &[&str], length: i32, parameters: DerivationParameters) -> DeriveKeyRequest {
    let attributes: Attributes = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(length),
        Attribute::CryptographicUsageMask(Usage::ENCRYPT),
    ]
    .into_iter()
    .collect();
    DeriveKeyRequest {
        object_type: ObjectType::SYMMETRIC_KEY,
        unique_identifier: bases.iter().map(|base| UniqueIdentifier::from(*base)).collect(),
        derivation_method: DerivationMethod::HMAC,
        derivation_parameters: parameters,
        attributes: attributes.into(),
    }
}

fn hmac(data: Option<&[u8]>) -> DerivationParameters {
    DerivationParameters {
        cryptographic_parameters: Some(CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::SHA_256),
            ..CryptographicParameters::none()
        }),
        derivation_data: data.map(|data| data.to_vec().into()).into_iter().collect(),
        ..DerivationParameters::default()
    }
}

async fn derive(fixture: &Fixture, request: &DeriveKeyRequest) -> String {
    match fixture.call(Version::V1_4, request).await.unique_identifier {
        UniqueIdentifier::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn link(link_type: LinkType, to: &str) -> Attribute {
    Attribute::Link(Link { link_type, linked_object_identifier: to.into() })
}

async fn value(fixture: &Fixture, key: &str) -> KeyValue {
    get(fixture, key, None).await.key_block().unwrap().key_value.clone().unwrap()
}

#[tokio::test]
async fn base_and_derived_key_are_linked() {
    let fixture = Fixture::new();
    let base = register(&fixture, aes(&KEY), Usage::DERIVE_KEY, vec![]).await;
    let one = derive(&fixture, &request(&[&base], 128, hmac(Some(b"one")))).await;
    let two = derive(&fixture, &request(&[&base], 256, hmac(Some(b"two")))).await;
    let links = values(&fixture, &base, AttributeId::Link).await;
    let derived = LinkType::DERIVED_KEY_LINK;
    assert_eq!(links, [link(derived, &one), link(derived, &two)]);
    let back = values(&fixture, &one, AttributeId::Link).await;
    assert_eq!(back, [link(LinkType::DERIVATION_BASE_OBJECT_LINK, &base)]);
    // Nothing random was drawn for it.
    assert_eq!(values(&fixture, &one, AttributeId::RandomNumberGenerator).await, []);
    assert_ne!(value(&fixture, &one).await, value(&fixture, &two).await);
}

#[tokio::test]
async fn a_secret_beside_the_key_is_the_data_to_derive_with() {
    let fixture = Fixture::new();
    let base = register(&fixture, aes(&KEY), Usage::DERIVE_KEY, vec![]).await;
    let secret = Object::SecretData(SecretData {
        secret_data_type: SecretDataType::PASSWORD,
        key_block: Some(block(KeyFormatType::RAW, KeyMaterial::Bytes(b"label".to_vec().into()))),
    });
    let secret = register(&fixture, secret, Usage::DERIVE_KEY, vec![]).await;
    let with_object = derive(&fixture, &request(&[&base, &secret], 256, hmac(None))).await;
    let with_data = derive(&fixture, &request(&[&base], 256, hmac(Some(b"label")))).await;
    assert_eq!(value(&fixture, &with_object).await, value(&fixture, &with_data).await);
    let links = values(&fixture, &with_object, AttributeId::Link).await;
    let base_link = LinkType::DERIVATION_BASE_OBJECT_LINK;
    assert_eq!(links, [link(base_link, &base), link(base_link, &secret)]);
}

#[tokio::test]
async fn what_is_refused() {
    let fixture = Fixture::new();
    let base = register(&fixture, aes(&KEY), Usage::DERIVE_KEY, vec![]).await;
    let other = register(&fixture, aes(&KEY), Usage::ENCRYPT, vec![]).await;
    let too_often = DerivationParameters {
        salt: Some(claviger_kmip::codec::ByteString(vec![1; 8])),
        iteration_count: Some(i32::MAX),
        ..hmac(None)
    };
    let pbkdf2 = DeriveKeyRequest {
        derivation_method: DerivationMethod::PBKDF2,
        ..request(&[&base], 128, too_often)
    };
    let no_length = DeriveKeyRequest {
        attributes: Attributes::new().into(),
        ..request(&[&base], 128, hmac(Some(b"data")))
    };
    let cases = [
        (
            request(&[&other], 128, hmac(Some(b"data"))),
            ResultReason::INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK,
        ),
        (request(&[], 128, hmac(Some(b"data"))), ResultReason::INVALID_MESSAGE),
        (request(&[&base], 128, hmac(None)), ResultReason::INVALID_MESSAGE),
        (request(&[&base], 130, hmac(Some(b"data"))), ResultReason::INVALID_ATTRIBUTE_VALUE),
        (no_length, ResultReason::INVALID_MESSAGE),
        (pbkdf2, ResultReason::SERVER_LIMIT_EXCEEDED),
    ];
    for (request, expected) in cases {
        assert_eq!(reason(&fixture, Version::V2_1, &request).await, Some(expected), "{request:?}");
    }
    assert_eq!(values(&fixture, &base, AttributeId::Link).await, []);
}

#[tokio::test]
async fn the_placeholder_is_set_and_never_read() {
    let fixture = Fixture::new();
    let base = register(&fixture, aes(&KEY), Usage::DERIVE_KEY, vec![]).await;
    let mut header = RequestHeader::new(Version::V1_4, 3);
    header.batch_order_option = Some(true);
    let bytes = fixture
        .send(&header, |encoder| {
            let derive = request(&[&base], 128, hmac(Some(b"data")));
            RequestItem::write(encoder, Some(b"1"), &derive);
            RequestItem::write(encoder, Some(b"2"), &GetRequest::default());
            let placeholder = request(&[], 128, hmac(Some(b"data")));
            RequestItem::write(encoder, Some(b"3"), &placeholder);
        })
        .await;
    let reasons: Vec<_> = answers(&bytes).iter().map(|answer| answer.reason).collect();
    assert_eq!(reasons, [None, None, Some(ResultReason::INVALID_MESSAGE)]);
}
