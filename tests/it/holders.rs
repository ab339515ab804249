//! Who holds an object: every certificate that fetched it is on record, over restarts, and nobody else. A compromise names them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::address::free_address;
use crate::api::Api;
use crate::kmip::{Client, Operation, attribute, create, name_fields, on, op};
use crate::server::{ROOT_TOKEN, Server, binary};
use crate::tls::{Connection, Identity};

const VERSION: (i32, i32) = (1, 4);
const CREDENTIALS: usize = 1_000;
const OBJECTS: usize = 10;

/// A credential of the default scope: its serial and what a client needs.
fn credential(api: &Api, ca: &Json) -> (String, Identity) {
    let generate = "kmip/scope/default/role/admin/credential/generate";
    let made = api.write(generate, &json!({"format": "pem"})).data();
    let text = |value: &Json| value.as_str().unwrap().as_bytes().to_vec();
    let identity = Identity::from_pem(
        &text(&ca["ca_pem"]),
        &text(&made["certificate"]),
        &text(&made["private_key"]),
    );
    (made["serial_number"].as_str().unwrap().to_owned(), identity)
}

fn path(id: &str, what: &str) -> String {
    format!("kmip/scope/default/object/{id}/{what}")
}

fn serials(data: &Json) -> BTreeSet<String> {
    let holders = data["holders"].as_array().unwrap();
    let serials: BTreeSet<String> =
        holders.iter().map(|it| it["serial_number"].as_str().unwrap().to_owned()).collect();
    assert_eq!(serials.len(), holders.len(), "a holder is listed twice");
    serials
}

#[test]
fn holders_are_right_after_1000_credentials_and_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_on(directory.path());
    let api = Api::root(&server);
    let ca = api.get("kmip/ca").data();
    let mut maker = Client::connect(&server, VERSION);
    let objects: Vec<String> =
        (0..OBJECTS).map(|_| maker.call(create(VERSION, None)).unique_identifier()).collect();

    let mut expected: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for number in 0..CREDENTIALS {
        let (serial, identity) = credential(&api, &ca);
        let mut client = Client::connect_as(&server, VERSION, &identity);
        for (place, id) in objects.iter().enumerate() {
            // Object 0 nobody fetches, object 1 everybody, object k every k-th.
            if place > 0 && number % place == 0 {
                client.call(on(op::GET, id)).success();
                expected.entry(id).or_default().insert(serial.clone());
            }
        }
    }
    let check = |server: &Server, expected: &BTreeMap<&str, BTreeSet<String>>| {
        let api = Api::root(server);
        for id in &objects {
            let data = api.get(&path(id, "holders")).data();
            let expected = expected.get(id.as_str()).cloned().unwrap_or_default();
            assert_eq!(serials(&data), expected, "{id}");
        }
    };
    check(&server, &expected);
    // The last fetch is as young as it can be when the server is asked to end.
    let (last, identity) = credential(&api, &ca);
    Client::connect_as(&server, VERSION, &identity).call(on(op::GET, &objects[0])).success();
    expected.insert(&objects[0], BTreeSet::from([last]));
    assert!(server.terminate(Duration::from_secs(20)).success());
    let server = Server::start_on(directory.path());
    check(&server, &expected);
    // What was stored survives a kill.
    server.kill();
    check(&Server::start_on(directory.path()), &expected);
}

