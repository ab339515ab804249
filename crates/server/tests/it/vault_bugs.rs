//! What was wrong in releases of Vault's KMIP engine, after its change log: none of it is wrong here.
//!
//! tests/README.md maps every entry to its test; those that other tests show are not repeated.

use claviger_kmip::Version;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::{CryptographicParameters, UniqueIdentifier};
use claviger_kmip::codec::ByteString;
use claviger_kmip::compat::AttributeList;
use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, KeyFormatType, ObjectType, Operation, PaddingMethod,
    QueryFunction, ResultStatus, SecretDataType, ValidityIndicator,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::message::{RequestHeader, RequestItem, ResponseMessage};
use claviger_kmip::objects::{Key, KeyMaterial, Object, SecretData};
use claviger_kmip::payload::{
    DecryptRequest, DestroyRequest, DestroyResponse, EncryptRequest, LocateRequest, LocateResponse,
    MacRequest, MacVerifyRequest, QueryRequest, ReKeyRequest, RegisterRequest,
};
use claviger_ttlv::Message;

use crate::cryptography::{KEY, aes, block, encrypt, mode, register};
use crate::fixture::{Fixture, name};

const VERSIONS: [Version; 7] = [
    Version::V1_0,
    Version::V1_1,
    Version::V1_2,
    Version::V1_3,
    Version::V1_4,
    Version::V2_0,
    Version::V2_1,
];

/// 1.12.5: "attribute Cryptographic Usage Mask is missing", which broke MongoDB's client side.
#[tokio::test]
async fn secret_data_is_registered_without_a_usage_mask() {
    let fixture = Fixture::new();
    for version in VERSIONS {
        let material = KeyMaterial::Bytes(vec![9; 96].into());
        let request = RegisterRequest {
            object_type: ObjectType::SECRET_DATA,
            attributes: Default::default(),
            object: Object::SecretData(SecretData {
                secret_data_type: SecretDataType::SEED,
                key_block: Some(block(KeyFormatType::RAW, material)),
            }),
            protection_storage_masks: None,
        };
        fixture.call(version, &request).await;
    }
}

/// 1.12.3: the identifier was missing in answers to batches.
#[tokio::test]
async fn every_destroy_of_a_batch_says_what_it_destroyed() {
    let fixture = Fixture::new();
    let ids = [fixture.create(vec![]).await, fixture.create(vec![]).await];
    let bytes = fixture
        .send(&RequestHeader::new(Version::V1_4, 2), |encoder| {
            for (at, id) in ids.iter().enumerate() {
                let request = DestroyRequest { unique_identifier: Some(id.as_str().into()) };
                RequestItem::write(encoder, Some(&[at as u8]), &request);
            }
        })
        .await;
    let message = Message::parse(&bytes, &claviger_ttlv::Limits::default()).unwrap();
    let response = ResponseMessage::parse(&message).unwrap();
    assert_eq!(response.items.len(), 2);
    for (item, id) in response.items.iter().zip(&ids) {
        let payload: DestroyResponse = item.payload(Version::V1_4).unwrap();
        assert_eq!(payload.unique_identifier, UniqueIdentifier::Text(id.clone()));
    }
}

/// 1.12.3: clients before 1.3 do not know Located Items.
#[tokio::test]
async fn located_items_come_from_1_3_on() {
    let fixture = Fixture::new();
    fixture.create(vec![name("found")]).await;
    for version in VERSIONS {
        let attributes = AttributeList([name("found")].into_iter().collect());
        // It counts all hits for who pages through them; offsets are of 1.3 too.
        let offset_items = (version >= Version::V1_3).then_some(0);
        let request = LocateRequest {
            attributes,
            offset_items,
            maximum_items: Some(1),
            ..LocateRequest::default()
        };
        let bytes = fixture
            .send(&RequestHeader::new(version, 1), |encoder| {
                RequestItem::write(encoder, None, &request);
            })
            .await;
        let tag = claviger_kmip::tags::LOCATED_ITEMS.value().to_be_bytes();
        let says = bytes.windows(3).any(|window| window == &tag[1..]);
        assert_eq!(says, version >= Version::V1_3, "{version:?}");
        let message = Message::parse(&bytes, &claviger_ttlv::Limits::default()).unwrap();
        let response = ResponseMessage::parse(&message).unwrap();
        let found: LocateResponse = response.items[0].payload(version).unwrap();
        assert_eq!(found.unique_identifier.len(), 1, "{version:?}");
    }
}

