//! Who may do what: every operation against every role that grants one, scopes that do not see each other, and
//! credentials, roles and scopes that end under an open connection.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::version::{TLS12, TLS13};
use serde_json::{Map, Value as Json, json};

use crate::api::Api;
use crate::kmip::{
    Client, Operation, Reply, Version, attribute, create, name_fields, on, op, reason, register,
    request, revoke, tag, unique_identifier,
};
use crate::server::Server;
use crate::tls::{Connection, Identity};
use crate::ttlv::Item;

/// A Request Message with nothing in it.
const EMPTY: [u8; 8] = [0x42, 0x00, 0x78, 0x01, 0, 0, 0, 0];
const NOBODY: &str = "no-such-object";

/// An operation that the server offers, and a request that needs its permission.
struct Row {
    /// Permission, without the prefix `operation_`.
    name: &'static str,
    version: Version,
    operation: Operation,
}

/// What the running server says it can do, each operation in the oldest of these versions that has it. One that
/// [`example`] does not know fails the test: a new operation cannot stay out of the matrix.
fn operations(server: &Server) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for version in [(1, 4), (2, 1)] {
        let mut client = Client::connect(server, version);
        let payload = client.call(query()).success();
        let codes = payload.children().iter().filter(|item| item.tag == tag::OPERATION);
        for code in codes.map(|item| item.as_enumeration().unwrap()) {
            if rows.iter().any(|row| row.operation.code == code) {
                continue;
            }
            let (name, payload) = example(code, version).unwrap_or_else(|| {
                panic!("operation {code:#x} of {version:?} has no example here")
            });
            rows.push(Row { name, version, operation: Operation::new(code, payload) });
        }
    }
    assert!(rows.len() >= 35, "Query names {} operations", rows.len());
    rows
}

fn query() -> Operation {
    Operation::new(op::QUERY, vec![Item::enumeration(tag::QUERY_FUNCTION, 1)])
}

/// The permission of an operation, and the least that it can be asked. On an object that does not exist, so that only
/// permission decides: a client that may ask is told Item Not Found.
fn example(code: u32, version: Version) -> Option<(&'static str, Vec<Item>)> {
    let id = || unique_identifier(NOBODY);
    let with = |more: Item| vec![id(), more];
    let name = || with(attribute("Name", name_fields("n")));
    let data = || Item::bytes(tag::DATA, b"data");
    let sha_256 =
        Item::structure(tag::CRYPTOGRAPHIC_PARAMETERS, vec![Item::enumeration(0x42_0038, 6)]);
    Some(match code {
        op::CREATE => ("create", create(version, None).payload),
        op::CREATE_KEY_PAIR => ("create_key_pair", vec![]),
        op::REGISTER => ("register", register(version, &[9; 32], None).payload),
        0x04 => ("rekey", vec![id()]),
        0x05 => ("derive_key", derivation(version)),
        op::LOCATE => ("locate", vec![]),
        0x09 => ("check", vec![id()]),
        op::GET => ("get", vec![id()]),
        op::GET_ATTRIBUTES => ("get_attributes", vec![id()]),
        op::GET_ATTRIBUTE_LIST => ("get_attribute_list", vec![id()]),
        op::ADD_ATTRIBUTE => ("add_attribute", name()),
        op::MODIFY_ATTRIBUTE => ("modify_attribute", name()),
        op::DELETE_ATTRIBUTE => ("delete_attribute", with(Item::text(tag::ATTRIBUTE_NAME, "Name"))),
        0x10 => ("obtain_lease", vec![id()]),
        0x11 => ("get_usage_allocation", with(Item::long_integer(0x42_0096, 1))),
        op::ACTIVATE => ("activate", vec![id()]),
        op::REVOKE => ("revoke", revoke(NOBODY, 1).payload),
        op::DESTROY => ("destroy", vec![id()]),
        op::QUERY => ("query", query().payload),
        op::DISCOVER_VERSIONS => ("discover_versions", vec![]),
        0x1d => ("rekey_key_pair", vec![Item::text(0x42_0066, NOBODY)]),
        op::ENCRYPT => ("encrypt", with(data())),
        op::DECRYPT => ("decrypt", with(data())),
        0x21 => ("sign", with(data())),
        0x22 => ("signature_verify", vec![id(), data(), Item::bytes(0x42_00c3, b"signature")]),
        0x23 => ("mac", with(data())),
        0x24 => ("mac_verify", vec![id(), data(), Item::bytes(0x42_00c6, b"mac")]),
        0x25 => ("rng_retrieve", vec![Item::integer(0x42_00c4, 8)]),
        0x26 => ("rng_seed", vec![data()]),
        0x27 => ("hash", vec![sha_256, data()]),
        0x2a => ("import", register(version, &[9; 32], None).payload),
        0x2b => ("export", vec![id()]),
        0x2c => ("log", vec![Item::text(0x42_0141, "a line")]),
        0x31 => {
            let new_attribute = Item::structure(0x42_013d, vec![Item::boolean(0x42_0120, true)]);
            ("set_attribute", with(new_attribute))
        }
        0x34 => ("interop", vec![Item::enumeration(0x42_0160, 1)]),
        _ => return None,
    })
}

