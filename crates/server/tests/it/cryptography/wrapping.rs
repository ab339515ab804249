//! Get with a Key Wrapping Specification, and wrapped keys that are registered.

use claviger_kmip::Version;
use claviger_kmip::attributes::values::CryptographicParameters;
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::compat::References;
use claviger_kmip::enums::{
    BlockCipherMode, EncodingOption, KeyFormatType, KeyWrapType, ResultReason, WrappingMethod,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::objects::{
    EncryptionKeyInformation, KeyMaterial, KeyValue, KeyWrappingSpecification, Object,
};
use claviger_kmip::payload::GetRequest;

use super::{KEY, aes, get, mode, reason, register};
use crate::fixture::Fixture;

const WRAPPING: [u8; 32] = [9; 32];

fn specification(key: &str, parameters: CryptographicParameters) -> KeyWrappingSpecification {
    KeyWrappingSpecification {
        wrapping_method: WrappingMethod::ENCRYPT,
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: key.into(),
            cryptographic_parameters: Some(parameters),
        }),
        mac_signature_key_information: None,
        attribute_name: References::default(),
        encoding_option: None,
    }
}

fn wrapped(key: &str, specification: KeyWrappingSpecification) -> GetRequest {
    GetRequest {
        unique_identifier: Some(key.into()),
        key_wrapping_specification: Some(specification),
        ..GetRequest::default()
    }
}

async fn keys(fixture: &Fixture) -> (String, String) {
    let usage = Usage::WRAP_KEY | Usage::UNWRAP_KEY;
    let parameters =
        Attribute::CryptographicParameters(Box::new(mode(BlockCipherMode::NIST_KEY_WRAP)));
    let wrapping = register(fixture, aes(&WRAPPING), usage, vec![parameters]).await;
    let key = register(fixture, aes(&KEY), Usage::ENCRYPT | Usage::DECRYPT, vec![]).await;
    (wrapping, key)
}

async fn unwrapped(fixture: &Fixture, object: Object, version: Version) -> Object {
    let again = register(fixture, object, Usage::ENCRYPT, vec![]).await;
    let request = GetRequest {
        unique_identifier: Some(again.as_str().into()),
        key_wrap_type: Some(KeyWrapType::NOT_WRAPPED),
        ..GetRequest::default()
    };
    fixture.call(version, &request).await.object
}

fn value(object: &Object) -> &KeyValue {
    object.key_block().unwrap().key_value.as_ref().unwrap()
}

#[tokio::test]
async fn what_is_wrapped_in_any_mode_comes_back() {
    let fixture = Fixture::new();
    let (wrapping, key) = keys(&fixture).await;
    let modes = [
        BlockCipherMode::NIST_KEY_WRAP,
        BlockCipherMode::AES_KEY_WRAP_PADDING,
        BlockCipherMode::CBC,
        BlockCipherMode::ECB,
        BlockCipherMode::CTR,
        BlockCipherMode::GCM,
    ];
    for block_cipher_mode in modes {
        for encoding_option in
            [None, Some(EncodingOption::NO_ENCODING), Some(EncodingOption::TTLV_ENCODING)]
        {
            let specification = KeyWrappingSpecification {
                encoding_option,
                ..specification(&wrapping, mode(block_cipher_mode))
            };
            let object = fixture.call(Version::V1_4, &wrapped(&key, specification)).await.object;
            let block = object.key_block().unwrap();
            let data = block.key_wrapping_data.as_ref().unwrap();
            assert_eq!(data.encoding_option, encoding_option);
            let has_iv = matches!(
                block_cipher_mode,
                BlockCipherMode::CBC | BlockCipherMode::CTR | BlockCipherMode::GCM
            );
            assert_eq!(data.iv_counter_nonce.is_some(), has_iv, "{block_cipher_mode:?}");
            let KeyValue::Wrapped(bytes) = value(&object) else { panic!("not wrapped") };
            assert!(!bytes.expose().windows(KEY.len()).any(|window| window == KEY));
            let back = unwrapped(&fixture, object, Version::V1_4).await;
            let plain = KeyValue::plain(KeyMaterial::Bytes(KEY.to_vec().into()));
            assert_eq!(*value(&back), plain, "{block_cipher_mode:?} {encoding_option:?}");
        }
    }
}

