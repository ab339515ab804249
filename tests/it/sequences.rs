//! What known products do with a key server, operation by operation, at their versions.
//!
//! One test per product; each asserts what that product reads from the answers. The products cannot be had as
//! packages; their sequences were seen on the wire or are documented.

use crate::kmip::{
    Client, Operation, Version, attribute, create, key_block, name_fields, on, op, register,
    request, revoke, tag, unique_identifier,
};
use crate::server::Server;
use crate::ttlv::{Item, Value};

const CBC: u32 = 1;
const PKCS5: u32 = 3;

fn text(value: &str) -> Value {
    Value::TextString(value.to_owned())
}

fn locate(fields: Vec<Item>) -> Operation {
    Operation::new(op::LOCATE, fields)
}

fn by_name(name: &str) -> Item {
    attribute("Name", name_fields(name))
}

fn located(payload: &Item) -> Vec<&str> {
    let ids = payload.children().iter().filter(|item| item.tag == tag::UNIQUE_IDENTIFIER);
    ids.filter_map(Item::as_text).collect()
}

fn material(payload: &Item, object: u32) -> Vec<u8> {
    let path = [object, tag::KEY_BLOCK, tag::KEY_VALUE, tag::KEY_MATERIAL];
    payload.at(&path).and_then(Item::as_bytes).expect("key material").to_vec()
}

fn get_attributes(id: &str, names: &[&str]) -> Operation {
    let mut payload = vec![unique_identifier(id)];
    payload.extend(names.iter().map(|name| Item::text(tag::ATTRIBUTE_NAME, name)));
    Operation::new(op::GET_ATTRIBUTES, payload)
}

fn add_attribute(id: &str, attribute: Item) -> Operation {
    Operation::new(op::ADD_ATTRIBUTE, vec![unique_identifier(id), attribute])
}

/// The values of the attribute `name`, in the answer's order.
fn values<'a>(payload: &'a Item, name: &str) -> Vec<&'a Value> {
    let attributes = payload.children().iter().filter(|item| item.tag == tag::ATTRIBUTE);
    attributes
        .filter(|item| item.child(tag::ATTRIBUTE_NAME).and_then(Item::as_text) == Some(name))
        .filter_map(|item| Some(&item.child(tag::ATTRIBUTE_VALUE)?.value))
        .collect()
}

fn cbc(operation: u32, id: &str, data: &[u8], iv: &[u8]) -> Operation {
    let parameters = Item::structure(
        tag::CRYPTOGRAPHIC_PARAMETERS,
        vec![
            Item::enumeration(tag::BLOCK_CIPHER_MODE, CBC),
            Item::enumeration(tag::PADDING_METHOD, PKCS5),
            Item::enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3),
        ],
    );
    let payload = vec![
        unique_identifier(id),
        parameters,
        Item::bytes(tag::DATA, data),
        Item::bytes(tag::IV_COUNTER_NONCE, iv),
    ];
    Operation::new(operation, payload)
}

fn data(payload: &Item) -> Vec<u8> {
    payload.child(tag::DATA).and_then(Item::as_bytes).expect("Data").to_vec()
}

fn query(functions: &[u32]) -> Operation {
    let functions = functions.iter().map(|code| Item::enumeration(tag::QUERY_FUNCTION, *code));
    Operation::new(op::QUERY, functions.collect())
}

fn discover(versions: &[Version]) -> Operation {
    let versions = versions.iter().map(|version| crate::kmip::version_item(*version));
    Operation::new(op::DISCOVER_VERSIONS, versions.collect())
}

/// Activate where needed, then Revoke and Destroy, each echoing the identifier.
fn retire(client: &mut Client, id: &str) {
    assert_eq!(client.call(revoke(id, 6)).unique_identifier(), id);
    assert_eq!(client.call(on(op::DESTROY, id)).unique_identifier(), id);
    assert_eq!(client.call(on(op::GET, id)).failure(), 1, "Item Not Found after Destroy");
}

