//! The parts of the admin API that the tutorial does not walk: other mounts and their ports, permissions by name,
//! restarts, the listener's configuration.

use std::net::{SocketAddr, TcpListener};

use serde_json::{Map, Value as Json, json};

use crate::address::free_address;
use crate::api::Api;
use crate::kmip::{Client, Reply, create, on, op, reason, request};
use crate::server::{ROOT_TOKEN, Server};
use crate::tls::{Connection, Identity};

/// The 26 operations of Vault's engine.
const OPERATIONS: [&str; 26] = [
    "activate",
    "add_attribute",
    "create",
    "create_key_pair",
    "decrypt",
    "delete_attribute",
    "destroy",
    "discover_versions",
    "encrypt",
    "get",
    "get_attribute_list",
    "get_attributes",
    "import",
    "locate",
    "mac",
    "mac_verify",
    "modify_attribute",
    "query",
    "register",
    "rekey",
    "rekey_key_pair",
    "revoke",
    "rng_retrieve",
    "rng_seed",
    "sign",
    "signature_verify",
];

/// Everything between mounting and a credential, on a port of the mount's own.
fn mounted(server: &Server, mount: &str, address: SocketAddr) -> Identity {
    let api = Api::root(server);
    assert_eq!(api.write(&format!("sys/mounts/{mount}"), &json!({"type": "kmip"})).status, 204);
    let config = json!({"listen_addrs": address.to_string()});
    let answer = api.write(&format!("{mount}/config"), &config);
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(api.write(&format!("{mount}/scope/s"), &json!({})).status, 204);
    let role = format!("{mount}/scope/s/role/r");
    assert_eq!(api.write(&role, &json!({"operation_all": true})).status, 204);
    let made = api.write(&format!("{role}/credential/generate"), &json!({"format": "pem"})).data();
    let ca = api.get(&format!("{mount}/ca")).data();
    let text = |value: &Json| value.as_str().unwrap().as_bytes().to_vec();
    Identity::from_pem(
        &text(&ca["ca_pem"]),
        &text(&made["certificate"]),
        &text(&made["private_key"]),
    )
}

fn client_at(address: SocketAddr, identity: &Identity) -> Client {
    Client { connection: Connection::open(address, identity).unwrap(), version: (1, 4) }
}

#[test]
fn a_mount_at_any_path_has_its_own_port_ca_and_objects() {
    let server = Server::start();
    let address = free_address();
    let identity = mounted(&server, "team/a/kmip", address);
    let mut client = client_at(address, &identity);
    let id = client.call(create((1, 4), None)).unique_identifier();
    let mut dev = Client::connect(&server, (1, 4));
    assert_eq!(dev.call(on(op::GET, &id)).failure(), 1, "another mount's object does not exist");

    let other = identity.trusting(&server.client.join("ca.pem"));
    let refused = Connection::open(server.kmip, &other)
        .and_then(|mut connection| connection.exchange(&[0; 8]));
    assert!(refused.is_err(), "another mount's credential is no credential here");

    let api = Api::root(&server);
    assert_eq!(api.delete("sys/mounts/team/a/kmip").status, 204);
    let message = request((1, 4), Vec::new(), &[on(op::GET, &id)]).encode();
    if let Ok(frame) = client.connection.exchange(&message) {
        let refused = Reply::read(&frame.bytes).unwrap().only();
        assert_eq!(
            refused.failure(),
            reason::AUTHENTICATION_NOT_SUCCESSFUL,
            "a connection outlives its mount"
        );
    }
    let unmounted = api.get("sys/mounts/team/a/kmip");
    assert_eq!(unmounted.status, 400);
    assert_eq!(unmounted.errors(), ["No secret engine mount at team/a/kmip/"]);
    TcpListener::bind(address).expect("the port is free again");
}

/// What is moved under an open connection stays under it, and is still governed by what the API says.
#[test]
fn a_mount_moves_under_its_open_connections() {
    let server = Server::start();
    let address = free_address();
    let identity = mounted(&server, "here", address);
    let mut client = client_at(address, &identity);
    let id = client.call(create((1, 4), None)).unique_identifier();
    let api = Api::root(&server);
    let moved = api.write("sys/remount", &json!({"from": "here", "to": "over/there"})).data();
    let status =
        api.get(&format!("sys/remount/status/{}", moved["migration_id"].as_str().unwrap()));
    assert_eq!(status.data()["migration_info"]["status"], "success");
    client.call(on(op::GET, &id)).success();
    client_at(address, &identity).call(on(op::GET, &id)).success();
    assert_eq!(api.get("here/config").status, 404);
    let read_only = json!({"operation_none": true, "operation_get_attributes": true});
    assert_eq!(api.write("over/there/scope/s/role/r", &read_only).status, 204);
    assert_eq!(client.call(on(op::GET, &id)).failure(), reason::PERMISSION_DENIED);
    assert_eq!(api.delete("over/there/scope/s/role/r").status, 204);
    let message = request((1, 4), Vec::new(), &[on(op::GET, &id)]).encode();
    let refused = Reply::read(&client.connection.exchange(&message).unwrap().bytes).unwrap();
    assert_eq!(refused.only().failure(), reason::AUTHENTICATION_NOT_SUCCESSFUL);
}