#[tokio::test]
async fn attributes_are_wrapped_with_the_key() {
    let fixture = Fixture::new();
    let (wrapping, key) = keys(&fixture).await;
    for version in [Version::V1_2, Version::V1_4, Version::V2_1] {
        let mut with_usage = specification(&wrapping, mode(BlockCipherMode::NIST_KEY_WRAP));
        let usage = AttributeReference::Standard(AttributeId::CryptographicUsageMask);
        with_usage.attribute_name = References(vec![usage]);
        let object = fixture.call(version, &wrapped(&key, with_usage.clone())).await.object;
        let back = unwrapped(&fixture, object, Version::V1_4).await;
        let KeyValue::Plain { attributes, .. } = value(&back) else { panic!("still wrapped") };
        let inside: Vec<_> = attributes.iter().cloned().collect();
        let mask = Usage::ENCRYPT | Usage::DECRYPT;
        assert_eq!(inside, [Attribute::CryptographicUsageMask(mask)], "{version}");

        with_usage.encoding_option = Some(EncodingOption::NO_ENCODING);
        let refused = reason(&fixture, version, &wrapped(&key, with_usage)).await;
        assert_eq!(refused, Some(ResultReason::ENCODING_OPTION_ERROR));
    }
}

#[tokio::test]
async fn an_asymmetric_key_is_wrapped_in_the_format_asked_for() {
    let fixture = Fixture::new();
    let (wrapping, _) = keys(&fixture).await;
    let private = super::formats::private_key(&fixture).await;
    let mut request =
        wrapped(&private, specification(&wrapping, mode(BlockCipherMode::AES_KEY_WRAP_PADDING)));
    request.key_format_type = Some(KeyFormatType::TRANSPARENT_EC_PRIVATE_KEY);
    let object = fixture.call(Version::V1_4, &request).await.object;
    let format = object.key_block().unwrap().key_format_type;
    assert_eq!(format, KeyFormatType::TRANSPARENT_EC_PRIVATE_KEY);
    let back = unwrapped(&fixture, object, Version::V1_4).await;
    assert_eq!(value(&back), value(&get(&fixture, &private, Some(format)).await));

    let no_encoding = Some(EncodingOption::NO_ENCODING);
    request.key_wrapping_specification.as_mut().unwrap().encoding_option = no_encoding;
    let refused = reason(&fixture, Version::V1_4, &request).await;
    assert_eq!(refused, Some(ResultReason::ENCODING_OPTION_ERROR));
}

#[tokio::test]
async fn a_sensitive_key_leaves_wrapped_only() {
    let fixture = Fixture::new();
    let (wrapping, _) = keys(&fixture).await;
    let sensitive = vec![Attribute::Sensitive(true)];
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT, sensitive).await;
    let plain =
        GetRequest { unique_identifier: Some(key.as_str().into()), ..GetRequest::default() };
    let refused = reason(&fixture, Version::V1_4, &plain).await;
    assert_eq!(refused, Some(ResultReason::SENSITIVE));
    let in_wrapping = wrapped(&key, specification(&wrapping, mode(BlockCipherMode::NIST_KEY_WRAP)));
    let object = fixture.call(Version::V1_4, &in_wrapping).await.object;

    // Registered again it is still sensitive: wrapped it may leave, unwrapped it may not.
    let again = register(&fixture, object, Usage::ENCRYPT, vec![Attribute::Sensitive(true)]).await;
    assert!(matches!(value(&get(&fixture, &again, None).await), KeyValue::Wrapped(_)));
    let not_wrapped = GetRequest {
        unique_identifier: Some(again.as_str().into()),
        key_wrap_type: Some(KeyWrapType::NOT_WRAPPED),
        ..GetRequest::default()
    };
    let refused = reason(&fixture, Version::V1_4, &not_wrapped).await;
    assert_eq!(refused, Some(ResultReason::SENSITIVE));

    let hidden = vec![Attribute::Extractable(false)];
    let hidden = register(&fixture, aes(&KEY), Usage::ENCRYPT, hidden).await;
    let in_wrapping =
        wrapped(&hidden, specification(&wrapping, mode(BlockCipherMode::NIST_KEY_WRAP)));
    let refused = reason(&fixture, Version::V1_4, &in_wrapping).await;
    assert_eq!(refused, Some(ResultReason::NOT_EXTRACTABLE));
}

