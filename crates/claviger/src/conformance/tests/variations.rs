//! What is permitted passes, and the report counts rightly.

use claviger_kmip::Version;
use claviger_kmip::enums::KeyFormatType;
use claviger_kmip::tags::{
    ATTRIBUTE, ATTRIBUTE_INDEX, ATTRIBUTE_NAME, ATTRIBUTE_VALUE, CRITICALITY_INDICATOR,
    DIGEST_VALUE, HASHING_ALGORITHM, KEY_BLOCK, KEY_FORMAT_TYPE, KEY_MATERIAL, KEY_VALUE,
    MESSAGE_EXTENSION, RESPONSE_HEADER, RESPONSE_PAYLOAD, RESULT_MESSAGE, SERVER_CORRELATION_VALUE,
    SYMMETRIC_KEY, TEMPLATE_ATTRIBUTE, TIME_STAMP, VENDOR_IDENTIFICATION,
};
use claviger_ttlv::{Node, Value};

use super::mutations::{DIALOGUE, attribute, item};
use super::replay::{NOW, at, child, children, play, play_changed};
use crate::conformance::case::Case;
use crate::conformance::catalogue::Catalogue;
use crate::conformance::play::{Failure, Outcome};
use crate::conformance::report::{Count, Report};
use crate::conformance::transport::Encoding;

