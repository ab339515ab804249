//! What Terraform's Vault provider 5.11 sends for each of its KMIP resources, and what it needs in
//! the answers. It is the strictest client: what it reads must be what it wrote.

use serde_json::json;

use super::*;

/// Create: POST sys/mounts, then the configuration with only what is set, then read both.
async fn backend(server: &Server, path: &str, config: Value) {
    let mount = json!({"type": "kmip", "description": "test description", "config":
        {"default_lease_ttl": "0s", "max_lease_ttl": "0s", "options": {}}, "local": false,
        "seal_wrap": false, "external_entropy_access": false, "options": null});
    let mounted = format!("sys/mounts/{path}");
    server.call("POST", &mounted, mount.to_string().as_bytes()).await.empty();
    // Without an address the first write warns; the provider does not mind.
    let written = server.write(&format!("{path}/config"), config).await;
    assert!([200, 204].contains(&written.status), "{written:?}");
    server.get(&format!("{path}/config")).await.data();
    assert_eq!(server.get(&mounted).await.data()["description"], "test description");
}

#[tokio::test]
async fn the_provider_starts() {
    let server = Server::new();
    let own = server.get("auth/token/lookup-self").await.data();
    assert!(own["policies"].is_array() && own.get("namespace_path").is_none());
    let version = server.ask("GET", "sys/seal-status").await.json()["version"].clone();
    let version = version.as_str().unwrap().to_owned();
    // Named authorities and listeners are refused below 2.0.0, of which 2.0.0-anything is.
    assert!(version.starts_with("2.0.0+"), "{version}");
}

#[tokio::test]
async fn vault_kmip_secret_backend() {
    let server = Server::new();
    let config = json!({"listen_addrs": ["127.0.0.1:5696", "127.0.0.1:8080"],
        "server_ips": ["127.0.0.1", "192.168.1.1"], "tls_ca_key_type": "ec", "tls_ca_key_bits": 256,
        "default_tls_client_ttl": 86_400});
    backend(&server, "kmip", config).await;
    let changed = json!({"listen_addrs": ["127.0.0.1:5696"], "tls_ca_key_type": "rsa",
        "tls_ca_key_bits": 2048, "default_tls_client_key_type": "rsa",
        "default_tls_client_key_bits": 2048});
    let tune = json!({"default_lease_ttl": "0s", "max_lease_ttl": "0s", "options": {}});
    server.call("POST", "sys/mounts/kmip/tune", tune.to_string().as_bytes()).await.empty();
    server.write("kmip/config", changed).await;
    let read = server.get("kmip/config").await.data();
    assert_eq!((&read["tls_ca_key_type"], &read["tls_ca_key_bits"]), (&json!("rsa"), &json!(2048)));
    assert_eq!(read["server_ips"], json!(["127.0.0.1", "192.168.1.1"]), "replaced, not merged");
    // Cleared sets are [], cleared scalars null.
    let cleared = json!({"server_ips": [], "default_tls_client_ttl": null});
    server.write("kmip/config", cleared).await.empty();
    let read = server.get("kmip/config").await.data();
    assert_eq!(
        (&read["server_ips"], &read["default_tls_client_ttl"]),
        (&json!([]), &json!(1_209_600))
    );

    // Another path is a remount, polled until it is done, then tuned and read under the new path.
    let body = json!({"from": "kmip", "to": "kmip-moved"}).to_string();
    let moved = server.call("POST", "sys/remount", body.as_bytes()).await.data();
    let id = moved["migration_id"].as_str().unwrap();
    let status = server.get(&format!("sys/remount/status/{id}")).await.data();
    assert_eq!(status["migration_info"]["status"], "success");
    server.write("sys/mounts/kmip-moved/tune", tune).await.empty();
    server.write("kmip-moved/config", json!({})).await.empty();
    assert_eq!(server.get("kmip-moved/config").await.data(), read);

    server.delete("sys/mounts/kmip-moved").await.empty();
    // Gone is a 404 of the configuration, or this text of the mount.
    server.get("kmip-moved/config").await.refused(404);
    let gone = server.get("sys/mounts/kmip-moved").await.refused(400);
    assert!(gone.contains("No secret engine mount at"), "{gone}");
}

