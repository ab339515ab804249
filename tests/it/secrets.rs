//! No secret leaves the server but to the client that may read it: after a run of everything, no byte that was
//! registered, generated or issued as a secret is in the data directory, the logs, the audit or an error body.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::api::Api;
use crate::hex;
use crate::kmip::{
    Client, Operation, aes_attributes, attribute, create, key_block, on, op, register, request,
    revoke, tag, unique_identifier,
};
use crate::server::{ROOT_TOKEN, Server};
use crate::ttlv::{Item, Value};

const KEY: &[u8; 32] = b"\x8f\x11qZ\xe3\x07~\xa9\x5c\xd2\x30\xfeK\x9b\x62\x18\xc4m\xb7\x01\x77\xee\x2aP\xdf\x93\x4a\xbb\x05\xcd\x68\x1f";
const PASSWORD: &[u8] = b"correct-horse-battery-staple-8271";
const PLAINTEXT: &[u8] = b"plaintext-that-nobody-may-write-down";

/// Bytes to a line of PEM.
const LINE: usize = 48;

/// A secret, and every form in which it could have been written.
pub(crate) struct Needle {
    what: String,
    forms: Vec<Vec<u8>>,
}

impl Needle {
    /// A private key, as SEC 1 of 256 bits or PKCS#1: found in PEM too, where no more than a line hangs together.
    pub(crate) fn private_key(what: &str, der: &[u8]) -> Self {
        // Of an RSA key the first 280 bytes are public.
        let first = if der.len() < 280 { 0 } else { 280usize.div_ceil(LINE) };
        let lines = der.chunks_exact(LINE).skip(first);
        let forms: Vec<_> = lines.flat_map(|line| Self::new(what, &line[6..42]).forms).collect();
        assert!(!forms.is_empty(), "{what} is too short");
        Self { what: what.to_owned(), forms }
    }

    pub(crate) fn new(what: &str, secret: &[u8]) -> Self {
        // Base64 has three alignments; the characters that a neighbour can change are cut off.
        let mut forms = vec![secret.to_vec()];
        let hex = hex::encode(secret);
        forms.push(hex.to_uppercase().into_bytes());
        forms.push(hex.into_bytes());
        for shift in 0..3 {
            let mut shifted = vec![0; shift];
            shifted.extend_from_slice(secret);
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let text = engine.encode(&shifted);
                let inner = &text[(shift * 4).div_ceil(3)..text.len() - 2];
                forms.push(inner.as_bytes().to_vec());
            }
        }
        Self { what: what.to_owned(), forms }
    }

    pub(crate) fn is_in(&self, haystack: &[u8]) -> bool {
        !Finder::new(std::slice::from_ref(self)).found(haystack).is_empty()
    }
}

/// All forms of all needles by their first two bytes, so that one walk over a log finds any of them.
pub(crate) struct Finder<'a> {
    forms: Vec<Vec<(&'a str, &'a [u8])>>,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(needles: &'a [Needle]) -> Self {
        let mut forms = vec![Vec::new(); 1 << 16];
        for needle in needles {
            for form in &needle.forms {
                forms[Self::bucket(form)].push((needle.what.as_str(), form.as_slice()));
            }
        }
        Self { forms }
    }

    fn bucket(bytes: &[u8]) -> usize {
        usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Names of the needles that are in it.
    pub(crate) fn found(&self, haystack: &[u8]) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        for start in 0..haystack.len().saturating_sub(1) {
            let rest = &haystack[start..];
            let forms = self.forms[Self::bucket(rest)].iter();
            found.extend(forms.filter(|(_, form)| rest.starts_with(form)).map(|(what, _)| *what));
        }
        found
    }
}

