//! Any bytes to the reader; what it accepts is written again and must be the same.

#![no_main]

use claviger_fuzz::chance::Chance;
use claviger_fuzz::mutation;
use claviger_kmip::message::{RequestMessage, ResponseMessage};
use claviger_ttlv::{Item, ItemType, Limits, Message, Node};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let Ok(message) = Message::parse(bytes, &limits) else { return };
    let root = message.root();
    let depth = depth(&root);
    assert!(depth <= limits.depth_max, "{depth} levels were accepted");
    // Neither may do more than refuse.
    let _ = RequestMessage::parse(&message).map(|request| request.items().count());
    let _ = ResponseMessage::parse(&message);

    let Ok(node) = Node::from_item(&root) else { return };
    let written = node.to_bytes();
    assert_eq!(written.len(), bytes.len(), "the length of what is written");
    let read = Node::from_bytes(&written, &limits).expect("what is written can be read");
    assert!(read == node, "what is read again is another");
    assert_eq!(read.to_bytes(), written, "what is written again is another");
});

fn depth(item: &Item<'_>) -> usize {
    let mut deepest = 0;
    if item.item_type == ItemType::Structure {
        let mut children = item.structure().expect("a structure has children");
        while let Some(child) = children.next_item().expect("the message has been checked") {
            deepest = deepest.max(depth(&child));
        }
    }
    deepest + 1
}

fuzz_mutator!(|bytes: &mut [u8], size: usize, size_max: usize, seed: u32| {
    let mut chance = Chance::new(seed.into());
    if chance.once_in(2)
        && let Some(input) = bytes.get(..size)
        && let Some(mutated) = mutation::mutate(input, size_max, &mut chance)
        && let Some(place) = bytes.get_mut(..mutated.len())
    {
        place.copy_from_slice(&mutated);
        return mutated.len();
    }
    fuzzer_mutate(bytes, size, size_max)
});
