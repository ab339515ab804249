//! `sys/audit`, `sys/audit-hash`: devices come and go, outlive a restart, and nothing goes unrecorded
//! or leaves a secret in them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::audit::verify;
use crate::audit_devices::AuditDevices;

fn entries(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn enable(server: &Server, name: &str, path: &Path) -> Answered {
    let body = json!({"type": "file", "description": "of a test", "options": {"file_path": path}});
    server.write(&format!("sys/audit/{name}"), body).await
}

#[tokio::test]
async fn a_device_is_enabled_listed_asked_and_disabled() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let server = Server::new();
    assert_eq!(server.get("sys/audit").await.data(), json!({}));
    enable(&server, "file", &path).await.empty();
    let listed = server.get("sys/audit").await.data();
    let expected = json!({"file/": {
        "type": "file",
        "description": "of a test",
        "options": {"file_path": path},
        "local": false,
        "path": "file/",
        "failures": 0,
    }});
    assert_eq!(listed, expected);
    server
        .write("sys/mounts/kmip", json!({"type": "kmip", "description": "find me"}))
        .await
        .empty();
    let hash = server.write("sys/audit-hash/file", json!({"input": "find me"})).await.data();
    let found = entries(&path).into_iter().any(|entry| {
        entry["request"]["path"] == "sys/mounts/kmip"
            && entry["request"]["data"]["description"] == hash["hash"]
    });
    assert!(found);
    let other = server.write("sys/audit-hash/none/", json!({"input": "x"})).await.refused(400);
    assert_eq!(other, "unknown audit backend \"none/\"");
    server.write("sys/audit-hash/file", json!({})).await.refused(400);

    server.delete("sys/audit/file/").await.empty();
    server.delete("sys/audit/file").await.empty();
    assert_eq!(server.get("sys/audit").await.data(), json!({}));
    let last = entries(&path).pop().unwrap();
    assert_eq!(
        (&last["type"], &last["request"]["operation"]),
        (&json!("request"), &json!("delete"))
    );
    verify(&path).unwrap();
}

#[tokio::test]
async fn what_cannot_be_a_device_is_the_callers_fault() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let server = Server::new();
    let nowhere = directory.path().join("nowhere/audit.log");
    let closed = json!({"address": "127.0.0.1:1"});
    for (body, reason) in [
        (json!({}), "missing type"),
        (json!({"type": "kafka"}), "unknown audit type: \"kafka\""),
        (json!({"type": "file"}), "file_path"),
        (json!({"type": "file", "options": "file_path=x"}), "options"),
        (json!({"type": "file", "options": {"file_path": nowhere}}), "No such file"),
        (json!({"type": "file", "options": {"file_path": "/dev/full"}}), "No space left"),
        (json!({"type": "file", "options": {"file_path": directory.path()}}), "directory"),
        (json!({"type": "socket", "options": closed}), "refused"),
        (json!({"type": "syslog", "options": {"address": nowhere}}), "No such file"),
        (json!({"type": "file", "options": {"file_path": path, "mode": 9}}), "mode"),
    ] {
        let refused = server.write("sys/audit/x", body.clone()).await.refused(400);
        assert!(refused.contains(reason), "{body}: {refused}");
    }
    assert_eq!(server.get("sys/audit").await.data(), json!({}));
    enable(&server, "x", &path).await.empty();
    let again = enable(&server, "x/", &directory.path().join("other")).await.refused(400);
    assert_eq!(again, "path already in use: x/");
    server.store.fail_commits();
    enable(&server, "y", &directory.path().join("y")).await.refused(503);
    assert_eq!(server.get("sys/audit").await.data().as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn devices_are_opened_again_after_a_restart_with_the_same_hashes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let server = Server::new();
    enable(&server, "file", &path).await.empty();
    enable(&server, "gone", &directory.path().join("gone")).await.empty();
    server.delete("sys/audit/gone").await.empty();
    let hash = server.write("sys/audit-hash/file", json!({"input": "x"})).await.data();
    let before = verify(&path).unwrap().last;
    server.keeper.seal();

    let audit = AuditLog::disabled();
    let clock = Arc::new(ManualClock::at(NOW));
    let devices = AuditDevices::open(server.store.reopen(), audit.clone(), clock).unwrap();
    let paths: Vec<String> = devices.list().into_iter().map(|device| device.path).collect();
    assert_eq!(paths, ["file/"]);
    assert_eq!(audit.hash("file/", "x").unwrap(), hash["hash"]);
    assert_eq!(verify(&path).unwrap().last, before, "nothing is written for it");
}