#[test]
fn a_compromise_revokes_and_names_the_holders() {
    let server = Server::start();
    let api = Api::root(&server);
    let ca = api.get("kmip/ca").data();
    let mut maker = Client::connect(&server, VERSION);
    let id = maker.call(create(VERSION, Some("held"))).unique_identifier();
    let (first, one) = credential(&api, &ca);
    let (second, two) = credential(&api, &ca);
    let (_, curious) = credential(&api, &ca);
    Client::connect_as(&server, VERSION, &one).call(on(op::GET, &id)).success();
    Client::connect_as(&server, VERSION, &two).call(on(op::GET, &id)).success();
    // To find an object is not to have it.
    Client::connect_as(&server, VERSION, &curious)
        .call(Operation::new(op::LOCATE, vec![attribute("Name", name_fields("held"))]))
        .success();
    let revoke = "kmip/scope/default/role/admin/credential/revoke";
    assert_eq!(api.write(revoke, &json!({"serial_number": second})).status, 204);

    let data = run(&server, &["object", "compromise", &id, "--message", "seen in a log"]);
    assert_eq!(data["state"], "Compromised");
    assert_eq!(serials(&data), BTreeSet::from([first.clone(), second.clone()]));
    for holder in data["holders"].as_array().unwrap() {
        let revoked = holder["serial_number"] == second.as_str();
        assert_eq!(holder["credential"], if revoked { "revoked" } else { "valid" });
        assert_eq!((&holder["role"], &holder["ca"]), (&json!("admin"), &Json::Null));
        assert!(
            holder["first_fetched"].as_str().unwrap() <= holder["last_fetched"].as_str().unwrap()
        );
    }
    // Once more changes nothing, and both ways say the same.
    assert_eq!(run(&server, &["object", "compromise", &id]), data);
    assert_eq!(run(&server, &["object", "holders", &id, "--scope", "default"]), data);
    assert_eq!(api.get(&path(&id, "holders")).data(), data);

    for (path, status) in [
        (path("4c6a4d1e-0000-7000-8000-000000000000", "holders"), 404),
        (path("nonsense", "holders"), 404),
        (format!("kmip/scope/nowhere/object/{id}/holders"), 404),
    ] {
        assert_eq!(api.get(&path).status, status, "{path}");
    }
    let wrong = json!({"compromise_occurrence_date": 9_999_999_999_i64});
    let another = maker.call(create(VERSION, None)).unique_identifier();
    let refused = api.write(&path(&another, "compromise"), &wrong);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.errors(), ["the Compromise Occurrence Date lies in the future"]);
    let long = json!({"message": "x".repeat(5000)});
    assert_eq!(api.write(&path(&another, "compromise"), &long).status, 400);
    let answered = Command::new(binary())
        .args(["object", "holders", "nonsense", "--address", &server.api])
        .env("CLAVIGER_TOKEN", ROOT_TOKEN)
        .output()
        .unwrap();
    assert_eq!(answered.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&answered.stderr).contains("no scope of this mount has"));
}

#[test]
fn a_revoked_holder_stays_revoked_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_on(directory.path());
    let api = Api::root(&server);
    let mut maker = Client::connect(&server, VERSION);
    let id = maker.call(create(VERSION, None)).unique_identifier();
    let roles =
        ["kept", "revoked", "deleted"].map(|role| format!("kmip/scope/default/role/{role}"));
    let holders = roles.each_ref().map(|role| {
        assert_eq!(api.write(role, &json!({"operation_all": true})).status, 204);
        let (serial, identity) = api.issue(role);
        Client::connect_as(&server, VERSION, &identity).call(on(op::GET, &id)).success();
        serial
    });
    let body = json!({"serial_number": holders[1]});
    assert_eq!(api.write(&format!("{}/credential/revoke", roles[1]), &body).status, 204);
    assert_eq!(api.delete(&roles[2]).status, 204);

    let expected: BTreeSet<_> =
        [("kept", "valid"), ("revoked", "revoked"), ("deleted", "role_deleted")]
            .into_iter()
            .zip(&holders)
            .map(|((role, credential), serial)| json!([serial, role, credential]).to_string())
            .collect();
    let check = |server: &Server| {
        let data = Api::root(server).get(&path(&id, "holders")).data();
        let shown = data["holders"].as_array().unwrap().iter();
        let shown = shown.map(|it| json!([it["serial_number"], it["role"], it["credential"]]));
        assert_eq!(shown.map(|it| it.to_string()).collect::<BTreeSet<_>>(), expected);
    };
    check(&server);
    assert!(server.terminate(Duration::from_secs(20)).success());
    check(&Server::start_on(directory.path()));
}

