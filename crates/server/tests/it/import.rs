//! Import and Export: an object moves with its identifier, its history and its rules.

use claviger_kmip::Version;
use claviger_kmip::attributes::values::{CryptographicParameters, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::codec::DateTime;
use claviger_kmip::compat::AttributeList;
use claviger_kmip::enums::{
    BlockCipherMode, EncodingOption, KeyWrapType, ObjectType, ResultReason, RevocationReasonCode,
    State, WrappingMethod,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::objects::{EncryptionKeyInformation, KeyWrappingSpecification, Object};
use claviger_kmip::payload::{
    DestroyRequest, ExportRequest, ExportResponse, GetRequest, ImportRequest,
};

use crate::cryptography::{KEY, aes, encrypt, get, mode, reason, register, values};
use crate::fixture::{Fixture, START, name};
use crate::replacement::revoke;

const ID: &str = "0f8b6d5e-1c2a-4b3d-9e8f-7a6b5c4d3e2f";
const VERSIONS: [Version; 3] = [Version::V1_4, Version::V2_0, Version::V2_1];

fn import(object: Object, attributes: impl IntoIterator<Item = Attribute>) -> ImportRequest {
    ImportRequest {
        unique_identifier: ID.into(),
        object_type: None,
        replace_existing: None,
        key_wrap_type: None,
        attributes: AttributeList(attributes.into_iter().collect()),
        object,
    }
}

fn export(key: &str) -> ExportRequest {
    ExportRequest { unique_identifier: Some(key.into()), ..ExportRequest::default() }
}

fn usage() -> Attribute {
    Attribute::CryptographicUsageMask(Usage::ENCRYPT | Usage::DECRYPT)
}

/// The key of one server works on another as if it had been made there.
#[tokio::test]
async fn what_one_server_exports_another_imports() {
    for version in VERSIONS {
        let (here, there) = (Fixture::new(), Fixture::new());
        let parameters = CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::ECB),
            ..CryptographicParameters::none()
        };
        let more = vec![
            name("moved"),
            Attribute::CryptographicParameters(Box::new(parameters)),
            Attribute::Comment(String::from("of the first server")),
        ];
        let key = register(&here, aes(&KEY), Usage::ENCRYPT | Usage::DECRYPT, more).await;
        there.clock.set(START + 1_000);
        let ExportResponse { object_type, attributes, object, .. } =
            here.call(version, &export(&key)).await;
        let request = ImportRequest {
            unique_identifier: key.as_str().into(),
            object_type: (version >= Version::V2_0).then_some(object_type),
            replace_existing: None,
            key_wrap_type: None,
            attributes,
            object: object.unwrap(),
        };
        let imported = there.call(version, &request).await.unique_identifier;
        assert_eq!(imported, UniqueIdentifier::Text(key.clone()));
        let again = there.call(version, &export(&key)).await;
        let once = here.call(version, &export(&key)).await;
        assert_eq!(sorted(again.attributes), sorted(once.attributes), "{version:?}");
        assert_eq!(again.object, once.object);
        let seal = encrypt(&key, mode(BlockCipherMode::ECB), &KEY);
        let sealed = here.call(Version::V1_4, &seal).await.data;
        assert_eq!(there.call(Version::V1_4, &seal).await.data, sealed);
    }
}

fn sorted(AttributeList(Attributes(instances)): AttributeList) -> Vec<String> {
    let mut all: Vec<_> = instances.iter().map(|it| format!("{:?}", it.attribute)).collect();
    all.sort();
    all
}

/// 1.11.5 of Vault lost attributes of an imported object.
#[tokio::test]
async fn attributes_that_only_servers_set_are_kept_as_they_come() {
    let fixture = Fixture::new();
    let given = [
        usage(),
        Attribute::InitialDate(DateTime(1_000)),
        Attribute::ActivationDate(DateTime(2_000)),
        Attribute::LastChangeDate(DateTime(3_000)),
        Attribute::OriginalCreationDate(DateTime(500)),
        Attribute::Fresh(false),
        Attribute::State(State::ACTIVE),
        Attribute::ObjectType(ObjectType::SYMMETRIC_KEY),
        Attribute::UniqueIdentifier(ID.into()),
    ];
    fixture.call(Version::V2_1, &import(aes(&KEY), given.clone())).await;
    for attribute in given {
        assert_eq!(values(&fixture, ID, attribute.id()).await, [attribute]);
    }
    let length = Attribute::CryptographicLength(128);
    assert_eq!(values(&fixture, ID, AttributeId::CryptographicLength).await, [length]);
}

