//! `unique_names` of a scope: no object gets a Name that another has, however many ask at once.

use std::thread;

use serde_json::json;

use crate::api::Api;
use crate::kmip::{Client, ReplyItem, Version, on, op, register};
use crate::server::Server;

const V: Version = (2, 0);
const NON_UNIQUE_NAME_ATTRIBUTE: u32 = 0x35;
const KEY: &[u8; 32] = &[7; 32];

fn set(server: &Server, unique: bool) {
    let answer = Api::root(server).write("kmip/scope/default", &json!({ "unique_names": unique }));
    assert_eq!(answer.status, 204);
}

fn refused(reply: ReplyItem) {
    assert_eq!(reply.failure(), NON_UNIQUE_NAME_ATTRIBUTE);
}

#[test]
fn a_name_is_taken_until_its_object_is_destroyed_or_gives_it_up() {
    let server = Server::start();
    let mut client = Client::connect(&server, V);
    // Before the scope says so, objects share Names; what shares one then goes on.
    for _ in 0..2 {
        client.call(register(V, KEY, Some("old"))).success();
    }
    set(&server, true);
    refused(client.call(register(V, KEY, Some("old"))));

    let id = client.call(register(V, KEY, Some("mine"))).unique_identifier();
    refused(client.call(register(V, KEY, Some("mine"))));
    client.call(register(V, KEY, Some("other"))).success();
    client.call(on(op::DESTROY, &id)).success();
    client.call(register(V, KEY, Some("mine"))).success();

    set(&server, false);
    client.call(register(V, KEY, Some("mine"))).success();
}

#[test]
fn of_many_that_ask_at_once_one_gets_the_name() {
    let server = Server::start();
    set(&server, true);
    for round in 0..10 {
        let name = format!("name-{round}");
        let made: usize = thread::scope(|scope| {
            let ask = || {
                let mut client = Client::connect(&server, V);
                usize::from(client.call(register(V, KEY, Some(&name))).reason.is_none())
            };
            let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().map(|asked| asked.join().unwrap()).sum()
        });
        assert_eq!(made, 1, "round {round}");
    }
}
