//! status, scope, role, credential.

use std::os::unix::fs::PermissionsExt;

use claviger_server::pki::pem;
use serde_json::json;

use crate::program::{Server, run};

#[test]
fn status_tells_by_its_exit_code() {
    let server = Server::start();
    assert!(server.admin(&["status"]).success().contains("Sealed"));
    assert_eq!(server.admin(&["status", "--json"]).json()["sealed"], false);
    let nobody = run(&["status", "--address", "http://127.0.0.1:1"], b"").failure(1);
    assert!(nobody.contains("--address"), "says what to do: {nobody}");
    run(&["status", "--address", "nonsense"], b"").failure(2);
}

#[test]
fn without_a_token_nothing_is_administered() {
    let server = Server::start();
    let refused = run(&["scope", "list", "--address", &server.api], b"").failure(1);
    assert!(refused.contains("CLAVIGER_TOKEN"), "{refused}");
    let refused = server.admin(&["scope", "list", "--token", "wrong"]).failure(1);
    assert!(!refused.contains("wrong"), "tokens are not repeated: {refused}");
}

#[test]
fn what_is_misspelt_changes_nothing() {
    let server = Server::start();
    server.admin(&["scope", "create", "finance"]).success();
    let role = ["role", "write", "finance", "app", "--all", "--deny", "decrpyt"];
    assert!(server.admin(&role).failure(2).contains("decrpyt"));
    server.admin(&["role", "read", "finance", "app"]).failure(1);
    assert!(server.admin(&["scope", "create", "a/b"]).failure(2).contains("no \"/\""));
    assert!(server.admin(&["scope", "delete", "nope"]).failure(1).contains("no scope `nope`"));
}

#[test]
fn a_credential_does_what_its_role_allows_until_it_is_revoked() {
    let server = Server::start();
    server.admin(&["scope", "create", "finance"]).success();
    let scopes = server.admin(&["scope", "list", "--json"]).json();
    assert_eq!(scopes, json!(["default", "finance"]));
    let role = ["role", "write", "finance", "app", "--allow", "create,get,locate"];
    server.admin(&role).success();
    let role = server.admin(&["role", "read", "finance", "app", "--json"]).json();
    assert_eq!((&role["operation_get"], &role["operation_destroy"]), (&json!(true), &json!(null)));

    let out = server.path("app");
    let out_text = out.to_str().unwrap();
    let generate = ["credential", "generate", "finance", "app", "--out", out_text, "--json"];
    let made = server.admin(&generate).json();
    let serial = made["serial_number"].as_str().unwrap();
    let mode = std::fs::metadata(out.join("key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "nobody else reads the key");

    let create = ["object", "create", "--name", "ledger"];
    let uid = server.kmip_as(&out, &create, b"").success();
    let uid = uid.trim();
    server.kmip_as(&out, &["object", "get", uid], b"").success();
    let refused = server.kmip_as(&out, &["object", "destroy", uid], b"").failure(1);
    assert!(refused.contains("PermissionDenied"), "{refused}");
    // Another scope does not have the object at all.
    server.kmip(&["object", "get", uid]).failure(1);

    let listed = server.admin(&["credential", "list", "finance", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["serial_number"], serial);
    let expiring = |within| {
        let list = ["credential", "list", "finance", "--expiring", within, "--json"];
        server.admin(&list).json().as_array().unwrap().len()
    };
    assert_eq!((expiring("1h"), expiring("520w")), (0, 1));
    let pem = server.admin(&["credential", "lookup", serial]).success();
    assert!(pem.contains("BEGIN CERTIFICATE") && !pem.contains("PRIVATE KEY"));

    server.admin(&["credential", "revoke", serial]).success();
    server.kmip_as(&out, &["object", "get", uid], b"").failure(1);
    server.admin(&["credential", "lookup", serial]).failure(1);

    let refused = server.admin(&["scope", "delete", "finance"]).failure(1);
    assert!(refused.contains("--force"), "{refused}");
    server.admin(&["scope", "delete", "--force", "finance"]).success();
    assert_eq!(server.admin(&["scope", "list", "--json"]).json(), json!(["default"]));
}

#[test]
fn a_certificate_shows_the_names_that_are_asked_for() {
    let server = Server::start();
    let names = ["--dns-san", "db1.example.com,db2.example.com", "--ip-san", "10.20.30.40"];
    let generate = ["credential", "generate", "default", "admin", "--format", "pem", "--json"];
    let made = server.admin(&[&generate[..], &names].concat()).json();
    let der = pem::decode(&["CERTIFICATE"], made["certificate"].as_str().unwrap()).unwrap();
    let shows = |bytes: &[u8]| der.windows(bytes.len()).any(|window| window == bytes);
    assert!(shows(b"db1.example.com") && shows(b"db2.example.com"));
    assert!(shows(&[0x87, 4, 10, 20, 30, 40]), "an address (RFC 5280, 4.2.1.6)");
    let wrong = ["--ip-san", "10.20.30"];
    server.admin(&[&generate[..], &wrong].concat()).failure(2);
}

#[test]
fn each_product_gets_the_files_that_it_reads() {
    let server = Server::start();
    for (product, files) in [
        ("mongod", &["client.pem", "ca.pem"][..]),
        ("okv", &["okvclient.ora", "ssl/CA.pem", "ssl/cert.pem", "ssl/key.pem"]),
        ("pykmip", &["pykmip.conf", "ca.pem", "cert.pem", "key.pem"]),
        ("zenko", &["kmip-ca.pem", "kmip-cert.pem", "kmip-key.pem"]),
    ] {
        let out = server.path(product);
        let out_text = out.to_str().unwrap();
        let generate = ["credential", "generate", "default", "admin", "--for", product];
        let ran =
            server.admin(&[&generate[..], &["--out", out_text, "--server", &server.kmip]].concat());
        ran.success();
        for file in files {
            assert!(out.join(file).exists(), "{product}: {file}");
        }
    }
    let bundle = std::fs::read_to_string(server.path("mongod/client.pem")).unwrap();
    let blocks: Vec<_> = bundle.split("-----BEGIN ").skip(1).collect();
    assert_eq!(blocks.len(), 4, "key, certificate, intermediate, root");
    assert!(blocks[0].contains("PRIVATE KEY"), "mongod wants the key first");
    let ora = std::fs::read_to_string(server.path("okv/okvclient.ora")).unwrap();
    assert!(ora.contains(&format!("SERVER={}\n", server.kmip)), "{ora}");
}
