//! Requests, well-formed and not, to a service in memory with one credential.

#![no_main]

use std::cell::RefCell;

use claviger_fuzz::chance::Chance;
use claviger_fuzz::server::{CANARY, Server};
use claviger_fuzz::{messages, mutation};
use claviger_kmip::message::ResponseMessage;
use claviger_kmip::{tables, tags};
use claviger_ttlv::{Limits, Message, Node, Value};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

/// More would only repeat what fewer have shown.
const MESSAGES_MAX: usize = 24;

thread_local! {
    static SERVER: RefCell<Server> = RefCell::new(Server::new());
}

fuzz_target!(|input: &[u8]| {
    SERVER.with_borrow_mut(|server| {
        server.reset();
        for request in messages(input).into_iter().take(MESSAGES_MAX) {
            check(&server.answer(request));
        }
    });
});

/// An answer is a response of one version, and holds nothing younger and no key of others.
fn check(answer: &[u8]) {
    let limits = Limits { size_max: 8 << 20, items_max: 1 << 20, ..Limits::default() };
    let message = Message::parse(answer, &limits).expect("the answer is TTLV");
    let response = ResponseMessage::parse(&message).expect("the answer is a response");
    assert!(response.version.is_supported(), "answered in {}", response.version);
    assert!(!response.items.is_empty(), "the answer has an item");
    assert!(!holds(answer, CANARY), "a key of another scope was served");
    for item in &response.items {
        if let Some(payload) = &item.payload {
            let node = Node::from_item(payload).expect("the payload is TTLV");
            check_age(&node, response.version);
        }
    }
}

/// No tag that the version does not know, except inside a Key Value: that is the client's own.
fn check_age(node: &Node, version: claviger_kmip::Version) {
    if let Some(row) = tables::tag_row(node.tag) {
        assert!(row.is_in(version), "{} in an answer of {version}", row.name);
    }
    if let Value::Structure(children) = &node.value
        && node.tag != tags::KEY_VALUE
        && node.tag != tags::ATTRIBUTE_VALUE
    {
        for child in children {
            check_age(child, version);
        }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fuzz_mutator!(|bytes: &mut [u8], size: usize, size_max: usize, seed: u32| {
    let mut chance = Chance::new(seed.into());
    // Mostly well-formed: arbitrary bytes end at the reader, which has a target of its own.
    if !chance.once_in(8)
        && let Some(input) = bytes.get(..size)
        && let Some(mutated) = mutation::mutate(input, size_max, &mut chance)
        && let Some(place) = bytes.get_mut(..mutated.len())
    {
        place.copy_from_slice(&mutated);
        return mutated.len();
    }
    fuzzer_mutate(bytes, size, size_max)
});
