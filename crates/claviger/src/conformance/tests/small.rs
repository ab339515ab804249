//! Rules that one operation needs, each with a dialogue of its own.

use std::cell::RefCell;
use std::io;

use claviger_kmip::tables::KmipNames;
use claviger_kmip::tags::{BATCH_ITEM, DATA, REQUEST_PAYLOAD};
use claviger_ttlv::{Limits, Node, Value, xml};

use super::replay::NOW;
use crate::conformance::case::Case;
use crate::conformance::catalogue::Group;
use crate::conformance::play::{Outcome, play_group};
use crate::conformance::transport::{Encoding, Transport};

/// An operation, its request payload, what is published for it and what the server answers: batch
/// item fields from the status on.
type Exchange<'a> = (&'a str, &'a str, &'a str, &'a str);

const SUCCESS: &str = "<ResultStatus type='Enumeration' value='Success'/>";

fn header(kind: &str) -> String {
    let time = if kind == "Response" { "<TimeStamp type='DateTime' value='$NOW'/>" } else { "" };
    format!(
        "<{kind}Header><ProtocolVersion>\
         <ProtocolVersionMajor type='Integer' value='2'/>\
         <ProtocolVersionMinor type='Integer' value='1'/></ProtocolVersion>{time}\
         <BatchCount type='Integer' value='1'/></{kind}Header>"
    )
}

fn response(operation: &str, fields: &str) -> String {
    format!(
        "<ResponseMessage>{}<BatchItem><Operation type='Enumeration' value='{operation}'/>{fields}\
         </BatchItem></ResponseMessage>",
        header("Response")
    )
}

fn document(exchanges: &[Exchange<'_>]) -> String {
    let messages = exchanges.iter().map(|(operation, request, published, _)| {
        format!(
            "<RequestMessage>{}<BatchItem><Operation type='Enumeration' value='{operation}'/>\
             <RequestPayload>{request}</RequestPayload></BatchItem></RequestMessage>{}",
            header("Request"),
            response(operation, published)
        )
    });
    format!("<KMIP>{}</KMIP>", messages.collect::<String>())
}

/// A server that answers what it is told to and keeps the requests.
struct Script<'a> {
    answers: Vec<String>,
    requests: &'a RefCell<Vec<Node>>,
}

impl Transport for Script<'_> {
    fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.requests.borrow_mut().push(Encoding::Ttlv.decode(request).expect("a request"));
        let answer = self.answers.remove(0).replace("$NOW", "2027-01-15T08:00:00+00:00");
        let answer = xml::read(&answer, &KmipNames, &Limits::default()).expect("an answer");
        Ok(answer.to_bytes())
    }
}

