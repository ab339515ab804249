//! Answers that fit their request, and every way in which they may not.

use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::attributes::{Attribute, Attributes};
use claviger_kmip::compat::{AttributeList, TemplateAttributes};
use claviger_kmip::enums::{ObjectType, ResultReason};
use claviger_kmip::payload::{
    ActivateRequest, CreateRequest, DestroyRequest, DestroyResponse, EncryptRequest, LocateRequest,
};
use claviger_kmip::{Version, tags};
use claviger_ttlv::{Node, Value};

use super::*;
use crate::{Batch, Outgoing};

const VERSION: Version = Version::V1_4;

/// One item of a response under construction.
struct Item {
    operation: Option<Operation>,
    id: Option<Vec<u8>>,
    status: ResultStatus,
    uid: Option<&'static str>,
}

impl Item {
    fn success(operation: Operation, id: Option<u32>, uid: &'static str) -> Self {
        let id = id.map(|id| id.to_be_bytes().to_vec());
        Self { operation: Some(operation), id, status: ResultStatus::SUCCESS, uid: Some(uid) }
    }

    fn failure(operation: Option<Operation>, id: Option<u32>) -> Self {
        let id = id.map(|id| id.to_be_bytes().to_vec());
        Self { operation, id, status: ResultStatus::OPERATION_FAILED, uid: None }
    }

    fn node(&self) -> Node {
        let mut fields = Vec::new();
        if let Some(operation) = self.operation {
            fields.push(Node::new(tags::OPERATION, Value::Enumeration(operation.0)));
        }
        if let Some(id) = &self.id {
            fields.push(Node::new(tags::UNIQUE_BATCH_ITEM_ID, Value::ByteString(id.clone())));
        }
        fields.push(Node::new(tags::RESULT_STATUS, Value::Enumeration(self.status.0)));
        if self.status == ResultStatus::OPERATION_FAILED {
            let reason = Value::Enumeration(ResultReason::ITEM_NOT_FOUND.0);
            fields.push(Node::new(tags::RESULT_REASON, reason));
        }
        if let Some(uid) = self.uid {
            let uid = Node::new(tags::UNIQUE_IDENTIFIER, Value::TextString(uid.to_owned()));
            fields.push(Node::structure(tags::RESPONSE_PAYLOAD, vec![uid]));
        }
        Node::structure(tags::BATCH_ITEM, fields)
    }
}

fn response(items: &[Item]) -> Zeroizing<Vec<u8>> {
    let integer = |tag, value| Node::new(tag, Value::Integer(value));
    let version = Node::structure(
        tags::PROTOCOL_VERSION,
        vec![
            integer(tags::PROTOCOL_VERSION_MAJOR, VERSION.major),
            integer(tags::PROTOCOL_VERSION_MINOR, VERSION.minor),
        ],
    );
    let header = vec![
        version,
        Node::new(tags::TIME_STAMP, Value::DateTime(1)),
        integer(tags::BATCH_COUNT, i32::try_from(items.len()).unwrap()),
    ];
    let mut children = vec![Node::structure(tags::RESPONSE_HEADER, header)];
    children.extend(items.iter().map(Item::node));
    Zeroizing::new(Node::structure(tags::RESPONSE_MESSAGE, children).to_bytes())
}

fn destroy(uid: &str) -> DestroyRequest {
    DestroyRequest { unique_identifier: Some(UniqueIdentifier::from(uid)) }
}

fn single(items: &[Item]) -> Result<DestroyResponse, Error> {
    let outgoing = Outgoing::single(VERSION, &destroy("1")).unwrap();
    Answer::new(response(items), outgoing.expected).only::<DestroyRequest>()
}

/// Activate "1", then Destroy "1".
fn pair() -> (Expected, Slot<ActivateRequest>, Slot<DestroyRequest>) {
    let mut batch = Batch::new(VERSION);
    let activate = ActivateRequest { unique_identifier: Some(UniqueIdentifier::from("1")) };
    let first = batch.add(&activate).unwrap();
    let second = batch.add(&destroy("1")).unwrap();
    (batch.finish().unwrap().expected, first, second)
}

#[test]
fn a_single_answer() {
    let answer = single(&[Item::success(Operation::DESTROY, None, "1")]).unwrap();
    assert_eq!(answer.unique_identifier, UniqueIdentifier::from("1"));
}

#[test]
fn a_refusal_says_why() {
    for operation in [Some(Operation::DESTROY), None] {
        let error = single(&[Item::failure(operation, None)]).unwrap_err();
        assert_eq!(error.reason(), Some(ResultReason::ITEM_NOT_FOUND));
        assert!(error.leaves_connection_usable());
    }
}

#[test]
fn an_answer_to_something_else_is_no_answer() {
    let wrong = single(&[Item::success(Operation::ACTIVATE, None, "1")]).unwrap_err();
    assert!(matches!(wrong, Error::Malformed(Malformed::OtherOperation(_))), "{wrong}");
    assert!(!wrong.leaves_connection_usable());
    let one = || Item::success(Operation::DESTROY, None, "1");
    let more = single(&[one(), one()]).unwrap_err();
    assert!(matches!(more, Error::Malformed(Malformed::UnknownItem)), "{more}");
    let payload = single(&[Item { uid: None, ..one() }]).unwrap_err();
    assert!(matches!(payload, Error::Malformed(Malformed::Message(_))), "{payload}");
}

