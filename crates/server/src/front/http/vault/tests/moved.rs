//! Remount and tune: everything in a mount stays.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_mount_moves_with_everything_in_it() {
    let server = Server::ready().await;
    let role = "scope/finance/role/accounting";
    let body = json!({"key_type": "ec", "key_bits": 256});
    server.write("kmip/ca/mine/generate", body).await.data();
    let listener = json!({"ca": "mine", "address": "127.0.0.1:7001"});
    server.write("kmip/listener/l", listener).await.data();
    let generate = format!("kmip/{role}/credential/generate");
    let serial = server.write(&generate, json!(null)).await.data()["serial_number"].clone();
    let below = ["config", "ca", "ca/mine", "listener/l", role];
    let mut before = Vec::new();
    for path in below {
        before.push(server.get(&format!("kmip/{path}")).await.data());
    }
    let uuid = server.get("sys/mounts/kmip").await.data()["uuid"].clone();
    let applied = server.listeners.applied();

    let moved = server.write("sys/remount", json!({"from": "kmip", "to": "storage/keys/"})).await;
    let id = moved.data()["migration_id"].as_str().unwrap().to_owned();
    let status = server.get(&format!("sys/remount/status/{id}")).await.data();
    assert_eq!(
        status,
        json!({"migration_id": id, "migration_info":
            {"source_mount": "kmip/", "target_mount": "storage/keys/", "status": "success"}})
    );
    server.get("sys/remount/status/other").await.refused(404);
    let gone = server.get("sys/mounts/kmip").await.refused(400);
    assert_eq!(gone, "No secret engine mount at kmip/");
    server.get("kmip/config").await.refused(404);
    for (path, before) in below.iter().zip(before) {
        assert_eq!(server.get(&format!("storage/keys/{path}")).await.data(), before);
    }
    let serials = server.keys(&format!("storage/keys/{role}/credential")).await.unwrap();
    assert_eq!(serials, [serial.as_str().unwrap()]);
    assert_eq!(server.get("sys/mounts/storage/keys").await.data()["uuid"], uuid);
    assert_eq!(server.listeners.applied(), applied, "no listener was touched");
    assert_eq!(server.listens("storage/keys", "l").unwrap(), ["127.0.0.1:7001"]);

    let listeners = Arc::new(FakeListeners::default());
    let again = Mounts::open(server.store.reopen(), server.clock.clone(), listeners).unwrap();
    assert!(again.at(&MountPath::parse("kmip").unwrap()).is_none());
    assert!(again.at(&MountPath::parse("storage/keys").unwrap()).unwrap().engine().is_some());
}

#[tokio::test]
async fn a_mount_moves_only_to_where_it_can_be() {
    let server = Server::ready().await;
    server.write("sys/mounts/other", json!({"type": "kmip"})).await.empty();
    for (body, text) in [
        (json!({"from": "nobody", "to": "x"}), "No secret engine mount at nobody/"),
        (json!({"from": "kmip", "to": "other"}), "path is already in use at other/"),
        (json!({"from": "kmip", "to": "other/below"}), "path is already in use at other/"),
        (json!({"from": "kmip", "to": "kmip"}), "path is already in use at kmip/"),
        (json!({"from": "kmip", "to": "sys/x"}), "belongs to the API itself"),
        (json!({"from": "sys", "to": "x"}), "belongs to the API itself"),
        (json!({"from": "kmip"}), "missing to"),
        (json!({}), "missing from"),
        (json!({"from": [], "to": "x"}), "expected a string"),
    ] {
        let refused = server.write("sys/remount", body).await.refused(400);
        assert!(refused.contains(text), "{refused}");
    }
    server.get("kmip/config").await.data();
    // Below where it was is free.
    server.write("sys/remount", json!({"from": "kmip", "to": "kmip/below"})).await.data();
    server.get("kmip/below/config").await.data();
}

#[tokio::test]
async fn what_is_set_about_a_mount_is_read_again() {
    let server = Server::ready().await;
    let tune = "sys/mounts/kmip/tune";
    let read = server.get(tune).await.data();
    assert_eq!(
        read,
        json!({"default_lease_ttl": 2_764_800, "max_lease_ttl": 2_764_800, "description": "",
            "force_no_cache": false})
    );
    let body = json!({"default_lease_ttl": "1h", "max_lease_ttl": 7200, "description": "keys",
        "audit_non_hmac_request_keys": ["format"], "options": {}});
    server.call("POST", tune, body.to_string().as_bytes()).await.empty();
    let read = server.get(tune).await.data();
    assert_eq!((&read["default_lease_ttl"], &read["max_lease_ttl"]), (&json!(3600), &json!(7200)));
    assert_eq!(read["audit_non_hmac_request_keys"], json!(["format"]));
    let mount = server.get("sys/mounts/kmip/").await.data();
    assert_eq!(
        (&mount["description"], &mount["config"]["max_lease_ttl"]),
        (&json!("keys"), &json!(7200))
    );
    let terraform = json!({"default_lease_ttl": "0s", "max_lease_ttl": "0s", "options": {}});
    server.write(tune, terraform).await.empty();
    assert_eq!(server.get(tune).await.data()["default_lease_ttl"], 2_764_800);
    assert_eq!(server.get(tune).await.data()["description"], "keys", "left as it was");
    for wrong in [
        json!({"default_lease_ttl": -1}),
        json!({"max_lease_ttl": "soon"}),
        json!({"default_lease_ttl": "2h", "max_lease_ttl": "1h"}),
    ] {
        server.write(tune, wrong).await.refused(400);
    }
    let body =
        json!({"type": "kmip", "config": {"default_lease_ttl": "1h", "max_lease_ttl": "2h"}});
    server.write("sys/mounts/tuned", body).await.empty();
    assert_eq!(server.get("sys/mounts/tuned/tune").await.data()["default_lease_ttl"], 3600);
    let body = json!({"type": "kmip", "config": {"default_lease_ttl": "soon"}});
    server.write("sys/mounts/untuned", body).await.refused(400);
    server.get("sys/mounts/untuned").await.refused(400);
    server.write("sys/mounts/nobody/tune", json!({})).await.refused(400);
    let missing = server.get("sys/mounts/nobody/tune").await.refused(400);
    assert_eq!(missing, "No secret engine mount at nobody/");
}