/// Derive Key of an AES key, by Hash.
fn derivation(version: Version) -> Vec<Item> {
    vec![
        Item::enumeration(tag::OBJECT_TYPE, 2),
        unique_identifier(NOBODY),
        Item::enumeration(0x42_0031, 2),
        Item::structure(0x42_0032, vec![]),
        crate::kmip::aes_attributes(version, 12, None),
    ]
}

/// Open to every live credential, unless the role says `false` in so many words.
const OPEN: [&str; 2] = ["discover_versions", "query"];

/// A scope with a role, and a credential of it.
fn credential(server: &Server, scope: &str, role: &str, operations: &Json) -> Identity {
    let api = Api::root(server);
    assert_eq!(api.write(&format!("kmip/scope/{scope}"), &json!({})).status, 204);
    let path = format!("kmip/scope/{scope}/role/{role}");
    let written = api.write(&path, operations);
    assert_eq!(written.status, 204, "{operations}: {written:?}");
    let made = api.write(&format!("{path}/credential/generate"), &json!({"format": "pem"})).data();
    let text = |field: &str| made[field].as_str().unwrap().as_bytes().to_vec();
    let ca = std::fs::read(server.client.join("ca.pem")).unwrap();
    Identity::from_pem(&ca, &text("certificate"), &text("private_key"))
}

/// Which operations this credential is denied; the answers to the others are its own affair.
fn denied(server: &Server, identity: &Identity, rows: &[Row]) -> Vec<&'static str> {
    let mut client = Client::connect_as(server, (1, 4), identity);
    let mut denied = Vec::new();
    for Row { name, version, operation } in rows {
        client.version = *version;
        let code = operation.code;
        let item = client.call(Operation::new(code, operation.payload.clone()));
        assert_eq!(item.operation, Some(code), "{name}: the operation is echoed");
        assert_ne!(item.reason, Some(reason::OPERATION_NOT_SUPPORTED), "{name}");
        if item.reason == Some(reason::PERMISSION_DENIED) {
            denied.push(*name);
        }
    }
    denied
}

fn all_but(rows: &[Row], granted: &[&str]) -> Vec<&'static str> {
    let names = rows.iter().map(|row| row.name);
    names.filter(|name| !granted.contains(name) && !OPEN.contains(name)).collect()
}

/// A field of a role.
fn permission(name: &str) -> String {
    format!("operation_{name}")
}

#[test]
fn every_operation_against_every_role_that_grants_one() {
    let server = Server::start();
    let rows = operations(&server);
    for Row { name: granted, .. } in &rows {
        let fields = Map::from_iter([(permission(granted), json!(true))]);
        let identity = credential(&server, "matrix", granted, &Json::Object(fields));
        let found = denied(&server, &identity, &rows);
        assert_eq!(found, all_but(&rows, &[granted]), "role of {granted}");
    }
}

#[test]
fn every_operation_against_every_role_that_lacks_one() {
    let server = Server::start();
    let rows = operations(&server);
    for Row { name: lacking, .. } in &rows {
        // Granted one by one, and left out; then all, and refused in so many words.
        let others = rows.iter().filter(|row| row.name != *lacking);
        let fields = others.map(|row| (permission(row.name), json!(true))).collect();
        let left_out = credential(&server, "lacking", lacking, &Json::Object(fields));
        let expected = if OPEN.contains(lacking) { vec![] } else { vec![*lacking] };
        assert_eq!(denied(&server, &left_out, &rows), expected, "role without {lacking}");
        let fields =
            Map::from_iter([(permission("all"), json!(true)), (permission(lacking), json!(false))]);
        let refused = credential(&server, "refusing", lacking, &Json::Object(fields));
        assert_eq!(denied(&server, &refused, &rows), [*lacking], "role that refuses {lacking}");
    }
}

#[test]
fn all_none_and_what_they_leave_out() {
    let server = Server::start();
    let rows = operations(&server);
    let cases = [
        (json!({"operation_all": true}), vec![]),
        (json!({"operation_none": true}), all_but(&rows, &[])),
        (json!({}), all_but(&rows, &[])),
        (json!({"operation_none": true, "operation_get": true}), all_but(&rows, &["get"])),
        (json!({"operation_all": true, "operation_destroy": false}), vec!["destroy"]),
        (
            json!({"operation_all": true, "operation_query": false, "operation_discover_versions": false}),
            OPEN.to_vec(),
        ),
    ];
    for (index, (fields, mut expected)) in cases.into_iter().enumerate() {
        let identity = credential(&server, "pseudo", &format!("r{index}"), &fields);
        let mut found = denied(&server, &identity, &rows);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{fields}");
    }
}

#[test]
fn a_role_that_changes_changes_its_open_connections() {
    let server = Server::start();
    let identity = credential(&server, "live", "r", &json!({"operation_all": true}));
    let mut client = Client::connect_as(&server, (1, 4), &identity);
    client.call(create((1, 4), None)).success();
    let path = "kmip/scope/live/role/r";
    assert_eq!(Api::root(&server).write(path, &json!({"operation_get": true})).status, 204);
    assert_eq!(client.call(create((1, 4), None)).failure(), reason::PERMISSION_DENIED);
    assert_eq!(client.call(on(op::GET, NOBODY)).failure(), reason::ITEM_NOT_FOUND);
}

