//! Every kind of wrong response is caught.

use std::cell::Cell;

use claviger_kmip::tags::{
    ATTRIBUTE, ATTRIBUTE_INDEX, ATTRIBUTE_NAME, ATTRIBUTE_VALUE, BATCH_COUNT, BATCH_ITEM,
    CRYPTOGRAPHIC_ALGORITHM, CRYPTOGRAPHIC_LENGTH, KEY_BLOCK, KEY_MATERIAL, KEY_VALUE, LEASE_TIME,
    OBJECT_TYPE, OPERATION, PROTOCOL_VERSION, PROTOCOL_VERSION_MINOR, RESPONSE_HEADER,
    RESPONSE_MESSAGE, RESPONSE_PAYLOAD, RESULT_MESSAGE, RESULT_REASON, RESULT_STATUS,
    SERVER_CORRELATION_VALUE, SYMMETRIC_KEY, TIME_STAMP, UNIQUE_BATCH_ITEM_ID, UNIQUE_IDENTIFIER,
};
use claviger_ttlv::{Node, Tag, Value};

use super::replay::{NOW, at, child, children, play, play_changed};
use crate::conformance::case::Case;
use crate::conformance::play::Outcome;
use crate::conformance::transport::Encoding;

pub(super) const DIALOGUE: &str = include_str!("dialogue.xml");

fn text(value: &str) -> Value {
    Value::TextString(value.to_owned())
}

/// The batch item with this index.
pub(super) fn item(response: &mut Node, index: usize) -> &mut Node {
    &mut children(response)[1 + index]
}

fn payload(response: &mut Node, index: usize) -> &mut Node {
    child(item(response, index), RESPONSE_PAYLOAD)
}

fn key_block(response: &mut Node, index: usize) -> &mut Node {
    at(payload(response, index), &[SYMMETRIC_KEY, KEY_BLOCK])
}

/// The attribute with this index in the answer to Get Attributes.
pub(super) fn attribute(response: &mut Node, index: usize) -> &mut Node {
    &mut children(payload(response, 0))[1 + index]
}

fn remove(node: &mut Node, tag: Tag) {
    let before = children(node).len();
    children(node).retain(|child| child.tag != tag);
    assert!(children(node).len() < before, "nothing removed");
}

type Mutation = (&'static str, usize, &'static str, fn(&mut Node));