/// An authority of somebody else, and clients of two that issue for it under the same serial.
#[test]
fn holders_under_an_imported_authority_are_told_apart_by_their_issuer() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_on(directory.path());
    let api = Api::root(&server);
    let root = Foreign::new("Corporate", None);
    let import = json!({"ca_pem": root.pem, "scope_name": "default", "role_name": "admin"});
    assert_eq!(api.write("kmip/ca/corporate/import", &import).status, 200);
    let mine = json!({"key_type": "ec", "key_bits": 256});
    let made = api.write("kmip/ca/mine/generate", &mine).data();
    let address = free_address();
    let listener =
        json!({"ca": "mine", "address": address, "additional_client_cas": ["corporate"]});
    assert_eq!(api.write("kmip/listener/l", &listener).status, 200);
    let mut maker = Client::connect(&server, VERSION);
    let id = maker.call(create(VERSION, None)).unique_identifier();

    let get = crate::kmip::request(VERSION, Vec::new(), &[on(op::GET, &id)]).encode();
    let clients = ["East", "West"].map(|name| Foreign::new(name, Some(&root)).client(77));
    for (certificate, key, above) in &clients {
        let chain = format!("{certificate}{above}");
        let ca = made["ca_pem"].as_str().unwrap();
        let identity = Identity::from_pem(ca.as_bytes(), chain.as_bytes(), key.as_bytes());
        let mut connection = Connection::open(address, &identity).unwrap();
        let frame = connection.exchange(&get).unwrap();
        crate::kmip::Reply::read(&frame.bytes).unwrap().only().success();
    }
    let standing = |server: &Server| {
        let data = Api::root(server).get(&path(&id, "holders")).data();
        let shown = data["holders"].as_array().unwrap().iter().map(|it| {
            assert_eq!((&it["serial_number"], &it["ca"]), (&json!("77"), &json!("corporate")));
            json!([it["issuer"], it["credential"]]).to_string()
        });
        shown.collect::<BTreeSet<_>>()
    };
    let expect = |east: &str, west: &str| {
        let both = [json!(["CN=East", east]), json!(["CN=West", west])];
        both.into_iter().map(|it| it.to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(standing(&server), expect("imported", "imported"));
    let east = json!({"certificate": clients[0].0});
    assert_eq!(api.write("kmip/ca/corporate/revoke", &east).status, 204);
    assert_eq!(standing(&server), expect("revoked", "imported"));
    assert!(server.terminate(Duration::from_secs(20)).success());
    let server = Server::start_on(directory.path());
    assert_eq!(standing(&server), expect("revoked", "imported"));
    let both = json!({"serial_number": "77"});
    assert_eq!(Api::root(&server).write("kmip/ca/corporate/revoke", &both).status, 204);
    assert_eq!(standing(&server), expect("revoked", "revoked"));
}

/// An authority that is not ours.
struct Foreign {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
}

impl Foreign {
    fn new(name: &str, above: Option<&Self>) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = parameters(name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let made = match above {
            None => params.self_signed(&key).unwrap(),
            Some(above) => params.signed_by(&key, &above.issuer).unwrap(),
        };
        Self { pem: made.pem(), issuer: rcgen::Issuer::new(params, key) }
    }

    /// A client's certificate and key, and who issued it: PEM.
    fn client(&self, serial: u64) -> (String, String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = parameters("client");
        params.serial_number = Some(serial.into());
        let made = params.signed_by(&key, &self.issuer).unwrap();
        (made.pem(), key.serialize_pem(), self.pem.clone())
    }
}

fn parameters(name: &str) -> rcgen::CertificateParams {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params
}

/// A command of the program against this server; what it prints with `--json`.
fn run(server: &Server, arguments: &[&str]) -> Json {
    let output = Command::new(binary())
        .args(arguments)
        .args(["--json", "--address", &server.api])
        .env("CLAVIGER_TOKEN", ROOT_TOKEN)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
