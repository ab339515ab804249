//! The component when a KMIP server does not answer, its answer is lost, or it is a server that knows less.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::files::{as_client, options};
use super::host::Host;
use crate::at_rest_faults::{Gate, impostor};
use crate::kmip::{Client, Operation, attribute, name_fields, op, reason, tag};
use crate::server::Server;
use crate::ttlv::{Item, Value};

#[test]
fn another_server_is_asked_when_the_first_does_not_answer() {
    let dead = Server::start();
    let server = Server::start();
    let mut given = options(&[&server]);
    let list = format!("{},{}", dead.kmip, server.kmip);
    dead.kill();
    given.insert(String::from("server_addr"), json!(list));
    let mut host = Host::start(&given);
    assert_eq!((host.load(), host.ask("generate k - AES 32")), ("ok".into(), "ok".into()));
    assert_eq!((host.load(), host.ask("keys")), ("ok".into(), "k=;".into()));
    server.kill();
    assert_eq!(host.ask("generate l - AES 32"), "failed");
    assert_eq!(host.load(), "failed");
    assert!(host.ask("get k -").starts_with("AES "), "what is in memory outlives the servers");
}

/// Through a gate that loses the answers to Register.
#[test]
fn an_answer_that_is_lost_makes_no_second_key() {
    let server = Server::start();
    let gate = Gate::open(server.kmip);
    let mut given = options(&[&server]);
    given.insert(String::from("server_addr"), json!(format!("127.0.0.1:{}", gate.port())));
    let mut host = Host::start(&given);
    assert_eq!(host.load(), "ok");
    let mut client = Client::connect(&server, (1, 4));
    // So long that Register is known by its size.
    for (number, owner) in [(1, "-"), (2, "root@localhost")] {
        let name = format!("{}-{number}", "k".repeat(150));
        gate.lose_registers(1);
        assert_eq!(host.ask(&format!("generate {name} {owner} AES 32")), "ok");
        assert_eq!(gate.lost(), number);
        let named =
            vec![attribute("Name", name_fields(&name)), attribute("State", Value::Enumeration(2))];
        let located = client.call(Operation::new(op::LOCATE, named)).success();
        let identifiers = located.children().iter().filter(|it| it.tag == tag::UNIQUE_IDENTIFIER);
        assert_eq!(identifiers.filter_map(Item::as_text).count(), 1, "one, and Active");
        let before = host.ask(&format!("get {name} {owner}"));
        assert_eq!(host.load(), "ok");
        assert_eq!(host.ask(&format!("get {name} {owner}")), before);
    }
    // Nobody answers any more: nothing is made, and it is said.
    gate.shut();
    assert_eq!(host.ask("generate other - AES 32"), "failed");
    assert!(host.log().contains("no server answered"), "{}", host.log());
    gate.admit();
    assert_eq!(host.ask("generate other - AES 32"), "ok");
}

