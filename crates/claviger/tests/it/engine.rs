//! mount, config, ca, listener.

use serde_json::json;

use crate::program::{Server, run};
use crate::scripted::Scripted;

#[test]
fn a_mount_is_made_tuned_moved_and_deleted() {
    let server = Server::start();
    let create = ["mount", "create", "team/one", "--description", "of a team"];
    server.admin(&[&create[..], &["--max-lease-ttl", "49h"]].concat()).success();
    assert!(server.admin(&create).failure(1).contains("already in use at team/one/"));
    let unknown = server.admin(&["mount", "create", "x", "--type", "kv"]).failure(1);
    assert!(unknown.contains("kv"), "{unknown}");
    let listed = server.admin(&["mount", "list"]).success();
    assert!(listed.contains("team/one/") && listed.contains("of a team"), "{listed}");
    let listed = server.admin(&["mount", "list", "--json"]).json();
    assert_eq!(listed["team/one/"]["type"], "kmip");
    let read = server.admin(&["mount", "read", "team/one", "--json"]).json();
    assert_eq!((&read["type"], &read["max_lease_ttl"]), (&json!("kmip"), &json!(176_400)));

    let tune = ["mount", "update", "team/one", "--description", "of all"];
    server.admin(&[&tune[..], &["--audit-non-hmac-request-keys", "format,csr"]].concat()).success();
    let read = server.admin(&["mount", "read", "team/one/"]).success();
    assert!(read.contains("of all") && read.contains("format, csr"), "{read}");
    assert!(read.contains("2d1h"), "lengths of time are for people: {read}");
    let nothing = server.admin(&["mount", "update", "team/one"]).failure(2);
    assert!(nothing.contains("--help"), "{nothing}");

    let moved = server.admin(&["mount", "move", "team/one", "two", "--json"]).json();
    assert_eq!(moved, json!({ "name": "two", "result": "moved" }));
    let missing = server.admin(&["mount", "read", "team/one"]).failure(1);
    assert!(missing.contains("no mount `team/one`"), "{missing}");
    assert!(missing.contains("claviger mount list"), "{missing}");
    let update = ["mount", "update", "team/one", "--description", "x"];
    for gone in [&["mount", "move", "team/one", "three"][..], &update] {
        let missing = server.admin(gone).failure(1);
        assert!(missing.contains("team/one"), "{missing}");
    }

    server.admin(&["config", "update", "--mount", "two", "--listen-addrs", ""]).success();
    server.admin(&["scope", "create", "finance", "--mount", "two"]).success();
    let kept = server.admin(&["mount", "delete", "two"]).failure(1);
    assert!(kept.contains("finance") && kept.contains("--force"), "{kept}");
    server.admin(&["mount", "delete", "two", "--force"]).success();
    server.admin(&["mount", "delete", "two", "--force"]).failure(1);
}

#[test]
fn a_move_is_followed_until_it_is_done() {
    let status = |status| {
        (200, json!({ "data": { "migration_id": "7", "migration_info": { "status": status } } }))
    };
    for (last, code) in [("success", 0), ("failure", 1)] {
        let begun = (200, json!({ "data": { "migration_id": "7" } }));
        let answers = vec![begun, status("in-progress"), status("in-progress"), status(last)];
        let api = Scripted::start(answers);
        let ran = run(&["mount", "move", "a", "b", "--address", &api.address], b"");
        assert_eq!(ran.code, code, "{ran:?}");
        let asked = api.asked();
        assert_eq!(asked[0].line, "PUT /v1/sys/remount");
        assert_eq!(asked[0].body, json!({ "from": "a", "to": "b" }));
        for asked in &asked[1..] {
            assert_eq!(asked.line, "GET /v1/sys/remount/status/7");
        }
    }
}

#[test]
fn an_engine_is_configured() {
    let server = Server::start();
    server.admin(&["mount", "create", "other"]).success();
    let config = |words: &[&str]| server.admin(&[words, &["--mount", "other"]].concat());
    let none = config(&["config", "read"]).failure(1);
    assert!(none.contains("claviger config update"), "{none}");
    let none = config(&["ca", "read"]).failure(1);
    assert!(none.contains("no CA yet"), "{none}");
    config(&["config", "create", "--listen-addrs", "", "--tls-ca-key-bits", "384"]).success();
    let change =
        ["config", "update", "--server-hostnames", "kms1,kms2", "--server-ips", "10.0.0.1"];
    let life = ["--default-tls-client-ttl", "30d", "--tls-min-version", "tls13"];
    let key = ["--default-tls-client-key-type", "rsa", "--default-tls-client-key-bits", "2048"];
    config(&[&change[..], &life, &key].concat()).success();
    let expected = json!({
        "listen_addrs": [], "server_hostnames": ["kms1", "kms2"], "server_ips": ["10.0.0.1"],
        "tls_ca_key_type": "ec", "tls_ca_key_bits": 384, "tls_min_version": "tls13",
        "default_tls_client_key_type": "rsa", "default_tls_client_key_bits": 2048,
        "default_tls_client_ttl": 2_592_000,
    });
    assert_eq!(config(&["config", "read", "--json"]).json(), expected);
    let read = config(&["config", "read"]).success();
    assert!(read.contains("30d") && read.contains("kms1, kms2"), "{read}");
    config(&["config", "update", "--tls-min-version", "tls10"]).failure(2);
    let refused = config(&["config", "update", "--tls-ca-key-bits", "12"]).failure(1);
    assert!(refused.contains("12"), "{refused}");
    let missing = server.admin(&["config", "read", "--mount", "nowhere"]).failure(1);
    assert!(missing.contains("--mount"), "{missing}");
}

