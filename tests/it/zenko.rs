//! Scality's Arsenal client, as CloudServer and Zenko run it: bursts on one connection, the version changing in
//! mid-stream, and a client that takes every TLS record for exactly one response.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::hex;
use crate::kmip::{
    Client, Operation, Reply, ReplyItem, Version, attribute, on, op, reason, register, request,
    revoke, tag, unique_identifier, version_item,
};
use crate::server::Server;
use crate::tls::{Connection, Identity};
use crate::ttlv::{Item, Value};

static ONLY_12: &[&SupportedProtocolVersion] = &[&TLS12];
static ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];

const CIPHER: [u32; 3] = [1, 3, 3];

/// A connection that behaves as the client does.
struct Arsenal {
    connection: Connection,
    version: Version,
    sent: u8,
}

impl Arsenal {
    fn connect(server: &Server, versions: &'static [&'static SupportedProtocolVersion]) -> Self {
        let identity = Identity::exported(&server.client).only(versions);
        let connection = Connection::open(server.kmip, &identity).unwrap();
        Self { connection, version: (1, 2), sent: 0 }
    }

    /// The bytes of a request, and the batch item id that its answer must carry.
    fn request(&mut self, operation: Operation) -> (Vec<u8>, Vec<u8>) {
        self.sent = self.sent.wrapping_add(1);
        let id = vec![self.sent; 16];
        let header = vec![Item::integer(tag::MAXIMUM_RESPONSE_SIZE, 8000)];
        (request(self.version, header, &[operation.id(&id)]).encode(), id)
    }

    fn call(&mut self, operation: Operation) -> ReplyItem {
        let (bytes, id) = self.request(operation);
        self.connection.send(&bytes).unwrap();
        self.answer(&id)
    }

    /// The next answer: one TLS record that holds it and nothing else.
    fn answer(&mut self, id: &[u8]) -> ReplyItem {
        let frame = self.connection.receive().unwrap();
        assert_eq!((frame.records, frame.ends_record), (1, true), "one record, one response");
        assert!(frame.bytes.len() <= 8000);
        let item = Reply::read(&frame.bytes).unwrap().only();
        assert_eq!(item.id.as_deref(), Some(id), "without its id the client hides the error");
        assert!(item.operation.is_some(), "the operation is echoed too");
        item
    }
}

/// Create of a bucket key, with what the configuration adds in front and behind.
fn bucket_key(first: Option<Item>, last: Option<Item>) -> Operation {
    let mut attributes: Vec<Item> = first.into_iter().collect();
    attributes.extend([
        attribute("Cryptographic Algorithm", Value::Enumeration(3)),
        attribute("Cryptographic Length", Value::Integer(256)),
        attribute("Cryptographic Usage Mask", Value::Integer(12)),
    ]);
    attributes.extend(last);
    let payload = vec![
        Item::enumeration(tag::OBJECT_TYPE, 2),
        Item::structure(tag::TEMPLATE_ATTRIBUTE, attributes),
    ];
    Operation::new(op::CREATE, payload)
}

fn cipher(operation: u32, id: &str, data: &[u8]) -> Operation {
    let [mode, padding, algorithm] = CIPHER;
    let parameters = vec![
        Item::enumeration(tag::BLOCK_CIPHER_MODE, mode),
        Item::enumeration(tag::PADDING_METHOD, padding),
        Item::enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, algorithm),
    ];
    let payload = vec![
        unique_identifier(id),
        Item::structure(tag::CRYPTOGRAPHIC_PARAMETERS, parameters),
        Item::bytes(tag::DATA, data),
        Item::bytes(tag::IV_COUNTER_NONCE, &[0; 16]),
    ];
    Operation::new(operation, payload)
}

fn query(functions: &[u32]) -> Operation {
    let functions = functions.iter().map(|code| Item::enumeration(tag::QUERY_FUNCTION, *code));
    Operation::new(op::QUERY, functions.collect())
}