#[test]
fn an_object_of_another_scope_does_not_exist() {
    let server = Server::start();
    let all = json!({"operation_all": true});
    let mut ours = Client::connect_as(&server, (1, 4), &credential(&server, "ours", "r", &all));
    let mut theirs = Client::connect_as(&server, (1, 4), &credential(&server, "theirs", "r", &all));
    let id = theirs.call(create((1, 4), Some("shared-name"))).unique_identifier();
    let mut requests: Vec<Operation> = operations(&server)
        .into_iter()
        .filter(|row| row.version == (1, 4))
        .map(|row| row.operation)
        .filter(|operation| operation.payload.iter().any(|item| item.as_text() == Some(NOBODY)))
        .collect();
    assert!(requests.len() > 12, "{} operations name an object", requests.len());
    for operation in &mut requests {
        let unknown = operation.payload.clone();
        let code = operation.code;
        for item in &mut operation.payload {
            item.walk_mut(&mut |item| {
                if item.tag == tag::UNIQUE_IDENTIFIER {
                    *item = unique_identifier(&id);
                }
            });
        }
        let foreign = ours.call(Operation::new(code, operation.payload.clone()));
        let absent = ours.call(Operation::new(code, unknown));
        assert_eq!(foreign.failure(), reason::ITEM_NOT_FOUND, "operation {code:#x}");
        let blank = |text: Option<String>, id: &str| text.map(|text| text.replace(id, "ID"));
        assert_eq!(
            blank(foreign.message, &id),
            blank(absent.message, NOBODY),
            "operation {code:#x}: a foreign and an absent object look the same"
        );
    }
    // Another scope's name is free here, and is not found from here.
    let filter = || Operation::new(op::LOCATE, vec![attribute("Name", name_fields("shared-name"))]);
    assert!(ours.call(filter()).success().child(tag::UNIQUE_IDENTIFIER).is_none());
    let own = ours.call(create((1, 4), Some("shared-name"))).unique_identifier();
    assert_eq!(ours.call(filter()).unique_identifier(), own);
    assert_eq!(theirs.call(filter()).unique_identifier(), id);
    assert_eq!(theirs.call(on(op::GET, &id)).status, 0);
}

/// A request on a connection that is refused: it is answered so, and nothing else is.
fn assert_denied(connection: &mut Connection, what: &str) {
    let bytes = request((1, 4), Vec::new(), &[create((1, 4), None)]).encode();
    let frame = connection.exchange(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    let item = Reply::read(&frame.bytes).unwrap().only();
    assert_eq!(item.failure(), reason::AUTHENTICATION_NOT_SUCCESSFUL, "{what}: {item:?}");
    assert!(connection.closes(), "{what}: the connection stays open");
}

#[test]
fn the_end_of_a_credential_role_or_scope_ends_its_connections() {
    let server = Server::start();
    let api = Api::root(&server);
    let path = "kmip/scope/ending/role/r";
    let ends: [(&str, &dyn Fn()); 3] = [
        ("credential", &|| {
            let keys = api.list(&format!("{path}/credential")).data()["keys"].clone();
            for serial in keys.as_array().unwrap() {
                let body = json!({"serial_number": serial});
                assert_eq!(api.write(&format!("{path}/credential/revoke"), &body).status, 204);
            }
        }),
        ("role", &|| assert_eq!(api.delete(path).status, 204)),
        ("scope", &|| assert_eq!(api.delete("kmip/scope/ending?force=true").status, 204)),
    ];
    for (what, end) in ends {
        let identity = credential(&server, "ending", "r", &json!({"operation_all": true}));
        let mut client = Client::connect_as(&server, (1, 4), &identity);
        client.call(create((1, 4), None)).success();
        let open = |config: &Arc<ClientConfig>| Connection::open_by(server.kmip, config.clone());
        let known = [&TLS13, &TLS12].map(|version| Arc::new(identity.config_of(version)));
        for config in &known {
            let bytes = request((1, 4), Vec::new(), &[create((1, 4), None)]).encode();
            open(config).unwrap().exchange(&bytes).unwrap();
        }
        end();
        assert_denied(&mut client.connection, what);
        // Who comes anew is told the same, also when it resumes a session.
        for config in &known {
            let mut resumed = open(config).unwrap();
            assert!(resumed.is_resumed());
            assert_denied(&mut resumed, what);
        }
        for version in [&TLS13, &TLS12] {
            let mut anew = open(&Arc::new(identity.config_of(version))).unwrap();
            assert_denied(&mut anew, what);
            // A broken message is no way to stay.
            let mut anew = open(&Arc::new(identity.config_of(version))).unwrap();
            anew.exchange(&EMPTY).unwrap();
            assert!(anew.closes(), "{what}: a broken message keeps the connection");
        }
    }
}
