//! The OASIS files through the encodings: the vectors that are printed in several encodings, and
//! every message of every test case through XML, TTLV and JSON and back.

use claviger_kmip::tables::KmipNames;
use claviger_ttlv::{Layout, Limits, Node, json, xml};

use crate::oasis;

const VECTORS: usize = 24;
const VECTORS_IN_JSON: usize = 8;
const CASE_FILES: usize = 492;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).expect("a byte")).collect()
}

#[test]
fn the_vectors_are_the_same_in_every_encoding() {
    let Some(folder) = oasis::folder() else { return };
    let limits = Limits::default();
    let (mut vectors, mut in_json) = (0, 0);
    for path in oasis::files(&folder, ".ttlv.hex") {
        let expected = bytes(&oasis::text(&path));
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
    let limits = Limits::default();
    let paths = oasis::files(&folder, ".xml");
    assert_eq!(paths.len(), CASE_FILES);
    for path in paths {
        let text = oasis::text(&path);
        let roots = xml::elements(well_formed(&text), &wide()).unwrap_or_else(|error| {
            panic!("{}: {error}", path.display());
        });
        let [root] = roots.as_slice() else { panic!("{}: one root", path.display()) };
        let is_message = root.name.ends_with("Message");
        let messages = if is_message { std::slice::from_ref(root) } else { &root.children };
        assert!(!messages.is_empty(), "{}", path.display());
        for (index, message) in messages.iter().enumerate() {
            let mut message = message.clone();
            fill_placeholders(&mut message);
            let node = message.to_node(&KmipNames, &limits);
            let node = node.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_survives(&node, &format!("{} message {index}", path.display()));
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

/// A whole dialogue in one document is larger than one message may be.
fn wide() -> Limits {
    Limits { size_max: 1 << 24, items_max: 1 << 20, ..Limits::default() }
}

/// One published file closes its root twice.
fn well_formed(text: &str) -> &str {
    const END: &str = "</KMIP>";
    match text.find(END) {
        Some(at) => &text[..at + END.len()],
        None => text,
    }
}

/// A placeholder stands for a value that is known only when the case is played; any value of the
/// type will do here.
fn fill_placeholders(element: &mut xml::Element) {
    if element.value.as_deref().is_some_and(|value| value.starts_with('$')) {
        let filled = match element.item_type.as_deref() {
            Some("TextString") => return,
            Some("DateTime") => "2026-11-22T00:00:00+00:00",
            Some("ByteString") => "00ff",
            other => panic!("{} of type {other:?} has a placeholder", element.name),
        };
        element.value = Some(filled.to_owned());
    }
    element.children.iter_mut().for_each(fill_placeholders);
}
