//! Changes to a message that leave it well-formed TTLV: the reader lets it pass, so that what lies
//! behind the reader gets to see it.

use claviger_kmip::tables::{Vocabulary, tags, vocabulary};
use claviger_ttlv::{Limits, Node, Tag, Value};

use crate::chance::Chance;
use crate::{messages, seeds};

/// Changes the messages of an input; `None` if it holds none that is well-formed.
pub fn mutate(input: &[u8], size_max: usize, chance: &mut Chance) -> Option<Vec<u8>> {
    let mut nodes: Vec<Node> = messages(input)
        .into_iter()
        .filter_map(|message| Node::from_bytes(message, &Limits::default()).ok())
        .collect();
    if nodes.is_empty() {
        return None;
    }
    for _ in 0..=chance.below(4) {
        mutate_sequence(&mut nodes, chance);
    }
    for node in &mut nodes {
        if !chance.once_in(16) {
            repair(node);
        }
    }
    let mut bytes = Vec::new();
    for node in &nodes {
        bytes.extend_from_slice(&node.to_bytes());
    }
    (bytes.len() <= size_max).then_some(bytes)
}

fn mutate_sequence(nodes: &mut Vec<Node>, chance: &mut Chance) {
    match chance.below(12) {
        0 => {
            if let Some(seed) = chance.pick(seeds::requests()) {
                nodes.insert(chance.below(nodes.len() + 1), seed.clone());
            }
        }
        1 if nodes.len() > 1 => {
            nodes.remove(chance.below(nodes.len()));
        }
        2 => {
            let (from, to) = (chance.below(nodes.len()), chance.below(nodes.len()));
            nodes.swap(from, to);
        }
        _ => {
            let at = chance.below(nodes.len());
            if let Some(node) = nodes.get_mut(at) {
                mutate_tree(node, chance);
            }
        }
    }
}

/// Walks down to a random item and changes it.
fn mutate_tree(node: &mut Node, chance: &mut Chance) {
    if !chance.once_in(4)
        && let Value::Structure(children) = &mut node.value
        && !children.is_empty()
    {
        let at = chance.below(children.len());
        if let Some(child) = children.get_mut(at) {
            mutate_tree(child, chance);
        }
        return;
    }
    match &mut node.value {
        Value::Structure(children) => mutate_children(children, chance),
        _ if chance.once_in(8) => node.value = any_value(node.tag, chance),
        _ if chance.once_in(8) => node.tag = any_tag(chance),
        value => mutate_value(node.tag, value, chance),
    }
}

fn mutate_children(children: &mut Vec<Node>, chance: &mut Chance) {
    let at = chance.below(children.len());
    let to = chance.below(children.len() + 1);
    match chance.below(7) {
        0 if !children.is_empty() => {
            children.remove(at);
        }
        1 => {
            if let Some(copy) = children.get(at).cloned() {
                children.insert(to, copy);
            }
        }
        2 if to < children.len() => children.swap(at, to),
        3 => {
            let tag = any_tag(chance);
            children.insert(to, Node::new(tag, any_value(tag, chance)));
        }
        // A part of another message, or one of its parts in place of ours.
        4 | 5 => {
            let Some(donor) = chance.pick(seeds::requests()).map(|seed| any_part(seed, chance))
            else {
                return;
            };
            match children.iter_mut().find(|child| child.tag == donor.tag) {
                Some(child) if chance.once_in(2) => *child = donor,
                _ => children.insert(to, donor),
            }
        }
        _ => children.truncate(at),
    }
}

fn any_part(node: &Node, chance: &mut Chance) -> Node {
    let mut part = node;
    while let Some(child) = chance.pick(part.children()) {
        part = child;
        if chance.once_in(3) {
            break;
        }
    }
    part.clone()
}

fn any_tag(chance: &mut Chance) -> Tag {
    let known = chance.pick(tags::ROWS).map(|row| Tag::new(row.code));
    known.unwrap_or(Tag::new(0x42_0000))
}

/// A value that the vocabulary of the tag knows, or one of any type.
fn any_value(tag: Tag, chance: &mut Chance) -> Value {
    if let Some(Vocabulary::Enumeration(table)) = vocabulary(tag)
        && !chance.once_in(4)
        && let Some(row) = chance.pick(table.rows)
    {
        return Value::Enumeration(row.code);
    }
    match chance.below(11) {
        0 => Value::Structure(Vec::new()),
        1 => Value::Integer(any_number(chance) as i32),
        2 => Value::LongInteger(any_number(chance)),
        3 => Value::big_integer(&any_bytes(chance)),
        4 => Value::Enumeration(any_number(chance) as u32),
        5 => Value::Boolean(chance.once_in(2)),
        6 => Value::TextString(any_text(chance)),
        7 => Value::ByteString(any_bytes(chance)),
        8 => Value::DateTime(any_number(chance)),
        9 => Value::Interval(any_number(chance) as u32),
        _ => Value::DateTimeExtended(any_number(chance)),
    }
}