#[tokio::test]
async fn what_no_device_takes_is_refused_before_anything_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    let audit = AuditLog::disabled();
    let server = Server::with_audit(audit.clone());
    server.write("sys/mounts/kmip", json!({"type": "kmip"})).await.empty();
    enable(&server, "file", &link).await.empty();
    fs::remove_file(&link).unwrap();
    symlink("/dev/full", &link).unwrap();
    audit.reopen(0);
    server.write("kmip/scope/finance", json!({})).await.refused(500);
    server.get("sys/audit").await.refused(500);
    let mount = server.mounts.at(&MountPath::parse("kmip").unwrap()).unwrap().id();
    assert!(server.access.list_scopes(mount).is_empty());
    assert_eq!(server.get("sys/health").await.status, 200);

    let second = directory.path().join("second.log");
    let config = [("file_path".to_owned(), second.to_str().unwrap().to_owned())].into();
    let config = crate::audit::DeviceConfig::parse("second", "file", "", config).unwrap();
    audit.enable(config, &[1; 32], 0).unwrap();
    server.write("kmip/scope/finance", json!({})).await.empty();
    assert!(entries(&second).iter().any(|entry| entry["request"]["path"] == "kmip/scope/finance"));
    let listed = server.get("sys/audit").await.data();
    assert!(listed["file/"]["failures"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn an_answer_whose_entry_no_device_takes_does_not_leave() {
    let audit = AuditLog::disabled();
    let server = Server::with_audit(audit.clone());
    server.write("sys/mounts/kmip", json!({"type": "kmip"})).await.empty();
    server.write("kmip/config", json!({"listen_addrs": "127.0.0.1"})).await.empty();
    server.write("kmip/scope/finance", json!({})).await.empty();
    let role = "kmip/scope/finance/role/accounting";
    server.write(role, json!({"operation_all": true})).await.empty();
    // The request's entry is taken, its outcome's is not.
    audit.add_faulty("faulty", 2..3);
    let generate = format!("{role}/credential/generate");
    let refused = server.write(&generate, json!({"format": "pem"})).await;
    assert!(!String::from_utf8_lossy(&refused.body).contains("PRIVATE"));
    assert!(refused.refused(500).contains("audit"));
    server.write(&generate, json!({"format": "pem"})).await.data();
}

#[tokio::test]
async fn raw_devices_are_warned_of() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::new();
    let options = json!({"file_path": directory.path().join("raw"), "log_raw": "true"});
    let body = json!({"type": "file", "options": options});
    let answered = server.write("sys/audit/raw", body).await.json();
    assert!(answered["warnings"][0].as_str().unwrap().starts_with("log_raw: "));
}

#[tokio::test]
async fn a_refused_request_says_in_its_first_entry_that_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let server = Server::new();
    enable(&server, "file", &path).await.empty();
    let request = Request::builder().uri("/v1/kmip/config").header("X-Vault-Token", "guess-work");
    server.send(request.body(Body::empty()).unwrap()).await.refused(403);
    let entries = entries(&path);
    let [.., request, response] = entries.as_slice() else { panic!() };
    for entry in [request, response] {
        assert_eq!(entry["error"], "permission denied");
        let token = entry["auth"]["client_token"].as_str().unwrap();
        assert!(token.starts_with("hmac-sha256:"));
        assert_eq!(entry["auth"].get("display_name"), None);
    }
    server.get("sys/mounts").await.data();
    let last = self::entries(&path).pop().unwrap();
    assert_eq!(last["auth"]["policy_results"]["allowed"], true);
    assert_eq!(last["request"]["mount_type"], "system");
}

/// Everything that lets its holder act, in every form in which it was sent or answered.
#[tokio::test]
async fn no_token_and_no_private_key_is_in_the_audit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let server = Server::ready().await;
    enable(&server, "file", &path).await.empty();
    let role = "kmip/scope/finance/role/accounting";
    let mut secrets = vec!["a-token-that-is-none".to_owned()];
    for format in ["pem", "pem_bundle", "der"] {
        let generate = format!("{role}/credential/generate");
        let made = server.write(&generate, json!({"format": format})).await.data();
        // Whole lines of PEM or base64, those of certificates too: all are strings of a response.
        let strings = made.as_object().unwrap().values().filter_map(Value::as_str);
        secrets
            .extend(strings.flat_map(str::lines).filter(|line| line.len() > 40).map(str::to_owned));
    }
    assert!(secrets.len() > 10);
    server.get("auth/token/lookup-self").await.data();
    let misplaced = json!({"csr": secrets[3], "format": secrets[4]});
    server.write(&format!("{role}/credential/sign"), misplaced).await.refused(400);
    let request = Request::builder().uri("/v1/sys/mounts").header("X-Vault-Token", &secrets[0]);
    server.send(request.body(Body::empty()).unwrap()).await.refused(403);
    let query = format!("{role}/credential/lookup?serial_number=1&misplaced={}", secrets[0]);
    server.get(&query).await.refused(404);

    let text = fs::read_to_string(&path).unwrap();
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret}");
    }
    assert!(!text.contains("PRIVATE KEY"));
    for entry in entries(&path) {
        for at in ["/auth/client_token", "/request/client_token", "/response/data/id"] {
            let token = entry.pointer(at).and_then(Value::as_str);
            assert!(token.is_none_or(|token| token.starts_with("hmac-sha256:")), "{at}: {entry}");
        }
    }
}

#[tokio::test]
async fn a_token_and_what_it_may_not_do_are_recorded_without_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let server = Server::new();
    enable(&server, "file", &path).await.empty();
    let made = server.token(json!({"policies": "default", "display_name": "ci"})).await;
    let token = made["client_token"].as_str().unwrap();
    server.call_as(token, "GET", "kmip/config", b"").await.refused(403);
    let all = entries(&path);
    let created = all.iter().find(|entry| entry["request"]["path"] == "auth/token/create");
    assert!(created.is_some());
    let told = all.iter().find(|entry| entry["response"]["auth"]["client_token"].is_string());
    let hash = told.unwrap()["response"]["auth"]["client_token"].clone();
    assert!(hash.as_str().unwrap().starts_with("hmac-sha256:"));
    let refused = all.iter().find(|entry| entry["request"]["path"] == "kmip/config").unwrap();
    assert_eq!(refused["auth"]["client_token"], hash, "the one is found by the other");
    assert_eq!(refused["auth"]["display_name"], "token-ci");
    assert_eq!(refused["auth"]["policy_results"]["allowed"], false);
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(token) && !text.contains(made["accessor"].as_str().unwrap()));
}