#[tokio::test]
async fn a_wrong_wrapping_key_has_a_word_of_its_own() {
    let fixture = Fixture::new();
    let (wrapping, key) = keys(&fixture).await;
    let kw = || mode(BlockCipherMode::NIST_KEY_WRAP);
    let cases = [
        (
            wrapped(&key, specification("no-such-key", kw())),
            ResultReason::ITEM_NOT_FOUND,
            ResultReason::WRAPPING_OBJECT_NOT_FOUND,
        ),
        (
            wrapped(&key, specification(&key, kw())),
            ResultReason::PERMISSION_DENIED,
            ResultReason::INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK,
        ),
        (
            wrapped(
                &key,
                KeyWrappingSpecification {
                    wrapping_method: WrappingMethod::MAC_SIGN,
                    ..specification(&wrapping, kw())
                },
            ),
            ResultReason::FEATURE_NOT_SUPPORTED,
            ResultReason::KEY_WRAP_TYPE_NOT_SUPPORTED,
        ),
        (
            wrapped(
                &key,
                KeyWrappingSpecification {
                    encryption_key_information: None,
                    ..specification(&wrapping, kw())
                },
            ),
            ResultReason::INVALID_MESSAGE,
            ResultReason::INVALID_MESSAGE,
        ),
    ];
    for (request, in_1x, in_2x) in cases {
        assert_eq!(reason(&fixture, Version::V1_4, &request).await, Some(in_1x));
        assert_eq!(reason(&fixture, Version::V2_1, &request).await, Some(in_2x));
    }
}

#[tokio::test]
async fn a_key_that_was_registered_wrapped_works_where_its_wrapping_key_is() {
    let fixture = Fixture::new();
    let (wrapping, key) = keys(&fixture).await;
    let get_wrapped = wrapped(&key, specification(&wrapping, mode(BlockCipherMode::NIST_KEY_WRAP)));
    let object = fixture.call(Version::V1_4, &get_wrapped).await.object;
    let again = register(&fixture, object, Usage::ENCRYPT, vec![]).await;
    let ecb = |key: &str| super::encrypt(key, mode(BlockCipherMode::ECB), &[1; 32]);
    let one = fixture.call(Version::V1_4, &ecb(&key)).await.data;
    assert_eq!(fixture.call(Version::V1_4, &ecb(&again)).await.data, one);

    let destroyed = claviger_kmip::payload::RevokeRequest {
        unique_identifier: Some(wrapping.as_str().into()),
        revocation_reason: claviger_kmip::attributes::values::RevocationReason {
            revocation_reason_code: claviger_kmip::enums::RevocationReasonCode::SUPERSEDED,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    fixture.call(Version::V1_4, &destroyed).await;
    // A deactivated key still unwraps; a destroyed one does not.
    assert_eq!(fixture.call(Version::V1_4, &ecb(&again)).await.data, one);
    let destroy = claviger_kmip::payload::DestroyRequest {
        unique_identifier: Some(wrapping.as_str().into()),
    };
    fixture.call(Version::V1_4, &destroy).await;
    let refused = reason(&fixture, Version::V2_1, &ecb(&again)).await;
    assert_eq!(refused, Some(ResultReason::WRAPPING_OBJECT_DESTROYED));
}
