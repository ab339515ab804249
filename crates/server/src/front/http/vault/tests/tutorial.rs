//! The tutorial of Vault's KMIP engine, in the form in which the `vault` command sends it: every
//! value a string, no content type, `null` bodies, `?list=true`.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

const ROLE: &str = "kmip/scope/finance/role/accounting";

#[tokio::test]
async fn step_1_enable_and_configure() {
    let server = Server::new();
    let body = json!({
        "type": "kmip", "description": "", "config": {
            "options": null, "default_lease_ttl": "0s", "max_lease_ttl": "0s", "force_no_cache": false},
        "local": false, "seal_wrap": false, "external_entropy_access": false, "options": null});
    server.call("POST", "sys/mounts/kmip/", body.to_string().as_bytes()).await.empty();
    let mounts = server.get("sys/mounts").await.data();
    assert_eq!(mounts["kmip/"]["type"], "kmip");
    assert!(mounts["kmip/"]["accessor"].as_str().unwrap().starts_with("kmip_"));
    assert_eq!(server.get("sys/mounts/kmip/").await.data(), mounts["kmip/"]);
    assert_eq!(server.get("sys/mounts/kmip/tune").await.data()["force_no_cache"], false);

    server.get("kmip/config").await.refused(404);
    assert!(server.get("kmip/ca").await.refused(400).contains("write kmip/config first"));
    server.write("kmip/config", json!({"listen_addrs": "0.0.0.0:5696"})).await.empty();
    let read = server.get("kmip/config").await;
    assert_eq!(
        read.data(),
        json!({
            "default_tls_client_key_bits": 256, "default_tls_client_key_type": "ec",
            "default_tls_client_ttl": 1_209_600, "listen_addrs": ["0.0.0.0:5696"],
            "server_hostnames": ["localhost"], "server_ips": ["127.0.0.1", "::1"],
            "tls_ca_key_bits": 256, "tls_ca_key_type": "ec", "tls_min_version": "tls12"})
    );
    let mut envelope = read.json();
    let fields = envelope.as_object_mut().unwrap();
    assert_eq!(fields.remove("request_id").unwrap().as_str().unwrap().len(), 36);
    fields.remove("data");
    assert_eq!(
        envelope,
        json!({"lease_id": "", "renewable": false, "lease_duration": 0, "wrap_info": null,
            "warnings": null, "auth": null, "mount_type": "kmip"})
    );
    assert_eq!(read.content_type.as_deref(), Some("application/json"));
    assert_eq!(read.cache_control.as_deref(), Some("no-store"));

    // RSA instead, as the tutorial suggests before anything is issued.
    let rsa = json!({"tls_ca_key_type": "rsa", "tls_ca_key_bits": "2048"});
    server.write("kmip/config", rsa).await.empty();
    assert_eq!(server.get("kmip/config").await.data()["tls_ca_key_bits"], 2048);
    let ca = server.get("kmip/ca").await.data()["ca_pem"].as_str().unwrap().to_owned();
    assert_eq!(ca.matches("-----BEGIN CERTIFICATE-----").count(), 2);
    assert!(!ca.ends_with('\n') && !ca.contains("\n\n"));
}

#[tokio::test]
async fn step_2_scopes_and_roles() {
    let server = Server::new();
    server.write("sys/mounts/kmip", json!({"type": "kmip"})).await.empty();
    assert_eq!(server.keys("kmip/scope").await, None);
    server.call("PUT", "kmip/scope/finance", b"null").await.empty();
    server.call("PUT", "kmip/scope/finance", b"").await.empty();
    let terraform = json!({"scope": "finance", "force": false});
    server.write("kmip/scope/finance", terraform).await.empty();
    assert_eq!(server.keys("kmip/scope").await.unwrap(), ["finance"]);
    assert_eq!(server.keys("kmip/scope/finance/role").await, None);
    server.write(ROLE, json!({"operation_all": "true"})).await.empty();
    assert_eq!(server.keys("kmip/scope/finance/role").await.unwrap(), ["accounting"]);
    assert_eq!(
        server.get(ROLE).await.data(),
        json!({"operation_all": true, "tls_client_key_bits": 0, "tls_client_key_type": "",
            "tls_client_ttl": 0})
    );
    for (method, path) in [
        ("LIST", "kmip/scope"),
        ("LIST", "kmip/scope/"),
        ("GET", "kmip/scope/?list=True"),
        ("GET", "kmip/scope?list=1"),
    ] {
        let listed = server.call(method, path, b"").await.data();
        assert_eq!(listed, json!({"keys": ["finance"]}), "{method} {path}");
    }
}

