//! Any text to the XML and JSON readers; what they accept must be the same in every encoding.

#![no_main]

use claviger_kmip::tables::{KmipNames, is_secret};
use claviger_ttlv::{Layout, Limits, Node, json, text, xml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let limits = Limits::default();
    let (read_xml, read_json) =
        (xml::read(input, &KmipNames, &limits), json::read(input, &KmipNames, &limits));
    for node in [read_xml, read_json].into_iter().flatten() {
        let bytes = node.to_bytes();
        let read = Node::from_bytes(&bytes, &limits).expect("TTLV of what was accepted");
        assert!(read == node, "TTLV");
        // Written by us, a text may be longer than the one that was read.
        let limits = Limits { size_max: limits.size_max * 16, ..limits };
        for layout in [Layout::Compact, Layout::Indented] {
            let written = xml::write(&node, &KmipNames, layout);
            let read = xml::read(&written, &KmipNames, &limits).expect("XML of what was accepted");
            assert!(read == node, "XML {layout:?}: {written}");
            let written = json::write(&node, &KmipNames, layout);
            let read =
                json::read(&written, &KmipNames, &limits).expect("JSON of what was accepted");
            assert!(read == node, "JSON {layout:?}: {written}");
        }
        assert!(!text::write(&node, &KmipNames, &is_secret).is_empty());
    }
});
