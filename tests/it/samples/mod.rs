//! Single requests of real clients, byte for byte, and what each of those clients needs in the answer.
//!
//! `requests.txt` holds the bytes; only identifiers are exchanged for ours, because a client cannot know them before.

use crate::hex;
use crate::kmip::{
    Client, Operation, Reply, aes_attributes, attribute, on, op, register, request, revoke, tag,
};
use crate::server::Server;
use crate::tls::{Connection, Identity};
use crate::ttlv::{Item, Value};

const KEY: [u8; 32] = [0x5a; 32];
const MATERIAL: [u32; 3] = [tag::KEY_BLOCK, tag::KEY_VALUE, tag::KEY_MATERIAL];

/// The recorded request `name`, with our identifier in the place of theirs.
pub(crate) fn sample(name: &str, id: Option<&str>) -> Item {
    let line = include_str!("requests.txt")
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no sample {name}"));
    let bytes = hex::decode(line);
    let mut item = Item::decode(&bytes).unwrap();
    assert_eq!(item.encode(), bytes, "{name}: the test's own codec must not change the bytes");
    item.walk_mut(&mut |item| {
        if let (tag::UNIQUE_IDENTIFIER, Some(id)) = (item.tag, id) {
            item.value = Value::TextString(id.to_owned());
        }
    });
    item
}

struct Peer {
    connection: Connection,
    _server: Server,
    client: Client,
}

impl Peer {
    fn new() -> Self {
        let server = Server::start();
        let connection =
            Connection::open(server.kmip, &Identity::exported(&server.client)).unwrap();
        let client = Client::connect(&server, (1, 4));
        Self { connection, _server: server, client }
    }

    /// Sends a sample; the answer must be one TLS record within the client's own limit.
    fn send(&mut self, name: &str, id: Option<&str>) -> Reply {
        let request = sample(name, id);
        let frame = self.connection.exchange(&request.encode()).unwrap();
        assert_eq!((frame.records, frame.ends_record), (1, true), "{name}");
        let limit = request.at(&[tag::REQUEST_HEADER, tag::MAXIMUM_RESPONSE_SIZE]);
        if let Some(limit) = limit.and_then(Item::as_integer) {
            assert!(frame.bytes.len() <= limit as usize, "{name}: {} bytes", frame.bytes.len());
        }
        let reply = Reply::read(&frame.bytes).unwrap();
        let asked = request.at(&[tag::REQUEST_HEADER, tag::PROTOCOL_VERSION]);
        assert_eq!(reply.header.child(tag::PROTOCOL_VERSION), asked, "{name}: another version");
        reply
    }

    fn registered(&mut self) -> String {
        self.client.call(register((1, 4), &KEY, None)).unique_identifier()
    }
}

/// What the rigid decoders of libkmip and Percona Server for MongoDB accept as the answer to Get.
fn assert_raw_symmetric_key(payload: &Item, id: &str, key: &[u8]) {
    let tags: Vec<_> = payload.children().iter().map(|item| item.tag).collect();
    assert_eq!(tags, [tag::OBJECT_TYPE, tag::UNIQUE_IDENTIFIER, tag::SYMMETRIC_KEY]);
    assert_eq!(payload.child(tag::UNIQUE_IDENTIFIER).and_then(Item::as_text), Some(id));
    let block = payload.at(&[tag::SYMMETRIC_KEY, tag::KEY_BLOCK]).unwrap();
    let format = block.child(tag::KEY_FORMAT_TYPE).and_then(Item::as_enumeration);
    assert_eq!(format, Some(1), "Raw");
    let tags: Vec<_> = block.children().iter().map(|item| item.tag).collect();
    let expected = [
        tag::KEY_FORMAT_TYPE,
        tag::KEY_VALUE,
        tag::CRYPTOGRAPHIC_ALGORITHM,
        tag::CRYPTOGRAPHIC_LENGTH,
    ];
    assert_eq!(tags, expected, "nothing more, and no wrapping");
    let value = block.child(tag::KEY_VALUE).unwrap();
    assert_eq!(value.children(), [Item::bytes(tag::KEY_MATERIAL, key)], "no attributes in there");
}

#[test]
fn libkmip_gets_a_key_also_with_an_empty_credential() {
    let mut peer = Peer::new();
    let id = peer.registered();
    for name in ["libkmip-get", "libkmip-get-empty-credential"] {
        let payload = peer.send(name, Some(&id)).only().success();
        assert_raw_symmetric_key(&payload, &id, &KEY);
    }
}

#[test]
fn kmippp_pages_through_a_group_at_1_0() {
    let mut peer = Peer::new();
    let group = |group: &str| attribute("Object Group", Value::TextString(group.to_owned()));
    let mut ids = Vec::new();
    for name in ["TestGroup", "TestGroup", "TestGroup", "AnotherGroup"] {
        let mut attributes = aes_attributes((1, 4), 12, None);
        let Value::Structure(children) = &mut attributes.value else { unreachable!() };
        children.push(group(name));
        let payload = vec![Item::enumeration(tag::OBJECT_TYPE, 2), attributes];
        ids.push(peer.client.call(Operation::new(op::CREATE, payload)).unique_identifier());
    }
    // The sample asks for what follows the first two: the one that is left, which is the oldest.
    let payload = peer.send("kmippp-locate-second-page", None).only().success();
    assert_eq!(payload.children(), [Item::text(tag::UNIQUE_IDENTIFIER, &ids[0])]);
}

#[test]
fn kmippp_registers_secret_data_with_a_group() {
    let mut peer = Peer::new();
    let id = peer.send("kmippp-register-secret-data", None).only().unique_identifier();
    let payload = peer.client.call(on(op::GET, &id)).success();
    let secret = payload.child(tag::SECRET_DATA).unwrap();
    let text = secret.at(&MATERIAL).and_then(Item::as_bytes).unwrap();
    assert_eq!(hex::encode(text), "4d795365637265745061737377307264");
}

