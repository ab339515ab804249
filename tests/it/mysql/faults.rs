//! The component when a KMIP server does not answer, or its answer is lost.

use serde_json::json;

use super::files::options;
use super::host::Host;
use crate::at_rest_faults::Gate;
use crate::kmip::{Client, Operation, attribute, name_fields, op, tag};
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