fn play(exchanges: &[Exchange<'_>]) -> (Outcome, Vec<Node>) {
    let case = Case::parse("XX-M-1-21", &document(exchanges)).expect("a case");
    let answers = exchanges.iter().map(|(operation, _, _, answer)| response(operation, answer));
    let requests = RefCell::new(Vec::new());
    let mut script = Script { answers: answers.collect(), requests: &requests };
    let group = Group { cases: vec![case] };
    let outcomes = play_group(&group, &mut script, Encoding::Ttlv, &|| NOW, &|_| {});
    (outcomes.into_iter().next().expect("an outcome"), requests.into_inner())
}

fn success(payload: &str) -> String {
    format!("{SUCCESS}<ResponsePayload>{payload}</ResponsePayload>")
}

/// Plays one exchange after others that go as published; true if it passes.
fn passes(before: &[(&str, &str, &str)], last: (&str, &str, &str, &str)) -> bool {
    let before: Vec<_> = before.iter().map(|(o, r, p)| (*o, *r, success(p))).collect();
    let (operation, request, published, answer) = last;
    let (published, answer) = (success(published), success(answer));
    let mut exchanges: Vec<Exchange<'_>> =
        before.iter().map(|(o, r, p)| (*o, *r, p.as_str(), p.as_str())).collect();
    exchanges.push((operation, request, &published, &answer));
    match play(&exchanges).0 {
        Outcome::Pass => true,
        Outcome::Fail(failure) => {
            let place = format!("exchange {} ({operation}): ", exchanges.len());
            assert!(failure.reason.starts_with(&place), "{}", failure.reason);
            false
        }
        Outcome::Excluded(reason) => panic!("{reason}"),
    }
}

fn passes_alone(operation: &str, request: &str, published: &str, answer: &str) -> bool {
    passes(&[], (operation, request, published, answer))
}

const UID: &str = "<UniqueIdentifier type='TextString' value='one'/>";
const STATE: &str = "<State type='Enumeration' value='Active'/>";
const LENGTH: &str = "<CryptographicLength type='Integer' value='128'/>";
const ASK_STATE: &str = "<AttributeReference type='Enumeration' value='State'/>";

#[test]
fn query_lists_may_be_longer_but_not_shorter() {
    let operation = |name: &str| format!("<Operation type='Enumeration' value='{name}'/>");
    let (get, create) = (operation("Get"), operation("Create"));
    let profile = "<ProfileInformation><ProfileName type='Enumeration' value='CompleteServer'/>\
                   </ProfileInformation>";
    let vendor = |name: &str| format!("<VendorIdentification type='TextString' value='{name}'/>");
    let query = |published: &str, answer: &str| passes_alone("Query", "", published, answer);
    assert!(query(&get, &format!("{create}{get}")));
    assert!(!query(&format!("{get}{create}"), &get));
    assert!(!query(&format!("{get}{get}"), &get));
    assert!(!query(&get, &format!("{get}{profile}")));
    assert!(!query(&format!("{get}{profile}"), &get));
    assert!(query(&vendor("a"), &vendor("b")));
    assert!(!query(&get, &operation("0x00000999")));
}

#[test]
fn attributes_may_be_more_if_none_are_named() {
    let attributes = |inside: &str| format!("{UID}<Attributes>{inside}</Attributes>");
    let (one, both) = (attributes(STATE), attributes(&format!("{LENGTH}{STATE}")));
    assert!(passes_alone("GetAttributes", UID, &one, &both));
    assert!(passes_alone("GetAttributes", UID, &attributes(&format!("{STATE}{LENGTH}")), &both));
    assert!(!passes_alone("GetAttributes", &format!("{UID}{ASK_STATE}"), &one, &both));
    assert!(!passes_alone("GetAttributes", UID, &both, &one));
    let other = attributes(&STATE.replace("Active", "PreActive"));
    assert!(!passes_alone("GetAttributes", UID, &one, &other));
    let list = |names: &[&str]| {
        let reference =
            |name: &&str| format!("<AttributeReference type='Enumeration' value='{name}'/>");
        format!("{UID}{}", names.iter().map(reference).collect::<String>())
    };
    let (long, short) = (list(&["Name", "State"]), list(&["State"]));
    assert!(passes_alone("GetAttributeList", UID, &short, &long));
    assert!(!passes_alone("GetAttributeList", UID, &long, &short));
}

#[test]
fn versions_may_be_more_if_none_are_listed() {
    let version = |minor: u32| {
        format!(
            "<ProtocolVersion><ProtocolVersionMajor type='Integer' value='1'/>\
             <ProtocolVersionMinor type='Integer' value='{minor}'/></ProtocolVersion>"
        )
    };
    let (one, two) = (version(1), format!("{}{}", version(2), version(1)));
    assert!(passes_alone("DiscoverVersions", "", &one, &two));
    assert!(!passes_alone("DiscoverVersions", "", &two, &one));
    assert!(!passes_alone("DiscoverVersions", &one, &one, &two));
}

#[test]
fn located_objects_come_in_the_published_order() {
    let located = |first: &str, second: &str| {
        let uid = |name: &str| format!("<UniqueIdentifier type='TextString' value='{name}'/>");
        format!("{}{}", uid(first), uid(second))
    };
    let before = [
        ("Activate", UID, UID),
        ("Activate", "<UniqueIdentifier type='TextString' value='two'/>", ""),
    ];
    let published = located("one", "two");
    assert!(passes(&before, ("Locate", "", &published, &published)));
    assert!(!passes(&before, ("Locate", "", &published, &located("two", "one"))));
    assert!(!passes(&before, ("Locate", "", &published, UID)));
}

#[test]
fn an_asynchronous_value_is_new_for_each_operation_but_echoed() {
    let value =
        |text: &str| format!("<AsynchronousCorrelationValue type='ByteString' value='{text}'/>");
    let variable = value("$ASYNCHRONOUS_CORRELATION_VALUE");
    let pending =
        |value: &str| format!("<ResultStatus type='Enumeration' value='OperationPending'/>{value}");
    let published = pending(&variable);
    let (first, second) = (pending(&value("01")), pending(&value("02")));
    let canceled = |value: &str| {
        success(&format!("{value}<CancellationResult type='Enumeration' value='Completed'/>"))
    };
    let printed = canceled(&variable).replace("Completed", "Canceled");
    let cancel = |answer: &str| {
        let exchanges: [Exchange<'_>; 3] = [
            ("Locate", "", &published, &first),
            ("Locate", "", &published, &second),
            ("Cancel", &variable, &printed, answer),
        ];
        play(&exchanges).0
    };
    assert_eq!(cancel(&canceled(&value("02"))), Outcome::Pass);
    assert!(matches!(cancel(&canceled(&value("01"))), Outcome::Fail(_)));
}

fn data(hex: &str) -> String {
    format!("<Data type='ByteString' value='{hex}'/>")
}

#[test]
fn random_numbers_have_the_published_length() {
    let retrieve = |answer: &str| passes_alone("RNGRetrieve", "", &data("0102"), &data(answer));
    assert!(retrieve("abcd"));
    assert!(!retrieve("ab"));
    assert!(!passes_alone("Hash", &data("00"), &data("0102"), &data("abcd")));
}

#[test]
fn ciphertext_is_foreseen_only_under_a_registered_key() {
    let before = |operation| [(operation, LENGTH, UID)];
    let request = format!("{UID}{}", data("00"));
    let encrypt = ("Encrypt", request.as_str(), "<Data type='ByteString' value='0102'/>");
    let answer = data("abcd");
    let last = (encrypt.0, encrypt.1, encrypt.2, answer.as_str());
    assert!(passes(&before("Create"), last));
    assert!(!passes(&before("Register"), last));
}

#[test]
fn what_a_server_made_up_is_sent_back_in_place_of_what_is_printed() {
    let (ask, printed, made) = (format!("{UID}{}", data("00")), data("0102"), data("abcd"));
    let (created, published, answer) = (success(UID), success(&printed), success(&made));
    let again = format!("{UID}{printed}");
    let plain = success(&data("00"));
    let (outcome, requests) = play(&[
        ("Create", LENGTH, &created, &created),
        ("Encrypt", &ask, &published, &answer),
        ("Decrypt", &again, &plain, &plain),
    ]);
    assert_eq!(outcome, Outcome::Pass);
    let item = requests[2].child(BATCH_ITEM).expect("a batch item");
    let sent = item.child(REQUEST_PAYLOAD).and_then(|payload| payload.child(DATA));
    assert_eq!(sent.map(|data| data.value.clone()), Some(Value::ByteString(vec![0xAB, 0xCD])));
}

#[test]
fn a_placeholder_that_no_response_gave_is_taken_by_its_tag() {
    let (published, answer) = (success(&data("0102")), success(&data("0102")));
    let use_it = data("$DATA_0");
    let (outcome, requests) =
        play(&[("Hash", &data("00"), &published, &answer), ("Hash", &use_it, &published, &answer)]);
    assert_eq!(outcome, Outcome::Pass);
    assert_eq!(requests.len(), 2);
    let (outcome, requests) = play(&[("Hash", &use_it, &published, &answer)]);
    assert!(matches!(outcome, Outcome::Fail(failure) if failure.reason.contains("$DATA_0")));
    assert!(requests.is_empty());
}

#[test]
fn without_a_connection_from_the_server_its_requests_are_excluded() {
    let case = document(&[("Notify", UID, SUCCESS, SUCCESS)]);
    let case = Case::parse("TC-NP-1-21", &case).expect("a case");
    let requests = RefCell::new(Vec::new());
    let mut script = Script { answers: Vec::new(), requests: &requests };
    let group = Group { cases: vec![case] };
    let outcomes = play_group(&group, &mut script, Encoding::Ttlv, &|| NOW, &|_| {});
    assert!(matches!(outcomes.as_slice(), [Outcome::Excluded(_)]), "{outcomes:?}");
}