fn data(payload: &Item) -> &[u8] {
    payload.child(tag::DATA).and_then(Item::as_bytes).expect("Data")
}

#[test]
fn the_handshake_runs_between_the_first_requests() {
    let server = Server::start();
    let mut arsenal = Arsenal::connect(&server, ONLY_13);
    // The first request goes out before the handshake, at 1.2; the handshake follows.
    let created = arsenal.call(bucket_key(None, None)).success();
    let object_type = created.child(tag::OBJECT_TYPE).and_then(Item::as_enumeration);
    assert_eq!(object_type, Some(2), "the client insists on the Object Type");
    let id = created.child(tag::UNIQUE_IDENTIFIER).and_then(Item::as_text).unwrap().to_owned();

    let offered = [(1, 4), (1, 3), (1, 2)].map(version_item).to_vec();
    let versions = arsenal.call(Operation::new(op::DISCOVER_VERSIONS, offered.clone())).success();
    assert_eq!(versions.children(), offered, "the intersection, best first");
    arsenal.version = (1, 4);
    let map = arsenal.call(query(&[6])).success();
    let names = map.children().iter().filter(|item| item.tag == tag::EXTENSION_INFORMATION);
    assert!(names.into_iter().all(|item| item.children().len() >= 2), "a name and a tag each");
    let information = arsenal.call(query(&[3])).success();
    assert!(information.child(tag::VENDOR_IDENTIFICATION).is_some());
    if let Some(information) = information.child(tag::SERVER_INFORMATION) {
        assert!(matches!(information.value, Value::Structure(_)));
    }
    let features = arsenal.call(query(&[1, 2])).success();
    let codes = |tag| {
        let items = features.children().iter().filter(move |item| item.tag == tag);
        items.filter_map(Item::as_enumeration).collect::<Vec<_>>()
    };
    for needed in
        [op::ENCRYPT, op::DECRYPT, op::ACTIVATE, op::REVOKE, op::CREATE, op::DESTROY, op::QUERY]
    {
        assert!(codes(tag::OPERATION).contains(&needed), "operation {needed:#x}");
    }
    assert!(codes(tag::OBJECT_TYPE).contains(&2), "Symmetric Key");

    assert_eq!(arsenal.call(on(op::ACTIVATE, &id)).unique_identifier(), id);
    let secret = [0x33; 32];
    let sealed = arsenal.call(cipher(op::ENCRYPT, &id, &secret)).success();
    assert_eq!(sealed.child(tag::UNIQUE_IDENTIFIER), Some(&unique_identifier(&id)));
    assert_eq!(data(&sealed).len(), 48);
    let opened = arsenal.call(cipher(op::DECRYPT, &id, data(&sealed))).success();
    assert_eq!(data(&opened), secret);
    assert_eq!(arsenal.call(revoke(&id, 6)).unique_identifier(), id);
    assert_eq!(arsenal.call(on(op::DESTROY, &id)).unique_identifier(), id);
}

#[test]
fn a_wrapped_data_key_is_the_one_that_zenko_stored() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    let id = client.call(register((1, 4), &[7; 32], None)).unique_identifier();
    client.call(on(op::ACTIVATE, &id)).success();
    let data_key: Vec<u8> = (0..32).collect();
    let wrapped = client.call(cipher(op::ENCRYPT, &id, &data_key)).success();
    assert_eq!(
        hex::encode(data(&wrapped)),
        "0dec55f125c04fc50228c6606cfcb22ae366e19193c28fad4bb38a51b7a5b456\
         dc1233e29edc5713abb624c1fb4d5c2f"
    );
}

#[test]
fn compound_create_comes_up_active() {
    let server = Server::start();
    let mut arsenal = Arsenal::connect(&server, ONLY_13);
    let epoch = attribute("Activation Date", Value::DateTime(0));
    let id = arsenal.call(bucket_key(None, Some(epoch))).unique_identifier();
    let asked = vec![unique_identifier(&id), Item::text(tag::ATTRIBUTE_NAME, "State")];
    let state = arsenal.call(Operation::new(op::GET_ATTRIBUTES, asked)).success();
    let path = [tag::ATTRIBUTE, tag::ATTRIBUTE_VALUE];
    assert_eq!(state.at(&path).and_then(Item::as_enumeration), Some(2), "Active");
    arsenal.call(cipher(op::ENCRYPT, &id, &[1; 32])).success();
}