/// Without an address of its own it listens nowhere: the provider takes one that it has not asked for as drift,
/// and another backend would meet it there.
#[tokio::test]
async fn a_backend_without_an_address_listens_nowhere() {
    let server = Server::new();
    backend(&server, "kmip", json!({})).await;
    backend(&server, "other", json!({})).await;
    assert_eq!(server.get("kmip/config").await.data()["listen_addrs"], json!([]));
    assert_eq!(server.listens("kmip", "").unwrap(), Vec::<String>::new());
    server.write("sys/mounts/third", json!({"type": "kmip"})).await.empty();
    let first = server.write("third/config", json!({})).await.json();
    let said = first["warnings"][0].as_str().unwrap();
    assert!(said.starts_with("listen_addrs names no address"), "{said}");
    server.write("third/config", json!({})).await.empty();
}

#[tokio::test]
async fn a_backend_hands_its_address_to_a_named_listener() {
    let server = Server::new();
    backend(&server, "kmip", json!({"listen_addrs": ["127.0.0.1:5696"]})).await;
    server.write("kmip/config", json!({"listen_addrs": []})).await.empty();
    assert_eq!(server.get("kmip/config").await.data()["listen_addrs"], json!([]));
    assert_eq!(server.listens("kmip", "").unwrap(), Vec::<String>::new());
    let ca = json!({"key_type": "ec", "key_bits": 256, "ttl": 31_536_000});
    server.write("kmip/ca/my-ca/generate", ca).await.data();
    let listener = json!({"ca": "my-ca", "address": "127.0.0.1:5696"});
    server.write("kmip/listener/my-listener", listener).await.data();
    assert_eq!(server.listens("kmip", "my-listener").unwrap(), ["127.0.0.1:5696"]);
}

#[tokio::test]
async fn vault_kmip_secret_scope() {
    let server = Server::new();
    backend(&server, "kmip", json!({})).await;
    let scope = |force| json!({"scope": "test", "force": force});
    server.write("kmip/scope/test", scope(true)).await.empty();
    assert_eq!(server.keys("kmip/scope").await.unwrap(), ["test"]);
    server.put_object("test");
    // Its force is sent at creation alone, and its DELETE is bare.
    server.delete("kmip/scope/test").await.empty();
    assert_eq!(server.keys("kmip/scope").await, None);
    server.write("kmip/scope/test", scope(false)).await.empty();
    server.put_object("test");
    server.delete("kmip/scope/test").await.refused(400);
}

#[tokio::test]
async fn vault_kmip_secret_role() {
    let server = Server::new();
    backend(&server, "kmip", json!({})).await;
    server.write("kmip/scope/s", json!({"scope": "s", "force": false})).await.empty();
    let role = "kmip/scope/s/role/r";
    let body = json!({"tls_client_key_type": "ec", "tls_client_key_bits": 256,
        "operation_activate": true, "operation_get": true, "operation_get_attributes": true,
        "operation_create": true, "operation_destroy": true});
    server.write(role, body).await.empty();
    let read = server.get(role).await.data();
    assert_eq!((&read["tls_client_key_bits"], &read["tls_client_ttl"]), (&json!(256), &json!(0)));
    assert_eq!(read.get("ca"), None, "absent, or the plan would never be empty");
    // Only what changed is sent; the rest stays.
    let changed = json!({"tls_client_key_type": "rsa", "tls_client_key_bits": 4096,
        "operation_get_attribute_list": true, "operation_create": true, "operation_destroy": false});
    server.write(role, changed).await.empty();
    let read = server.get(role).await.data();
    let granted: Vec<&str> = read
        .as_object()
        .unwrap()
        .keys()
        .filter_map(|name| name.strip_prefix("operation_"))
        .collect();
    assert_eq!(granted, ["activate", "create", "get", "get_attribute_list", "get_attributes"]);
    let ca = json!({"key_type": "ec", "key_bits": 256, "ttl": 31_536_000});
    server.write("kmip/ca/c/generate", ca).await.data();
    server.write(role, json!({"ca": "c"})).await.empty();
    assert_eq!(server.get(role).await.data()["ca"], "c");
    server
        .write(role, json!({"ca": null, "tls_client_key_bits": null, "tls_client_key_type": null}))
        .await
        .empty();
    let read = server.get(role).await.data();
    assert_eq!((read.get("ca"), &read["tls_client_key_type"]), (None, &json!("")));
    server.delete(role).await.empty();
    server.get(role).await.refused(404);
}