#[test]
fn items_are_matched_by_identifier_in_any_order() {
    let (expected, first, second) = pair();
    let bytes = response(&[
        Item::success(Operation::DESTROY, Some(1), "b"),
        Item::success(Operation::ACTIVATE, Some(0), "a"),
    ]);
    let replies = Replies::parse(&bytes, &expected).unwrap();
    assert_eq!(replies.take(first).unwrap().unique_identifier, UniqueIdentifier::from("a"));
    assert_eq!(replies.take(second).unwrap().unique_identifier, UniqueIdentifier::from("b"));
}

#[test]
fn items_are_matched_by_order_without_identifiers() {
    let (expected, first, second) = pair();
    let bytes = response(&[
        Item::success(Operation::ACTIVATE, None, "a"),
        Item::failure(Some(Operation::DESTROY), None),
    ]);
    let replies = Replies::parse(&bytes, &expected).unwrap();
    assert_eq!(replies.take(first).unwrap().unique_identifier, UniqueIdentifier::from("a"));
    assert!(matches!(replies.take(second), Err(Error::Refused(_))));
}

#[test]
fn what_the_server_did_not_reach_is_not_done() {
    let (expected, first, second) = pair();
    let bytes = response(&[Item::failure(Some(Operation::ACTIVATE), Some(0))]);
    let replies = Replies::parse(&bytes, &expected).unwrap();
    assert!(matches!(replies.take(first), Err(Error::Refused(_))));
    assert!(matches!(replies.take(second), Err(Error::NotDone)));
}

#[test]
fn a_refused_message_refuses_every_item() {
    let (expected, first, second) = pair();
    let bytes = response(&[Item::failure(None, None)]);
    let replies = Replies::parse(&bytes, &expected).unwrap();
    assert!(matches!(replies.take(first), Err(Error::Refused(_))));
    assert!(matches!(replies.take(second), Err(Error::Refused(_))));
}

#[test]
fn identifiers_that_repeat_or_were_not_sent_are_wrong() {
    let (expected, ..) = pair();
    let activate = |id| Item::success(Operation::ACTIVATE, Some(id), "a");
    let twice = Replies::parse(&response(&[activate(0), activate(0)]), &expected).unwrap_err();
    assert!(matches!(twice, Error::Malformed(Malformed::RepeatedItem)), "{twice}");
    let unknown = Replies::parse(&response(&[activate(7)]), &expected).unwrap_err();
    assert!(matches!(unknown, Error::Malformed(Malformed::UnknownItem)), "{unknown}");
    let odd = Item { id: Some(vec![1]), ..activate(0) };
    let odd = Replies::parse(&response(&[odd]), &expected).unwrap_err();
    assert!(matches!(odd, Error::Malformed(Malformed::UnknownItem)), "{odd}");
}

#[test]
fn what_the_version_lacks_is_the_callers_fault_and_never_left_out() {
    let uid = Some(UniqueIdentifier::Index(0));
    let sensitive = Attributes::from_iter([Attribute::Sensitive(true)]);
    let locate =
        LocateRequest { attributes: AttributeList(sensitive.clone()), ..Default::default() };
    let refused = [
        Outgoing::single(Version::V1_1, &EncryptRequest::default()),
        Outgoing::single(VERSION, &DestroyRequest { unique_identifier: uid }),
        Outgoing::single(Version::V1_3, &locate),
        Outgoing::single(
            Version::V1_2,
            &EncryptRequest { init_indicator: Some(true), ..Default::default() },
        ),
        Outgoing::single(
            Version::V1_3,
            &CreateRequest {
                object_type: ObjectType::SYMMETRIC_KEY,
                attributes: TemplateAttributes::from(sensitive),
                protection_storage_masks: None,
            },
        ),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(Error::TooYoung(_))), "{refused:?}");
    }
    let mut batch = Batch::new(Version::V1_3);
    assert!(batch.add(&locate).is_err());
    assert!(Outgoing::single(VERSION, &locate).is_ok());
}

#[test]
fn no_debug_output_shows_what_travels() {
    let request =
        EncryptRequest { data: Some(vec![0xfe, 0xdc, 0xba].into()), ..EncryptRequest::default() };
    let mut batch = Batch::new(VERSION);
    batch.add(&request).unwrap();
    let mut text = format!("{batch:?}");
    let outgoing = batch.finish().unwrap();
    text += &format!("{outgoing:?}");
    let bytes = response(&[Item::success(Operation::ENCRYPT, None, "a name")]);
    let mut inbox = crate::Inbox::new(Limits::default());
    inbox.room()[..bytes.len()].copy_from_slice(&bytes);
    inbox.filled(bytes.len());
    text += &format!("{inbox:?}");
    let answer = Answer::new(bytes, outgoing.expected);
    text += &format!("{answer:?} {:?}", answer.replies().unwrap());
    assert!(text.contains("Encrypt"), "{text}");
    for secret in ["254, 220", "fedcba", "97, 32", "a name"] {
        assert!(!text.contains(secret), "{text}");
    }
}