fn mutate_value(tag: Tag, value: &mut Value, chance: &mut Chance) {
    match value {
        Value::Structure(children) => mutate_children(children, chance),
        Value::Integer(number) => *number = near((*number).into(), chance) as i32,
        Value::LongInteger(number) | Value::DateTime(number) | Value::DateTimeExtended(number) => {
            *number = near(*number, chance)
        }
        Value::Interval(number) => *number = near((*number).into(), chance) as u32,
        Value::Enumeration(_) => {
            *value = match any_value(tag, chance) {
                Value::Enumeration(code) => Value::Enumeration(code),
                _ => Value::Enumeration(any_number(chance) as u32),
            }
        }
        Value::Boolean(truth) => *truth = !*truth,
        Value::TextString(text) => *text = any_text(chance),
        Value::BigInteger(bytes) => {
            mutate_bytes(bytes, chance);
            *value = Value::big_integer(bytes);
        }
        Value::ByteString(bytes) => mutate_bytes(bytes, chance),
    }
}

fn mutate_bytes(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(bytes.len());
    match chance.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_slice(&any_bytes(chance)),
        2 => *bytes = any_bytes(chance),
        3 if !bytes.is_empty() => {
            bytes.remove(at);
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = chance.bits() as u8;
            }
        }
    }
}

fn near(number: i64, chance: &mut Chance) -> i64 {
    match chance.below(4) {
        0 => number.wrapping_add(1),
        1 => number.wrapping_sub(1),
        2 => number ^ (1 << chance.below(64)),
        _ => any_number(chance),
    }
}

/// Numbers at which arithmetic goes wrong, and small ones.
fn any_number(chance: &mut Chance) -> i64 {
    const EDGES: &[i64] = &[
        0,
        1,
        -1,
        16,
        255,
        i32::MAX as i64,
        i32::MIN as i64,
        u32::MAX as i64,
        i64::MAX,
        i64::MIN,
        i64::MAX / 1_000_000,
        1_800_000_000,
    ];
    match chance.below(3) {
        0 => chance.below(64) as i64,
        1 => chance.bits() as i64 >> chance.below(64),
        _ => chance.pick(EDGES).copied().unwrap_or_default(),
    }
}

fn any_bytes(chance: &mut Chance) -> Vec<u8> {
    const LENGTHS: &[usize] = &[0, 1, 7, 8, 12, 16, 24, 32, 33, 65, 128, 256];
    let length = chance.pick(LENGTHS).copied().unwrap_or_default();
    let fill = if chance.once_in(2) { chance.bits() } else { 0 };
    (0..length).map(|_| if fill == 0 { chance.bits() as u8 } else { fill as u8 }).collect()
}

fn any_text(chance: &mut Chance) -> String {
    const TEXTS: &[&str] = &[
        "",
        "#0",
        "#1",
        "#2",
        "#3",
        "a",
        "x-attribute",
        "y-attribute",
        "Name",
        "State",
        "Activation Date",
        "Cryptographic Usage Mask",
        "Custom Attribute",
        "Unique Identifier",
        "Digest",
        "00000000-0000-7000-8000-000000000000",
        "\u{0}",
        "ÄÖ\u{1F511}",
    ];
    if chance.once_in(6) {
        let attribute = chance.pick(tags::ROWS).map(|row| row.title);
        return attribute.unwrap_or_default().to_owned();
    }
    chance.pick(TEXTS).copied().unwrap_or_default().to_owned()
}

/// Sets the Batch Count to the number of items: a message that fails at its header teaches little.
fn repair(message: &mut Node) {
    let Value::Structure(parts) = &mut message.value else { return };
    let items = parts.iter().filter(|part| part.tag == tags::BATCH_ITEM).count();
    let header = parts.iter_mut().find(|part| part.tag == tags::REQUEST_HEADER);
    let Some(Node { value: Value::Structure(fields), .. }) = header else { return };
    let count = fields.iter_mut().find(|field| field.tag == tags::BATCH_COUNT);
    if let (Some(count), Ok(items)) = (count, i32::try_from(items)) {
        count.value = Value::Integer(items);
    }
}
