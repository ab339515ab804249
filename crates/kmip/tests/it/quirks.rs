//! Every row of the tolerance table is backed by a request that a real client sent.

use claviger_kmip::tables::tag_title;
use claviger_kmip::tolerance::{Evidence, QUIRKS, Quirk};
use claviger_kmip::{Version, tags};
use claviger_ttlv::{Limits, Node, Value};

use crate::corpora::payloads;
use crate::oasis;

/// Whether the structure with that tag has the field, itself or as a named attribute.
fn shows(node: &Node, quirk: &Quirk, inside: bool) -> bool {
    let inside = inside || quirk.structure.is_none_or(|tag| tag == node.tag);
    let is_field = node.tag == quirk.field;
    let names_it = node.tag == tags::ATTRIBUTE_NAME
        && matches!(&node.value, Value::TextString(name) if Some(name.as_str()) == tag_title(quirk.field));
    (inside && (is_field || names_it))
        || node.children().iter().any(|child| shows(child, quirk, inside))
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
                    .any(|path| oasis::text(path).contains(&format!("fn {test}(")));
                assert!(found, "no test is called {test}");
            }
        }
    }
}
