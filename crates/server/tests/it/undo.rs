//! Undo rolls back for real: objects, attributes and states are as if the batch had never come.

use claviger_kmip::Version;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::compat::{AttributeList, NewAttribute};
use claviger_kmip::enums::{ResultReason, ResultStatus};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::message::{RequestHeader, RequestItem, ResponseMessage};
use claviger_kmip::payload::{
    ActivateRequest, AddAttributeRequest, CheckRequest, DestroyRequest, GetRequest, LocateRequest,
    LocateResponse,
};

use claviger_ttlv::{Limits, Message};

use crate::fixture::{Fixture, answers, create_request, name, undo_header};

async fn count(fixture: &Fixture, condition: Attribute) -> usize {
    let LocateResponse { unique_identifier, .. } = fixture
        .call(
            Version::V1_2,
            &LocateRequest {
                attributes: AttributeList([condition].into_iter().collect()),
                ..LocateRequest::default()
            },
        )
        .await;
    unique_identifier.len()
}

#[tokio::test]
async fn nothing_of_a_batch_that_is_undone_remains() {
    let fixture = Fixture::new();
    let existing = fixture.create(vec![name("existing")]).await;
    let bytes = fixture
        .send(&undo_header(Version::V1_4, 4), |encoder| {
            RequestItem::write(encoder, Some(b"1"), &create_request(vec![name("new")]));
            // The new key through the ID Placeholder: later items see earlier ones.
            RequestItem::write(encoder, Some(b"2"), &ActivateRequest::default());
            let added = AddAttributeRequest {
                unique_identifier: Some(existing.as_str().into()),
                new_attribute: NewAttribute(name("added").into()),
            };
            RequestItem::write(encoder, Some(b"3"), &added);
            // An Active key cannot be destroyed.
            RequestItem::write(encoder, Some(b"4"), &DestroyRequest::default());
        })
        .await;
    let statuses: Vec<_> = answers(&bytes).iter().map(|answer| answer.status).collect();
    let undone = ResultStatus::OPERATION_UNDONE;
    assert_eq!(statuses, [undone, undone, undone, ResultStatus::OPERATION_FAILED]);
    assert_eq!(answers(&bytes)[0].reason, None);
    assert_eq!(answers(&bytes)[3].reason, Some(ResultReason::PERMISSION_DENIED));
    assert_eq!(count(&fixture, name("new")).await, 0);
    assert_eq!(count(&fixture, name("added")).await, 0);
    assert_eq!(count(&fixture, name("existing")).await, 1);
}

#[tokio::test]
async fn a_batch_under_undo_that_succeeds_is_done_whole() {
    let fixture = Fixture::new();
    let bytes = fixture
        .send(&undo_header(Version::V2_1, 3), |encoder| {
            RequestItem::write(encoder, Some(b"1"), &create_request(vec![name("new")]));
            RequestItem::write(encoder, Some(b"2"), &ActivateRequest::default());
            RequestItem::write(encoder, Some(b"3"), &GetRequest::default());
        })
        .await;
    assert!(answers(&bytes).iter().all(|answer| answer.status == ResultStatus::SUCCESS));
    assert_eq!(count(&fixture, name("new")).await, 1);
}

/// Without Undo, what came before the failure stays; Stop answers no more, Continue does.
#[tokio::test]
async fn stop_and_continue_keep_what_was_done() {
    let fixture = Fixture::new();
    for (option, answered, kept) in [
        (claviger_kmip::enums::BatchErrorContinuationOption::STOP, 2, 1),
        (claviger_kmip::enums::BatchErrorContinuationOption::CONTINUE, 3, 2),
    ] {
        let label = format!("{option:?}");
        let mut header = RequestHeader::new(Version::V1_4, 3);
        header.batch_error_continuation_option = Some(option);
        let bytes = fixture
            .send(&header, |encoder| {
                RequestItem::write(encoder, Some(b"1"), &create_request(vec![name(&label)]));
                let unknown = GetRequest {
                    unique_identifier: Some("nothing".into()),
                    ..GetRequest::default()
                };
                RequestItem::write(encoder, Some(b"2"), &unknown);
                RequestItem::write(encoder, Some(b"3"), &create_request(vec![name(&label)]));
            })
            .await;
        assert_eq!(answers(&bytes).len(), answered, "{label}");
        assert_eq!(count(&fixture, name(&label)).await, kept, "{label}");
    }
}

