//! Who may do what: every operation against every role that grants one, scopes that do not see each other, and
//! credentials, roles and scopes that end under an open connection.

use serde_json::{Map, Value as Json, json};

use crate::api::Api;
use crate::kmip::{
    Client, Operation, Version, attribute, create, name_fields, on, op, reason, register, revoke,
    tag, unique_identifier,
};
use crate::server::Server;
use crate::tls::Identity;
use crate::ttlv::Item;

const NOBODY: &str = "no-such-object";

/// Permission, and a request that needs it. On an object that does not exist, so that only permission decides: a
/// client that may ask is told Item Not Found.
fn operations() -> Vec<(&'static str, Version, Operation)> {
    let version = (1, 4);
    let on = |code| on(code, NOBODY);
    let with = |code, more: Item| Operation::new(code, vec![unique_identifier(NOBODY), more]);
    let name = || attribute("Name", name_fields("n"));
    let data = || Item::bytes(tag::DATA, b"data");
    let derive = vec![
        Item::enumeration(tag::OBJECT_TYPE, 2),
        unique_identifier(NOBODY),
        Item::enumeration(0x42_0031, 2),
        Item::structure(0x42_0032, vec![]),
        crate::kmip::aes_attributes(version, 12, None),
    ];
    let new_attribute = Item::structure(0x42_013d, vec![Item::boolean(0x42_0120, true)]);
    let verify = vec![unique_identifier(NOBODY), data(), Item::bytes(0x42_00c3, b"signature")];
    let deletion = Item::text(tag::ATTRIBUTE_NAME, "Name");
    let pair = Operation::new(op::CREATE_KEY_PAIR, vec![]);
    vec![
        ("activate", version, on(op::ACTIVATE)),
        ("add_attribute", version, with(op::ADD_ATTRIBUTE, name())),
        ("create", version, create(version, None)),
        ("create_key_pair", version, pair),
        ("decrypt", version, with(op::DECRYPT, data())),
        ("delete_attribute", version, with(op::DELETE_ATTRIBUTE, deletion)),
        ("derive_key", version, Operation::new(0x05, derive)),
        ("destroy", version, on(op::DESTROY)),
        ("discover_versions", version, Operation::new(op::DISCOVER_VERSIONS, vec![])),
        ("encrypt", version, with(op::ENCRYPT, data())),
        ("get", version, on(op::GET)),
        ("get_attribute_list", version, on(op::GET_ATTRIBUTE_LIST)),
        ("get_attributes", version, on(op::GET_ATTRIBUTES)),
        ("locate", version, Operation::new(op::LOCATE, vec![])),
        ("mac", version, with(0x23, data())),
        ("modify_attribute", version, with(op::MODIFY_ATTRIBUTE, name())),
        (
            "query",
            version,
            Operation::new(op::QUERY, vec![Item::enumeration(tag::QUERY_FUNCTION, 1)]),
        ),
        ("register", version, register(version, &[9; 32], None)),
        ("revoke", version, revoke(NOBODY, 1)),
        ("set_attribute", (2, 0), with(0x31, new_attribute)),
        ("sign", version, with(0x21, data())),
        ("signature_verify", version, Operation::new(0x22, verify)),
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

/// Which operations this credential is denied.
fn denied(server: &Server, identity: &Identity) -> Vec<&'static str> {
    let mut client = Client::connect_as(server, (1, 4), identity);
    let mut denied = Vec::new();
    for (name, version, operation) in operations() {
        client.version = version;
        let code = operation.code;
        let item = client.call(operation);
        assert_eq!(item.operation, Some(code), "{name}: the operation is echoed");
        assert_ne!(item.reason, Some(reason::OPERATION_NOT_SUPPORTED), "{name}");
        if item.reason == Some(reason::PERMISSION_DENIED) {
            denied.push(name);
        }
    }
    denied
}

fn all_but(granted: &[&str]) -> Vec<&'static str> {
    operations()
        .iter()
        .map(|(name, ..)| *name)
        .filter(|name| !granted.contains(name) && !OPEN.contains(name))
        .collect()
}

#[test]
fn every_operation_against_every_role_that_grants_one() {
    let server = Server::start();
    for (granted, ..) in operations() {
        let mut fields = Map::new();
        fields.insert(format!("operation_{granted}"), json!(true));
        let identity = credential(&server, "matrix", granted, &Json::Object(fields));
        assert_eq!(denied(&server, &identity), all_but(&[granted]), "role of {granted}");
    }
}

#[test]
fn all_none_and_what_they_leave_out() {
    let server = Server::start();
    let cases = [
        (json!({"operation_all": true}), vec![]),
        (json!({"operation_none": true}), all_but(&[])),
        (json!({}), all_but(&[])),
        (json!({"operation_none": true, "operation_get": true}), all_but(&["get"])),
        (json!({"operation_all": true, "operation_destroy": false}), vec!["destroy"]),
        (
            json!({"operation_all": true, "operation_query": false, "operation_discover_versions": false}),
            vec!["discover_versions", "query"],
        ),
    ];
    for (index, (fields, expected)) in cases.into_iter().enumerate() {
        let identity = credential(&server, "pseudo", &format!("r{index}"), &fields);
        assert_eq!(denied(&server, &identity), expected, "{fields}");
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
    let mut requests: Vec<Operation> = operations()
        .into_iter()
        .filter(|(_, version, _)| *version == (1, 4))
        .map(|(_, _, operation)| operation)
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
        end();
        let bytes = crate::kmip::request((1, 4), Vec::new(), &[create((1, 4), None)]).encode();
        // Denied, or the connection closed: either way nothing is made.
        if let Ok(frame) = client.connection.exchange(&bytes) {
            let item = crate::kmip::Reply::read(&frame.bytes).unwrap().only();
            assert!(
                [reason::PERMISSION_DENIED, 0x03].contains(&item.failure()),
                "after the end of its {what}: {item:?}"
            );
        }
    }
}