#[test]
fn mongodb_enterprise_at_1_0_and_1_2() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 0));
    let id = client.call(create((1, 0), None)).unique_identifier();
    let found =
        client.call(locate(vec![attribute("Object Type", Value::Enumeration(2))])).success();
    assert_eq!(located(&found), [id.as_str()]);
    assert!(found.child(tag::LOCATED_ITEMS).is_none(), "a field of 1.3");
    assert_eq!(material(&client.call(on(op::GET, &id)).success(), tag::SYMMETRIC_KEY).len(), 32);
    assert_eq!(client.call(on(op::DESTROY, &id)).unique_identifier(), id);

    let mut client = Client::connect(&server, (1, 2));
    let id = client.call(create((1, 2), None)).unique_identifier();
    assert_eq!(client.call(on(op::ACTIVATE, &id)).unique_identifier(), id);
    let state = client.call(get_attributes(&id, &["State"])).success();
    assert_eq!(values(&state, "State"), [&Value::Enumeration(2)]);
    assert_eq!(material(&client.call(on(op::GET, &id)).success(), tag::SYMMETRIC_KEY).len(), 32);
}

#[test]
fn mysql_keyring_okv_at_1_1() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 1));
    let id = client.call(create((1, 1), Some("INNODBKey-1"))).unique_identifier();
    assert_eq!(client.call(on(op::ACTIVATE, &id)).unique_identifier(), id);
    let found = client.call(locate(vec![by_name("INNODBKey-1")])).success();
    assert_eq!(located(&found), [id.as_str()]);
    assert_eq!(material(&client.call(on(op::GET, &id)).success(), tag::SYMMETRIC_KEY).len(), 32);
    retire(&mut client, &id);
}

#[test]
fn pg_tde_registers_at_1_4_and_reads_at_1_0() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    let key = [0xa7; 32];
    let id = client.call(register((1, 4), &key, Some("pg-key-1"))).unique_identifier();
    client.call(register((1, 4), &[1; 32], Some("pg-key-10"))).success();
    // One connection for each call, never activated.
    let mut client = Client::connect(&server, (1, 0));
    let found = client
        .call(locate(vec![
            Item::integer(tag::MAXIMUM_ITEMS, 16),
            attribute("Object Type", Value::Enumeration(2)),
            by_name("pg-key-1"),
        ]))
        .success();
    assert_eq!(located(&found), [id.as_str()], "exactly one, else it gives up");
    let mut client = Client::connect(&server, (1, 0));
    let payload = client.call(on(op::GET, &id)).success();
    assert_eq!(material(&payload, tag::SYMMETRIC_KEY), key);
    assert_eq!(client.call(on(op::DESTROY, &id)).unique_identifier(), id);
}

#[test]
fn edb_tde_rotates_between_two_keys() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 2));
    let (old, new) = (
        client.call(create((1, 2), None)).unique_identifier(),
        client.call(create((1, 2), None)).unique_identifier(),
    );
    for id in [&old, &new] {
        client.call(on(op::ACTIVATE, id)).success();
    }
    let secret = [0x11; 32];
    let sealed = data(&client.call(cbc(op::ENCRYPT, &old, &secret, &[7; 16])).success());
    assert_ne!(sealed[..32], secret);
    let opened = data(&client.call(cbc(op::DECRYPT, &old, &sealed, &[7; 16])).success());
    assert_eq!(opened, secret);
    let moved = data(&client.call(cbc(op::ENCRYPT, &new, &opened, &[8; 16])).success());
    client.call(revoke(&old, 4)).success();
    // A superseded key still opens what it sealed, and seals nothing more.
    let opened = data(&client.call(cbc(op::DECRYPT, &old, &sealed, &[7; 16])).success());
    assert_eq!(opened, secret);
    assert_ne!(client.call(cbc(op::ENCRYPT, &old, &secret, &[7; 16])).status, 0);
    assert_eq!(client.call(on(op::DESTROY, &old)).unique_identifier(), old);
    assert_eq!(data(&client.call(cbc(op::DECRYPT, &new, &moved, &[8; 16])).success()), secret);
}