/// What follows is about the object that was found, or found fit, and about no other.
#[tokio::test]
async fn after_a_check_or_a_locate_that_fails_there_is_no_id_placeholder() {
    let fixture = Fixture::new();
    let mut header = RequestHeader::new(Version::V1_4, 3);
    header.batch_error_continuation_option =
        Some(claviger_kmip::enums::BatchErrorContinuationOption::CONTINUE);
    for locates in [false, true] {
        let bytes = fixture
            .send(&header, |encoder| {
                RequestItem::write(encoder, Some(b"1"), &create_request(vec![name("kept")]));
                if locates {
                    let maximum_items = Some(-1);
                    let locate = LocateRequest { maximum_items, ..LocateRequest::default() };
                    RequestItem::write(encoder, Some(b"2"), &locate);
                } else {
                    let cryptographic_usage_mask = Some(CryptographicUsageMask::SIGN);
                    let check =
                        CheckRequest { cryptographic_usage_mask, ..CheckRequest::default() };
                    RequestItem::write(encoder, Some(b"2"), &check);
                }
                RequestItem::write(encoder, Some(b"3"), &DestroyRequest::default());
            })
            .await;
        let answers = answers(&bytes);
        assert_eq!(answers[0].status, ResultStatus::SUCCESS);
        assert_eq!(answers[1].status, ResultStatus::OPERATION_FAILED);
        assert_eq!(answers[2].reason, Some(ResultReason::ITEM_NOT_FOUND), "{locates}");
    }
    assert_eq!(count(&fixture, name("kept")).await, 2);
}

/// What was computed for nothing must not leave: neither a key nor anything made with one.
#[tokio::test]
async fn a_result_that_is_undone_does_not_leave() {
    let fixture = Fixture::new();
    let key = fixture.create(vec![]).await;
    let bytes = fixture
        .send(&undo_header(Version::V1_4, 2), |encoder| {
            let get = |identifier: &str| GetRequest {
                unique_identifier: Some(identifier.into()),
                ..GetRequest::default()
            };
            RequestItem::write(encoder, Some(b"1"), &get(&key));
            RequestItem::write(encoder, Some(b"2"), &get("nothing"));
        })
        .await;
    assert_eq!(answers(&bytes)[0].status, ResultStatus::OPERATION_UNDONE);
    let message = Message::parse(&bytes, &Limits::default()).unwrap();
    let response = ResponseMessage::parse(&message).unwrap();
    let payload = response.items[0].payload.as_ref().map(|item| item.value_bytes().to_vec());
    // The Unique Identifier and nothing else: 8 bytes of header, 36 of text, 4 of padding.
    assert_eq!(payload.map(|bytes| bytes.len()), Some(48));
}

/// What the batch has changed may be older than what it has not.
#[tokio::test]
async fn locate_in_a_batch_answers_the_newest_first_whatever_the_batch_has_changed() {
    let fixture = Fixture::new();
    let old = fixture.create(vec![]).await;
    let new = fixture.create(vec![]).await;
    for maximum in [1, 2] {
        let bytes = fixture
            .send(&undo_header(Version::V1_2, 2), |encoder| {
                let added = AddAttributeRequest {
                    unique_identifier: Some(old.as_str().into()),
                    new_attribute: NewAttribute(name(&format!("changed {maximum}")).into()),
                };
                RequestItem::write(encoder, Some(b"1"), &added);
                let locate =
                    LocateRequest { maximum_items: Some(maximum), ..LocateRequest::default() };
                RequestItem::write(encoder, Some(b"2"), &locate);
            })
            .await;
        let message = Message::parse(&bytes, &Limits::default()).unwrap();
        let response = ResponseMessage::parse(&message).unwrap();
        let found: LocateResponse = response.items[1].payload(Version::V1_2).unwrap();
        let newest = [new.as_str().into(), old.as_str().into()];
        assert_eq!(found.unique_identifier, newest[..maximum as usize]);
    }
}