#[tokio::test]
async fn step_3_credentials_in_every_format() {
    let server = Server::ready().await;
    let base = format!("{ROLE}/credential");
    assert_eq!(server.keys(&base).await, None);
    let mut serials = Vec::new();
    for format in ["pem", "pem_bundle", "der", ""] {
        let fields = if format.is_empty() { json!(null) } else { json!({"format": format}) };
        let made = server.write(&format!("{base}/generate"), fields).await.data();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let chain: Vec<String> = serde_json::from_value(made["ca_chain"].clone()).unwrap();
        assert_eq!(chain.len(), 2);
        assert_eq!(made.as_object().unwrap().len(), 4);
        match format {
            "pem" => {
                assert!(text("private_key").starts_with("-----BEGIN EC PRIVATE KEY-----"));
                assert!(text("certificate").starts_with("-----BEGIN CERTIFICATE-----"));
                assert_eq!(text("certificate").matches("BEGIN").count(), 1);
                let ca = server.get("kmip/ca").await.data()["ca_pem"].clone();
                assert_eq!(ca, chain.join("\n"));
            }
            "der" => assert!(!text("certificate").contains("BEGIN") && !chain[0].contains("BEGIN")),
            _ => {
                let bundle = text("certificate");
                assert!(bundle.starts_with(&text("private_key")));
                assert!(bundle.ends_with(&chain.join("\n")));
                assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 3);
            }
        }
        serials.push(text("serial_number"));
    }
    let mut listed = server.keys(&base).await.unwrap();
    listed.sort();
    serials.sort();
    assert_eq!(listed, serials);

    let path = format!("{base}/lookup?serial_number={}", serials[0]);
    let found = server.get(&path).await.data();
    assert_eq!(found["serial_number"], serials[0].as_str());
    assert!(found.get("private_key").is_none());
    let bundle = server.get(&format!("{path}&format=pem_bundle")).await.data();
    assert_eq!(bundle["certificate"].as_str().unwrap().matches("BEGIN CERTIFICATE").count(), 3);
}

#[tokio::test]
async fn step_3_a_signing_request_is_signed() {
    let server = Server::ready().await;
    let path = format!("{ROLE}/credential/sign");
    let request = |spec| {
        let key = crate::pki::PrivateKey::generate(spec).unwrap();
        crate::pki::testing::request_pem(&key)
    };
    let csr = request(crate::pki::KeySpec::Ec256);
    let made = server.write(&path, json!({"csr": csr, "format": "pem"})).await.data();
    assert!(made.get("private_key").is_none());
    assert!(made["serial_number"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit()));
    let bundle = server.write(&path, json!({"csr": csr})).await.data();
    assert_eq!(bundle["certificate"].as_str().unwrap().matches("BEGIN CERTIFICATE").count(), 3);
    let wrong = request(crate::pki::KeySpec::Ec384);
    let refused = server.write(&path, json!({"csr": wrong})).await.refused(400);
    assert_eq!(refused, "the csr's key is ec 384 but the role requires ec 256");
    server.write(&path, json!({"csr": "nonsense"})).await.refused(400);
    assert_eq!(server.write(&path, json!({})).await.refused(400), "missing csr");
}

#[tokio::test]
async fn step_5_revoke() {
    let server = Server::ready().await;
    let base = format!("{ROLE}/credential");
    let generate = || async {
        let made = server.write(&format!("{base}/generate"), json!({"format": "pem"})).await.data();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("serial_number"), text("certificate"))
    };
    let revoke = format!("{base}/revoke");
    let (serial, certificate) = generate().await;
    let both = json!({"serial_number": serial, "certificate": certificate});
    for wrong in [json!({}), both, json!({"serial_number": "x"}), json!({"certificate": "x"})] {
        server.write(&revoke, wrong).await.refused(400);
    }
    server.write(&revoke, json!({"serial_number": serial})).await.empty();
    server.get(&format!("{base}/lookup?serial_number={serial}")).await.refused(404);
    assert_eq!(server.keys(&base).await, None);
    server.write(&revoke, json!({"serial_number": serial})).await.refused(400);
    let (_, certificate) = generate().await;
    server.write(&revoke, json!({"certificate": certificate})).await.empty();
    assert_eq!(server.keys(&base).await, None);
}

