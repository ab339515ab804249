//! What one version can say, said in every other: a payload that is encoded for a version has
//! nothing that the version lacks, and is read again as it was written.

use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::codec::{ByteString, DateTimeExtended, Encoder, Secret, TooYoung, Wire};
use claviger_kmip::compat::AttributeList;
use claviger_kmip::enums::{ObjectType, Operation, ProcessingStage, TicketType};
use claviger_kmip::payload::{self, Request};
use claviger_kmip::tables::{
    Enumeration, KmipNames, Row, Vocabulary, attribute_tag, tag_row, vocabulary,
};
use claviger_kmip::{Version, tags};
use claviger_ttlv::{Limits, Message, Node, Siblings, Tag, Value, Writer, text};

use crate::corpora::{Found, payloads};
use crate::oasis;
use crate::operations::by_operation;

fn encoded<T: Wire>(value: &T, tag: Tag, version: Version) -> Result<Node, TooYoung> {
    let mut writer = Writer::new();
    let mut encoder = Encoder::new(&mut writer, version);
    value.encode(&mut encoder, tag);
    encoder.finish()?;
    Ok(Node::from_bytes(writer.as_bytes(), &Limits::default()).expect("well-formed"))
}

fn decoded<T: Wire>(node: &Node, version: Version) -> Result<T, claviger_kmip::Error> {
    let bytes = node.to_bytes();
    let message = Message::parse(&bytes, &Limits::default()).expect("well-formed");
    T::decode(&message.root(), version)
}

/// Where a payload was taken from, and where it went wrong.
struct Place<'a> {
    name: &'a str,
    operation: Operation,
}

impl Place<'_> {
    fn says(&self, version: Version, problem: &str, node: &Node) -> String {
        let tree = text::write(node, &KmipNames, &|_| false);
        format!("{} {:?} in {version}: {problem}\n{tree}", self.name, self.operation)
    }
}

/// How often a payload could be said in a version.
#[derive(Default)]
struct Seen {
    said: usize,
    refused: usize,
    problems: Vec<String>,
}

impl Seen {
    fn everywhere<T: Wire>(&mut self, place: &Place<'_>, value: &T, tag: Tag) {
        let row = Operation::TABLE.by_code(place.operation.0).expect("a row");
        for version in Version::ALL.into_iter().filter(|version| row.is_in(*version)) {
            let Ok(node) = encoded(value, tag, version) else {
                self.refused += 1;
                continue;
            };
            self.said += 1;
            let mut foreign = Vec::new();
            find_foreign(&node, &Siblings::default(), version, &mut foreign);
            if !foreign.is_empty() {
                self.problems.push(place.says(version, &foreign.join(", "), &node));
            }
            match decoded::<T>(&node, version) {
                Err(error) => self.problems.push(place.says(version, &error.to_string(), &node)),
                Ok(again) => {
                    if encoded(&again, tag, version).as_ref() != Ok(&node) {
                        self.problems.push(place.says(version, "is read as something else", &node));
                    }
                }
            }
        }
    }

    fn found(&mut self, name: &str, found: &Found<'_>) {
        let place = Place { name, operation: found.operation };
        macro_rules! visit {
            ($request:ident) => {
                if found.is_request {
                    self.one::<payload::$request>(&place, found)
                } else {
                    self.one::<<payload::$request as Request>::Response>(&place, found)
                }
            };
        }
        by_operation!(found.operation, visit);
    }

    fn one<T: Wire>(&mut self, place: &Place<'_>, found: &Found<'_>) {
        match decoded::<T>(found.node, found.version) {
            Ok(value) => self.everywhere(place, &value, found.node.tag),
            Err(error) => {
                self.problems.push(place.says(found.version, &error.to_string(), found.node));
            }
        }
    }
}

/// The items, values and attributes that the version does not have.
fn find_foreign(node: &Node, siblings: &Siblings, version: Version, foreign: &mut Vec<String>) {
    let is_foreign = |row: Option<&Row>| row.is_some_and(|row| !row.is_in(version));
    if is_foreign(tag_row(node.tag)) {
        foreign.push(format!("tag {}", tag_row(node.tag).expect("a row").name));
    }
    match &node.value {
        Value::Structure(children) => {
            let mut siblings = Siblings::default();
            for child in children {
                find_foreign(child, &siblings, version, foreign);
                if let Value::TextString(text) = &child.value {
                    siblings.note(&KmipNames, child.tag, text);
                }
            }
        }
        Value::Enumeration(value) => {
            let row = match vocabulary(siblings.context(node.tag)) {
                Some(Vocabulary::Enumeration(table)) => table.by_code(*value),
                Some(Vocabulary::Tags) => tag_row(Tag::new(*value)),
                _ => None,
            };
            if is_foreign(row) {
                foreign.push(format!("value {}", row.expect("a row").name));
            }
        }
        Value::TextString(name) if node.tag == tags::ATTRIBUTE_NAME && version.is_1x() => {
            let row = attribute_tag(name).and_then(tag_row);
            if is_foreign(row) {
                foreign.push(format!("attribute {name}"));
            }
        }
        Value::DateTimeExtended(_) if version.is_1x() => foreign.push("a microsecond".to_owned()),
        _ => {}
    }
}