#[test]
fn a_bucket_attribute_is_kept_and_found() {
    let server = Server::start();
    let mut arsenal = Arsenal::connect(&server, ONLY_13);
    let bucket = attribute("x-bucket", Value::TextString("bücket-1".into()));
    let id = arsenal.call(bucket_key(Some(bucket.clone()), None)).unique_identifier();
    let found = arsenal.call(Operation::new(op::LOCATE, vec![bucket])).success();
    assert_eq!(found.child(tag::UNIQUE_IDENTIFIER), Some(&unique_identifier(&id)));
}

#[test]
fn every_error_carries_its_operation_and_id() {
    let server = Server::start();
    let mut arsenal = Arsenal::connect(&server, ONLY_13);
    let id = arsenal.call(bucket_key(None, None)).unique_identifier();
    // A Name that is a text where a structure belongs: the value cannot be decoded, the item's frame can.
    let name_as_text = attribute("Name", Value::TextString("bucket".into()));
    let refused = arsenal.call(bucket_key(Some(name_as_text), None));
    assert_eq!(refused.operation, Some(op::CREATE));
    assert_ne!(refused.failure(), reason::ITEM_NOT_FOUND);
    let unknown = arsenal.call(cipher(op::ENCRYPT, "no-such-key", &[0; 32]));
    assert_eq!(unknown.failure(), reason::ITEM_NOT_FOUND);
    let inactive = arsenal.call(cipher(op::ENCRYPT, &id, &[0; 32]));
    assert_ne!(inactive.failure(), reason::ITEM_NOT_FOUND, "it is there, and not active");
    arsenal.call(on(op::ACTIVATE, &id)).success();
    for corrupt in [&[0xff; 48][..], &[1; 47], &[]] {
        arsenal.call(cipher(op::DECRYPT, &id, corrupt)).failure();
    }
    arsenal.call(cipher(op::ENCRYPT, &id, &[0; 32])).success();
    arsenal.call(revoke(&id, 6)).success();
    arsenal.call(on(op::DESTROY, &id)).success();
    let destroyed = arsenal.call(cipher(op::DECRYPT, &id, &[0; 48]));
    assert_eq!(destroyed.failure(), reason::ITEM_NOT_FOUND);
}

#[test]
fn pipelined_requests_are_answered_in_order_one_record_each() {
    let server = Server::start();
    for versions in [ONLY_12, ONLY_13] {
        let mut arsenal = Arsenal::connect(&server, versions);
        let id = arsenal.call(bucket_key(None, None)).unique_identifier();
        arsenal.call(on(op::ACTIVATE, &id)).success();
        for depth in [1, 8, 64] {
            // One write for all: several requests in one TLS record, as Node sends what it corked.
            let (mut bytes, mut ids) = (Vec::new(), Vec::new());
            for index in 0..depth {
                let data = [index; 32];
                let (request, id) = arsenal.request(cipher(op::ENCRYPT, &id, &data));
                bytes.extend(request);
                ids.push(id);
            }
            arsenal.connection.send(&bytes).unwrap();
            for id in ids {
                assert_eq!(data(&arsenal.answer(&id).success()).len(), 48);
            }
        }
    }
}

#[test]
fn a_request_may_come_in_pieces() {
    let server = Server::start();
    let mut arsenal = Arsenal::connect(&server, ONLY_12);
    let (bytes, id) = arsenal.request(bucket_key(None, None));
    for piece in [&bytes[..1], &bytes[1..9], &bytes[9..100], &bytes[100..]] {
        arsenal.connection.send(piece).unwrap();
    }
    arsenal.answer(&id).success();
}
