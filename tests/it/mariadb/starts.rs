//! What a start reads at once: all keys that there are, on servers of every kind, or none; and what is left out of it.

use serde_json::json;

use super::host::{Host, Options, options};
use super::{issue, make};
use crate::api::Api;
use crate::at_rest_faults::Gate;
use crate::kmip::{Client, attribute, on, op};
use crate::server::Server;
use crate::ttlv::Value;

const KEYS: u32 = 100;

/// What a host hears that asks for every key.
fn every_key() -> String {
    (1..=KEYS).map(|id| format!("key {id} 1\n")).collect()
}

fn through(server: &Server, gate: &Gate) -> Options {
    let mut options = options(server);
    options.retain(|(name, _)| *name != "servers");
    options.push(("servers", format!("127.0.0.1:{}", gate.port())));
    options
}

/// A server with so many keys, each of one version, made by a host.
fn filled(host: &Host) -> Server {
    let server = Server::start();
    let mut options = options(&server);
    options.push(("create_missing", String::from("ON")));
    host.does(&[], "ask", KEYS, &options);
    server
}

#[test]
fn a_start_that_breaks_in_the_middle_begins_anew_or_has_no_key() {
    let host = Host::build();
    let server = filled(&host);
    let gate = Gate::open(server.kmip);
    let options = through(&server, &gate);
    let before = gate.passed();
    assert_eq!(host.does(&[], "start", 1, &options), "");
    let all = gate.passed() - before;
    for part in [4, 6, 8, 9] {
        gate.break_after(all * part / 10, true);
        let said = host.refusal(&options);
        assert!(gate.has_broken(), "{said}");
        assert!(said.contains("no server answered"), "{said}");
        gate.admit();
        // Where the server is still there, it is asked again, and for everything.
        gate.break_after(all * part / 10, false);
        assert_eq!(host.does(&[], "ask", KEYS, &options), every_key());
        assert!(gate.has_broken());
    }
}

#[test]
fn a_start_reads_all_keys_and_nothing_is_asked_for_later() {
    let host = Host::build();
    let server = filled(&host);
    let gate = Gate::open(server.kmip);
    let options = through(&server, &gate);
    let passed = |action| {
        let before = gate.passed();
        host.does(&[], action, KEYS, &options);
        gate.passed() - before
    };
    let (first, all) = (passed("start") / usize::try_from(KEYS).unwrap(), passed("ask"));
    assert!(
        all < first * 2,
        "each of {KEYS} starts has {first} bytes, and one with all keys {all}"
    );
}

#[test]
fn an_outage_and_a_refusal_are_one_line_however_many_keys_there_are() {
    let host = Host::build();
    let server = filled(&host);
    let gate = Gate::open(server.kmip);
    let (reader, serial) = issue(&server, "reader", &["locate", "get", "get_attributes"]);
    let mut options = through(&server, &gate);
    options.retain(|(name, _)| !["certificate", "key"].contains(name));
    let file = |name: &str| reader.path().join(name).to_str().unwrap().to_owned();
    options.extend([("certificate", file("cert.pem")), ("key", file("key.pem"))]);
    options.push(("cache_version_timeout_ms", String::from("20")));
    let mut following = host.follow(1, &options);
    assert_eq!(following.ask(), ["key 1 1"]);
    gate.shut();
    following.says("known keys are used meanwhile");
    assert_eq!(following.ask(), ["key 1 1"]);
    gate.admit();
    following.says("a KMIP server answers again");
    // A new version is heard of among all the others, which are as they were.
    assert_eq!(make(&server, 7), 2);
    following.says("key 7 has version 2 now");
    assert_eq!(following.log.len(), 3, "{:?}", following.log);

    let path = "kmip/scope/default/role/reader/credential/revoke";
    let revoked = json!({"serial_number": serial});
    assert_eq!(Api::root(&server).write(path, &revoked).status, 204);
    following.says("key 1: AuthenticationNotSuccessful: the certificate was revoked");
    // The plugin goes on asking, and says nothing more.
    let before = gate.passed();
    while gate.passed() < before + 2000 {
        assert_eq!(following.ask(), ["key 1 none"]);
    }
    assert_eq!(following.log.len(), 4, "{:?}", following.log);
    following.end();
}

/// What nobody can tell apart is one key's matter, and said when that key is asked for.
#[test]
fn a_key_in_doubt_takes_no_other_with_it() {
    let server = Server::start();
    for key_id in [1, 2, 3, 4] {
        assert_eq!(make(&server, key_id), 1);
    }
    assert_eq!(make(&server, 3), 2);
    let mut client = Client::connect(&server, (1, 4));
    let versioned = |name: &str, version: i32, groups: &[&str]| {
        let mut create = crate::kmip::create((1, 4), Some(name));
        let Value::Structure(attributes) = &mut create.payload[1].value else {
            panic!("no attributes")
        };
        let group = |group: &&str| attribute("Object Group", Value::TextString((*group).into()));
        attributes.extend(groups.iter().map(group));
        attributes.push(attribute("x-mariadb-version", Value::Integer(version)));
        create
    };
    // Key 2 has its only version twice, key 3 its latest; key 4 has one more that is nobody's latest yet.
    for (name, version, groups, is_active) in [
        ("mariadb/2/1", 1, ["mariadb", "mariadb/2"], true),
        ("mariadb/3/2", 2, ["mariadb", "mariadb/3"], true),
        ("mariadb/4/2", 2, ["mariadb", "mariadb/4"], false),
    ] {
        let id = client.call(versioned(name, version, &groups)).unique_identifier();
        if is_active {
            client.call(on(op::ACTIVATE, &id)).success();
        }
    }
    let host = Host::build();
    let said = host.does(&[], "ask", 5, &options(&server));
    let lines: Vec<_> = said.lines().collect();
    assert!(lines.contains(&"key 1 1") && lines.contains(&"key 4 1"), "{said}");
    for key_id in [2, 3, 5] {
        assert!(lines.contains(&format!("key {key_id} none").as_str()), "{said}");
    }
    assert!(said.contains("key 2: 2 keys on the KMIP server have the Name mariadb/2/1"), "{said}");
    assert!(said.contains("key 3: 2 keys on the KMIP server have the Name mariadb/3/2"), "{said}");

    // The system key is everybody's.
    let id = client.call(versioned("mariadb/1/1", 1, &["mariadb", "mariadb/1"]));
    client.call(on(op::ACTIVATE, &id.unique_identifier())).success();
    let said = host.refusal(&options(&server));
    assert!(said.contains("2 keys on the KMIP server have the Name mariadb/1/1"), "{said}");
}
