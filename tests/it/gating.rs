//! What an old client cannot decode is not sent to it: no attribute, tag or field younger than its request, whatever
//! the object has gathered from younger clients. KMIP 1.0 to 2.1, the attribute sections.
//!
//! (That no reply has a younger tag is checked in [`crate::kmip::Reply::read`], for every reply of every test.)

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::kmip::{
    Client, Operation, Version, aes_attributes, attribute, create, key_block, name_fields, on, op,
    register, revoke, tag, unique_identifier, version_item,
};
use crate::server::Server;
use crate::ttlv::{Item, Value};

/// The attributes of 1.x by the version that brought them.
const ATTRIBUTES: [(Version, &[&str]); 5] = [
    (
        (1, 0),
        &[
            "Unique Identifier",
            "Name",
            "Object Type",
            "Cryptographic Algorithm",
            "Cryptographic Length",
            "Cryptographic Parameters",
            "Cryptographic Domain Parameters",
            "Certificate Type",
            "Certificate Identifier",
            "Certificate Subject",
            "Certificate Issuer",
            "Digest",
            "Operation Policy Name",
            "Cryptographic Usage Mask",
            "Lease Time",
            "Usage Limits",
            "State",
            "Initial Date",
            "Activation Date",
            "Process Start Date",
            "Protect Stop Date",
            "Deactivation Date",
            "Destroy Date",
            "Compromise Occurrence Date",
            "Compromise Date",
            "Revocation Reason",
            "Archive Date",
            "Object Group",
            "Link",
            "Application Specific Information",
            "Contact Information",
            "Last Change Date",
        ],
    ),
    (
        (1, 1),
        &[
            "Certificate Length",
            "Digital Signature Algorithm",
            "Fresh",
            "X.509 Certificate Identifier",
            "X.509 Certificate Subject",
            "X.509 Certificate Issuer",
        ],
    ),
    (
        (1, 2),
        &["Alternative Name", "Key Value Present", "Key Value Location", "Original Creation Date"],
    ),
    ((1, 3), &["Random Number Generator"]),
    (
        (1, 4),
        &[
            "PKCS#12 Friendly Name",
            "Description",
            "Comment",
            "Sensitive",
            "Always Sensitive",
            "Extractable",
            "Never Extractable",
        ],
    ),
];
/// The parts of a certificate's names, one attribute each, came with 1.4 too.
const NAME_PARTS: [&str; 12] = [
    "CN",
    "O",
    "OU",
    "Email",
    "C",
    "ST",
    "L",
    "UID",
    "Serial Number",
    "Title",
    "DC",
    "DN Qualifier",
];

fn since(name: &str) -> Option<Version> {
    if name.starts_with("x-") || name.starts_with("y-") {
        return Some((1, 0));
    }
    let part = name
        .strip_prefix("Certificate Subject ")
        .or_else(|| name.strip_prefix("Certificate Issuer "));
    if part.is_some_and(|part| NAME_PARTS.contains(&part)) {
        return Some((1, 4));
    }
    ATTRIBUTES.iter().find(|(_, names)| names.contains(&name)).map(|(version, _)| *version)
}

fn text(value: &str) -> Value {
    Value::TextString(value.to_owned())
}

/// A key with every attribute that a client of 1.4 may give it, and that has lived.
fn laden_key(client: &mut Client) -> String {
    let mut attributes = aes_attributes((1, 4), 12, Some("laden"));
    let Value::Structure(fields) = &mut attributes.value else { unreachable!() };
    let past = Value::DateTime(1_000_000_000);
    let alternative = vec![Item::text(0x42_00c0, "urn:laden"), Item::enumeration(0x42_00c1, 2)];
    let information = vec![Item::text(0x42_0003, "ns"), Item::text(0x42_0002, "data")];
    let parameters = vec![Item::enumeration(tag::BLOCK_CIPHER_MODE, 1)];
    fields.extend([
        attribute("Cryptographic Parameters", Value::Structure(parameters)),
        attribute("Operation Policy Name", text("default")),
        attribute("Activation Date", past.clone()),
        attribute("Process Start Date", past),
        attribute("Object Group", text("group")),
        attribute("Application Specific Information", Value::Structure(information)),
        attribute("Contact Information", text("somebody")),
        attribute("Alternative Name", Value::Structure(alternative)),
        attribute("Description", text("a description of 1.4")),
        attribute("Comment", text("a comment of 1.4")),
        attribute("x-custom", text("custom")),
    ]);
    let payload = vec![Item::enumeration(tag::OBJECT_TYPE, 2), attributes];
    let id = client.call(Operation::new(op::CREATE, payload)).unique_identifier();
    client.call(revoke(&id, 2)).success();
    id
}

fn certificate(server: &Server, client: &mut Client) -> String {
    let pem = std::fs::read(server.client.join("cert.pem")).unwrap();
    let der = CertificateDer::from_pem_slice(&pem).unwrap();
    let object = Item::structure(
        0x42_0013,
        vec![Item::enumeration(0x42_001d, 1), Item::bytes(0x42_001e, &der)],
    );
    let attributes = vec![
        attribute("Cryptographic Usage Mask", Value::Integer(2)),
        attribute("Name", name_fields("certificate")),
    ];
    let payload = vec![
        Item::enumeration(tag::OBJECT_TYPE, 1),
        Item::structure(tag::TEMPLATE_ATTRIBUTE, attributes),
        object,
    ];
    client.call(Operation::new(op::REGISTER, payload)).unique_identifier()
}