#[test]
fn kmipclient_reads_a_key_and_its_attributes_in_one_message() {
    let mut peer = Peer::new();
    let id = peer.client.call(register((1, 4), &KEY, Some("k1"))).unique_identifier();
    let reply = peer.send("kmipclient-get-and-attributes", Some(&id));
    let ids: Vec<_> = reply.items.iter().map(|item| item.id.clone()).collect();
    assert_eq!(ids, [Some(vec![0, 0, 0, 1]), Some(vec![0, 0, 0, 2])]);
    let [get, attributes] = <[_; 2]>::try_from(reply.items).unwrap();
    assert_raw_symmetric_key(&get.success(), &id, &KEY);
    let payload = attributes.success();
    let value = |name: &str| {
        let is_it =
            |item: &&Item| item.child(tag::ATTRIBUTE_NAME).and_then(Item::as_text) == Some(name);
        let found = payload.children().iter().find(is_it)?;
        Some(found.child(tag::ATTRIBUTE_VALUE)?.value.clone())
    };
    assert_eq!(value("State"), Some(Value::Enumeration(1)));
    let Some(Value::Structure(name)) = value("Name") else { panic!("no Name: {payload:?}") };
    assert_eq!(name, [Item::text(tag::NAME_VALUE, "k1"), Item::enumeration(tag::NAME_TYPE, 1)]);
    assert_eq!(value("Cryptographic Algorithm"), Some(Value::Enumeration(3)));
    assert_eq!(value("Cryptographic Length"), Some(Value::Integer(256)));
    assert_eq!(value("Cryptographic Usage Mask"), Some(Value::Integer(12)));
}

#[test]
fn libmongocrypt_registers_a_seed_without_usage() {
    let mut peer = Peer::new();
    let name = "libmongocrypt-register-secret-data";
    let id = peer.send(name, None).only().unique_identifier();
    assert_eq!(peer.client.call(on(op::ACTIVATE, &id)).unique_identifier(), id);
    let payload = peer.client.call(on(op::GET, &id)).success();
    let secret = payload.child(tag::SECRET_DATA).unwrap();
    let sent = sample(name, None);
    let sent = sent.at(&[tag::BATCH_ITEM, tag::REQUEST_PAYLOAD, tag::SECRET_DATA]).unwrap();
    assert_eq!(secret, sent, "type Seed, format Opaque, 96 bytes: as registered");
}

#[test]
fn libmongocrypt_encrypts_with_an_iv_of_the_server() {
    let mut peer = Peer::new();
    let id = peer.registered();
    peer.client.call(on(op::ACTIVATE, &id)).success();
    let reply = peer.send("libmongocrypt-encrypt", Some(&id)).only().success();
    let bytes = |tag| reply.child(tag).and_then(Item::as_bytes).unwrap();
    let (data, iv) = (bytes(tag::DATA), bytes(tag::IV_COUNTER_NONCE));
    assert_eq!((data.len(), iv.len()), (112, 16));

    let sent = sample("libmongocrypt-encrypt", Some(&id));
    let payload = sent.at(&[tag::BATCH_ITEM, tag::REQUEST_PAYLOAD]).unwrap();
    let decrypt = Operation::new(
        op::DECRYPT,
        vec![
            Item::text(tag::UNIQUE_IDENTIFIER, &id),
            payload.child(tag::CRYPTOGRAPHIC_PARAMETERS).unwrap().clone(),
            Item::bytes(tag::DATA, data),
            Item::bytes(tag::IV_COUNTER_NONCE, iv),
        ],
    );
    let back = peer.client.call(decrypt).success();
    assert_eq!(back.child(tag::DATA), payload.child(tag::DATA));
}

#[test]
fn percona_server_for_mongodb_registers_activates_polls_and_reads() {
    let mut peer = Peer::new();
    let id = peer.send("psmdb-register", None).only().unique_identifier();
    assert_eq!(peer.send("psmdb-activate", Some(&id)).only().unique_identifier(), id);

    let state = peer.send("psmdb-state", Some(&id)).only().success();
    let active = attribute("State", Value::Enumeration(2));
    assert_eq!(
        state.children(),
        [Item::text(tag::UNIQUE_IDENTIFIER, &id), active],
        "its decoder takes exactly one attribute"
    );

    let key: Vec<u8> = (0..32).collect();
    let payload = peer.send("psmdb-get", Some(&id)).only().success();
    assert_raw_symmetric_key(&payload, &id, &key);
    assert_eq!(peer.send("psmdb-get", Some("absent")).only().failure(), 1, "Item Not Found");
}

#[test]
fn old_percona_clients_register_an_empty_name_and_a_base64_key() {
    let mut peer = Peer::new();
    // 32 bytes as base64 text: an "AES" key of 352 bits; and a Name that is empty, several times over.
    let text = [b'A'; 44];
    for _ in 0..2 {
        let operation = register((1, 4), &text, Some(""));
        let id = peer.client.call(operation).unique_identifier();
        let payload = peer.client.call(on(op::GET, &id)).success();
        assert_raw_symmetric_key(&payload, &id, &text);
    }
}

#[test]
fn a_compromised_key_can_still_be_read_for_rotation() {
    let mut peer = Peer::new();
    let id = peer.registered();
    peer.client.call(on(op::ACTIVATE, &id)).success();
    peer.client.call(revoke(&id, 2)).success();
    let reply = peer.client.send(&request((1, 4), Vec::new(), &[on(op::GET, &id)]));
    assert_raw_symmetric_key(&reply.only().success(), &id, &KEY);
}