/// 1.11.1, 1.12.3, 1.14.5: Secret Data, streaming, profiles and the structure of Server Information.
#[tokio::test]
async fn query_tells_everything() {
    let fixture = Fixture::new();
    let query = |functions: &[QueryFunction]| QueryRequest {
        query_function: functions.to_vec(),
        ..QueryRequest::default()
    };
    for version in VERSIONS {
        let request = query(&[
            QueryFunction::QUERY_OPERATIONS,
            QueryFunction::QUERY_OBJECTS,
            QueryFunction::QUERY_SERVER_INFORMATION,
        ]);
        let told = fixture.call(version, &request).await;
        assert!(told.object_type.contains(&ObjectType::SECRET_DATA), "{version:?}");
        assert!(told.operation.contains(&Operation::LOCATE), "{version:?}");
        assert!(told.server_information.is_some(), "{version:?}: a structure, even an empty one");
    }
    for version in VERSIONS.into_iter().filter(|version| *version >= Version::V1_3) {
        let request = query(&[QueryFunction::QUERY_PROFILES, QueryFunction::QUERY_CAPABILITIES]);
        let told = fixture.call(version, &request).await;
        assert!(!told.profile_information.is_empty(), "{version:?}");
        let streaming = told.capability_information.first().unwrap().streaming_capability;
        assert_eq!(streaming, Some(true), "{version:?}");
    }
}

/// 1.15: Server Correlation Value reached clients of 1.0, and PyKMIP cannot read it at 1.4 either.
#[tokio::test]
async fn no_answer_has_a_server_correlation_value() {
    let fixture = Fixture::new();
    for version in VERSIONS {
        let mut header = RequestHeader::new(version, 1);
        if version >= Version::V1_4 {
            header.client_correlation_value = Some(String::from("mine"));
        }
        let bytes = fixture
            .send(&header, |encoder| {
                RequestItem::write(encoder, None, &QueryRequest::default());
            })
            .await;
        let message = Message::parse(&bytes, &claviger_ttlv::Limits::default()).unwrap();
        let response = ResponseMessage::parse(&message).unwrap();
        assert_eq!(response.header.server_correlation_value, None, "{version:?}");
        assert_eq!(response.header.client_correlation_value, header.client_correlation_value);
    }
}

/// 1.12.1: which parameters are meant when the request has some, and when it has none.
#[tokio::test]
async fn the_keys_own_parameters_serve_when_the_request_has_none() {
    let fixture = Fixture::new();
    let own = CryptographicParameters {
        padding_method: Some(PaddingMethod::PKCS5),
        ..mode(BlockCipherMode::CBC)
    };
    let parameters = vec![Attribute::CryptographicParameters(Box::new(own.clone()))];
    let usage = Usage::ENCRYPT | Usage::DECRYPT;
    let key = register(&fixture, aes(&KEY), usage, parameters).await;
    let iv = Some(ByteString(vec![3; 16]));
    let request = |parameters| EncryptRequest {
        cryptographic_parameters: parameters,
        iv_counter_nonce: iv.clone(),
        ..encrypt(&key, CryptographicParameters::none(), b"fifteen bytes..")
    };
    let implied = fixture.call(Version::V1_4, &request(None)).await.data.unwrap();
    let explicit = fixture.call(Version::V1_4, &request(Some(own))).await.data.unwrap();
    assert_eq!(implied, explicit);
    let other = CryptographicParameters {
        padding_method: Some(PaddingMethod::PKCS5),
        ..mode(BlockCipherMode::ECB)
    };
    let other = EncryptRequest { iv_counter_nonce: None, ..request(Some(other)) };
    assert_ne!(fixture.call(Version::V1_4, &other).await.data.unwrap(), implied);
}

/// 1.13: CBC and ECB without padding take whole blocks only.
#[tokio::test]
async fn without_padding_only_whole_blocks_are_encrypted() {
    let fixture = Fixture::new();
    let usage = Usage::ENCRYPT | Usage::DECRYPT;
    let key = register(&fixture, aes(&KEY), usage, vec![]).await;
    for mode_name in [BlockCipherMode::CBC, BlockCipherMode::ECB] {
        let parameters = CryptographicParameters {
            padding_method: Some(PaddingMethod::NONE),
            ..mode(mode_name)
        };
        let iv = (mode_name == BlockCipherMode::CBC).then(|| ByteString(vec![3; 16]));
        for length in [1, 15, 17, 31] {
            let request = EncryptRequest {
                iv_counter_nonce: iv.clone(),
                ..encrypt(&key, parameters.clone(), &vec![1; length])
            };
            let refused = fixture.attempt(Version::V1_4, &request).await;
            assert_eq!(refused.status, ResultStatus::OPERATION_FAILED, "{mode_name:?} {length}");
        }
        let request =
            EncryptRequest { iv_counter_nonce: iv, ..encrypt(&key, parameters, &[1; 32]) };
        assert_eq!(fixture.call(Version::V1_4, &request).await.data.unwrap().0.len(), 32);
    }
}

