//! Re-key and Re-key Key Pair: what passes to the replacement, what stays, and that it is all or nothing.

use claviger_kmip::Version;
use claviger_kmip::attributes::values::{
    CryptographicDomainParameters, Link, Name, UniqueIdentifier, UsageLimits,
};
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::codec::{DateTime, Interval};
use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, KeyFormatType, LinkType, RecommendedCurve,
    ResultReason, ResultStatus, RevocationReasonCode, State, UsageLimitsUnit,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::message::RequestItem;
use claviger_kmip::objects::{KeyMaterial, Object};
use claviger_kmip::payload::{
    ActivateRequest, CreateKeyPairRequest, DestroyRequest, GetRequest, GetUsageAllocationRequest,
    ObtainLeaseRequest, ReKeyKeyPairRequest, ReKeyRequest, RevokeRequest,
};

use crate::cryptography::{KEY, aes, encrypt, get, mode, reason, register, values};
use crate::fixture::{Fixture, START, answers, name, undo_header};

fn re_key(key: &str) -> ReKeyRequest {
    ReKeyRequest { unique_identifier: Some(key.into()), ..ReKeyRequest::default() }
}

fn text(identifier: UniqueIdentifier) -> String {
    match identifier {
        UniqueIdentifier::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

async fn replace(fixture: &Fixture, request: &ReKeyRequest) -> String {
    text(fixture.call(Version::V1_4, request).await.unique_identifier)
}

async fn links(fixture: &Fixture, key: &str) -> Vec<(LinkType, String)> {
    let links = values(fixture, key, AttributeId::Link).await.into_iter();
    links
        .map(|link| match link {
            Attribute::Link(Link { link_type, linked_object_identifier }) => {
                (link_type, text(linked_object_identifier))
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

pub(crate) async fn revoke(fixture: &Fixture, key: &str, code: RevocationReasonCode) {
    let request = RevokeRequest {
        unique_identifier: Some(key.into()),
        revocation_reason: claviger_kmip::attributes::values::RevocationReason {
            revocation_reason_code: code,
            revocation_message: None,
        },
        compromise_occurrence_date: None,
    };
    fixture.call(Version::V1_4, &request).await;
}

fn bytes_of(object: Object) -> Vec<u8> {
    match object.key_block().and_then(|block| block.key_value.clone()) {
        Some(claviger_kmip::objects::KeyValue::Plain {
            key_material: KeyMaterial::Bytes(bytes),
            ..
        }) => bytes.expose().to_vec(),
        other => panic!("{other:?}"),
    }
}

/// What a database does when it rotates its master key: the old pages still open, new ones go to the new key.
#[tokio::test]
async fn the_replaced_key_goes_on_as_it_was_and_the_new_one_is_found_by_its_name() {
    let fixture = Fixture::new();
    let usage = Usage::ENCRYPT | Usage::DECRYPT;
    let sealed_by = |key: &str| encrypt(key, mode(BlockCipherMode::ECB), &KEY);
    let old = register(&fixture, aes(&KEY), usage, vec![name("master")]).await;
    let before = fixture.call(Version::V1_4, &sealed_by(&old)).await.data;
    fixture.clock.set(START + 60);
    let new = replace(&fixture, &re_key(&old)).await;
    assert_ne!(old, new);
    assert_eq!(fixture.call(Version::V1_4, &sealed_by(&old)).await.data, before);
    assert_ne!(fixture.call(Version::V1_4, &sealed_by(&new)).await.data, before);
    assert_ne!(bytes_of(get(&fixture, &new, None).await), KEY);
    assert_eq!(bytes_of(get(&fixture, &new, None).await).len(), KEY.len());
    assert_eq!(values(&fixture, &old, AttributeId::Name).await, []);
    assert_eq!(values(&fixture, &new, AttributeId::Name).await, [name("master")]);
    assert_eq!(links(&fixture, &old).await, [(LinkType::REPLACEMENT_OBJECT_LINK, new.clone())]);
    assert_eq!(links(&fixture, &new).await, [(LinkType::REPLACED_OBJECT_LINK, old.clone())]);
    for (key, initial) in [(&old, START), (&new, START + 60)] {
        let date = Attribute::InitialDate(DateTime(initial));
        assert_eq!(values(&fixture, key, AttributeId::InitialDate).await, [date]);
        let active = Attribute::State(State::ACTIVE);
        assert_eq!(values(&fixture, key, AttributeId::State).await, [active]);
    }
    let digests = [&old, &new].map(|key| values(&fixture, key, AttributeId::Digest));
    let [of_old, of_new] = digests;
    assert_ne!(of_old.await, of_new.await);
}

/// Every state but destroyed: who has lost a key needs a new one most.
#[tokio::test]
async fn a_compromised_key_is_replaced_by_one_that_is_not_and_a_destroyed_one_by_none() {
    let fixture = Fixture::new();
    let active = vec![Attribute::ActivationDate(DateTime(START - 10))];
    let compromised = fixture.create(active.clone()).await;
    revoke(&fixture, &compromised, RevocationReasonCode::KEY_COMPROMISE).await;
    let new = replace(&fixture, &re_key(&compromised)).await;
    let state = |state| [Attribute::State(state)];
    assert_eq!(values(&fixture, &new, AttributeId::State).await, state(State::ACTIVE));
    assert_eq!(values(&fixture, &new, AttributeId::RevocationReason).await, []);
    assert_eq!(values(&fixture, &compromised, AttributeId::State).await, state(State::COMPROMISED));

    // The date of the revocation is copied, unless an Offset moves it.
    let revoked = fixture.create(active).await;
    fixture.clock.set(START + 100);
    revoke(&fixture, &revoked, RevocationReasonCode::CESSATION_OF_OPERATION).await;
    let offset = ReKeyRequest { offset: Some(Interval(0)), ..re_key(&revoked) };
    for (request, expected) in [(re_key(&revoked), State::DEACTIVATED), (offset, State::ACTIVE)] {
        let new = replace(&fixture, &request).await;
        assert_eq!(values(&fixture, &new, AttributeId::State).await, state(expected));
    }
    let destroyed = fixture.create(vec![]).await;
    let request = DestroyRequest { unique_identifier: Some(destroyed.as_str().into()) };
    fixture.call(Version::V1_4, &request).await;
    for (version, expected) in [
        (Version::V1_4, ResultReason::ITEM_NOT_FOUND),
        (Version::V2_1, ResultReason::OBJECT_DESTROYED),
    ] {
        assert_eq!(reason(&fixture, version, &re_key(&destroyed)).await, Some(expected));
    }
}

#[tokio::test]
async fn usage_limits_begin_anew_for_the_replacement_only() {
    let fixture = Fixture::new();
    let limits = |count| {
        Attribute::UsageLimits(UsageLimits {
            usage_limits_total: 40,
            usage_limits_count: Some(count),
            usage_limits_unit: UsageLimitsUnit::BYTE,
        })
    };
    let usage = Usage::ENCRYPT | Usage::DECRYPT;
    let old = register(&fixture, aes(&KEY), usage, vec![limits(40)]).await;
    let seal = encrypt(&old, mode(BlockCipherMode::ECB), &KEY);
    fixture.call(Version::V1_4, &seal).await;
    let new = replace(&fixture, &re_key(&old)).await;
    assert_eq!(values(&fixture, &old, AttributeId::UsageLimits).await, [limits(24)]);
    assert_eq!(values(&fixture, &new, AttributeId::UsageLimits).await, [limits(40)]);

    let allocate = |key: &str, usage_limits_count| GetUsageAllocationRequest {
        unique_identifier: Some(key.into()),
        usage_limits_count,
    };
    fixture.call(Version::V1_0, &allocate(&new, 30)).await;
    assert_eq!(values(&fixture, &new, AttributeId::UsageLimits).await, [limits(10)]);
    let denied = Some(ResultReason::PERMISSION_DENIED);
    assert_eq!(reason(&fixture, Version::V1_0, &allocate(&new, 11)).await, denied);
    for units in [0, -1, i64::MIN] {
        let refused = reason(&fixture, Version::V1_0, &allocate(&new, units)).await;
        assert_eq!(refused, Some(ResultReason::INVALID_FIELD), "{units}");
    }
    assert_eq!(values(&fixture, &new, AttributeId::UsageLimits).await, [limits(10)]);
    revoke(&fixture, &new, RevocationReasonCode::CESSATION_OF_OPERATION).await;
    assert_eq!(reason(&fixture, Version::V1_0, &allocate(&new, 1)).await, denied);
    let unlimited = register(&fixture, aes(&KEY), usage, vec![]).await;
    let refused = reason(&fixture, Version::V1_0, &allocate(&unlimited, 1)).await;
    assert_eq!(refused, Some(ResultReason::ILLEGAL_OPERATION));
}

#[tokio::test]
async fn a_compromised_object_is_not_leased() {
    let fixture = Fixture::new();
    let key = fixture.create(vec![Attribute::ActivationDate(DateTime(START))]).await;
    let request = ObtainLeaseRequest { unique_identifier: Some(key.as_str().into()) };
    let lease = fixture.call(Version::V1_0, &request).await;
    let time = Attribute::LeaseTime(lease.lease_time);
    assert_eq!(values(&fixture, &key, AttributeId::LeaseTime).await, [time]);
    assert_eq!(lease.last_change_date, DateTime(START));
    revoke(&fixture, &key, RevocationReasonCode::KEY_COMPROMISE).await;
    let refused = reason(&fixture, Version::V1_0, &request).await;
    assert_eq!(refused, Some(ResultReason::PERMISSION_DENIED));
}

#[tokio::test]
async fn only_a_symmetric_key_is_re_keyed_and_only_by_what_can_be_made() {
    let fixture = Fixture::new();
    let (private, _) = pair(&fixture, CryptographicAlgorithm::EC, None).await;
    for (version, expected) in [
        (Version::V1_4, ResultReason::PERMISSION_DENIED),
        (Version::V2_1, ResultReason::INVALID_OBJECT_TYPE),
    ] {
        assert_eq!(reason(&fixture, version, &re_key(&private)).await, Some(expected));
    }
    let key = fixture.create(vec![name("kept")]).await;
    let wrong: Attributes = [Attribute::CryptographicLength(200)].into_iter().collect();
    let dated: Attributes = [Attribute::ActivationDate(DateTime(START))].into_iter().collect();
    let own: Attributes = [Attribute::InitialDate(DateTime(1))].into_iter().collect();
    for (request, expected) in [
        (ReKeyRequest { attributes: wrong.into(), ..re_key(&key) }, ResultReason::INVALID_FIELD),
        (
            ReKeyRequest { attributes: dated.into(), offset: Some(Interval(1)), ..re_key(&key) },
            ResultReason::INVALID_MESSAGE,
        ),
        (ReKeyRequest { attributes: own.into(), ..re_key(&key) }, ResultReason::INVALID_FIELD),
    ] {
        assert_eq!(reason(&fixture, Version::V1_4, &request).await, Some(expected));
    }
    assert_eq!(values(&fixture, &key, AttributeId::Name).await, [name("kept")]);
    assert_eq!(links(&fixture, &key).await, []);
    let longer: Attributes =
        [Attribute::CryptographicLength(128), name("more")].into_iter().collect();
    let new = replace(&fixture, &ReKeyRequest { attributes: longer.into(), ..re_key(&key) }).await;
    assert_eq!(bytes_of(get(&fixture, &new, None).await).len(), 16);
    assert_eq!(values(&fixture, &new, AttributeId::Name).await, [name("kept"), name("more")]);
}

/// Undo gives the name back, and the replacement has never been.
#[tokio::test]
async fn an_undone_re_key_leaves_the_key_as_it_was() {
    let fixture = Fixture::new();
    let key = fixture.create(vec![name("undone")]).await;
    let bytes = fixture
        .send(&undo_header(Version::V1_4, 3), |encoder| {
            RequestItem::write(encoder, Some(b"1"), &re_key(&key));
            // The ID Placeholder is the replacement.
            RequestItem::write(encoder, Some(b"2"), &ActivateRequest::default());
            RequestItem::write(encoder, Some(b"3"), &DestroyRequest::default());
        })
        .await;
    let undone = ResultStatus::OPERATION_UNDONE;
    let statuses: Vec<_> = answers(&bytes).iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [undone, undone, ResultStatus::OPERATION_FAILED]);
    assert_eq!(values(&fixture, &key, AttributeId::Name).await, [name("undone")]);
    assert_eq!(links(&fixture, &key).await, []);
    let pre_active = [Attribute::State(State::PRE_ACTIVE)];
    assert_eq!(values(&fixture, &key, AttributeId::State).await, pre_active);
}

async fn pair(
    fixture: &Fixture,
    algorithm: CryptographicAlgorithm,
    curve: Option<RecommendedCurve>,
) -> (String, String) {
    let mut common: Attributes =
        [Attribute::CryptographicAlgorithm(algorithm)].into_iter().collect();
    if let Some(curve) = curve {
        let domain =
            CryptographicDomainParameters { qlength: None, recommended_curve: Some(curve) };
        common.push(Attribute::CryptographicDomainParameters(domain));
    }
    let half = |usage, text| -> Attributes {
        [Attribute::CryptographicUsageMask(usage), Attribute::Name(Name::text(text))]
            .into_iter()
            .collect()
    };
    let request = CreateKeyPairRequest {
        common_attributes: common.into(),
        private_key_attributes: half(Usage::SIGN, "private").into(),
        public_key_attributes: half(Usage::VERIFY, "public").into(),
        ..CreateKeyPairRequest::default()
    };
    let made = fixture.call(Version::V1_4, &request).await;
    (text(made.private_key_unique_identifier), text(made.public_key_unique_identifier))
}

#[tokio::test]
async fn the_halves_of_a_new_pair_belong_together_and_replace_those_of_the_old() {
    let fixture = Fixture::new();
    let old = pair(&fixture, CryptographicAlgorithm::RSA, None).await;
    let common: Attributes = [Attribute::ActivationDate(DateTime(START - 1))].into_iter().collect();
    let request = ReKeyKeyPairRequest {
        private_key_unique_identifier: Some(old.0.as_str().into()),
        common_attributes: common.into(),
        ..ReKeyKeyPairRequest::default()
    };
    let made = fixture.call(Version::V1_1, &request).await;
    let new = (text(made.private_key_unique_identifier), text(made.public_key_unique_identifier));
    let link = |link_type, id: &String| (link_type, id.clone());
    for (key, expected) in [
        (
            &old.0,
            [
                link(LinkType::PUBLIC_KEY_LINK, &old.1),
                link(LinkType::REPLACEMENT_OBJECT_LINK, &new.0),
            ],
        ),
        (
            &old.1,
            [
                link(LinkType::PRIVATE_KEY_LINK, &old.0),
                link(LinkType::REPLACEMENT_OBJECT_LINK, &new.1),
            ],
        ),
        (
            &new.0,
            [link(LinkType::PUBLIC_KEY_LINK, &new.1), link(LinkType::REPLACED_OBJECT_LINK, &old.0)],
        ),
        (
            &new.1,
            [
                link(LinkType::PRIVATE_KEY_LINK, &new.0),
                link(LinkType::REPLACED_OBJECT_LINK, &old.1),
            ],
        ),
    ] {
        assert_eq!(links(&fixture, key).await, expected);
    }
    for (key, names, state) in [
        (&old.0, vec![], State::PRE_ACTIVE),
        (&old.1, vec![], State::PRE_ACTIVE),
        (&new.0, vec![name("private")], State::ACTIVE),
        (&new.1, vec![name("public")], State::ACTIVE),
    ] {
        assert_eq!(values(&fixture, key, AttributeId::Name).await, names);
        assert_eq!(values(&fixture, key, AttributeId::State).await, [Attribute::State(state)]);
    }
    let x509 = Some(KeyFormatType::X_509);
    assert_ne!(get(&fixture, &old.1, x509).await, get(&fixture, &new.1, x509).await);
}

/// P-256 and secp256k1 are of one length.
#[tokio::test]
async fn a_pair_stays_on_its_curve() {
    let fixture = Fixture::new();
    let curve = RecommendedCurve::SECP256K1;
    let (private, _) = pair(&fixture, CryptographicAlgorithm::EC, Some(curve)).await;
    let request = ReKeyKeyPairRequest {
        private_key_unique_identifier: Some(private.as_str().into()),
        ..ReKeyKeyPairRequest::default()
    };
    let made = fixture.call(Version::V2_1, &request).await;
    let format = Some(KeyFormatType::TRANSPARENT_EC_PUBLIC_KEY);
    let public = get(&fixture, &text(made.public_key_unique_identifier), format).await;
    let block = public.key_block().unwrap();
    let Some(claviger_kmip::objects::KeyValue::Plain {
        key_material: KeyMaterial::TransparentEcPublicKey(key),
        ..
    }) = &block.key_value
    else {
        panic!("{block:?}")
    };
    assert_eq!(key.recommended_curve, curve);
}

#[tokio::test]
async fn a_private_key_alone_is_no_pair() {
    let fixture = Fixture::new();
    let (private, public) = pair(&fixture, CryptographicAlgorithm::EC, None).await;
    let request = |key: &str| ReKeyKeyPairRequest {
        private_key_unique_identifier: Some(key.into()),
        ..ReKeyKeyPairRequest::default()
    };
    let refused = reason(&fixture, Version::V1_4, &request(&public)).await;
    assert_eq!(refused, Some(ResultReason::PERMISSION_DENIED));
    let destroy = DestroyRequest { unique_identifier: Some(public.as_str().into()) };
    fixture.call(Version::V1_4, &destroy).await;
    let refused = reason(&fixture, Version::V1_4, &request(&private)).await;
    assert_eq!(refused, Some(ResultReason::ITEM_NOT_FOUND));
    assert_eq!(values(&fixture, &private, AttributeId::Name).await, [name("private")]);
    let request =
        GetRequest { unique_identifier: Some(private.as_str().into()), ..GetRequest::default() };
    fixture.call(Version::V1_4, &request).await;
}