/// What is changed, in which exchange, what the report must say, and the change.
const MUTATIONS: &[Mutation] = &[
    ("the root", 0, "ResponseMessage", |r| r.tag = BATCH_ITEM),
    ("an empty message", 0, "ResponseMessage", |r| children(r).clear()),
    ("the version", 0, "ProtocolVersionMinor", |r| {
        at(r, &[RESPONSE_HEADER, PROTOCOL_VERSION, PROTOCOL_VERSION_MINOR]).value =
            Value::Integer(3);
    }),
    ("no time stamp", 1, "TimeStamp", |r| remove(child(r, RESPONSE_HEADER), TIME_STAMP)),
    ("the time stamp's type", 0, "type DateTime", |r| {
        at(r, &[RESPONSE_HEADER, TIME_STAMP]).value = Value::LongInteger(NOW);
    }),
    ("the batch count", 0, "BatchCount", |r| {
        at(r, &[RESPONSE_HEADER, BATCH_COUNT]).value = Value::Integer(1);
    }),
    ("an item in the header", 1, "LeaseTime", |r| {
        let extra = Node::new(LEASE_TIME, Value::Interval(1));
        children(child(r, RESPONSE_HEADER)).push(extra);
    }),
    ("the order in the header", 1, "TimeStamp", |r| {
        children(child(r, RESPONSE_HEADER)).swap(1, 2);
    }),
    ("a batch item too few", 0, "batch items", |r| drop(children(r).pop())),
    ("a batch item too many", 0, "batch items", |r| {
        let extra = item(r, 0).clone();
        children(r).push(extra);
    }),
    ("the order of the batch", 0, "Operation", |r| children(r).swap(1, 2)),
    ("the operation", 0, "Operation", |r| {
        child(item(r, 0), OPERATION).value = Value::Enumeration(3);
    }),
    ("no operation", 0, "Operation", |r| remove(item(r, 0), OPERATION)),
    ("the batch item's id", 0, "UniqueBatchItemID", |r| {
        child(item(r, 1), UNIQUE_BATCH_ITEM_ID).value = Value::ByteString(vec![9]);
    }),
    ("no batch item's id", 0, "UniqueBatchItemID", |r| {
        remove(item(r, 1), UNIQUE_BATCH_ITEM_ID);
    }),
    ("a batch item's id that nobody sent", 1, "UniqueBatchItemID", |r| {
        let extra = Node::new(UNIQUE_BATCH_ITEM_ID, Value::ByteString(vec![1]));
        children(item(r, 0)).insert(1, extra);
    }),
    ("the status", 0, "ResultStatus", |r| {
        child(item(r, 0), RESULT_STATUS).value = Value::Enumeration(1);
    }),
    ("the reason", 2, "ResultReason", |r| {
        child(item(r, 1), RESULT_REASON).value = Value::Enumeration(1);
    }),
    ("no reason", 2, "ResultReason", |r| remove(item(r, 1), RESULT_REASON)),
    ("a reason for a success", 0, "ResultReason", |r| {
        children(item(r, 0)).insert(3, Node::new(RESULT_REASON, Value::Enumeration(1)));
    }),
    ("a payload for a failure", 2, "ResponsePayload", |r| {
        children(item(r, 1)).push(Node::structure(RESPONSE_PAYLOAD, Vec::new()));
    }),
    ("no payload", 0, "ResponsePayload", |r| remove(item(r, 0), RESPONSE_PAYLOAD)),
    ("an item in the payload", 0, "LeaseTime", |r| {
        children(payload(r, 0)).push(Node::new(LEASE_TIME, Value::Interval(1)));
    }),
    ("an item before the payload's", 0, "ObjectType", |r| {
        children(payload(r, 0)).insert(0, Node::new(LEASE_TIME, Value::Interval(1)));
    }),
    ("an item twice", 0, "UniqueIdentifier", |r| {
        let extra = child(payload(r, 0), UNIQUE_IDENTIFIER).clone();
        children(payload(r, 0)).push(extra);
    }),
    ("an item less in the payload", 0, "ObjectType", |r| remove(payload(r, 0), OBJECT_TYPE)),
    ("the order in the payload", 0, "ObjectType", |r| children(payload(r, 0)).swap(0, 1)),
    ("a value", 0, "CryptographicLength", |r| {
        child(key_block(r, 1), CRYPTOGRAPHIC_LENGTH).value = Value::Integer(256);
    }),
    ("a value's type", 0, "type Enumeration", |r| {
        child(key_block(r, 1), CRYPTOGRAPHIC_ALGORITHM).value = Value::Integer(3);
    }),
    ("a structure for a value", 0, "type Enumeration", |r| {
        child(key_block(r, 1), CRYPTOGRAPHIC_ALGORITHM).value = Value::Structure(Vec::new());
    }),
    ("a structure's order", 0, "KeyValue", |r| children(key_block(r, 1)).swap(1, 2)),
    ("a generated key of another length", 0, "KeyMaterial", |r| {
        at(key_block(r, 1), &[KEY_VALUE, KEY_MATERIAL]).value = Value::ByteString(vec![7; 15]);
    }),
    ("another generated key than before", 2, "KeyMaterial", |r| {
        at(key_block(r, 0), &[KEY_VALUE, KEY_MATERIAL]).value = Value::ByteString(vec![7; 16]);
    }),
    ("another identifier in the batch", 0, "UniqueIdentifier", |r| {
        child(payload(r, 1), UNIQUE_IDENTIFIER).value = text("another");
    }),
    ("another identifier than before", 1, "UniqueIdentifier", |r| {
        child(payload(r, 0), UNIQUE_IDENTIFIER).value = text("another");
    }),
    ("an empty identifier", 0, "UniqueIdentifier", |r| {
        child(payload(r, 0), UNIQUE_IDENTIFIER).value = text("");
    }),
    ("an attribute's value", 1, "AttributeValue", |r| {
        child(attribute(r, 0), ATTRIBUTE_VALUE).value = Value::Enumeration(2);
    }),
    ("a mask with a bit more", 1, "AttributeValue", |r| {
        child(attribute(r, 1), ATTRIBUTE_VALUE).value = Value::Integer(13);
    }),
    ("a date long past", 1, "AttributeValue", |r| {
        child(attribute(r, 2), ATTRIBUTE_VALUE).value = Value::DateTime(NOW - 600);
    }),
    ("an attribute less", 1, "Attribute", |r| drop(children(payload(r, 0)).pop())),
    ("an attribute twice", 1, "Attribute", |r| {
        let extra = attribute(r, 0).clone();
        children(payload(r, 0)).push(extra);
    }),
    ("an attribute that was not asked for", 1, "Attribute", |r| {
        let name = Node::new(ATTRIBUTE_NAME, text("Deactivation Date"));
        let value = Node::new(ATTRIBUTE_VALUE, Value::DateTime(NOW));
        children(payload(r, 0)).push(Node::structure(ATTRIBUTE, vec![name, value]));
    }),
    ("an attribute's index", 1, "AttributeIndex", |r| {
        let index = Node::new(ATTRIBUTE_INDEX, Value::Integer(1));
        children(attribute(r, 0)).insert(1, index);
    }),
    ("an attribute's name", 1, "Attribute", |r| {
        child(attribute(r, 0), ATTRIBUTE_NAME).value = text("state");
    }),
    ("attributes before the identifier", 1, "UniqueIdentifier", |r| {
        children(payload(r, 0)).swap(0, 1);
    }),
];

