//! Messages in parts, and data that one item of a batch hands to the next.

use claviger_kmip::Version;
use claviger_kmip::attributes::values::{CryptographicParameters, UsageLimits};
use claviger_kmip::attributes::{Attribute, AttributeId};
use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::{
    self, BlockCipherMode, HashingAlgorithm, PaddingMethod, ResultReason, UsageLimitsUnit,
};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::message::{RequestHeader, RequestItem, ResponseMessage};
use claviger_kmip::payload::{
    Data, DecryptRequest, EncryptRequest, HashRequest, HashResponse, RngRetrieveRequest,
    RngRetrieveResponse,
};
use claviger_ttlv::Message;

use super::{KEY, aes, encrypt, mode, reason, register, values};
use crate::fixture::{Fixture, START};

fn cbc() -> CryptographicParameters {
    CryptographicParameters {
        padding_method: Some(PaddingMethod::PKCS5),
        ..mode(BlockCipherMode::CBC)
    }
}

fn first(key: &str, data: &[u8]) -> EncryptRequest {
    EncryptRequest {
        iv_counter_nonce: Some(ByteString(vec![3; 16])),
        init_indicator: Some(true),
        ..encrypt(key, cbc(), data)
    }
}

fn next(key: &str, stream: &Option<ByteString>, data: &[u8], is_last: bool) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: Some(key.into()),
        data: Some(data.to_vec().into()),
        correlation_value: stream.clone(),
        final_indicator: is_last.then_some(true),
        ..EncryptRequest::default()
    }
}

fn taken(data: Option<ByteString>) -> Vec<u8> {
    data.map(|data| data.0).unwrap_or_default()
}

#[tokio::test]
async fn the_parts_make_the_whole() {
    let fixture = Fixture::new();
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT | Usage::DECRYPT, vec![]).await;
    let message: Vec<u8> = (0..100).collect();
    let whole = EncryptRequest { init_indicator: None, ..first(&key, &message) };
    let whole = taken(fixture.call(Version::V1_3, &whole).await.data);
    for size in [1, 15, 16, 33, 99] {
        let mut chunks = message.chunks(size);
        let begun = fixture.call(Version::V1_3, &first(&key, chunks.next().unwrap())).await;
        let stream = begun.correlation_value;
        assert!(stream.is_some());
        let mut sealed = taken(begun.data);
        for chunk in chunks {
            let part = fixture.call(Version::V1_3, &next(&key, &stream, chunk, false)).await;
            assert_eq!(part.correlation_value, stream);
            sealed.extend(taken(part.data));
        }
        let last = fixture.call(Version::V1_3, &next(&key, &stream, b"", true)).await;
        assert_eq!(last.correlation_value, None);
        sealed.extend(taken(last.data));
        assert_eq!(sealed, whole, "{size}");
    }
}

#[tokio::test]
async fn a_stream_belongs_to_its_key_and_operation_and_ends() {
    let fixture = Fixture::new();
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT | Usage::DECRYPT, vec![]).await;
    let other = register(&fixture, aes(&KEY), Usage::ENCRYPT, vec![]).await;
    let stream = fixture.call(Version::V1_4, &first(&key, &KEY)).await.correlation_value;
    let unknown = Some(ResultReason::INVALID_FIELD);
    let with_other = next(&other, &stream, &KEY, false);
    assert_eq!(reason(&fixture, Version::V1_4, &with_other).await, unknown);
    let decrypt = DecryptRequest {
        unique_identifier: Some(key.as_str().into()),
        data: Some(KEY.to_vec().into()),
        correlation_value: stream.clone(),
        ..DecryptRequest::default()
    };
    assert_eq!(reason(&fixture, Version::V1_4, &decrypt).await, unknown);
    // Neither harmed it.
    fixture.call(Version::V1_4, &next(&key, &stream, &KEY, true)).await;
    let after = next(&key, &stream, &KEY, true);
    assert_eq!(reason(&fixture, Version::V1_4, &after).await, unknown);
    let both = EncryptRequest { correlation_value: stream, ..first(&key, &KEY) };
    assert_eq!(reason(&fixture, Version::V1_4, &both).await, unknown);
}