#[test]
fn a_listener_that_cannot_be_opened_changes_nothing() {
    let server = Server::start();
    let api = Api::root(&server);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let before = api.get("kmip/config").data();
    let answer =
        api.write("kmip/config", &json!({"listen_addrs": taken.local_addr().unwrap().to_string()}));
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.errors()[0].contains("bind"), "{:?}", answer.errors());
    assert_eq!(api.get("kmip/config").data(), before);
    Client::connect(&server, (1, 4)).call(create((1, 4), None)).success();
}

#[test]
fn every_operation_of_vault_is_a_permission() {
    let server = Server::start();
    let api = Api::root(&server);
    api.write("kmip/scope/names", &json!({}));
    let path = "kmip/scope/names/role/r";
    let granted = || {
        let data = api.get(path).data();
        let fields: &Map<_, _> = data.as_object().unwrap();
        let mut names: Vec<String> = fields
            .iter()
            .filter(|(name, value)| name.starts_with("operation_") && **value == json!(true))
            .map(|(name, _)| name.trim_start_matches("operation_").to_owned())
            .collect();
        names.sort();
        names
    };
    // One after the other: each write adds one, and keeps the others.
    for (count, name) in OPERATIONS.iter().enumerate() {
        let body = json!({ format!("operation_{name}"): "true" });
        assert_eq!(api.write(path, &body).status, 204);
        assert_eq!(granted(), OPERATIONS[..=count], "after {name}");
    }
    for name in OPERATIONS {
        assert_eq!(api.write(path, &json!({ format!("operation_{name}"): false })).status, 204);
    }
    assert_eq!(granted(), Vec::<String>::new());
    // Ours beyond Vault's, by the same rule.
    let more = json!({"operation_derive_key": true, "operation_set_attribute": true});
    assert_eq!(api.write(path, &more).status, 204);
    assert_eq!(granted(), ["derive_key", "set_attribute"]);
}

#[test]
fn everything_that_was_configured_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let address = free_address();
    let server = Server::start_on(directory.path());
    let identity = mounted(&server, "second", address);
    let id = client_at(address, &identity).call(create((1, 4), None)).unique_identifier();
    let paths = ["second/config", "second/ca", "second/scope/s/role/r", "kmip/config", "kmip/ca"];
    let lists = ["second/scope", "second/scope/s/role", "second/scope/s/role/r/credential"];
    let read = |server: &Server| {
        let api = Api::root(server);
        let read: Vec<Json> = paths.iter().map(|path| api.get(path).data()).collect();
        let listed: Vec<Json> = lists.iter().map(|path| api.list(path).data()).collect();
        let mut mounts = api.get("sys/mounts").data();
        mounts
            .as_object_mut()
            .unwrap()
            .retain(|name, _| name.ends_with("kmip/") || name == "second/");
        (read, listed, mounts)
    };
    let mut before = read(&server);
    server.kill();
    let server = Server::start_on(directory.path());
    let mut after = read(&server);
    // Port 0 was asked for; what the dev mount listens on is the run's own.
    for state in [&mut before, &mut after] {
        state.0[3].as_object_mut().unwrap().remove("listen_addrs");
    }
    assert_eq!(before, after);
    client_at(address, &identity).call(on(op::GET, &id)).success();
}

#[test]
fn the_token_stays_valid_without_being_given_again() {
    let server = Server::start();
    for (token, status) in [(ROOT_TOKEN, 200), ("", 403), ("other", 403)] {
        let answer = Api::with_token(&server, token).get("auth/token/lookup-self");
        assert_eq!(answer.status, status, "{token:?}");
    }
    let data = Api::root(&server).get("auth/token/lookup-self").data();
    assert_eq!(data["id"], ROOT_TOKEN);
    assert_eq!(data["policies"], json!(["root"]));
}

#[test]
fn der_and_pem_are_the_same_certificate_shape() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let server = Server::start();
    let api = Api::root(&server);
    let generate = "kmip/scope/default/role/admin/credential/generate";
    let made = api.write(generate, &json!({"format": "der"})).data();
    let bytes = |value: &Json| STANDARD.decode(value.as_str().unwrap()).unwrap();
    for part in
        [&made["certificate"], &made["private_key"], &made["ca_chain"][0], &made["ca_chain"][1]]
    {
        assert_eq!(bytes(part)[0], 0x30, "a DER sequence");
    }
    let serial = made["serial_number"].as_str().unwrap();
    let lookup = format!("kmip/scope/default/role/admin/credential/lookup?serial_number={serial}");
    let found = api.get(&format!("{lookup}&format=pem")).data();
    let text: String = found["certificate"]
        .as_str()
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    assert_eq!(STANDARD.decode(text).unwrap(), bytes(&made["certificate"]));
}