#[test]
fn a_stock_pykmip_server_will_do_for_the_server_s_own_keys() {
    let scratch = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/pykmip_server.py");
    // It ends when its stdin does.
    let mut server = Command::new(crate::clients::python())
        .args(["-B", "-W", "ignore"])
        .arg(script)
        .arg(scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let mut given = as_client(scratch.path());
    let address = line.trim_end().strip_prefix("ready kmip=").unwrap();
    given.insert(String::from("server_addr"), json!(address));
    given.insert(String::from("object_group"), json!("mysql"));
    given.insert(String::from("kmip_timeout_ms"), json!(30_000));
    let mut host = Host::start(&given);
    assert_eq!(host.load(), "ok");
    assert_eq!(host.ask("generate k - AES 32"), "ok");
    assert_eq!(host.ask("store s - SECRET 6162"), "ok");
    let before = host.ask("get k -");
    assert_eq!((host.load(), host.ask("keys")), ("ok".into(), "k=;s=;".into()));
    assert_eq!((host.ask("get k -"), host.ask("get s -")), (before, "SECRET 6162".into()));
    assert_eq!((host.ask("remove k -"), host.load()), ("ok".into(), "ok".into()));
    assert_eq!(host.ask("keys"), "s=;");
    // It keeps no attribute that it does not know: a key without its owner is none.
    assert_eq!(host.ask("generate u root@localhost AES 32"), "failed");
    assert!(host.log().contains("to have keys of users it must keep"), "{}", host.log());
    assert_eq!((host.load(), host.ask("keys")), ("ok".into(), "s=;".into()));
    drop(server.stdin.take());
    server.wait().unwrap();
}

#[test]
fn a_start_that_breaks_in_the_middle_begins_anew_or_has_no_key() {
    const KEYS: usize = 100;
    let server = Server::start();
    let gate = Gate::open(server.kmip);
    let mut given = options(&[&server]);
    given.insert(String::from("server_addr"), json!(format!("127.0.0.1:{}", gate.port())));
    let mut host = Host::start(&given);
    assert_eq!(host.load(), "ok");
    for number in 0..KEYS {
        assert_eq!(host.ask(&format!("generate k{number} - AES 32")), "ok");
    }
    assert_eq!((host.ask("deinit"), host.ask("init")), ("ok".into(), "ok".into()));
    let before = gate.passed();
    assert_eq!(host.load(), "ok");
    let (all, every) = (gate.passed() - before, host.ask("keys"));
    assert_eq!(every.matches(';').count(), KEYS);
    for part in [4, 6, 8, 9] {
        assert_eq!((host.ask("deinit"), host.ask("init")), ("ok".into(), "ok".into()));
        gate.break_after(all * part / 10, true);
        let before = host.log().len();
        assert_eq!(host.load(), "failed");
        assert!(gate.has_broken());
        let said = host.log()[before..].to_owned();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("no server answered"), "{said}");
        assert_eq!(
            (host.ask("is_initialized"), host.ask("get k1 -")),
            ("no".into(), "failed".into())
        );
        gate.admit();
        // Where the server is still there, it is asked again, and for everything.
        gate.break_after(all * part / 10, false);
        assert_eq!((host.load(), host.ask("keys")), ("ok".into(), every.clone()));
        assert!(gate.has_broken());
    }
}

/// What a server answers that names a key and says that it is not there.
fn forgetful(request: &[u8]) -> Vec<u8> {
    const VERSION: [(u32, i32); 2] =
        [(tag::PROTOCOL_VERSION_MAJOR, 1), (tag::PROTOCOL_VERSION_MINOR, 4)];
    let version = || {
        let parts = VERSION.map(|(tag, number)| Item::integer(tag, number));
        Item::structure(tag::PROTOCOL_VERSION, parts.into())
    };
    let request = Item::decode(request).unwrap();
    let operation = request.at(&[tag::BATCH_ITEM, tag::OPERATION]).unwrap();
    let identifier = || Item::text(tag::UNIQUE_IDENTIFIER, "1");
    let payload = match operation.as_enumeration().unwrap() {
        op::DISCOVER_VERSIONS => Some(vec![version()]),
        op::LOCATE => Some(vec![identifier()]),
        op::GET_ATTRIBUTES => Some(vec![identifier(), attribute("Name", name_fields("k"))]),
        _ => None,
    };
    let mut item = vec![operation.clone()];
    item.push(Item::enumeration(tag::RESULT_STATUS, u32::from(payload.is_none())));
    item.push(match payload {
        Some(payload) => Item::structure(tag::RESPONSE_PAYLOAD, payload),
        None => Item::enumeration(tag::RESULT_REASON, reason::ITEM_NOT_FOUND),
    });
    let count = Item::integer(tag::BATCH_COUNT, 1);
    let header = vec![version(), Item::date_time(tag::TIME_STAMP, 1), count];
    let message =
        vec![Item::structure(tag::RESPONSE_HEADER, header), Item::structure(tag::BATCH_ITEM, item)];
    Item::structure(tag::RESPONSE_MESSAGE, message).encode()
}

#[test]
fn a_key_that_is_named_and_not_given_is_not_taken_for_none() {
    let server = Server::start();
    let mut given = options(&[&server]);
    let scratch = tempfile::tempdir().unwrap();
    let ca = scratch.path().join("ca.pem");
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let port = impostor(&params, &ca, forgetful);
    given.insert(String::from("server_addr"), json!(format!("127.0.0.1:{port}")));
    given.insert(String::from("server_ca"), json!(ca.to_str().unwrap()));
    let mut host = Host::start(&given);
    assert_eq!(host.load(), "failed");
    let said = host.log();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("ItemNotFound"), "{said}");
    assert_eq!(host.ask("is_initialized"), "no");
}