#[tokio::test]
async fn an_identifier_that_is_taken_is_replaced_only_on_request() {
    let fixture = Fixture::new();
    let other = [9; 32];
    for version in VERSIONS {
        let first = ImportRequest {
            replace_existing: Some(true),
            ..import(aes(&KEY), [usage(), name("first"), Attribute::LastChangeDate(DateTime(7))])
        };
        fixture.call(version, &first).await;
        let change = Attribute::LastChangeDate(DateTime(7));
        assert_eq!(values(&fixture, ID, AttributeId::LastChangeDate).await, [change]);
        for replace_existing in [None, Some(false)] {
            let second = ImportRequest { replace_existing, ..import(aes(&other), [usage()]) };
            let refused = reason(&fixture, version, &second).await;
            assert_eq!(refused, Some(ResultReason::OBJECT_ALREADY_EXISTS));
            assert_eq!(values(&fixture, ID, AttributeId::Name).await, [name("first")]);
        }
        // A tombstone holds its identifier too.
        let destroy = DestroyRequest { unique_identifier: Some(ID.into()) };
        fixture.call(version, &destroy).await;
        let second = import(aes(&other), [usage(), name("second")]);
        let refused = reason(&fixture, version, &second).await;
        assert_eq!(refused, Some(ResultReason::OBJECT_ALREADY_EXISTS));
        fixture.call(version, &ImportRequest { replace_existing: Some(true), ..second }).await;
        assert_eq!(
            get(&fixture, ID, None).await.key_block().unwrap().cryptographic_length,
            Some(256)
        );
        assert_eq!(values(&fixture, ID, AttributeId::Name).await, [name("second")]);
        assert_eq!(values(&fixture, ID, AttributeId::DestroyDate).await, []);
    }
}