#[tokio::test]
async fn an_idle_stream_is_forgotten_and_a_live_one_is_not() {
    let fixture = Fixture::new();
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT, vec![]).await;
    let idle = fixture.call(Version::V1_4, &first(&key, &KEY)).await.correlation_value;
    fixture.clock.set(START + 500);
    let live = fixture.call(Version::V1_4, &first(&key, &KEY)).await.correlation_value;
    fixture.clock.set(START + 700);
    fixture.call(Version::V1_4, &first(&key, &KEY)).await;
    let refused = reason(&fixture, Version::V1_4, &next(&key, &idle, &KEY, true)).await;
    assert_eq!(refused, Some(ResultReason::INVALID_FIELD));
    fixture.call(Version::V1_4, &next(&key, &live, &KEY, true)).await;
}

#[tokio::test]
async fn every_part_counts_against_the_usage_limits() {
    let fixture = Fixture::new();
    let limits = Attribute::UsageLimits(UsageLimits {
        usage_limits_total: 40,
        usage_limits_count: None,
        usage_limits_unit: UsageLimitsUnit::BYTE,
    });
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT, vec![limits]).await;
    let stream = fixture.call(Version::V1_4, &first(&key, &KEY)).await.correlation_value;
    fixture.call(Version::V1_4, &next(&key, &stream, &KEY, false)).await;
    let refused = reason(&fixture, Version::V1_4, &next(&key, &stream, &KEY, false)).await;
    assert_eq!(refused, Some(ResultReason::PERMISSION_DENIED));
    // The refused part did not touch the stream.
    fixture.call(Version::V1_4, &next(&key, &stream, &[1; 8], true)).await;
    let left = values(&fixture, &key, AttributeId::UsageLimits).await;
    let [Attribute::UsageLimits(limits)] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!(limits.usage_limits_count, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_whose_commits_meet_are_each_taken_once() {
    let fixture = std::sync::Arc::new(Fixture::new());
    let limits = Attribute::UsageLimits(UsageLimits {
        usage_limits_total: 1 << 20,
        usage_limits_count: None,
        usage_limits_unit: UsageLimitsUnit::BYTE,
    });
    let key = register(&fixture, aes(&KEY), Usage::ENCRYPT, vec![limits]).await;
    let message = vec![5; 160 * 16];
    let whole = EncryptRequest { init_indicator: None, ..first(&key, &message) };
    let whole = taken(fixture.call(Version::V1_4, &whole).await.data);
    let streams = (0..6).map(|_| {
        let (fixture, key, message) =
            (std::sync::Arc::clone(&fixture), key.clone(), message.clone());
        tokio::spawn(async move {
            let begun = fixture.call(Version::V1_4, &first(&key, &[])).await;
            let mut sealed = taken(begun.data);
            for chunk in message.chunks(16) {
                let part = next(&key, &begun.correlation_value, chunk, false);
                sealed.extend(taken(fixture.call(Version::V1_4, &part).await.data));
            }
            let last = next(&key, &begun.correlation_value, &[], true);
            sealed.extend(taken(fixture.call(Version::V1_4, &last).await.data));
            sealed
        })
    });
    for stream in streams.collect::<Vec<_>>() {
        assert_eq!(stream.await.unwrap(), whole);
    }
}

#[tokio::test]
async fn an_item_takes_the_data_of_an_earlier_one() {
    let fixture = Fixture::new();
    let hash = |data| HashRequest {
        cryptographic_parameters: CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::SHA_256),
            ..CryptographicParameters::none()
        },
        data: Some(data),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    let bytes = fixture
        .send(&RequestHeader::new(Version::V2_1, 4), |encoder| {
            let random = RngRetrieveRequest { data_length: 32 };
            RequestItem::write(encoder, Some(b"1"), &random);
            let produced = Data::Produced(enums::Data::RNG_RETRIEVE);
            RequestItem::write(encoder, Some(b"2"), &hash(produced));
            RequestItem::write(encoder, Some(b"3"), &hash(Data::Index(-2)));
            RequestItem::write(encoder, Some(b"4"), &hash(Data::Index(7)));
        })
        .await;
    let message = Message::parse(&bytes, &claviger_ttlv::Limits::default()).unwrap();
    let items = ResponseMessage::parse(&message).unwrap().items;
    let random: RngRetrieveResponse = items[0].payload(Version::V2_1).unwrap();
    assert_eq!(random.data.len(), 32);
    let expected = fixture.call(Version::V2_1, &hash(Data::Bytes(random.data))).await;
    for item in &items[1..3] {
        let response: HashResponse = item.payload(Version::V2_1).unwrap();
        assert_eq!(response, expected);
    }
    assert_eq!(items[3].result_reason, Some(ResultReason::INVALID_FIELD));
}
