//! What an older version wrote opens for ever: a data directory, backups and an export of every format there has been,
//! in `tests/fixtures`. Nothing of them ends: where certificates in them have ended, the server gets new authorities.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::api::Api;
use crate::hex;
use crate::killed::{operator, succeeds, text};
use crate::kmip::{Client, on, op, reason};
use crate::lifecycle::Place;
use crate::server::{Server, binary};
use crate::ttlv::{Item, Value as Field};

const VERSION: (i32, i32) = (1, 4);
/// In the data directories and the backups; an export has no tokens.
const TOKEN: &str = "fixture-root-token";
const KEY_FILE: &str = "type = \"key_file\"";
/// Tags of what an object is: Key Material, Certificate Value, Opaque Data Value.
const MATERIAL: [u32; 3] = [0x42_0043, 0x42_001e, 0x42_005a];

/// A directory below `tests/fixtures`, one for each format.
fn formats() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let entries = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path());
    let formats: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    assert!(!formats.is_empty());
    formats
}

/// A copy of a file for its owner only: git keeps no such permissions.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Everything of the format is there: the objects to the byte, on a new listener under a new authority.
fn check(format: &Path, place: &Place, server: &Server, token: &str) {
    let api = place.api(server, Some(token));
    let config = json!({"listen_addrs": place.kmip.to_string(), "tls_ca_key_type": "ec",
        "tls_ca_key_bits": 384, "server_ips": "127.0.0.1"});
    let answer = api.write("kmip/config", &config);
    assert_eq!(answer.status, 200, "it warns of the new authority: {answer:?}");
    let (_, identity) = api.issue("kmip/scope/default/role/admin");
    let mut client = Client::connect_as(server, VERSION, &identity);
    let objects: Value =
        serde_json::from_slice(&fs::read(format.join("objects.json")).unwrap()).unwrap();
    let objects = objects.as_array().unwrap();
    assert!(objects.len() >= 7);
    for object in objects {
        let found = client.call(on(op::GET, object["id"].as_str().unwrap()));
        match object["bytes"].as_str() {
            None => assert_eq!(found.failure(), reason::ITEM_NOT_FOUND, "{object}"),
            Some(bytes) => assert_eq!(hex::encode(&material(&found.success())), bytes, "{object}"),
        }
    }
    check_records(&api);
}

fn material(payload: &Item) -> Vec<u8> {
    let mut found = Vec::new();
    payload.walk(&mut |item| {
        if let Field::ByteString(bytes) = &item.value
            && MATERIAL.contains(&item.tag)
        {
            found.push(bytes.clone());
        }
    });
    assert_eq!(found.len(), 1, "{payload:?}");
    found.remove(0)
}

/// The second mount, with everything that a mount can have.
fn check_records(api: &Api) {
    let mounts = api.get("sys/mounts").data();
    assert_eq!(mounts["team/kmip/"]["config"]["default_lease_ttl"], 3600);
    assert_eq!(api.get("team/kmip/ca/edge").data()["key_bits"], 256);
    assert_eq!(api.get("team/kmip/listener/edge").data()["ca"], "edge");
    let role = api.get("team/kmip/scope/s/role/r").data();
    assert_eq!((&role["ca"], &role["operation_get"]), (&json!("edge"), &json!(true)));
    let credentials = api.list("team/kmip/scope/s/role/r/credential").data();
    assert_eq!(credentials["keys"].as_array().unwrap().len(), 1, "of two one was revoked");
    assert_eq!(api.get("sys/policies/acl/readers").data()["name"], "readers");
    assert_eq!(api.list("team/kmip/scope/s/role").data()["keys"], json!(["r"]));
}

#[test]
fn a_data_directory_of_every_format_opens() {
    for format in formats() {
        let place = Place::new(KEY_FILE);
        for name in ["claviger.db", "seal.key", "audit.log"] {
            copy(&format.join("data").join(name), &place.path("data").join(name));
        }
        let server = place.start();
        check(&format, &place, &server, TOKEN);
        drop(server);
        let audit = place.path("data/audit.log");
        let verified = Command::new(binary()).args(["audit", "verify"]).arg(&audit).output();
        assert!(verified.unwrap().status.success(), "what it was and what came now is one chain");
        let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
        assert!(lines(&audit) > lines(&format.join("data/audit.log")));
    }
}

#[test]
fn a_backup_of_every_format_restores() {
    for format in formats() {
        let place = Place::new(KEY_FILE);
        let key = place.path("kept.key");
        copy(&format.join("data/seal.key"), &key);
        let (file, data) = (format.join("store.backup"), place.path("data"));
        succeeds(operator(&["verify", text(&file), "--key-file", text(&key)]));
        let mut restore = operator(&["restore", text(&file), "--data-dir", text(&data)]);
        restore.args(["--key-file", text(&key)]);
        succeeds(restore);
        let server = place.start();
        check(&format, &place, &server, TOKEN);
    }
}

#[test]
fn a_backup_under_shares_of_every_format_restores() {
    for format in formats() {
        let place = Place::new("type = \"shamir\"");
        let (file, data) = (format.join("shared.backup"), place.path("data"));
        let shares = format.join("shares");
        let mut restore = operator(&["restore", text(&file), "--data-dir", text(&data)]);
        restore.args(["--shares", text(&shares)]);
        succeeds(restore);
        let server = place.start();
        let shares = fs::read_to_string(shares).unwrap();
        let shares: Vec<String> = shares.lines().skip(1).map(str::to_owned).collect();
        place.unseal(&server, &shares);
        check(&format, &place, &server, TOKEN);
    }
}

#[test]
fn an_export_of_every_format_is_imported() {
    for format in formats() {
        let place = Place::new(KEY_FILE);
        let server = place.start();
        let (_, token) = place.init(&server);
        drop(server);
        let (file, data) = (format.join("store.export"), place.path("data"));
        let mut import = operator(&["import", text(&file), "--data-dir", text(&data)]);
        import.args(["--key-file", text(&data.join("seal.key"))]);
        import.args(["--passphrase-file", text(&format.join("passphrase"))]);
        succeeds(import);
        let server = place.start();
        check(&format, &place, &server, &token);
    }
}