#[test]
fn what_every_case_says_can_be_said_in_every_version() {
    let Some(folder) = oasis::folder() else { return };
    let mut seen = Seen::default();
    for path in oasis::files(&folder, ".xml") {
        for message in &oasis::messages(&path) {
            for found in payloads(message) {
                seen.found(&path.file_name().expect("a name").to_string_lossy(), &found);
            }
        }
    }
    let Seen { said, refused, problems } = seen;
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
    assert!(said > 30_000 && refused < said / 20, "{said} said, {refused} refused");
}

fn check<R: Request>(request: &R, response: &R::Response) {
    let place = Place { name: "example", operation: R::OPERATION };
    let mut seen = Seen::default();
    seen.everywhere(&place, request, tags::REQUEST_PAYLOAD);
    seen.everywhere(&place, response, tags::RESPONSE_PAYLOAD);
    assert!(seen.problems.is_empty(), "{}", seen.problems.join("\n"));
    let row = Operation::TABLE.by_code(R::OPERATION.0).expect("a row");
    let versions = Version::ALL.into_iter().filter(|version| row.is_in(*version)).count();
    assert_eq!((seen.said, seen.refused), (2 * versions, 0), "{:?}", R::OPERATION);
}

/// The operations of which no published message exists.
#[test]
fn operations_without_a_case() {
    let ticket = || payload::Ticket {
        ticket_type: TicketType::LOGIN,
        ticket_value: Secret::new(vec![1; 16]),
    };
    let groups = || payload::ObjectGroups { object_group: vec!["g".to_owned()] };
    let operations = || payload::Operations { operation: vec![Operation::GET] };
    let acv = ByteString(vec![7; 8]);
    check(&payload::LogoutRequest { ticket: ticket() }, &payload::LogoutResponse::default());
    let right = payload::Right {
        usage_limits: None,
        operations: Some(operations()),
        objects: Some(payload::Objects { unique_identifier: vec![UniqueIdentifier::from("1")] }),
        object_groups: Some(groups()),
    };
    let login = payload::DelegatedLoginRequest {
        lease_time: Some(payload::LeaseTime::Until(claviger_kmip::codec::DateTime(9))),
        request_count: Some(3),
        usage_limits: None,
        rights: payload::Rights { right: vec![right] },
    };
    check(&login, &payload::DelegatedLoginResponse { ticket: ticket() });
    check(
        &payload::ReProvisionRequest {
            certificate_request: Some(ByteString(vec![1])),
            certificate: Some(ByteString(vec![2])),
        },
        &payload::ReProvisionResponse { unique_identifier: Some(UniqueIdentifier::from("1")) },
    );
    let defaults = payload::ObjectDefaults {
        object_type: Some(ObjectType::SYMMETRIC_KEY),
        object_types: None,
        attributes: AttributeList::default(),
        object_groups: Some(groups()),
    };
    let defaults = payload::DefaultsInformation { object_defaults: vec![defaults] };
    check(
        &payload::SetDefaultsRequest { defaults_information: Some(defaults) },
        &payload::SetDefaultsResponse::default(),
    );
    let request = payload::AsynchronousRequest {
        asynchronous_correlation_value: acv.clone(),
        operation: Operation::CREATE,
        submission_date: DateTimeExtended(1_000_001),
        processing_stage: ProcessingStage::IN_PROCESS,
    };
    check(
        &payload::QueryAsynchronousRequestsRequest {
            asynchronous_correlation_values: Some(payload::AsynchronousCorrelationValues {
                asynchronous_correlation_value: vec![acv.clone()],
            }),
            operations: Some(operations()),
        },
        &payload::QueryAsynchronousRequestsResponse { asynchronous_request: vec![request] },
    );
    check(
        &payload::ProcessRequest { asynchronous_correlation_value: acv },
        &payload::ProcessResponse::default(),
    );
    check(&payload::PingRequest::default(), &payload::PingResponse::default());
}

/// A payload type for every operation that the tables know.
#[test]
fn every_operation_has_its_payload() {
    for row in Operation::TABLE.rows {
        macro_rules! visit {
            ($request:ident) => {
                <payload::$request as Request>::OPERATION
            };
        }
        assert_eq!(by_operation!(Operation(row.code), visit).0, row.code, "{}", row.name);
    }
}
