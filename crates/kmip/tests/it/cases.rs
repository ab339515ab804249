//! The OASIS files through the encodings: the vectors that are printed in several encodings, and
//! every message of every test case through XML, TTLV and JSON and back.

use claviger_kmip::tables::KmipNames;
use claviger_ttlv::{Layout, Limits, Node, json, xml};

use crate::oasis;

const VECTORS: usize = 24;
const VECTORS_IN_JSON: usize = 8;
const CASE_FILES: usize = 492;

#[test]
fn the_vectors_are_the_same_in_every_encoding() {
    let Some(folder) = oasis::folder() else { return };
    let limits = Limits::default();
    let (mut vectors, mut in_json) = (0, 0);
    for path in oasis::files(&folder, ".ttlv.hex") {
        let expected = oasis::bytes(&oasis::text(&path));
        let name = path.to_string_lossy().replace(".ttlv.hex", "");
        let node = xml::read(&oasis::text(format!("{name}.xml").as_ref()), &KmipNames, &limits);
        let node = node.unwrap_or_else(|error| panic!("{name}.xml: {error}"));
        assert_eq!(node.to_bytes(), expected, "{name}.xml");
        assert_eq!(Node::from_bytes(&expected, &limits), Ok(node.clone()), "{name}");
        vectors += 1;
        let path = format!("{name}.json");
        if std::fs::exists(&path).is_ok_and(|exists| exists) {
            let read = json::read(&oasis::text(path.as_ref()), &KmipNames, &limits);
            assert_eq!(read.as_ref(), Ok(&node), "{name}.json");
            in_json += 1;
        }
    }
    assert_eq!((vectors, in_json), (VECTORS, VECTORS_IN_JSON));
}

#[test]
fn every_case_survives_every_encoding() {
    let Some(folder) = oasis::folder() else { return };
    let paths = oasis::files(&folder, ".xml");
    assert_eq!(paths.len(), CASE_FILES);
    for path in paths {
        for (index, node) in oasis::messages(&path).iter().enumerate() {
            assert_survives(node, &format!("{} message {index}", path.display()));
        }
    }
}

fn assert_survives(node: &Node, place: &str) {
    let limits = Limits::default();
    let bytes = node.to_bytes();
    assert_eq!(Node::from_bytes(&bytes, &limits).as_ref(), Ok(node), "{place}: TTLV");
    for layout in [Layout::Compact, Layout::Indented] {
        let text = xml::write(node, &KmipNames, layout);
        assert_eq!(xml::read(&text, &KmipNames, &limits).as_ref(), Ok(node), "{place}: {text}");
        let text = json::write(node, &KmipNames, layout);
        assert_eq!(json::read(&text, &KmipNames, &limits).as_ref(), Ok(node), "{place}: {text}");
    }
}