/// Who may import must not be able to take a compromise back, neither of a key nor of what is left of it.
#[tokio::test]
async fn what_is_compromised_stays_so() {
    let fixture = Fixture::new();
    fixture
        .call(Version::V2_1, &import(aes(&KEY), [usage(), Attribute::State(State::ACTIVE)]))
        .await;
    revoke(&fixture, ID, RevocationReasonCode::KEY_COMPROMISE).await;
    let again = ImportRequest {
        replace_existing: Some(true),
        ..import(aes(&KEY), [usage(), Attribute::State(State::ACTIVE)])
    };
    for state in [State::COMPROMISED, State::DESTROYED_COMPROMISED] {
        let refused = reason(&fixture, Version::V2_1, &again).await;
        assert_eq!(refused, Some(ResultReason::WRONG_KEY_LIFECYCLE_STATE), "{state:?}");
        let found = values(&fixture, ID, AttributeId::State).await;
        assert_eq!(found, [Attribute::State(state)]);
        let destroy = DestroyRequest { unique_identifier: Some(ID.into()) };
        if state == State::COMPROMISED {
            fixture.call(Version::V2_1, &destroy).await;
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_leaves_nothing() {
    let fixture = Fixture::new();
    let good = || import(aes(&KEY), [usage()]);
    let with = |attribute| import(aes(&KEY), [usage(), attribute]);
    let invalid_value = ResultReason::INVALID_ATTRIBUTE_VALUE;
    for (request, expected) in [
        (ImportRequest { unique_identifier: "17".into(), ..good() }, ResultReason::INVALID_FIELD),
        (
            ImportRequest { unique_identifier: ID.to_uppercase().into(), ..good() },
            ResultReason::INVALID_FIELD,
        ),
        (
            ImportRequest { object_type: Some(ObjectType::SECRET_DATA), ..good() },
            ResultReason::INVALID_FIELD,
        ),
        (
            ImportRequest { key_wrap_type: Some(KeyWrapType(99)), ..good() },
            ResultReason::KEY_WRAP_TYPE_NOT_SUPPORTED,
        ),
        (with(Attribute::State(State::DESTROYED)), invalid_value),
        (with(Attribute::DestroyDate(DateTime(1))), invalid_value),
        (with(Attribute::CryptographicLength(256)), invalid_value),
        (with(Attribute::ObjectType(ObjectType::SECRET_DATA)), invalid_value),
    ] {
        assert_eq!(reason(&fixture, Version::V2_1, &request).await, Some(expected), "{request:?}");
    }
    let request = GetRequest { unique_identifier: Some(ID.into()), ..GetRequest::default() };
    let missing = reason(&fixture, Version::V2_1, &request).await;
    assert_eq!(missing, Some(ResultReason::OBJECT_NOT_FOUND));
}

#[tokio::test]
async fn a_wrapped_key_is_stored_as_it_comes_or_unwrapped() {
    let fixture = Fixture::new();
    let kek = register(&fixture, aes(&[3; 32]), Usage::WRAP_KEY | Usage::UNWRAP_KEY, vec![]).await;
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT | Usage::DECRYPT, vec![]).await;
    let specification = KeyWrappingSpecification {
        wrapping_method: WrappingMethod::ENCRYPT,
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: kek.as_str().into(),
            cryptographic_parameters: Some(mode(BlockCipherMode::NIST_KEY_WRAP)),
        }),
        mac_signature_key_information: None,
        attribute_name: Default::default(),
        encoding_option: Some(EncodingOption::NO_ENCODING),
    };
    let request = ExportRequest { key_wrapping_specification: Some(specification), ..export(&key) };
    let wrapped = fixture.call(Version::V1_4, &request).await.object.unwrap();
    assert!(wrapped.key_block().unwrap().key_wrapping_data.is_some());
    for (key_wrap_type, stays) in
        [(KeyWrapType::AS_REGISTERED, true), (KeyWrapType::NOT_WRAPPED, false)]
    {
        let request = ImportRequest {
            key_wrap_type: Some(key_wrap_type),
            replace_existing: Some(true),
            ..import(wrapped.clone(), [usage()])
        };
        fixture.call(Version::V1_4, &request).await;
        let stored = get(&fixture, ID, None).await;
        assert_eq!(stored.key_block().unwrap().key_wrapping_data.is_some(), stays);
        if !stays {
            let plain = get(&fixture, &key, None).await;
            let value = |object: &Object| object.key_block().unwrap().key_value.clone();
            assert_eq!(value(&stored), value(&plain));
        }
    }
    let destroy = DestroyRequest { unique_identifier: Some(key.as_str().into()) };
    assert_eq!(
        reason(&fixture, Version::V1_4, &destroy).await,
        Some(ResultReason::PERMISSION_DENIED),
        "an Active key"
    );
    let stranger = Fixture::new();
    let request = ImportRequest {
        key_wrap_type: Some(KeyWrapType::NOT_WRAPPED),
        ..import(wrapped, [usage()])
    };
    let refused = reason(&stranger, Version::V2_1, &request).await;
    assert_eq!(refused, Some(ResultReason::WRAPPING_OBJECT_NOT_FOUND));
}

/// Export is no way around what Get refuses.
#[tokio::test]
async fn what_may_not_leave_is_not_exported_and_of_what_is_destroyed_only_attributes() {
    let fixture = Fixture::new();
    for (attribute, expected) in [
        (Attribute::Sensitive(true), ResultReason::SENSITIVE),
        (Attribute::Extractable(false), ResultReason::NOT_EXTRACTABLE),
    ] {
        let key = fixture.create(vec![attribute]).await;
        assert_eq!(reason(&fixture, Version::V1_4, &export(&key)).await, Some(expected));
    }
    let key = fixture.create(vec![name("gone")]).await;
    let destroy = DestroyRequest { unique_identifier: Some(key.as_str().into()) };
    fixture.call(Version::V1_4, &destroy).await;
    for version in VERSIONS {
        let left = fixture.call(version, &export(&key)).await;
        assert_eq!(left.object, None);
        let AttributeList(attributes) = left.attributes;
        assert!(attributes.iter().any(|it| *it == Attribute::State(State::DESTROYED)));
        assert!(attributes.iter().any(|it| *it == name("gone")));
    }
}
