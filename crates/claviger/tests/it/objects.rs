//! `object`: each command, and what scripts rely on.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::program::{Server, run};

#[test]
fn the_life_of_a_key() {
    let server = Server::start();
    let uid = server.kmip(&["object", "create", "--name", "k", "--length", "128"]).success();
    let uid = uid.trim();
    let key = server.kmip(&["object", "get", uid, "--json"]).json();
    assert_eq!(key["unique_identifier"], uid);
    assert_eq!(key["cryptographic_length"], 128);
    assert_eq!(key["value"].as_str().unwrap().len(), 32, "hex");

    let out = server.path("k.bin");
    server.kmip(&["object", "get", uid, "--out", out.to_str().unwrap()]).success();
    assert_eq!(std::fs::read(&out).unwrap().len(), 16);
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o077, 0);

    let state = |expected: &str| {
        let list = ["object", "attributes", "list", uid, "State", "--json"];
        let attributes = server.kmip(&list).json();
        assert_eq!(attributes[0]["value"], expected);
    };
    state("PreActive");
    assert_eq!(server.kmip(&["object", "activate", uid]).success().trim(), uid);
    state("Active");
    let refused = server.kmip(&["object", "destroy", uid]).failure(1);
    assert!(refused.contains("PermissionDenied"), "1.4 calls it so: {refused}");
    server.kmip(&["object", "revoke", uid, "--reason", "superseded"]).success();
    state("Deactivated");
    server.kmip(&["object", "destroy", uid]).success();
    server.kmip(&["object", "get", uid]).failure(1);
}

#[test]
fn every_version_is_spoken() {
    let server = Server::start();
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1"] {
        let name = format!("version {version}");
        let create = ["object", "create", "--kmip-version", version, "--name", &name];
        let uid = server.kmip(&create).success();
        let locate = ["object", "locate", "--kmip-version", version, "--name", &name];
        assert_eq!(server.kmip(&locate).success(), uid, "{version}");
        let query = server.kmip(&["object", "query", "--kmip-version", version, "--json"]).json();
        assert!(query["operations"].as_array().unwrap().contains(&json!("Create")), "{version}");
    }
}

#[test]
fn what_is_registered_comes_back() {
    let server = Server::start();
    let client = server.path("client");
    let secret = b"correct horse battery staple";
    let register = ["object", "register", "--type", "secret-data", "--file", "-", "--name", "pw"];
    let uid = server.kmip_as(&client, &register, secret).success();
    let out = server.path("secret");
    let get = ["object", "get", uid.trim(), "--out", out.to_str().unwrap()];
    server.kmip(&get).success();
    assert_eq!(std::fs::read(&out).unwrap(), secret);

    let key = [7; 32];
    let register = ["object", "register", "--type", "symmetric-key", "--file", "-"];
    let uid = server.kmip_as(&client, &register, &key).success();
    let got = server.kmip(&["object", "get", uid.trim()]).success();
    assert_eq!(got.trim(), "07".repeat(32));

    let certificate = server.path("client/cert.pem");
    let file = certificate.to_str().unwrap();
    let register = ["object", "register", "--type", "certificate", "--file", file];
    let uid = server.kmip(&register).success();
    let got = server.kmip(&["object", "get", uid.trim(), "--json"]).json();
    assert_eq!(got["object_type"], "Certificate");
}

#[test]
fn attributes_are_added_changed_and_deleted() {
    let server = Server::start();
    let uid = server.kmip(&["object", "create", "--attribute", "x-team=red"]).success();
    let uid = uid.trim();
    let attributes = |verb: &str, what: &str| {
        server.kmip(&["object", "attributes", verb, uid, what]).success();
    };
    let value = |name: &str| {
        let list = ["object", "attributes", "list", uid, name, "--json"];
        let listed = server.kmip(&list).json();
        listed.as_array().unwrap().iter().map(|it| it["value"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(value("x-team"), [json!("red")]);
    attributes("modify", "x-team=blue");
    assert_eq!(value("x-team"), [json!("blue")]);
    attributes("add", "Object Group=g1");
    attributes("add", "Object Group=g2");
    assert_eq!(value("Object Group"), [json!("g1"), json!("g2")]);
    let locate = ["object", "locate", "--attribute", "Object Group=g2"];
    assert_eq!(server.kmip(&locate).success().trim(), uid);
    attributes("delete", "x-team");
    assert_eq!(value("x-team"), [] as [serde_json::Value; 0]);
    let set = ["object", "attributes", "set", uid, "Comment=c", "--kmip-version", "2.1"];
    server.kmip(&set).success();
    assert_eq!(value("Comment"), [json!("c")]);
    let young = ["object", "attributes", "set", uid, "Comment=c", "--kmip-version", "1.4"];
    assert!(server.kmip(&young).failure(1).contains("--kmip-version"));
}

#[test]
fn bad_usage_is_told_apart_from_failure() {
    let server = Server::start();
    for line in [
        "object create",
        "object create --client x --kmip-version 9",
        "object create --client x --algorithm house",
        "object create --client x --attribute Colour=red",
        "object locate --client x --server :",
        "object",
        "credential lookup a b",
        "credential generate default admin --format der --out x",
        "bench get --connections 0",
        "nonsense",
    ] {
        let arguments: Vec<_> = line.split(' ').collect();
        let ran = if line.starts_with("credential") {
            server.admin(&arguments)
        } else {
            run(&arguments, b"")
        };
        assert_eq!(ran.code, 2, "{line}: {ran:?}");
        assert!(!ran.stderr.is_empty(), "{line}");
    }
    let missing = run(&["object", "query", "--client", "/nonexistent"], b"").failure(1);
    assert!(missing.contains("--export-client"), "{missing}");
}
