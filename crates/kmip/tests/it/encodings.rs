//! XML, JSON and text with the names of KMIP: what is read, what is refused, what is written.

use claviger_kmip::tables::{KmipNames, is_secret};
use claviger_kmip::tags;
use claviger_ttlv::{
    ItemType, Layout, Limits, NoNames, Node, ParseErrorKind, Tag, Value, json, text, xml,
};
use proptest::prelude::*;

fn read_xml(text: &str) -> Result<Node, ParseErrorKind> {
    xml::read(text, &KmipNames, &Limits::default()).map_err(|error| error.kind)
}

fn read_json(text: &str) -> Result<Node, ParseErrorKind> {
    json::read(text, &KmipNames, &Limits::default()).map_err(|error| error.kind)
}

fn attribute(name: &str, value: Value) -> Node {
    let name = Node::new(tags::ATTRIBUTE_NAME, Value::TextString(name.into()));
    Node::structure(tags::ATTRIBUTE, vec![name, Node::new(tags::ATTRIBUTE_VALUE, value)])
}

#[test]
fn xml_is_read_in_every_form_that_occurs() {
    let mask = attribute("Cryptographic Usage Mask", Value::Integer(12));
    let written = [
        r#"<Attribute><AttributeName type="TextString" value="Cryptographic Usage Mask"/>
           <AttributeValue type="Integer" value="Decrypt   Encrypt"/></Attribute>"#,
        r#"<?xml version="1.0" ?><!-- a comment --><Attribute>
           # TIME 0
           <AttributeName type="TextString" value="Cryptographic Usage Mask"></AttributeName>
           <AttributeValue type="Integer" value="0x0000000c"/></Attribute>"#,
        r#"<kmip:Attribute xmlns:kmip="urn:oasis:tc:kmip:xmlns" type="Structure">
           <kmip:AttributeName type="TextString" value="Cryptographic&#32;Usage Mask"/>
           <TTLV tag="0x42000B" name="AttributeValue" type="Integer" value="12"/>
           </kmip:Attribute>"#,
    ];
    for text in written {
        assert_eq!(read_xml(text), Ok(mask.clone()), "{text}");
    }
    let empty = Node::new(tags::DATA, Value::ByteString(Vec::new()));
    assert_eq!(read_xml(r#"<Data type="ByteString" value=""/>"#), Ok(empty.clone()));
    assert_eq!(read_xml(r#"<Data type="ByteString"/>"#), Ok(empty));
    let extension = Node::new(Tag::new(0x54_0001), Value::TextString("na".into()));
    let text = r#"<TTLV tag="0x540001" type="TextString" value="na"/>"#;
    assert_eq!(read_xml(text), Ok(extension.clone()));
    assert_eq!(xml::write(&extension, &KmipNames, Layout::Compact), text);
    assert_eq!(read_xml("<Attributes/>"), Ok(Node::structure(tags::ATTRIBUTES, vec![])));
}

#[test]
fn a_value_is_read_in_the_context_of_its_attribute_only() {
    let state = attribute("State", Value::Enumeration(2));
    let text = xml::write(&state, &KmipNames, Layout::Compact);
    assert!(text.contains(r#"type="Enumeration" value="Active""#), "{text}");
    assert_eq!(read_xml(&text), Ok(state));
    let bad = ParseErrorKind::BadValue(ItemType::Enumeration);
    assert_eq!(read_xml(&text.replace("State", "Object Type")), Err(bad.clone()));
    assert_eq!(read_xml(&text.replace("State", "x-State")), Err(bad));
    let vendor = attribute("x-State", Value::Enumeration(2));
    let text = json::write(&vendor, &KmipNames, Layout::Compact);
    assert!(text.contains(r#""value":"0x00000002""#), "{text}");
}

#[test]
fn xml_that_is_no_message() {
    let bad_integer = ParseErrorKind::BadValue(ItemType::Integer);
    let cases = [
        ("", ParseErrorKind::NotOneItem),
        ("# only text", ParseErrorKind::NotOneItem),
        ("<Data type='ByteString'/><Data type='ByteString'/>", ParseErrorKind::NotOneItem),
        ("<Attribute>", ParseErrorKind::Syntax),
        ("<Attribute></Attributes>", ParseErrorKind::Syntax),
        ("</Attribute>", ParseErrorKind::Syntax),
        ("<!DOCTYPE a [<!ENTITY e 'x'>]><Attribute/>", ParseErrorKind::Syntax),
        ("<Comment type='TextString' value='&e;'/>", ParseErrorKind::Syntax),
        ("<NoSuchTag/>", ParseErrorKind::UnknownTag),
        ("<TTLV tag='0x4200'/>", ParseErrorKind::UnknownTag),
        ("<Data type='Bytes' value=''/>", ParseErrorKind::UnknownType),
        ("<BatchCount type='Integer'/>", bad_integer.clone()),
        ("<BatchCount type='Integer' value='one'/>", bad_integer.clone()),
        ("<BatchCount type='Integer' value='Encrypt'/>", bad_integer),
    ];
    for (text, kind) in cases {
        assert_eq!(read_xml(text), Err(kind), "{text}");
    }
    let nested =
        "<Attribute><Attribute><BatchCount type='Integer' value='x'/></Attribute></Attribute>";
    let error = xml::read(nested, &KmipNames, &Limits::default()).expect_err("refused");
    assert_eq!(error.path, "Attribute/Attribute/BatchCount");
}

#[test]
fn json_is_read_in_every_form_that_the_encoding_has() {
    let cases = [
        (r#""type":"Integer","value":12"#, Value::Integer(12)),
        (r#""type":"Integer","value":"0x0000000C""#, Value::Integer(12)),
        (r#""type":"LongInteger","value":"0x0010000000000000""#, Value::LongInteger(1 << 52)),
        (r#""type":"LongInteger","value":-3"#, Value::LongInteger(-3)),
        (r#""type":"BigInteger","value":"0xff""#, Value::big_integer(&[0xFF])),
        (r#""type":"BigInteger","value":1"#, Value::big_integer(&[1])),
        (r#""type":"Boolean","value":true"#, Value::Boolean(true)),
        (r#""type":"Boolean","value":"0x0000000000000001""#, Value::Boolean(true)),
        (r#""type":"ByteString","value":"0aFF""#, Value::ByteString(vec![10, 255])),
        (r#""type":"TextString","value":"a\"\u00e9""#, Value::TextString("a\"é".into())),
        (r#""type":"DateTime","value":"1970-01-01T00:00:01Z""#, Value::DateTime(1)),
        (r#""type":"Interval","value":10"#, Value::Interval(10)),
        (r#""type":"Interval","value":"0x0000000A""#, Value::Interval(10)),
        (r#""type":"Enumeration","value":2147483649"#, Value::Enumeration(0x8000_0001)),
        (r#""value":[]"#, Value::Structure(vec![])),
        (r#""type":"Structure","value":[]"#, Value::Structure(vec![])),
    ];
    for (members, value) in cases {
        let text = format!(r#"{{"tag":"0x540001",{members}}}"#);
        assert_eq!(read_json(&text), Ok(Node::new(Tag::new(0x54_0001), value)), "{text}");
    }
    let mask = r#"{"tag":"CryptographicUsageMask","type":"Integer","value":"Encrypt|Decrypt"}"#;
    let node = Node::new(tags::CRYPTOGRAPHIC_USAGE_MASK, Value::Integer(12));
    assert_eq!(read_json(mask), Ok(node.clone()));
    assert_eq!(json::write(&node, &KmipNames, Layout::Compact), mask);
}

#[test]
fn json_that_is_no_message() {
    let cases = [
        ("", ParseErrorKind::Syntax),
        ("{}", ParseErrorKind::Malformed),
        ("[]", ParseErrorKind::Malformed),
        (r#"{"tag":4325384}"#, ParseErrorKind::Malformed),
        (r#"{"tag":"Attribute"} x"#, ParseErrorKind::Syntax),
        (r#"{"tag":"NoSuchTag","value":[]}"#, ParseErrorKind::UnknownTag),
        (r#"{"tag":"Attribute","value":[1]}"#, ParseErrorKind::Malformed),
        (r#"{"tag":"Attribute","value":"x"}"#, ParseErrorKind::BadValue(ItemType::Structure)),
        (r#"{"tag":"Data","type":7,"value":""}"#, ParseErrorKind::UnknownType),
        (
            r#"{"tag":"BatchCount","type":"Integer","value":2147483648}"#,
            ParseErrorKind::BadValue(ItemType::Integer),
        ),
        (
            r#"{"tag":"BatchCount","type":"Integer","value":1.5}"#,
            ParseErrorKind::BadValue(ItemType::Integer),
        ),
        (
            r#"{"tag":"Fresh","type":"Boolean","value":1}"#,
            ParseErrorKind::BadValue(ItemType::Boolean),
        ),
    ];
    for (text, kind) in cases {
        assert_eq!(read_json(text), Err(kind), "{text}");
    }
}

#[test]
fn limits_hold_for_text() {
    let limits = Limits { size_max: 64, depth_max: 3, items_max: 4 };
    let read = |node: &Node| {
        let xml = xml::read(&xml::write(node, &NoNames, Layout::Compact), &NoNames, &limits);
        let json = json::read(&json::write(node, &NoNames, Layout::Compact), &NoNames, &limits);
        assert_eq!(
            xml.as_ref().map_err(|error| &error.kind),
            json.as_ref().map_err(|error| &error.kind)
        );
        assert_eq!(xml.is_ok(), Node::from_bytes(&node.to_bytes(), &limits).is_ok(), "{node:?}");
        xml.map(drop).map_err(|error| error.kind)
    };
    let tag = Tag::new(0x54_0001);
    let leaf = || Node::new(tag, Value::Integer(0));
    let around = |children| Node::structure(tag, children);
    assert_eq!(read(&around(vec![around(vec![leaf()])])), Ok(()));
    let deep = around(vec![around(vec![around(vec![leaf()])])]);
    assert_eq!(read(&deep), Err(ParseErrorKind::TooDeep));
    assert_eq!(read(&around(vec![leaf(), leaf(), leaf()])), Ok(()));
    let many = around((0..4).map(|_| around(vec![])).collect());
    assert_eq!(read(&many), Err(ParseErrorKind::TooManyItems));
    let bytes = |length| Node::new(tag, Value::ByteString(vec![7; length]));
    assert_eq!(read(&bytes(56)), Ok(()));
    assert_eq!(read(&bytes(57)), Err(ParseErrorKind::TooLarge));
}

#[test]
fn text_shows_names_and_hides_secrets() {
    let material = Node::new(tags::KEY_MATERIAL, Value::ByteString(vec![0xAB; 16]));
    let node = Node::structure(
        tags::KEY_BLOCK,
        vec![
            Node::new(tags::KEY_FORMAT_TYPE, Value::Enumeration(1)),
            Node::structure(tags::KEY_VALUE, vec![material]),
            Node::new(tags::CRYPTOGRAPHIC_USAGE_MASK, Value::Integer(12)),
        ],
    );
    assert_eq!(
        text::write(&node, &KmipNames, &is_secret),
        "KeyBlock\n  KeyFormatType Enumeration Raw\n  KeyValue\n    KeyMaterial ByteString (16 \
         bytes, not shown)\n  CryptographicUsageMask Integer 12 (Encrypt | Decrypt)\n"
    );
    let shown = text::write(&node, &KmipNames, &|_| false);
    assert!(shown.contains("KeyMaterial ByteString abab"), "{shown}");
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::LongInteger),
        proptest::collection::vec(any::<u8>(), 1..20).prop_map(|b| Value::big_integer(&b)),
        any::<u32>().prop_map(Value::Enumeration),
        any::<bool>().prop_map(Value::Boolean),
        any::<String>().prop_map(Value::TextString),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::ByteString),
        any::<i64>().prop_map(Value::DateTime),
        any::<u32>().prop_map(Value::Interval),
        any::<i64>().prop_map(Value::DateTimeExtended),
    ]
}

fn tree() -> impl Strategy<Value = Node> {
    let tag = || (0x42_0001_u32..0x42_0180).prop_map(Tag::new);
    let leaf = (tag(), leaf()).prop_map(|(tag, value)| Node::new(tag, value));
    leaf.prop_recursive(4, 32, 6, move |inner| {
        (tag(), proptest::collection::vec(inner, 0..6))
            .prop_map(|(tag, children)| Node::structure(tag, children))
    })
}

proptest! {
    #[test]
    fn any_tree_survives_every_encoding(node in tree()) {
        let limits = Limits::default();
        let read = Node::from_bytes(&node.to_bytes(), &limits);
        prop_assert_eq!(read.as_ref(), Ok(&node));
        for layout in [Layout::Compact, Layout::Indented] {
            let text = json::write(&node, &KmipNames, layout);
            let read = json::read(&text, &KmipNames, &limits);
            prop_assert_eq!(read.as_ref(), Ok(&node), "{}", text);
            let text = xml::write(&node, &KmipNames, layout);
            let read = xml::read(&text, &KmipNames, &limits);
            prop_assert_eq!(read.as_ref(), Ok(&node), "{}", text);
        }
    }

    #[test]
    fn no_text_panics(
        text in r#"([<>/"'= {}:,\[\]&;#!?-]|Attribute|TTLV|tag|type|value|0x42|Integer|[0-9]|\PC){0,60}"#
    ) {
        let limits = Limits::default();
        let read = [xml::read(&text, &KmipNames, &limits), json::read(&text, &KmipNames, &limits)];
        for node in read.into_iter().flatten() {
            prop_assert_eq!(Node::from_bytes(&node.to_bytes(), &limits), Ok(node));
        }
    }

    #[test]
    fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), node in tree()) {
        let limits = Limits::default();
        let valid = node.to_bytes();
        for (at, byte) in bytes.iter_mut().enumerate().take(3) {
            // Mostly valid bytes, a few of them changed, go deeper than noise.
            let mut mutated = valid.clone();
            let place = usize::from(*byte) * (at + 1) % mutated.len();
            mutated[place] ^= *byte;
            if let Ok(node) = Node::from_bytes(&mutated, &limits) {
                prop_assert_eq!(Node::from_bytes(&node.to_bytes(), &limits), Ok(node));
            }
        }
        let _either = Node::from_bytes(&bytes, &limits);
    }
}