#[tokio::test]
async fn vault_kmip_secret_ca_generated_and_listener() {
    let server = Server::new();
    backend(&server, "kmip", json!({"listen_addrs": []})).await;
    let body = json!({"key_type": "ec", "key_bits": 256, "ttl": 31_536_000});
    let made = server.write("kmip/ca/one/generate", body).await;
    // A 204 or an answer without ca_pem makes the provider fail.
    assert!(made.data()["ca_pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"));
    let read = server.get("kmip/ca/one").await.data();
    assert_eq!(read, made.data());
    for number in ["key_bits", "ttl"] {
        assert!(read[number].is_u64(), "{number} is a number");
    }
    let body = json!({"key_type": "ec", "key_bits": 384, "ttl": 86_400});
    server.write("kmip/ca/two/generate", body).await.data();
    let listener = json!({"ca": "one", "address": "127.0.0.1:7001",
        "server_hostnames": ["b.example", "a.example"], "additional_client_cas": ["two"]});
    server.write("kmip/listener/l", listener.clone()).await.data();
    let read = server.get("kmip/listener/l").await.data();
    for (name, value) in listener.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
    assert_eq!(read["tls_min_version"], "tls12", "computed: never empty");
    let changed = json!({"ca": "one", "address": "127.0.0.1:7001",
        "server_hostnames": ["a.example", "b.example"], "additional_client_cas": ["two"],
        "also_use_legacy_ca": true, "tls_min_version": "tls13"});
    server.write("kmip/listener/l", changed.clone()).await.data();
    let read = server.get("kmip/listener/l").await.data();
    for (name, value) in changed.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
    // Destroyed in the order of their dependencies.
    server.delete("kmip/listener/l").await.empty();
    for path in ["kmip/ca/one", "kmip/ca/two"] {
        server.delete(path).await.empty();
        server.get(path).await.refused(404);
    }
    server.get("kmip/listener/l").await.refused(404);
}

#[tokio::test]
async fn vault_kmip_secret_ca_imported() {
    let server = Server::new();
    backend(&server, "kmip", json!({"listen_addrs": []})).await;
    let body = json!({"key_type": "rsa", "key_bits": 2048, "ttl": 86_400});
    let ca_pem = server.write("kmip/ca/source/generate", body).await.data()["ca_pem"].clone();
    let body = json!({"ca_pem": ca_pem, "scope_name": "s", "role_field": "CN"});
    let made = server.write("kmip/ca/imported/import", body).await.data();
    assert_eq!((&made["ca_pem"], &made["scope_name"]), (&ca_pem, &json!("s")));
    let read = server.get("kmip/ca/imported").await.data();
    assert_eq!((read.get("scope_field"), &read["role_field"]), (None, &json!("CN")));
    // The update needs a body in its answer: a 204 makes the provider panic.
    let body = json!({"scope_name": null, "scope_field": "O", "role_field": "UID"});
    let changed = server.write("kmip/ca/imported", body).await.data();
    assert_eq!((&changed["scope_field"], &changed["role_field"]), (&json!("O"), &json!("UID")));
    assert_eq!(changed.get("scope_name"), None);
    server.delete("kmip/ca/imported").await.empty();
    server.get("kmip/ca/imported").await.refused(404);
}