#[test]
fn every_mutation_is_caught() {
    for (what, step, place, mutation) in MUTATIONS {
        let reason = match play_changed(DIALOGUE, *step, mutation) {
            Outcome::Fail(failure) => failure.reason,
            other => panic!("{what}: {other:?}"),
        };
        assert!(reason.contains(place), "{what}: {reason}");
        let exchange = format!("exchange {} ", step + 1);
        assert!(reason.starts_with(&exchange), "{what}: {reason}");
    }
}

#[test]
fn the_loss_of_any_item_is_caught_or_permitted() {
    let permitted = [SERVER_CORRELATION_VALUE, RESULT_MESSAGE];
    let mut caught = 0;
    for step in 0..3 {
        for index in 0.. {
            let lost = Cell::new(None);
            let outcome = play_changed(DIALOGUE, step, &|response| {
                lost.set(cut_item(response, index, &mut 0));
            });
            let Some(tag) = lost.get() else { break };
            assert_eq!(outcome == Outcome::Pass, permitted.contains(&tag), "{step} {tag}");
            caught += usize::from(outcome != Outcome::Pass);
        }
    }
    assert!(caught > 60, "{caught}");
}

/// Removes the item with this index, counted in depth first, and says its tag.
fn cut_item(node: &mut Node, index: usize, seen: &mut usize) -> Option<Tag> {
    if !matches!(node.value, Value::Structure(_)) {
        return None;
    }
    for at in 0..children(node).len() {
        if *seen == index {
            return Some(children(node).remove(at).tag);
        }
        *seen += 1;
        if let Some(tag) = cut_item(&mut children(node)[at], index, seen) {
            return Some(tag);
        }
    }
    None
}

#[test]
fn garbage_is_no_response() {
    let case = Case::parse("XX-M-1-14", DIALOGUE).expect("a case");
    let mut request = |_, node: &mut Node| *node = Node::new(RESPONSE_MESSAGE, Value::Integer(1));
    let outcome = play(&[case], Encoding::Ttlv, &mut request).remove(0);
    assert!(matches!(outcome, Outcome::Fail(_)), "{outcome:?}");
}
