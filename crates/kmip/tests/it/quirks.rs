//! Every row of the tolerance table is backed by a request that a real client sent.

use claviger_kmip::tables::tag_title;
use claviger_kmip::tolerance::{Evidence, QUIRKS, Quirk};
use claviger_kmip::{Version, tags};
use claviger_ttlv::{Limits, Node, Tag, Value};

use crate::corpora::payloads;
use crate::oasis;

const MASK: Tag = tags::CRYPTOGRAPHIC_USAGE_MASK;

/// Whether the structure with that tag has the field, itself or as a named attribute; where the
/// quirk is a value, with that value.
fn shows(node: &Node, quirk: &Quirk, inside: bool) -> bool {
    let inside = inside || quirk.structure == node.tag;
    let title = tag_title(quirk.field);
    let children = node.children();
    let is_named = children.iter().any(|child| {
        child.tag == tags::ATTRIBUTE_NAME
            && matches!(&child.value, Value::TextString(name) if Some(name.as_str()) == title)
    });
    let is_shown = if is_named {
        let value = children.iter().find(|child| child.tag == tags::ATTRIBUTE_VALUE);
        // Get Attributes has names without values.
        value.map_or(quirk.field != MASK, |child| is_odd(quirk, &child.value))
    } else {
        node.tag == quirk.field && is_odd(quirk, &node.value)
    };
    (inside && is_shown) || children.iter().any(|child| shows(child, quirk, inside))
}

/// Where the quirk is not the field but its value: whether it is that value.
fn is_odd(quirk: &Quirk, value: &Value) -> bool {
    quirk.field != MASK || *value == Value::Integer(0)
}

/// Whether the text has a function of that name under `#[test]`.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.iter().position(|line| line.starts_with(&format!("fn {name}("))).is_some_and(|at| {
        let before = lines[..at].iter().rev();
        before
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
            .any(|line| *line == "#[test]")
    })
}

#[test]
fn a_function_is_a_test_only_under_its_attribute() {
    assert!(has_test("#[test]\n// why\nfn one() {}", "one"));
    assert!(!has_test("#[test]\nfn one() {}\nfn two() {}", "two"));
    assert!(!has_test("// fn one() {}", "one"));
}

#[test]
fn an_empty_usage_mask_is_told_by_its_value() {
    let quirk = QUIRKS.iter().find(|quirk| quirk.field == MASK).expect("the row of libmongocrypt");
    let item = |tag, value| Node { tag, value };
    let request = |mask| {
        let name = item(tags::ATTRIBUTE_NAME, Value::TextString("Cryptographic Usage Mask".into()));
        let value = item(tags::ATTRIBUTE_VALUE, Value::Integer(mask));
        let attribute = item(tags::ATTRIBUTE, Value::Structure(vec![name, value]));
        item(tags::REQUEST_PAYLOAD, Value::Structure(vec![attribute]))
    };
    assert!(shows(&request(0), quirk, false));
    assert!(!shows(&request(12), quirk, false));
}

fn version(message: &Node) -> Option<Version> {
    payloads(message).first().map(|found| found.version)
}

#[test]
fn every_quirk_can_be_seen() {
    let Some(folder) = std::env::var_os("CLAVIGER_KMIP_RECORDED") else {
        assert!(std::env::var_os("CI").is_none(), "CLAVIGER_KMIP_RECORDED must be set under CI");
        eprintln!("skipped: CLAVIGER_KMIP_RECORDED is not set");
        return;
    };
    let recorded = oasis::text(&std::path::Path::new(&folder).join("messages.jsonl"));
    let requests: Vec<(String, Node)> = recorded
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter(|line| line["direction"] == "request")
        .map(|line| {
            let bytes = oasis::bytes(line["hex"].as_str().expect("hex"));
            let step = line["step"].as_str().expect("a step").to_owned();
            (step, Node::from_bytes(&bytes, &Limits::default()).expect("a message"))
        })
        .collect();
    for quirk in QUIRKS {
        match quirk.evidence {
            Evidence::Recorded(step) => {
                let seen = requests.iter().any(|(name, message)| {
                    name.starts_with(step)
                        && version(message).is_some_and(|it| quirk.since <= it && it <= quirk.until)
                        && shows(message, quirk, false)
                });
                assert!(seen, "nobody sends {quirk:?}");
            }
            Evidence::Replayed(test) => {
                let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/it");
                let found = oasis::files(std::path::Path::new(tests), ".rs")
                    .iter()
                    .any(|path| has_test(&oasis::text(path), test));
                assert!(found, "no test is called {test}");
            }
        }
    }
}