#[test]
fn ceph_rgw_finds_a_key_by_name_alone_at_1_0() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 0));
    let id = client.call(create((1, 0), Some("rgw-key"))).unique_identifier();
    let other = client.call(create((1, 0), Some("rgw-key-2"))).unique_identifier();
    let found = client.call(locate(vec![by_name("rgw-key")])).success();
    assert_eq!(located(&found), [id.as_str()], "exact, not a prefix");
    assert!(located(&client.call(locate(vec![by_name("nobody")])).success()).is_empty());
    let payload = client.call(on(op::GET, &id)).success();
    assert_eq!(material(&payload, tag::SYMMETRIC_KEY).len(), 32);
    assert_ne!(id, other);
}

#[test]
fn vcenter_tags_its_key_with_custom_attributes_at_1_1() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 1));
    let versions = client.call(discover(&[])).success();
    assert!(versions.children().contains(&crate::kmip::version_item((1, 1))));
    client.call(query(&[1, 2, 3])).success();
    let id = client.call(create((1, 1), None)).unique_identifier();
    let before = client.call(get_attributes(&id, &[])).success();
    assert_eq!(values(&before, "State"), [&Value::Enumeration(1)], "no names asked: all come");
    let tags = [
        ("x-Product_Version", "8.0.2 build-22617221"),
        ("x-Vendor", "VMware, Inc."),
        ("x-Product", "VMware vSphere"),
    ];
    for (name, value) in tags {
        let answer = client.call(add_attribute(&id, attribute(name, text(value)))).success();
        assert_eq!(answer.child(tag::UNIQUE_IDENTIFIER), Some(&unique_identifier(&id)));
        assert_eq!(values(&answer, name), [&text(value)], "the attribute comes back");
    }
    let after = client.call(get_attributes(&id, &[])).success();
    for (name, value) in tags {
        assert_eq!(values(&after, name), [&text(value)]);
    }
    assert_eq!(material(&client.call(on(op::GET, &id)).success(), tag::SYMMETRIC_KEY).len(), 32);
}

#[test]
fn synology_renames_a_password_at_1_2() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 2));
    for functions in [&[1][..], &[2], &[3]] {
        client.call(query(functions)).success();
    }
    assert!(located(&client.call(locate(Vec::new())).success()).is_empty());
    client.call(query(&[1, 2])).success();
    let attributes = vec![
        attribute("Cryptographic Usage Mask", Value::Integer(0)),
        attribute("Operation Policy Name", text("default")),
        by_name("synology-temporary"),
    ];
    let object = vec![Item::enumeration(tag::SECRET_DATA_TYPE, 1), key_block(2, b"hunter2", None)];
    let payload = vec![
        Item::enumeration(tag::OBJECT_TYPE, 7),
        Item::structure(tag::TEMPLATE_ATTRIBUTE, attributes),
        Item::structure(tag::SECRET_DATA, object),
    ];
    let id = client.call(Operation::new(op::REGISTER, payload)).unique_identifier();
    let rename = vec![unique_identifier(&id), by_name("volume-1")];
    client.call(Operation::new(op::MODIFY_ATTRIBUTE, rename)).success();
    let found = client.call(locate(vec![by_name("volume-1")])).success();
    assert_eq!(located(&found), [id.as_str()]);
    let found = client.call(locate(vec![by_name("synology-temporary")])).success();
    assert!(located(&found).is_empty(), "the old name is gone");
    client.call(on(op::ACTIVATE, &id)).success();
    let list = client.call(on(op::GET_ATTRIBUTE_LIST, &id)).success();
    let names: Vec<_> = list.children().iter().skip(1).filter_map(Item::as_text).collect();
    assert!(names.contains(&"State") && names.contains(&"Name"), "{names:?}");
    let all = client.call(get_attributes(&id, &names)).success();
    for name in &names {
        assert!(!values(&all, name).is_empty(), "{name} is listed and not given");
    }
    let payload = client.call(on(op::GET, &id)).success();
    assert_eq!(material(&payload, tag::SECRET_DATA), b"hunter2");
    retire(&mut client, &id);
}

