//! KMIP messages that are truncated, oversized, wrongly typed, wrongly ordered, of an unknown operation or version.
//! KMIP 1.4 §11 and §6, KMIP 2.1 §6.

use super::Bystander;
use crate::kmip::{
    Client, Operation, Reply, attribute, create, name_fields, on, op, reason, register, request,
    tag, unique_identifier, version_item,
};
use crate::server::Server;
use crate::tls::{Connection, Identity};
use crate::ttlv::{Item, raw};

const ID: &[u8] = b"\x01\x02\x03\x04";
const MALFORMED: &[u32] =
    &[reason::INVALID_MESSAGE, reason::INVALID_FIELD, reason::MISSING_DATA, reason::CODEC_ERROR];

/// Who answers what to a bad message.
enum Answer {
    /// One failed item without an operation: nothing of the message could be trusted.
    Message,
    /// One failed item that echoes this operation and the batch item id.
    Item(u32),
    /// No answer is owed; closing is one.
    CloseOrMessage,
}

fn get(id: &str) -> Operation {
    on(op::GET, id).id(ID)
}

/// A request whose bytes are then spoiled.
fn spoilt(operation: &Operation, spoil: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let operation = Operation::new(operation.code, operation.payload.clone()).id(ID);
    let mut bytes = request((1, 4), Vec::new(), &[operation]).encode();
    spoil(&mut bytes);
    bytes
}

/// The place of a tag's header in the bytes.
fn place(bytes: &[u8], wanted: u32) -> usize {
    let tag = &wanted.to_be_bytes()[1..];
    bytes.windows(3).position(|window| window == tag).expect("the tag is there")
}

fn with_type(operation: &Operation, wanted: u32, kind: u8) -> Vec<u8> {
    spoilt(operation, |bytes| {
        let place = place(bytes, wanted);
        bytes[place + 3] = kind;
    })
}

/// A message of these parts, as a Request Message.
fn message(parts: &[Vec<u8>]) -> Vec<u8> {
    let body = parts.concat();
    raw(tag::REQUEST_MESSAGE, 1, body.len() as u32, &body)
}

fn header(version: (i32, i32), count: i32) -> Vec<u8> {
    let fields = vec![version_item(version), Item::integer(tag::BATCH_COUNT, count)];
    Item::structure(tag::REQUEST_HEADER, fields).encode()
}

fn batch_item(operation: &Operation) -> Vec<u8> {
    let operation = Operation::new(operation.code, operation.payload.clone()).id(ID);
    request((1, 4), Vec::new(), &[operation]).children()[1].encode()
}

fn nested(levels: usize) -> Vec<u8> {
    let mut inner = Vec::new();
    for _ in 0..levels {
        inner = raw(tag::REQUEST_PAYLOAD, 1, inner.len() as u32, &inner);
    }
    inner
}