type Variation = (&'static str, usize, fn(&mut Node));

const VARIATIONS: &[Variation] = &[
    ("nothing", 0, |_| {}),
    ("the time stamp", 0, |r| {
        at(r, &[RESPONSE_HEADER, TIME_STAMP]).value = Value::DateTime(0);
    }),
    ("no server correlation value", 0, |r| drop(children(child(r, RESPONSE_HEADER)).remove(2))),
    ("a server correlation value", 1, |r| {
        let value = Value::TextString("x".into());
        let extra = Node::new(SERVER_CORRELATION_VALUE, value);
        children(child(r, RESPONSE_HEADER)).insert(2, extra);
    }),
    ("another result message", 2, |r| {
        child(item(r, 1), RESULT_MESSAGE).value = Value::TextString("no".into());
    }),
    ("no result message", 2, |r| drop(children(item(r, 1)).pop())),
    ("a result message", 0, |r| {
        let extra = Node::new(RESULT_MESSAGE, Value::TextString("done".into()));
        children(item(r, 0)).insert(3, extra);
    }),
    ("a message extension that is not critical", 0, |r| {
        let vendor = Node::new(VENDOR_IDENTIFICATION, Value::TextString("x".into()));
        let critical = Node::new(CRITICALITY_INDICATOR, Value::Boolean(false));
        children(item(r, 0)).push(Node::structure(MESSAGE_EXTENSION, vec![vendor, critical]));
    }),
    ("the attributes that were set", 0, |r| {
        let extra = Node::structure(TEMPLATE_ATTRIBUTE, Vec::new());
        children(child(item(r, 0), RESPONSE_PAYLOAD)).push(extra);
    }),
    ("attributes in another order", 1, |r| {
        children(child(item(r, 0), RESPONSE_PAYLOAD))[1..].reverse();
    }),
    ("attribute index 0", 1, |r| {
        let index = Node::new(ATTRIBUTE_INDEX, Value::Integer(0));
        children(attribute(r, 3)).insert(1, index);
    }),
    ("a date that the request does not fix", 1, |r| {
        child(attribute(r, 3), ATTRIBUTE_VALUE).value = Value::DateTime(NOW);
    }),
    ("a clock that is a little off", 1, |r| {
        child(attribute(r, 2), ATTRIBUTE_VALUE).value = Value::DateTime(NOW + 30);
    }),
    ("another digest", 1, |r| {
        let digest = child(attribute(r, 4), ATTRIBUTE_VALUE);
        child(digest, HASHING_ALGORITHM).value = Value::Enumeration(8);
        child(digest, DIGEST_VALUE).value = Value::ByteString(vec![1; 64]);
    }),
    ("an attribute of the y- kind", 1, |r| {
        let name = Node::new(ATTRIBUTE_NAME, Value::TextString("y-z".into()));
        let value = Node::new(ATTRIBUTE_VALUE, Value::Integer(1));
        let extra = Node::structure(ATTRIBUTE, vec![name, value]);
        children(child(item(r, 0), RESPONSE_PAYLOAD)).push(extra);
    }),
];

#[test]
fn what_is_permitted_passes() {
    for (what, step, variation) in VARIATIONS {
        assert_eq!(play_changed(DIALOGUE, *step, variation), Outcome::Pass, "{what}");
    }
}

#[test]
fn a_generated_key_may_be_any_but_stays_the_same() {
    let case = Case::parse("XX-M-1-14", DIALOGUE).expect("a case");
    let path = [RESPONSE_PAYLOAD, SYMMETRIC_KEY, KEY_BLOCK, KEY_VALUE, KEY_MATERIAL];
    let mut change = |step, response: &mut Node| {
        let index = match step {
            0 => 1,
            2 => 0,
            _ => return,
        };
        at(item(response, index), &path).value = Value::ByteString(vec![7; 16]);
    };
    assert_eq!(play(&[case], Encoding::Ttlv, &mut change), [Outcome::Pass]);
}

#[test]
fn a_generated_key_may_come_in_another_format_for_its_kind() {
    let path = [RESPONSE_PAYLOAD, SYMMETRIC_KEY, KEY_BLOCK, KEY_FORMAT_TYPE];
    let play_as = |format: KeyFormatType| {
        play_changed(DIALOGUE, 0, &|response| {
            at(item(response, 1), &path).value = Value::Enumeration(format.0);
        })
    };
    assert_eq!(play_as(KeyFormatType::TRANSPARENT_SYMMETRIC_KEY), Outcome::Pass);
    for format in [KeyFormatType::PKCS_8, KeyFormatType(0x99)] {
        assert!(matches!(play_as(format), Outcome::Fail(_)), "{format}");
    }
}

#[test]
fn a_registered_key_must_come_back() {
    let registered = DIALOGUE.replacen("value=\"Create\"", "value=\"Register\"", 2);
    let path = [RESPONSE_PAYLOAD, SYMMETRIC_KEY, KEY_BLOCK, KEY_VALUE, KEY_MATERIAL];
    let outcome = play_changed(&registered, 0, &|response| {
        at(item(response, 1), &path).value = Value::ByteString(vec![7; 16]);
    });
    assert!(
        matches!(&outcome, Outcome::Fail(f) if f.reason.contains("KeyMaterial")),
        "{outcome:?}"
    );
}

#[test]
fn a_failure_shows_both_messages() {
    let outcome = play_changed(DIALOGUE, 1, &|response| children(response).truncate(1));
    let Outcome::Fail(Failure { reason, messages }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.starts_with("exchange 2 (GetAttributes): ResponseMessage"), "{reason}");
    assert!(messages.contains("sent:\nRequestMessage\n"), "{messages}");
    assert!(messages.contains("received:\nResponseMessage\n"), "{messages}");
}

#[test]
fn one_of_several_alternatives_is_enough() {
    let case = |name: &str| Case::parse(name, DIALOGUE).expect("a case");
    let failure = || Outcome::Fail(Failure { reason: "x".into(), messages: String::new() });
    let mut report = Report::new(&Catalogue::default());
    report.add(&case("CS-RNG-O-1-14"), failure());
    report.add(&case("CS-RNG-O-2-14"), Outcome::Pass);
    report.add(&case("CS-RNG-O-1-21"), failure());
    report.add(&case("XX-M-1-21"), Outcome::Pass);
    report.finish();
    let count = |pass, fail, excluded| Count { pass, fail, excluded };
    assert_eq!(report.count(Some(Version::V1_4)), count(1, 0, 1));
    assert_eq!(report.count(Some(Version::V2_1)), count(1, 1, 0));
    assert!(!report.is_pass());
    let json = report.to_json();
    assert_eq!(json[0]["version"], "1.4");
    assert_eq!(json[0]["cases"][0]["name"], "CS-RNG-O-1-14");
    assert_eq!(json[0]["cases"][0]["result"], "excluded");
    assert_eq!(json[0]["cases"][1]["result"], "pass");
    assert_eq!((&json[1]["pass"], &json[1]["fail"]), (&1.into(), &1.into()));
}

#[test]
fn requests_without_responses_are_no_case() {
    let half = DIALOGUE.replacen("ResponseMessage>", "Comment>", 2);
    let error = Case::parse("XX-M-1-14", &half).expect_err("no case");
    assert!(error.contains("request without a response"), "{error}");
}