#[test]
fn vast_data_labels_a_key_after_creating_it_and_replaces_it_at_1_4() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    client.call(discover(&[])).success();
    let id = client.call(create((1, 4), None)).unique_identifier();
    for label in [
        by_name("vast-ekm-1"),
        attribute("Object Group", text("vast")),
        attribute("Operation Policy Name", text("default")),
    ] {
        client.call(add_attribute(&id, label)).success();
    }
    client.call(on(op::ACTIVATE, &id)).success();
    let group = attribute("Object Group", text("vast"));
    let page = Item::integer(tag::MAXIMUM_ITEMS, 10);
    let found = client.call(locate(vec![page, by_name("vast-ekm-1"), group])).success();
    assert_eq!(located(&found), [id.as_str()]);
    assert_eq!(found.child(tag::LOCATED_ITEMS).and_then(Item::as_integer), Some(1));
    let key = client.call(on(op::GET, &id)).success();
    let all = client.call(get_attributes(&id, &[])).success();
    assert_eq!(values(&all, "Object Group"), [&text("vast")]);
    let next = client.call(on(op::RE_KEY, &id)).unique_identifier();
    let found = client.call(locate(vec![by_name("vast-ekm-1")])).success();
    assert_eq!(located(&found), [next.as_str()], "the name is the new key's");
    let new = client.call(on(op::GET, &next)).success();
    assert_ne!(material(&new, tag::SYMMETRIC_KEY), material(&key, tag::SYMMETRIC_KEY));
    let all = client.call(get_attributes(&next, &[])).success();
    assert_eq!(values(&all, "Object Group"), [&text("vast")]);
    for id in [id, next] {
        retire(&mut client, &id);
    }
}

#[test]
fn fortigate_finds_and_gets_in_one_batch_at_1_0() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 0));
    let mut ids = Vec::new();
    for (name, byte) in [("vpn-psk", 1), ("vpn-psk-2", 2), ("vpn", 3)] {
        ids.push(client.call(register((1, 0), &[byte; 32], Some(name))).unique_identifier());
    }
    for id in &ids {
        assert_eq!(client.call(on(op::ACTIVATE, id)).unique_identifier(), *id);
    }
    // A credential of a numeric type that is empty, no batch item ids, and Get of what Locate found.
    let credential = Item::structure(
        0x42_000c,
        vec![Item::structure(
            0x42_0023,
            vec![
                Item::enumeration(0x42_0024, 1),
                Item::structure(
                    0x42_0025,
                    vec![Item::text(0x42_0099, ""), Item::text(0x42_00a1, "")],
                ),
            ],
        )],
    );
    let header = vec![credential, Item::boolean(tag::BATCH_ORDER_OPTION, true)];
    let batch = [locate(vec![by_name("vpn-psk")]), Operation::new(op::GET, Vec::new())];
    let reply = client.send(&request((1, 0), header, &batch));
    let [found, key] = <[_; 2]>::try_from(reply.items).unwrap();
    assert_eq!(located(&found.success()), [ids[0].as_str()], "the exact name");
    assert_eq!(material(&key.success(), tag::SYMMETRIC_KEY), [1; 32]);
}

#[test]
fn veeam_makes_a_key_pair_and_reads_both_halves_at_1_4() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 4));
    let common = vec![
        attribute("Cryptographic Algorithm", Value::Enumeration(4)),
        attribute("Cryptographic Length", Value::Integer(2048)),
    ];
    let half = |usage| vec![attribute("Cryptographic Usage Mask", Value::Integer(usage))];
    let payload = vec![
        Item::structure(0x42_001f, common),
        Item::structure(0x42_0065, half(8)),
        Item::structure(0x42_006e, half(4)),
    ];
    let pair = client.call(Operation::new(op::CREATE_KEY_PAIR, payload)).success();
    let id = |tag| pair.child(tag).and_then(Item::as_text).expect("an identifier").to_owned();
    let (private, public) = (id(0x42_0066), id(0x42_006f));
    let format = |payload: &Item, object| {
        let path = [object, tag::KEY_BLOCK, tag::KEY_FORMAT_TYPE];
        payload.at(&path).and_then(Item::as_enumeration)
    };
    let payload = client.call(on(op::GET, &private)).success();
    assert!(format(&payload, 0x42_0064).is_some(), "a Private Key with a format: {payload:?}");
    let payload = client.call(on(op::GET, &public)).success();
    assert!(format(&payload, 0x42_006d).is_some(), "a Public Key with a format: {payload:?}");
    for id in [private, public] {
        assert_eq!(client.call(on(op::DESTROY, &id)).unique_identifier(), id);
    }
}