/// Name, bytes, what has to come.
fn bad_messages() -> Vec<(&'static str, Vec<u8>, Answer)> {
    use Answer::{CloseOrMessage, Item as Echo, Message};
    let get = get("x");
    let locate = Operation::new(op::LOCATE, vec![Item::integer(tag::MAXIMUM_ITEMS, 1)]);
    let item = batch_item(&get);
    let swapped = Item::structure(
        tag::REQUEST_HEADER,
        vec![Item::integer(tag::BATCH_COUNT, 1), version_item((1, 4))],
    );
    let mut create_backwards = create((1, 4), None);
    create_backwards.payload.reverse();
    vec![
        ("nothing in the message", message(&[]), Message),
        ("a header and no item", message(&[header((1, 4), 1)]), Message),
        ("an item and no header", message(std::slice::from_ref(&item)), Message),
        ("the item before the header", message(&[item.clone(), header((1, 4), 1)]), Message),
        ("header fields in another order", message(&[swapped.encode(), item.clone()]), Message),
        ("fewer items than counted", message(&[header((1, 4), 2), item.clone()]), Message),
        ("more items than counted", message(&[header((1, 4), 1), item.clone(), item]), Message),
        ("no protocol version", message(&[raw(tag::REQUEST_HEADER, 1, 0, &[])]), Message),
        ("a response", spoilt(&get, |bytes| bytes[2] = 0x7b), CloseOrMessage),
        ("an outer type that is no structure", spoilt(&get, |bytes| bytes[3] = 8), CloseOrMessage),
        ("an outer tag outside the ranges", spoilt(&get, |bytes| bytes[0] = 0), CloseOrMessage),
        ("a type that does not exist", with_type(&get, tag::BATCH_COUNT, 0x7f), Message),
        ("a batch count of another type", with_type(&get, tag::BATCH_COUNT, 5), Message),
        ("an operation of another type", with_type(&get, tag::OPERATION, 2), Message),
        ("a payload of another type", with_type(&get, tag::REQUEST_PAYLOAD, 8), Message),
        (
            "an identifier of another type",
            with_type(&get, tag::UNIQUE_IDENTIFIER, 8),
            Echo(op::GET),
        ),
        (
            "an integer as an enumeration",
            with_type(&locate, tag::MAXIMUM_ITEMS, 5),
            Echo(op::LOCATE),
        ),
        (
            "an integer of the wrong length",
            spoilt(&locate, |bytes| {
                let place = place(bytes, tag::MAXIMUM_ITEMS);
                bytes[place + 7] = 3;
            }),
            Message,
        ),
        (
            "a text that is not UTF-8",
            spoilt(&get, |bytes| {
                let place = place(bytes, tag::UNIQUE_IDENTIFIER);
                bytes[place + 8] = 0xff;
            }),
            Echo(op::GET),
        ),
        (
            "an item that is longer than what holds it",
            spoilt(&get, |bytes| {
                let place = place(bytes, tag::UNIQUE_IDENTIFIER);
                bytes[place + 4..place + 8].copy_from_slice(&1000u32.to_be_bytes());
            }),
            Message,
        ),
        (
            "a length that does not end in the address space",
            spoilt(&get, |bytes| {
                let place = place(bytes, tag::UNIQUE_IDENTIFIER);
                bytes[place + 4..place + 8].copy_from_slice(&u32::MAX.to_be_bytes());
            }),
            Message,
        ),
        ("structures a thousand deep", message(&[header((1, 4), 1), nested(1000)]), Message),
        (
            "a message of two gigabytes",
            raw(tag::REQUEST_MESSAGE, 1, 0x7fff_fff8, &[]),
            CloseOrMessage,
        ),
        (
            "an operation without what it needs",
            spoilt(&Operation::new(op::REGISTER, vec![]), |_| {}),
            Echo(op::REGISTER),
        ),
        ("a payload in another order", spoilt(&create_backwards, |_| {}), Echo(op::CREATE)),
        (
            "an attribute without a value",
            spoilt(
                &Operation::new(
                    op::ADD_ATTRIBUTE,
                    vec![
                        unique_identifier("x"),
                        Item::structure(
                            tag::ATTRIBUTE,
                            vec![Item::text(tag::ATTRIBUTE_NAME, "Name")],
                        ),
                    ],
                ),
                |_| {},
            ),
            Echo(op::ADD_ATTRIBUTE),
        ),
    ]
}