#[tokio::test]
async fn step_6_least_privilege_and_the_end_of_a_role() {
    let server = Server::ready().await;
    let granted = || async {
        let data = server.get(ROLE).await.data();
        let fields: BTreeMap<String, Value> = serde_json::from_value(data).unwrap();
        let operations = fields.into_iter().filter(|(name, _)| name.starts_with("operation_"));
        operations.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    let write = |fields| server.write(ROLE, fields);
    write(json!({"operation_activate": "true", "operation_create": "1", "operation_get": true}))
        .await
        .empty();
    let three = "operation_activate=true operation_create=true operation_get=true";
    assert_eq!(granted().await, three);
    write(json!({"operation_get": false, "operation_locate": "T"})).await.empty();
    let merged = "operation_activate=true operation_create=true operation_locate=true";
    assert_eq!(granted().await, merged);
    write(json!({"operation_none": "true"})).await.empty();
    assert_eq!(granted().await, "operation_none=true");
    write(json!({"operation_all": "true", "operation_destroy": "false"})).await.empty();
    assert_eq!(granted().await, "operation_all=true");
    let warnings = server.get(ROLE).await.json()["warnings"].to_string();
    assert!(warnings.contains("operation_destroy"), "{warnings}");
    write(json!({"operation_all": true, "operation_none": true})).await.refused(400);

    let tls = json!({"tls_client_key_type": "rsa", "tls_client_key_bits": "3072", "tls_client_ttl": "1h"});
    write(tls).await.empty();
    let data = server.get(ROLE).await.data();
    assert_eq!(data["tls_client_key_bits"], 3072);
    assert_eq!(data["tls_client_ttl"], 3600);
    write(
        json!({"tls_client_key_type": null, "tls_client_key_bits": null, "tls_client_ttl": null}),
    )
    .await
    .empty();
    assert_eq!(server.get(ROLE).await.data()["tls_client_ttl"], 0);

    server.delete(ROLE).await.empty();
    assert_eq!(server.get(ROLE).await.refused(404), "");
    server.delete(ROLE).await.empty();
}

#[tokio::test]
async fn step_7_delete_scopes_and_unmount() {
    let server = Server::ready().await;
    server.put_object("finance");
    let refused = server.delete("kmip/scope/finance").await.refused(400);
    assert!(refused.contains("force=true"), "{refused}");
    server.delete("kmip/scope/finance?force=true").await.empty();
    assert_eq!(server.keys("kmip/scope").await, None);
    server.delete("kmip/scope/finance").await.empty();

    // Terraform gives force when it creates, never when it deletes.
    server.write("kmip/scope/finance", json!({"scope": "finance", "force": true})).await.empty();
    server.put_object("finance");
    server.delete("kmip/scope/finance").await.empty();

    server.write("kmip/scope/finance", json!(null)).await.empty();
    server.put_object("finance");
    server.delete("sys/mounts/kmip/").await.empty();
    assert!(server.objects.present.lock().unwrap().is_empty());
    let gone = server.get("sys/mounts/kmip").await.refused(400);
    assert_eq!(gone, "No secret engine mount at kmip/");
    server.delete("sys/mounts/kmip").await.empty();
    for kind in *b"mgasre" {
        assert!(server.store.reopen().keys(&[kind]).unwrap().is_empty(), "{}", char::from(kind));
    }
}

#[tokio::test]
async fn an_engine_works_at_any_path() {
    let server = Server::new();
    server.write("sys/mounts/storage/keys", json!({"type": "kmip"})).await.empty();
    server.write("storage/keys/scope/a", json!(null)).await.empty();
    assert_eq!(server.keys("storage/keys/scope").await.unwrap(), ["a"]);
    let taken = server.write("sys/mounts/storage/keys/", json!({"type": "kmip"})).await;
    assert_eq!(taken.refused(400), "path is already in use at storage/keys/");
    server.write("sys/mounts/storage", json!({"type": "kmip"})).await.refused(400);
    server.write("sys/mounts/scope", json!({"type": "kmip"})).await.empty();
    server.write("scope/scope/scope/role/role", json!({})).await.refused(400);
}

#[tokio::test]
async fn replacing_an_authority_in_use_is_said() {
    let server = Server::ready().await;
    server.write(&format!("{ROLE}/credential/generate"), json!(null)).await.data();
    let written = server.write("kmip/config", json!({"tls_ca_key_bits": 384})).await;
    assert_eq!(written.data(), json!(null));
    assert!(written.json()["warnings"][0].as_str().unwrap().contains("ca_pem"));
}
