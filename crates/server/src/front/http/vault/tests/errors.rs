//! Errors, statuses, odd requests, the audit: what clients must not be confused by.

use serde_json::json;

use super::*;

#[tokio::test]
async fn anybody_may_ask_how_the_server_is() {
    let server = Server::new();
    let ask = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(format!("/v1/{path}"));
        server.send(request.body(Body::empty()).unwrap())
    };
    let health = ask("GET", "sys/health").await;
    assert_eq!((health.status, &health.json()["sealed"]), (200, &json!(false)));
    assert_eq!(health.json()["server_time_utc"], NOW);
    assert_eq!(ask("HEAD", "sys/health").await.status, 200);
    assert_eq!(ask("GET", "sys/health?activecode=299").await.status, 299);
    ask("GET", "sys/health?activecode=9").await.refused(400);
    let seal = ask("GET", "sys/seal-status").await.json();
    assert_eq!((&seal["initialized"], &seal["sealed"]), (&json!(true), &json!(false)));
    assert_eq!(ask("GET", "sys/init").await.json(), json!({"initialized": true}));
    assert_eq!(ask("GET", "sys/leader").await.json()["ha_enabled"], false);

    server.keeper.seal();
    assert_eq!(ask("GET", "sys/health").await.status, 503);
    assert_eq!(ask("GET", "sys/health?sealedcode=200").await.status, 200);
    assert_eq!(ask("GET", "sys/seal-status").await.json()["sealed"], true);
    assert_eq!(server.get("kmip/config").await.refused(503), "Vault is sealed");
}

