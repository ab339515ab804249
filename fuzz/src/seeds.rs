//! What fuzzing starts from: the sequences of `seeds/requests.xml` and the requests that the
//! integration tests know of real clients.

use std::sync::LazyLock;

use claviger_kmip::enums::{BatchErrorContinuationOption, Operation};
use claviger_kmip::tables::KmipNames;
use claviger_kmip::tags;
use claviger_ttlv::xml::{self, Element};
use claviger_ttlv::{Limits, Node, Tag, Value};

const REQUESTS: &str = include_str!("../seeds/requests.xml");
const SAMPLES: &str = include_str!("../../tests/it/samples/requests.txt");

/// Messages that are sent over one connection, one after the other.
pub fn sequences() -> Vec<Vec<Node>> {
    let limits = Limits::default();
    let roots = xml::elements(REQUESTS, &limits).expect("seeds/requests.xml is XML");
    let root = roots.first().expect("seeds/requests.xml is not empty");
    let mut sequences: Vec<Vec<Node>> = root.children.iter().map(sequence).collect();
    sequences.extend(samples().map(|sample| vec![sample]));
    sequences
}

/// Every request of them all.
pub fn requests() -> &'static [Node] {
    static REQUESTS: LazyLock<Vec<Node>> =
        LazyLock::new(|| sequences().into_iter().flatten().collect());
    &REQUESTS
}

/// One a line: a name and hexadecimal digits.
fn samples() -> impl Iterator<Item = Node> {
    let lines = SAMPLES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(name, digits)| {
        let bytes: Option<Vec<u8>> = (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok())
            .collect();
        let bytes = bytes.unwrap_or_else(|| panic!("sample {name} is hexadecimal"));
        Node::from_bytes(&bytes, &Limits::default())
            .unwrap_or_else(|error| panic!("sample {name}: {error}"))
    })
}

fn sequence(element: &Element) -> Vec<Node> {
    let version = element.value.as_deref().and_then(|version| version.split_once('.'));
    let (major, minor) = version.expect("a sequence has a version");
    let version = [major, minor].map(|number| number.parse().expect("a version has two numbers"));
    element.children.iter().map(|child| message(version, child)).collect()
}

fn message([major, minor]: [i32; 2], element: &Element) -> Node {
    let items = if element.name == "Batch" { &element.children[..] } else { &[element.clone()] };
    let mut header = vec![structure(
        tags::PROTOCOL_VERSION,
        vec![
            Node::new(tags::PROTOCOL_VERSION_MAJOR, Value::Integer(major)),
            Node::new(tags::PROTOCOL_VERSION_MINOR, Value::Integer(minor)),
        ],
    )];
    if let Some(name) = &element.value {
        let option = BatchErrorContinuationOption::from_name(name).expect("a continuation option");
        header.push(Node::new(tags::BATCH_ERROR_CONTINUATION_OPTION, Value::Enumeration(option.0)));
    }
    let count = i32::try_from(items.len()).expect("a batch is small");
    header.push(Node::new(tags::BATCH_COUNT, Value::Integer(count)));
    let mut parts = vec![structure(tags::REQUEST_HEADER, header)];
    parts.extend(items.iter().enumerate().map(|(position, item)| batch_item(position, item)));
    structure(tags::REQUEST_MESSAGE, parts)
}

fn batch_item(position: usize, element: &Element) -> Node {
    let operation = Operation::from_name(&element.name)
        .unwrap_or_else(|| panic!("{} is an operation", element.name));
    let payload = element.children.iter().map(|child| {
        child
            .to_node(&KmipNames, &Limits::default())
            .unwrap_or_else(|error| panic!("{}: {error}", element.name))
    });
    structure(
        tags::BATCH_ITEM,
        vec![
            Node::new(tags::OPERATION, Value::Enumeration(operation.0)),
            Node::new(
                tags::UNIQUE_BATCH_ITEM_ID,
                Value::ByteString(position.to_be_bytes().to_vec()),
            ),
            structure(tags::REQUEST_PAYLOAD, payload.collect()),
        ],
    )
}

const fn structure(tag: Tag, children: Vec<Node>) -> Node {
    Node::structure(tag, children)
}

/// Whether a message holds an item with this tag.
pub fn holds(node: &Node, tag: Tag) -> bool {
    node.tag == tag || node.children().iter().any(|child| holds(child, tag))
}