/// Every file below `directory`, but for what is there to hold secrets, such as the credential that the server was
/// asked to export.
fn files(directory: &Path, but: &[PathBuf], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if but.contains(&path) {
            continue;
        }
        if path.is_dir() {
            files(&path, but, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// No needle is in a file below `directory`, but for those; how many bytes these files have.
pub(crate) fn scan(directory: &Path, but: &[PathBuf], needles: &[Needle]) -> usize {
    let mut paths = Vec::new();
    files(directory, but, &mut paths);
    let (finder, mut size) = (Finder::new(needles), 0);
    for path in &paths {
        let content = fs::read(path).unwrap();
        size += content.len();
        let found = finder.found(&content);
        assert!(found.is_empty(), "{found:?} in {}", path.display());
    }
    size
}

#[test]
fn the_scan_itself_finds_every_form() {
    let needle = Needle::new("the key", KEY);
    for shift in 0..6 {
        let mut content = vec![b'x'; shift];
        content.extend_from_slice(KEY);
        content.extend_from_slice(b"yyyy");
        assert!(needle.is_in(&content));
        assert!(needle.is_in(STANDARD.encode(&content).as_bytes()), "base64 at {shift}");
        assert!(needle.is_in(hex::encode(&content).as_bytes()));
        assert!(needle.is_in(hex::encode(&content).to_uppercase().as_bytes()));
    }
    assert!(!needle.is_in(&[0; 1000]));
    for length in [121, 1190] {
        let der: Vec<u8> = (0..length as u32).map(|at| ((at * at * 31) >> 3) as u8).collect();
        let needle = Needle::private_key("the key", &der);
        let text = STANDARD.encode(&der);
        let lines: Vec<_> = text.as_bytes().chunks(64).collect();
        assert!(needle.is_in(&der) && needle.is_in(&lines.join(b"\n".as_slice())));
        assert!(needle.is_in(&lines.join(b"\\n".as_slice())), "in JSON");
    }
}

#[test]
fn no_secret_is_in_data_logs_audit_or_errors() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_on(directory.path());
    let mut needles = sent();
    needles.push(Needle::new("the root token", ROOT_TOKEN.as_bytes()));
    let mut bodies = Vec::new();
    let second = directory.path().join("second-audit.log");
    let device = json!({"type": "file", "options": {"file_path": second, "prefix": "audit: "}});
    assert_eq!(Api::root(&server).write("sys/audit/second", &device).status, 204);
    needles.extend(use_keys(&server));
    let api = Api::root(&server);
    needles.extend(use_api(&api, &mut bodies));
    provoke(&server, &api, &mut bodies);
    bodies.push(Api::with_token(&server, &format!("{ROOT_TOKEN}x")).get("kmip/config").body);
    let exported = fs::read_to_string(server.client.join("key.pem")).unwrap();
    needles.push(Needle::private_key("the exported private key", &der(&exported)));

    // Both kinds of entries are on both devices, or the scan would find nothing for a bad reason.
    for audit in [&second, &directory.path().join("data/audit.log")] {
        let text = fs::read_to_string(audit).unwrap();
        for part in ["\"operation\":\"Register\"", "credential/generate", "hmac-sha256:"] {
            assert!(text.contains(part), "{part} is not in {}", audit.display());
        }
    }

    // With the WAL as it is in mid-flight, and once more after the server has closed its files.
    let exported = [server.client.clone()];
    let size = scan(directory.path(), &exported, &needles);
    assert!(size > 10_000, "{size} bytes are too few to be a data directory with logs and audit");
    scan_bodies(&bodies, &needles);
    server.kill();
    scan(directory.path(), &exported, &needles);
    let server = Server::start_on(directory.path());
    assert!(server.terminate(std::time::Duration::from_secs(30)).success());
    scan(directory.path(), &exported, &needles);
}

/// No needle is in what was answered.
pub(crate) fn scan_bodies(bodies: &[Vec<u8>], needles: &[Needle]) {
    let finder = Finder::new(needles);
    for body in bodies {
        let found = finder.found(body);
        assert!(found.is_empty(), "{found:?} in {}", String::from_utf8_lossy(body));
    }
}

/// What [`use_keys`] and [`provoke`] register and send.
pub(crate) fn sent() -> Vec<Needle> {
    vec![
        Needle::new("the registered key", KEY),
        Needle::new("the registered password", PASSWORD),
        Needle::new("the plaintext", PLAINTEXT),
    ]
}

/// Registers, creates, reads, uses and destroys; answers what the server generated.
pub(crate) fn use_keys(server: &Server) -> Vec<Needle> {
    let version = (1, 4);
    let mut client = Client::connect(server, version);
    let kept = client.call(register(version, KEY, Some("kept"))).unique_identifier();
    let destroyed = client.call(register(version, KEY, Some("destroyed"))).unique_identifier();
    let object = vec![Item::enumeration(tag::SECRET_DATA_TYPE, 1), key_block(2, PASSWORD, None)];
    let payload = vec![
        Item::enumeration(tag::OBJECT_TYPE, 7),
        Item::structure(
            tag::TEMPLATE_ATTRIBUTE,
            vec![attribute("Cryptographic Usage Mask", Value::Integer(0))],
        ),
        Item::structure(tag::SECRET_DATA, object),
    ];
    let password = client.call(Operation::new(op::REGISTER, payload)).unique_identifier();
    client.call(on(op::GET, &password)).success();

    let created = client.call(create(version, None)).unique_identifier();
    let material = client.call(on(op::GET, &created)).success();
    let path = [tag::SYMMETRIC_KEY, tag::KEY_BLOCK, tag::KEY_VALUE, tag::KEY_MATERIAL];
    let generated = material.at(&path).and_then(Item::as_bytes).unwrap().to_vec();

    client.call(on(op::ACTIVATE, &kept)).success();
    let parameters = vec![
        Item::enumeration(tag::BLOCK_CIPHER_MODE, 1),
        Item::enumeration(tag::PADDING_METHOD, 3),
        Item::enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3),
    ];
    let payload = vec![
        unique_identifier(&kept),
        Item::structure(tag::CRYPTOGRAPHIC_PARAMETERS, parameters),
        Item::bytes(tag::DATA, PLAINTEXT),
        Item::bytes(tag::IV_COUNTER_NONCE, &[0; 16]),
    ];
    client.call(Operation::new(op::ENCRYPT, payload)).success();
    client.call(revoke(&kept, 1)).success();
    client.call(on(op::DESTROY, &destroyed)).success();
    vec![Needle::new("a generated key", &generated)]
}

/// Uses the API; answers the private keys that it issued.
pub(crate) fn use_api(api: &Api, bodies: &mut Vec<Vec<u8>>) -> Vec<Needle> {
    assert_eq!(api.write("kmip/scope/leaks", &json!({})).status, 204);
    assert_eq!(api.write("kmip/scope/leaks/role/r", &json!({"operation_all": true})).status, 204);
    let generate = "kmip/scope/leaks/role/r/credential/generate";
    let made = api.write(generate, &json!({"format": "pem"})).data();
    let key = der(made["private_key"].as_str().unwrap());
    // A secret where it does not belong: an error must not repeat it.
    let text = String::from_utf8(PASSWORD.to_vec()).unwrap();
    for (path, body) in [
        ("kmip/scope/leaks/role/r", json!({"operation_get": text})),
        (generate, json!({"format": text})),
        ("kmip/config", json!({"tls_ca_key_bits": text})),
        ("kmip/scope/leaks/role/r/credential/sign", json!({"csr": made["private_key"]})),
        ("kmip/scope/leaks/role/r/credential/revoke", json!({"certificate": made["private_key"]})),
    ] {
        let answer = api.write(path, &body);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        bodies.push(answer.body);
    }
    vec![Needle::private_key("an issued private key", &key)]
}

/// Requests that fail with a secret in them, on both doors.
pub(crate) fn provoke(server: &Server, api: &Api, bodies: &mut Vec<Vec<u8>>) {
    let version = (1, 4);
    let mut client = Client::connect(server, version);
    // A key of a length that its algorithm does not have, and a secret as an attribute's value.
    let mut operation = register(version, KEY, None);
    operation.payload.retain(|item| item.tag != tag::OBJECT_TYPE);
    client.call(operation).failure();
    let attributes = aes_attributes(version, 12, None);
    let payload = vec![
        Item::enumeration(tag::OBJECT_TYPE, 2),
        attributes,
        Item::bytes(tag::SYMMETRIC_KEY, KEY),
    ];
    client.call(Operation::new(op::REGISTER, payload)).failure();
    // The whole request cut short after the key bytes.
    let mut bytes = request(version, Vec::new(), &[register(version, KEY, None)]).encode();
    let length = bytes.len();
    bytes[4..8].copy_from_slice(&(length as u32 - 16).to_be_bytes());
    bytes.truncate(length - 8);
    let _ = client.connection.exchange(&bytes);
    // A body that is no JSON but holds a password.
    let body = [b"{\"operation_get\": ", PASSWORD].concat();
    bodies.push(api.call("PUT", "kmip/scope/leaks/role/r", Some(&body)).body);
}

/// The bytes inside a PEM text.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let text: String = lines.take_while(|line| !line.starts_with("-----END")).collect();
    STANDARD.decode(text).unwrap()
}