#[test]
fn a_bad_message_gets_its_error_and_harms_nobody() {
    let mut server = Server::start();
    let mut bystander = Bystander::new(&server);
    let identity = Identity::exported(&server.client);
    let mut faults = Vec::new();
    for (name, bytes, expected) in bad_messages() {
        let mut connection = Connection::open(server.kmip, &identity).unwrap();
        connection.send(&bytes).unwrap();
        let _ = connection.finish_sending();
        let reply = connection.receive().map(|frame| Reply::read(&frame.bytes));
        let fault = match (&expected, reply) {
            (Answer::CloseOrMessage, Err(_)) => None,
            (_, Err(error)) => Some(format!("no answer: {error}")),
            (_, Ok(Err(error))) => Some(format!("an answer that cannot be read: {error}")),
            (expected, Ok(Ok(reply))) => judge(expected, reply),
        };
        faults.extend(fault.map(|fault| format!("{name}: {fault}")));
        bystander.is_unharmed(name);
        assert!(server.alive(), "the server died of {name}");
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn judge(expected: &Answer, reply: Reply) -> Option<String> {
    let [item] = reply.items.as_slice() else { return Some(format!("items: {:?}", reply.items)) };
    let code = item.reason.unwrap_or_default();
    if !MALFORMED.contains(&code) {
        return Some(format!("refused with {code:#x}: {item:?}"));
    }
    match expected {
        Answer::Item(operation) => ((item.operation, item.id.as_deref())
            != (Some(*operation), Some(ID)))
            .then(|| format!("operation and batch item id are not echoed: {item:?}")),
        // What could be read of a broken message may be echoed; it need not be.
        Answer::Message | Answer::CloseOrMessage => None,
    }
}

#[test]
fn a_truncated_message_is_not_waited_for_after_the_end() {
    let server = Server::start();
    let mut bystander = Bystander::new(&server);
    let identity = Identity::exported(&server.client);
    let whole = request((1, 4), Vec::new(), &[get("x")]).encode();
    for length in [1, 7, 8, 9, 40, whole.len() - 1] {
        let mut connection = Connection::open(server.kmip, &identity).unwrap();
        connection.send(&whole[..length]).unwrap();
        connection.finish_sending().unwrap();
        assert!(connection.closes(), "{length} bytes: an answer to half a message");
        bystander.is_unharmed("a truncated message");
    }
}

#[test]
fn an_unknown_operation_is_refused_by_name() {
    let server = Server::start();
    for version in [(1, 0), (1, 4), (2, 1)] {
        let mut client = Client::connect(&server, version);
        for code in [0x7f, 0x8000_0001, 0] {
            let operation = Operation::new(code, vec![unique_identifier("x")]).id(ID);
            let item = client.call(operation);
            assert_eq!(item.failure(), reason::OPERATION_NOT_SUPPORTED, "{version:?} {code:#x}");
            assert_eq!((item.operation, item.id.as_deref()), (Some(code), Some(ID)));
        }
        client.call(create(version, None)).success();
    }
}

#[test]
fn an_operation_younger_than_its_message_is_not_supported() {
    let server = Server::start();
    for (version, code) in [((1, 1), op::ENCRYPT), ((1, 0), op::DECRYPT), ((1, 4), 0x31)] {
        let mut client = Client::connect(&server, version);
        let item = client.call(Operation::new(code, vec![unique_identifier("x")]));
        assert_eq!(item.failure(), reason::OPERATION_NOT_SUPPORTED, "{version:?} {code:#x}");
    }
}

#[test]
fn an_unknown_version_is_refused() {
    let server = Server::start();
    let mut bystander = Bystander::new(&server);
    let identity = Identity::exported(&server.client);
    for version in [(0, 9), (3, 0), (9, 4), (-1, 0), (i32::MAX, i32::MAX)] {
        let mut connection = Connection::open(server.kmip, &identity).unwrap();
        let bytes = request(version, Vec::new(), &[get("x")]).encode();
        let reply = Reply::read(&connection.exchange(&bytes).unwrap().bytes).unwrap();
        assert!(matches!(reply.version, (1 | 2, _)), "answered in a version of ours");
        let item = reply.only();
        let allowed = [reason::INVALID_MESSAGE, reason::UNSUPPORTED_PROTOCOL_VERSION];
        assert!(allowed.contains(&item.failure()), "{version:?}: {item:?}");
        bystander.is_unharmed("an unknown version");
    }
}

/// An attribute may have 64 KiB, a batch 256 items; one more of the latter is refused whole.
#[test]
fn a_message_at_the_limits_is_served() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    let name = "n".repeat(60 << 10);
    let id = client.call(create((1, 4), Some(&name))).unique_identifier();
    let filter = || Operation::new(op::LOCATE, vec![attribute("Name", name_fields(&name))]);
    assert_eq!(client.call(filter()).unique_identifier(), id);
    let longer = "n".repeat(65 << 10);
    let refused = client.call(create((1, 4), Some(&longer))).failure();
    assert_eq!(refused, reason::INVALID_FIELD, "a name of 65 KiB");
    // Without batch item ids, as old clients send them.
    let batch =
        |count| request((1, 4), Vec::new(), &Vec::from_iter((0..count).map(|_| on(op::GET, &id))));
    let reply = client.send(&batch(256));
    assert_eq!(reply.items.len(), 256);
    for item in reply.items {
        let got = item.success();
        assert_eq!(got.child(tag::UNIQUE_IDENTIFIER).and_then(Item::as_text), Some(id.as_str()));
    }
    assert_eq!(client.send(&batch(257)).only().failure(), reason::INVALID_MESSAGE);
    assert_eq!(client.call(filter()).unique_identifier(), id, "the connection is served on");
}

/// One known client sends a field of its own in a payload: passed over, not refused.
#[test]
fn an_unknown_field_in_a_payload_is_passed_over() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    let mut registered = register((1, 4), &[3; 32], None);
    registered.payload.push(Item::text(0x54_0001, "extension"));
    let id = client.call(registered).unique_identifier();
    client.call(on(op::GET, &id)).success();
}

#[test]
fn a_response_that_is_too_large_is_said_to_be() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    let limit = |bytes| vec![Item::integer(tag::MAXIMUM_RESPONSE_SIZE, bytes)];
    let id = client.call(create((1, 4), None)).unique_identifier();
    let reply = client.send(&request((1, 4), limit(200), &[get(&id)]));
    assert_eq!(reply.only().failure(), reason::RESPONSE_TOO_LARGE);
    client.send(&request((1, 4), limit(2000), &[get(&id)])).only().success();
    // An operation whose answer does not fit has not happened.
    let before = client.call(Operation::new(op::LOCATE, vec![])).success().children().len();
    let reply = client.send(&request((1, 4), limit(64), &[create((1, 4), None).id(ID)]));
    assert_eq!(reply.only().failure(), reason::RESPONSE_TOO_LARGE);
    let after = client.call(Operation::new(op::LOCATE, vec![])).success().children().len();
    assert_eq!(before, after, "the refused Create left an object");
}