#[test]
fn authorities_are_generated_imported_and_deleted() {
    let server = Server::start();
    let own = server.admin(&["ca", "read"]).success();
    assert_eq!(own.matches("BEGIN CERTIFICATE").count(), 2, "{own}");
    assert_eq!(server.admin(&["ca", "list", "--json"]).json(), json!([]));
    server.admin(&["ca", "create", "internal", "--ttl", "30d"]).success();
    let twice = server.admin(&["ca", "create", "internal"]).failure(1);
    assert!(twice.contains("already"), "{twice}");
    let made = server.admin(&["ca", "read", "internal", "--json"]).json();
    let expected = (&json!("ec"), &json!(256), &json!(2_592_000));
    assert_eq!((&made["key_type"], &made["key_bits"], &made["ttl"]), expected);
    let shown = server.admin(&["ca", "read", "internal"]).success();
    assert!(shown.contains("30d") && !shown.contains("BEGIN"), "{shown}");

    let pem = server.admin(&["ca", "read", "internal", "--pem"]).success();
    let file = server.path("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let import = ["ca", "import", "corporate", "--pem", file.to_str().unwrap()];
    server.admin(&[&import[..], &["--scope-field", "OU", "--role-name", "app"]].concat()).success();
    server.admin(&["ca", "update", "corporate", "--scope-name", "finance"]).success();
    let read = server.admin(&["ca", "read", "corporate", "--json"]).json();
    assert_eq!((&read["imported"], &read["role_name"]), (&json!(true), &json!("app")));
    assert_eq!((&read["scope_name"], &read["scope_field"]), (&json!("finance"), &json!(null)));
    server.admin(&["ca", "update", "corporate"]).failure(2);
    server.admin(&["ca", "update", "internal", "--scope-name", "x"]).failure(1);
    assert_eq!(server.admin(&["ca", "list", "--json"]).json(), json!(["corporate", "internal"]));

    server.admin(&["ca", "revoke", "corporate", "--serial", "12345"]).success();
    server.admin(&["ca", "revoke", "internal", "--serial", "12345"]).failure(1);
    server.admin(&["ca", "revoke", "corporate"]).failure(2);
    for list in [&["ca", "crl"][..], &["ca", "crl", "internal"]] {
        let crl = server.admin(list).success();
        assert!(crl.starts_with("-----BEGIN X509 CRL-----"), "{crl}");
    }
    let crl = server.admin(&["ca", "crl", "--json"]).json();
    assert!(crl["crl"].as_str().unwrap().contains("X509 CRL"));

    server.admin(&["ca", "delete", "corporate"]).success();
    for command in ["read", "delete", "crl"] {
        server.admin(&["ca", command, "corporate"]).failure(1);
    }
    let missing = server.admin(&["ca", "delete", "corporate"]).failure(1);
    assert!(missing.contains("claviger ca list"), "{missing}");
    server.admin(&["ca", "read", "a/b"]).failure(2);
}

#[test]
fn a_listener_is_opened_changed_and_closed() {
    let server = Server::start();
    server.admin(&["ca", "create", "internal"]).success();
    let bare = server.admin(&["listener", "create", "second", "--ca", "internal"]).failure(2);
    assert!(bare.contains("--listen"), "{bare}");
    let create = ["listener", "create", "second", "--ca", "internal", "--listen", "127.0.0.1:0"];
    let more = ["--server-hostnames", "kms1,kms2", "--also-use-legacy-ca", "true"];
    server.admin(&[&create[..], &more].concat()).success();
    let twice = server.admin(&create).failure(1);
    assert!(twice.contains("claviger listener update"), "{twice}");
    assert_eq!(server.admin(&["listener", "list", "--json"]).json(), json!(["second"]));
    let update = ["listener", "update", "second", "--tls-min-version", "tls13"];
    let more = ["--server-ips", "", "--also-use-legacy-ca", "false", "--server-hostnames", "kms3"];
    server.admin(&[&update[..], &more].concat()).success();
    let expected = json!({
        "ca": "internal", "address": "127.0.0.1:0", "server_hostnames": ["kms3"],
        "server_ips": [], "additional_client_cas": [], "also_use_legacy_ca": false,
        "tls_min_version": "tls13", "tls_max_version": "", "tls_cipher_suites": "",
    });
    assert_eq!(server.admin(&["listener", "read", "second", "--json"]).json(), expected);
    assert!(server.admin(&["listener", "read", "second"]).success().contains("kms3"));
    let used = server.admin(&["ca", "delete", "internal"]).failure(1);
    assert!(used.contains("second"), "{used}");
    server.admin(&["listener", "delete", "second"]).success();
    for command in ["read", "delete"] {
        let missing = server.admin(&["listener", command, "second"]).failure(1);
        assert!(missing.contains("no listener `second`"), "{missing}");
    }
    let missing = ["listener", "update", "second", "--tls-min-version", "tls12"];
    assert!(server.admin(&missing).failure(1).contains("claviger listener list"));
    server.admin(&["ca", "delete", "internal"]).success();
}