#[tokio::test]
async fn tokens_open_doors() {
    let server = Server::ready().await;
    let ask = |header: &str, value: &str| {
        let request = Request::builder().uri("/v1/auth/token/lookup-self").header(header, value);
        server.send(request.body(Body::empty()).unwrap())
    };
    for (header, value) in [
        ("X-Vault-Token", "root"),
        ("Authorization", "Bearer root"),
        ("authorization", "bearer root"),
    ] {
        let data = ask(header, value).await.data();
        assert_eq!((&data["policies"], &data["id"]), (&json!(["root"]), &json!("root")));
        assert_eq!((&data["ttl"], &data["type"]), (&json!(0), &json!("service")));
    }
    assert_eq!(ask("X-Vault-Token", "wrong").await.refused(403), "permission denied");
    for (header, value) in
        [("X-Other", "x"), ("X-Vault-Token", ""), ("Authorization", "Basic root")]
    {
        assert_eq!(ask(header, value).await.refused(403), "missing client token");
    }
    // Whoever has no token learns nothing of what there is.
    for path in ["kmip/config", "no/such/thing", "sys/mounts"] {
        let request = Request::builder().uri(format!("/v1/{path}")).body(Body::empty()).unwrap();
        server.send(request).await.refused(403);
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_done() {
    let server = Server::ready().await;
    let no_route = server.get("other/config").await.refused(404);
    assert_eq!(no_route, "no handler for route \"other/config\". route entry not found.");
    for path in ["kmip/nothing", "kmip/scope/a/b", "kmip", "sys/nothing", "auth/token/nothing"] {
        let refused = server.get(path).await.refused(404);
        assert_eq!(refused, "1 error occurred:\n\t* unsupported path\n\n", "{path}");
    }
    for (method, path) in [
        ("GET", "kmip/scope/finance"),
        ("DELETE", "kmip/config"),
        ("LIST", "kmip/config"),
        ("PUT", "sys/health"),
        ("PATCH", "kmip/config"),
        ("BREW", "kmip/config"),
    ] {
        let refused = server.call(method, path, b"").await.refused(405);
        assert_eq!(refused, "1 error occurred:\n\t* unsupported operation\n\n", "{method} {path}");
    }
    for path in ["kmip/scope/finance/role/nobody", "kmip/scope/nobody/role/nobody"] {
        assert_eq!(server.get(path).await.refused(404), "");
    }
    assert_eq!(server.keys("kmip/scope/nobody/role").await, None);
    let request = Request::builder().uri("/ui/").body(Body::empty()).unwrap();
    assert_eq!(server.send(request).await.refused(404), "");
}

#[tokio::test]
async fn wrong_values_are_refused_and_change_nothing() {
    let server = Server::ready().await;
    let before = server.get("kmip/config").await.data();
    for fields in [
        json!({"tls_ca_key_bits": "many"}),
        json!({"tls_ca_key_bits": 224}),
        json!({"tls_ca_key_type": "dsa"}),
        json!({"tls_min_version": "tls10"}),
        json!({"server_ips": "not-an-ip"}),
        json!({"listen_addrs": "127.0.0.1:1003"}),
        json!({"listen_addrs": {}}),
        json!({"default_tls_client_ttl": "soon"}),
        json!({"default_tls_client_ttl": "-1h"}),
    ] {
        server.write("kmip/config", fields).await.refused(400);
    }
    let bind = server.write("kmip/config", json!({"listen_addrs": "127.0.0.1:1003"})).await;
    assert_eq!(bind.refused(400), "listen tcp4 127.0.0.1:1003: bind: permission denied");
    assert_eq!(server.get("kmip/config").await.data(), before);

    let role = "kmip/scope/finance/role/accounting";
    for fields in [
        json!({"operation_get": "perhaps"}),
        json!({"tls_client_key_type": "ec", "tls_client_key_bits": 2048}),
        json!({"tls_client_ttl": -1}),
        json!({"ca": "mine"}),
    ] {
        server.write(role, fields).await.refused(400);
    }
    let missing = server.write("kmip/scope/nobody/role/r", json!({"operation_all": true})).await;
    assert!(missing.refused(400).contains("does not exist"));
    let generate = format!("{role}/credential/generate");
    server.write(&generate, json!({"format": "jks"})).await.refused(400);
    let nobody = "kmip/scope/finance/role/nobody/credential/generate";
    server.write(nobody, json!({})).await.refused(400);
    let unknown = server.write("sys/mounts/x", json!({"type": "kv"})).await.refused(400);
    assert_eq!(unknown, "plugin not found in the catalog: kv");
    server.write("sys/mounts/x", json!({})).await.refused(400);
    server.write("sys/mounts/sys/x", json!({"type": "kmip"})).await.refused(400);
}

#[tokio::test]
async fn garbage_is_never_the_servers_fault() {
    let server = Server::ready().await;
    for body in [&b"{"[..], b"[1]", b"\"text\"", b"a=b", b"\x00", b"\xff\xfe\xfd", b"{\"a\":1}x"] {
        server.call("PUT", "kmip/scope/x", body).await.refused(400);
    }
    for path in [
        "kmip/scope/a%0Ab",
        "kmip/scope/a%2Fb",
        "kmip/scope/%ff",
        "kmip/scope/%zz",
        "kmip/scope/%00",
        "kmip/scope?list=perhaps",
        "kmip/scope/x?%ff=1",
        &format!("kmip/scope/{}", "a".repeat(256)),
    ] {
        let method = if path.contains('?') { "GET" } else { "PUT" };
        server.call(method, path, b"{}").await.refused(400);
    }
    for name in ["a".repeat(255).as_str(), "b%C3%BCcher", "with%20blank", "role", "%25"] {
        let path = format!("kmip/scope/{name}");
        server.write(&path, json!({})).await.empty();
        server.delete(&path).await.empty();
    }
    for path in ["", "/", "kmip//", "kmip//scope", "kmip/scope//role/x", "kmip/./scope", ".."] {
        let answered = server.get(path).await;
        assert!((400..500).contains(&answered.status), "{path:?}: {answered:?}");
        answered.refused(answered.status);
    }
}

#[tokio::test]
async fn bodies_in_every_dress() {
    let server = Server::ready().await;
    let post = |content_type: &str, body: &str| {
        let request = Request::builder()
            .method("POST")
            .uri("/v1/kmip/scope/dressed")
            .header("X-Vault-Token", TOKEN)
            .header("Content-Type", content_type);
        server.send(request.body(Body::from(body.to_owned())).unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    for (content_type, body) in [
        (form, "{\"force\":\"true\"}"),
        (form, "force=true"),
        ("text/plain", "{\"force\":1}"),
        ("application/json; charset=utf-8", " null "),
    ] {
        post(content_type, body).await.empty();
    }
    post(form, "[1]").await.refused(400);
    server.put_object("dressed");
    server.delete("kmip/scope/dressed").await.empty();
}

#[tokio::test]
async fn long_bodies_are_read_only_from_who_has_a_token() {
    let server = Server::ready().await;
    let send = |token: &str, bytes: usize| {
        let body = format!("{{\"force\":false,\"x\":\"{}\"}}", "a".repeat(bytes));
        let request = Request::builder().method("PUT").uri("/v1/kmip/scope/long");
        server.send(request.header("X-Vault-Token", token).body(Body::from(body)).unwrap())
    };
    assert_eq!(send("root", 1 << 20).await.status, 200, "a warning for the unknown field");
    send("root", 33 << 20).await.refused(413);
    send("wrong", 1 << 20).await.refused(403);
}

#[tokio::test]
async fn fields_that_a_path_does_not_know_are_named_in_a_warning() {
    let server = Server::ready().await;
    let role = "kmip/scope/finance/role/accounting";
    let fields = json!({"operation_all": true, "zebra": 1, "ape": "x", "role": "other"});
    let written = server.write(role, fields).await;
    assert_eq!(written.data(), json!(null));
    assert_eq!(
        written.json()["warnings"],
        json!([
            "Endpoint ignored these unrecognized parameters: [ape zebra]",
            "Endpoint replaced the value of these parameters with the values captured from the \
             endpoint's path: [role]"
        ])
    );
    let old = server.write("kmip/config", json!({"connection_timeout": "1s"})).await;
    assert!(old.json()["warnings"][0].as_str().unwrap().contains("connection_timeout"));
}

#[tokio::test]
async fn headers_that_clients_send_are_accepted_and_namespaces_are_not() {
    let server = Server::ready().await;
    let ask = |header: &str, value: &str| {
        let request = Request::builder().uri("/v1/kmip/config").header("X-Vault-Token", TOKEN);
        server.send(request.header(header, value).body(Body::empty()).unwrap())
    };
    for (header, value) in [
        ("X-Vault-Namespace", "root/"),
        ("X-Vault-Namespace", ""),
        ("X-Vault-Wrap-TTL", "5m"),
        ("X-Vault-MFA", "x"),
        ("X-Vault-Index", "x"),
    ] {
        assert_eq!(ask(header, value).await.status, 200, "{header}");
    }
    ask("X-Vault-Namespace", "team").await.refused(404);
    // What is no text must not be taken for no namespace.
    ask("X-Vault-Namespace", "ü").await.refused(404);
}

#[tokio::test]
async fn every_path_has_help() {
    let server = Server::ready().await;
    let help = server.get("kmip/scope/example/role/example?help=1").await.json();
    assert!(help["help"].as_str().unwrap().contains("operation_derive_key"));
    let path = &help["openapi"]["paths"]["/scope/{scope}/role/{role}"];
    let schema = &path["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["properties"]["operation_get"]["type"], "boolean");
}

#[tokio::test]
async fn a_storage_fault_is_ours_and_says_no_more() {
    let server = Server::ready().await;
    server.store.fail_commits();
    let refused = server.write("kmip/scope/late", json!({})).await.refused(503);
    assert_eq!(refused, "storage is full");
}

#[tokio::test]
async fn every_request_is_audited_and_no_value_is_readable() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let key = Zeroizing::new([7; 32]);
    let server = Server::with_audit(AuditLog::open(&path, &key, 0).unwrap());
    server.write("sys/mounts/kmip", json!({"type": "kmip"})).await.empty();
    server.write("kmip/config", json!({"listen_addrs": "127.0.0.1"})).await.empty();
    server.write("kmip/scope/finance", json!({})).await.empty();
    let role = "kmip/scope/finance/role/accounting";
    server.write(role, json!({"operation_all": "true"})).await.empty();
    let made = server.write(&format!("{role}/credential/generate"), json!({})).await.data();
    server.get("kmip/nothing").await.refused(404);
    let request = Request::builder().uri("/v1/sys/health").body(Body::empty()).unwrap();
    assert_eq!(server.send(request).await.status, 200);

    let text = std::fs::read_to_string(&path).unwrap();
    let entries: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let api: Vec<&Value> = entries.iter().filter(|entry| entry.get("request").is_some()).collect();
    assert_eq!(api.len(), 12, "two entries for each of six requests, none for health");
    for pair in api.chunks(2) {
        assert_eq!(pair[0]["type"], "request");
        assert_eq!(pair[1]["type"], "response");
        assert_eq!(pair[0]["request"]["id"], pair[1]["request"]["id"]);
    }
    assert_eq!(api[8]["request"]["operation"], "update");
    assert_eq!(api[8]["request"]["mount_point"], "kmip/");
    let hashed = api[9]["response"]["data"]["private_key"].as_str().unwrap();
    assert!(hashed.starts_with("hmac-sha256:"));
    assert!(api[11]["error"].as_str().unwrap().contains("unsupported path"));
    let secret = made["private_key"].as_str().unwrap().lines().nth(1).unwrap();
    assert!(!text.contains(secret) && !text.contains("\"root\":") && !text.contains("BEGIN"));
}