fn key_pair(client: &mut Client) -> [String; 2] {
    let common = vec![
        attribute("Cryptographic Algorithm", Value::Enumeration(4)),
        attribute("Cryptographic Length", Value::Integer(2048)),
    ];
    let half = |usage| vec![attribute("Cryptographic Usage Mask", Value::Integer(usage))];
    let payload = vec![
        Item::structure(0x42_001f, common),
        Item::structure(0x42_0065, half(1)),
        Item::structure(0x42_006e, half(2)),
    ];
    let pair = client.call(Operation::new(op::CREATE_KEY_PAIR, payload)).success();
    [0x42_0066, 0x42_006f].map(|tag| pair.child(tag).and_then(Item::as_text).unwrap().to_owned())
}

fn secret(client: &mut Client) -> String {
    let object = vec![Item::enumeration(tag::SECRET_DATA_TYPE, 1), key_block(2, b"secret", None)];
    let mask = attribute("Cryptographic Usage Mask", Value::Integer(0));
    let payload = vec![
        Item::enumeration(tag::OBJECT_TYPE, 7),
        Item::structure(tag::TEMPLATE_ATTRIBUTE, vec![mask]),
        Item::structure(tag::SECRET_DATA, object),
    ];
    client.call(Operation::new(op::REGISTER, payload)).unique_identifier()
}

#[test]
fn no_attribute_reaches_a_client_that_is_older_than_it() {
    let server = Server::start();
    let mut young = Client::connect(&server, (1, 4));
    let mut ids = vec![laden_key(&mut young), certificate(&server, &mut young), secret(&mut young)];
    ids.extend(key_pair(&mut young));
    ids.push(young.call(register((1, 4), &[1; 32], None)).unique_identifier());
    let mut faults = Vec::new();
    let mut given = 0;
    for version in [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)] {
        let mut client = Client::connect(&server, version);
        for id in &ids {
            let all = Operation::new(op::GET_ATTRIBUTES, vec![unique_identifier(id)]);
            let all = client.call(all).success();
            let list = client.call(on(op::GET_ATTRIBUTE_LIST, id)).success();
            let names = all.children().iter().filter_map(|item| item.child(tag::ATTRIBUTE_NAME));
            let listed = list.children().iter().filter(|item| item.tag == tag::ATTRIBUTE_NAME);
            for name in names.chain(listed).filter_map(Item::as_text) {
                given += 1;
                match since(name) {
                    Some(since) if since <= version => {}
                    since => faults.push(format!("{version:?}: {name} is of {since:?}")),
                }
            }
        }
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(given > 500, "{given} attributes are too few to show anything");
}

#[test]
fn an_attribute_comes_when_its_client_may_know_it() {
    let server = Server::start();
    let mut young = Client::connect(&server, (1, 4));
    let id = laden_key(&mut young);
    for (name, first) in
        [("Comment", (1, 4)), ("Alternative Name", (1, 2)), ("Object Group", (1, 0))]
    {
        for version in [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)] {
            let mut client = Client::connect(&server, version);
            let asked = vec![unique_identifier(&id), Item::text(tag::ATTRIBUTE_NAME, name)];
            let item = client.call(Operation::new(op::GET_ATTRIBUTES, asked));
            let found = item.payload.iter().any(|payload| payload.child(tag::ATTRIBUTE).is_some());
            assert_eq!(found, version >= first, "{name} at {version:?}: {item:?}");
        }
    }
}

#[test]
fn what_2_x_says_of_an_object_stays_in_2_x() {
    let server = Server::start();
    let mut old = Client::connect(&server, (1, 4));
    let id = laden_key(&mut old);
    for version in [(2, 0), (2, 1)] {
        let mut client = Client::connect(&server, version);
        let all = Operation::new(op::GET_ATTRIBUTES, vec![unique_identifier(&id)]);
        let all = client.call(all).success();
        let attributes =
            all.child(tag::ATTRIBUTES).expect("Attributes, in the 2.x shape").children();
        assert!(attributes.iter().any(|item| item.tag == tag::CRYPTOGRAPHIC_LENGTH));
        // A custom attribute is a vendor's now: the same tag, with the vendor in it and no index.
        let custom: Vec<_> = attributes.iter().filter(|item| item.tag == tag::ATTRIBUTE).collect();
        assert_eq!(custom.len(), 1, "x-custom alone: {custom:?}");
        assert!(custom[0].child(tag::VENDOR_IDENTIFICATION).is_some(), "{custom:?}");
        // Operation Policy Name ended with 1.4.
        assert!(attributes.iter().all(|item| item.tag != 0x42_005d), "{version:?}");
    }
    let mut new = Client::connect(&server, (2, 1));
    let made = new.call(create((2, 1), Some("new"))).unique_identifier();
    let mut oldest = Client::connect(&server, (1, 0));
    let payload = oldest.call(on(op::GET, &made)).success();
    assert!(payload.child(tag::SYMMETRIC_KEY).is_some());
}

#[test]
fn discover_versions_offers_only_what_is_served() {
    let server = Server::start();
    let mut client = Client::connect(&server, (1, 1));
    let offered = client.call(Operation::new(op::DISCOVER_VERSIONS, vec![])).success();
    let all = [(2, 1), (2, 0), (1, 4), (1, 3), (1, 2), (1, 1), (1, 0)];
    assert_eq!(offered.children(), all.map(version_item));
    for version in all {
        let mut client = Client::connect(&server, version);
        client.call(create(version, None)).success();
    }
}