/// 1.13.2: a key without a Process Start Date could not decrypt.
#[tokio::test]
async fn a_key_without_a_process_start_date_decrypts() {
    let fixture = Fixture::new();
    let usage = Usage::ENCRYPT | Usage::DECRYPT;
    let key = register(&fixture, aes(&KEY), usage, vec![]).await;
    let sealed =
        fixture.call(Version::V1_4, &encrypt(&key, mode(BlockCipherMode::ECB), &KEY)).await;
    let request = DecryptRequest {
        unique_identifier: Some(key.as_str().into()),
        cryptographic_parameters: Some(mode(BlockCipherMode::ECB)),
        data: sealed.data.map(|data| data.0.into()),
        ..DecryptRequest::default()
    };
    assert_eq!(fixture.call(Version::V1_4, &request).await.data.unwrap().expose(), KEY);
}

/// 1.13: MAC Verify in parts.
#[tokio::test]
async fn a_mac_is_verified_in_parts() {
    let fixture = Fixture::new();
    let mut of_key = block(KeyFormatType::RAW, KeyMaterial::Bytes(vec![5; 32].into()));
    of_key.cryptographic_algorithm = Some(CryptographicAlgorithm::HMAC_SHA256);
    let object = Object::SymmetricKey(Key { key_block: Some(of_key) });
    let usage = Usage::MAC_GENERATE | Usage::MAC_VERIFY;
    let key = register(&fixture, object, usage, vec![]).await;
    let parameters = CryptographicParameters {
        cryptographic_algorithm: Some(CryptographicAlgorithm::HMAC_SHA256),
        ..CryptographicParameters::none()
    };
    let request = MacRequest {
        unique_identifier: Some(key.as_str().into()),
        cryptographic_parameters: Some(parameters.clone()),
        data: Some(b"one and two".to_vec().into()),
        ..MacRequest::default()
    };
    let mac = fixture.call(Version::V1_4, &request).await.mac_data;
    for (end, expected) in [(" two", ValidityIndicator::VALID), (" 2", ValidityIndicator::INVALID)]
    {
        let begin = MacVerifyRequest {
            unique_identifier: Some(key.as_str().into()),
            cryptographic_parameters: Some(parameters.clone()),
            data: Some(b"one and".to_vec().into()),
            init_indicator: Some(true),
            ..MacVerifyRequest::default()
        };
        let begun = fixture.call(Version::V1_4, &begin).await;
        assert_eq!(begun.validity_indicator, None);
        let last = MacVerifyRequest {
            unique_identifier: Some(key.as_str().into()),
            data: Some(end.as_bytes().to_vec().into()),
            mac_data: mac.clone(),
            correlation_value: begun.correlation_value,
            final_indicator: Some(true),
            ..MacVerifyRequest::default()
        };
        assert_eq!(fixture.call(Version::V1_4, &last).await.validity_indicator, Some(expected));
    }
}

/// 1.3.3: Re-key without a template ended the server.
#[tokio::test]
async fn a_re_key_without_a_template_makes_a_key() {
    let fixture = Fixture::new();
    let mut key = UniqueIdentifier::Text(fixture.create(vec![name("rotated")]).await);
    for version in VERSIONS {
        let request =
            ReKeyRequest { unique_identifier: Some(key.clone()), ..ReKeyRequest::default() };
        let replacement = fixture.call(version, &request).await.unique_identifier;
        assert_ne!(replacement, key, "{version:?}");
        key = replacement;
    }
}

/// 1.8.8: Locate by name found nothing after Re-key.
#[tokio::test]
async fn the_name_finds_the_replacement_after_every_re_key() {
    let fixture = Fixture::new();
    let mut key = UniqueIdentifier::Text(fixture.create(vec![name("rotated")]).await);
    for version in VERSIONS {
        let request =
            ReKeyRequest { unique_identifier: Some(key.clone()), ..ReKeyRequest::default() };
        key = fixture.call(version, &request).await.unique_identifier;
        let attributes = AttributeList([name("rotated")].into_iter().collect());
        let request = LocateRequest { attributes, ..LocateRequest::default() };
        let found = fixture.call(version, &request).await.unique_identifier;
        assert_eq!(found, [key.clone()], "{version:?}");
    }
}
