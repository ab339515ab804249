//! AppRole as its clients call it.

use serde_json::json;

use super::auth::{From, text};
use super::*;
use crate::auth::AuthMethods;
use crate::token::Tokens;

const WRONG: &str = "invalid role or secret ID";
const ROLE: &str = "auth/approle/role/ci";

impl Server {
    async fn with_role(fields: Value) -> (Self, String) {
        let server = Self::new();
        server.write("sys/auth/approle", json!({"type": "approle"})).await.empty();
        server.write(ROLE, fields).await.empty();
        let role_id = text(&server.get(&format!("{ROLE}/role-id")).await.data(), "role_id");
        (server, role_id)
    }

    async fn secret(&self, fields: Value) -> Value {
        self.write(&format!("{ROLE}/secret-id"), fields).await.data()
    }

    fn program(&self, role_id: &str, secret_id: &str) -> Answered {
        let fields = json!({"role_id": role_id, "secret_id": secret_id});
        self.write_from(&From::default(), "auth/approle/login", fields)
    }
}

#[tokio::test]
async fn a_program_logs_in_with_role_id_and_secret_id() {
    let (server, role_id) = Server::with_role(json!({"token_policies": ["deploy"],
        "token_ttl": "20m", "secret_id_num_uses": "0", "token_type": "service"}))
    .await;
    assert_eq!(role_id.len(), 36);
    assert_eq!(server.keys("auth/approle/role").await.unwrap(), ["ci"]);
    assert_eq!(
        server.get("auth/approle/role/CI").await.data(),
        json!({"bind_secret_id": true, "local_secret_ids": false, "secret_id_bound_cidrs": null,
            "secret_id_num_uses": 0, "secret_id_ttl": 0, "token_policies": ["deploy"],
            "token_ttl": 1200, "token_max_ttl": 0, "token_explicit_max_ttl": 0, "token_period": 0,
            "token_num_uses": 0, "token_bound_cidrs": [], "token_no_default_policy": false,
            "token_type": "service"})
    );
    let made = server.secret(json!({"metadata": "{\"host\": \"a\", \"tier\": 1}"})).await;
    let (secret_id, accessor) = (text(&made, "secret_id"), text(&made, "secret_id_accessor"));
    assert_ne!(secret_id, accessor);
    assert_eq!((&made["secret_id_ttl"], &made["secret_id_num_uses"]), (&json!(0), &json!(0)));
    let login = json!({"role_id": role_id, "secret_id": secret_id});
    let auth = server.log_in(&From::default(), "auth/approle/login", login);
    assert_eq!(auth["policies"], json!(["default", "deploy"]));
    assert_eq!(auth["metadata"], json!({"role_name": "ci", "host": "a", "tier": "1"}));
    assert_eq!((&auth["lease_duration"], &auth["orphan"]), (&json!(1200), &json!(true)));
    let token = text(&auth, "client_token");
    let seen = server.call_as(&token, "GET", "auth/token/lookup-self", b"").await.data();
    assert_eq!(
        (&seen["display_name"], &seen["path"]),
        (&json!("approle"), &json!("auth/approle/login"))
    );

    for (role_id, secret_id, complaint) in [
        ("", "x", "missing role_id"),
        (&*role_id, "", "missing secret_id"),
        ("nobody", "", "missing secret_id"),
        (&role_id, "x", WRONG),
        ("nobody", &secret_id, WRONG),
    ] {
        assert_eq!(server.program(role_id, secret_id).refused(400), complaint);
    }
    // Another role ID, which logs in as the first did; the old one does no more.
    let role_id_path = format!("{ROLE}/role-id");
    server.write(&role_id_path, json!({"role_id": "ci-prod"})).await.empty();
    assert_eq!(server.program(&role_id, &secret_id).refused(400), WRONG);
    assert_eq!(server.program("ci-prod", &secret_id).status, 200);
    let other = json!({"role_id": "ci-prod"});
    let taken = server.write("auth/approle/role/other", other).await.refused(400);
    assert_eq!(taken, "role_id already in use");
    server.delete(ROLE).await.empty();
    assert_eq!(server.program("ci-prod", &secret_id).refused(400), WRONG);
    assert_eq!(server.get(ROLE).await.refused(404), "");
    // Made again under its name it is another one: the secret IDs of the first are gone.
    server.write(ROLE, json!({"role_id": "ci-prod"})).await.empty();
    assert_eq!(server.program("ci-prod", &secret_id).refused(400), WRONG);
}

#[tokio::test]
async fn secret_ids_are_used_up_and_expire_restart_or_not() {
    let (server, role_id) =
        Server::with_role(json!({"secret_id_num_uses": 3, "secret_id_ttl": "10m"})).await;
    let made = server.secret(json!({"num_uses": 2, "ttl": 60})).await;
    let twice = text(&made, "secret_id");
    assert_eq!((&made["secret_id_ttl"], &made["secret_id_num_uses"]), (&json!(60), &json!(2)));
    assert_eq!(server.program(&role_id, &twice).status, 200);
    let lookup = format!("{ROLE}/secret-id/lookup");
    let looked = server.write(&lookup, json!({"secret_id": twice})).await.data();
    assert_eq!(
        looked,
        json!({"secret_id_accessor": made["secret_id_accessor"], "secret_id_num_uses": 1,
            "secret_id_ttl": 60, "creation_time": "2027-01-15T08:00:00Z",
            "expiration_time": "2027-01-15T08:01:00Z", "last_updated_time": "2027-01-15T08:00:00Z",
            "metadata": {}, "cidr_list": [], "token_bound_cidrs": []})
    );
    assert_eq!(server.program(&role_id, &twice).status, 200);
    assert_eq!(server.program(&role_id, &twice).refused(400), WRONG);
    server.write(&lookup, json!({"secret_id": twice})).await.empty();

    let short = text(&server.secret(json!({"ttl": 60})).await, "secret_id");
    let long = text(&server.secret(json!({})).await, "secret_id");
    server.clock.set(NOW + 60);
    assert_eq!(server.program(&role_id, &short).refused(400), WRONG);
    assert_eq!(server.program(&role_id, &long).status, 200);
    // What a restart reads is what was written.
    let records = server.store.reopen();
    let tokens = Tokens::new(records.clone(), server.clock.clone());
    let methods = AuthMethods::quick(records.clone(), tokens, server.clock.clone());
    let method = methods.list().remove(0);
    let login = |secret: &str| {
        let roles = crate::auth::AppRole::of(&methods, &method);
        roles.login(&role_id, secret, crate::auth::Client::default()).is_ok()
    };
    assert_eq!([&*short, &*long].map(login), [false, true]);
    server.clock.set(NOW + 600);
    assert!(!login(&long));
    assert_eq!(records.keys(b"z").unwrap().len(), 2);
    server.write("auth/approle/tidy/secret-id", json!({})).await.empty();
    assert_eq!(records.keys(b"z").unwrap().len(), 0);

    for (fields, complaint) in [
        (json!({"num_uses": 4}), "num_uses cannot be higher than the role's secret_id_num_uses"),
        (json!({"num_uses": 0}), "num_uses cannot be higher than the role's secret_id_num_uses"),
        (json!({"ttl": "11m"}), "ttl cannot be longer than the role's secret_id_ttl"),
        (json!({"ttl": -1}), "ttl cannot be negative"),
        (json!({"metadata": "[]"}), "expected JSON text of an object"),
        (json!({"metadata": "{\"a\": {}}"}), "an object of strings"),
        (json!({"metadata": {"a": "x".repeat(20_000)}}), "metadata has at most"),
    ] {
        let refused = server.write(&format!("{ROLE}/secret-id"), fields).await.refused(400);
        assert!(refused.contains(complaint), "{refused}");
    }
}

#[tokio::test]
async fn the_last_use_of_a_secret_id_is_one_login() {
    let (server, role_id) = Server::with_role(json!({})).await;
    let secret_id = text(&server.secret(json!({"num_uses": 3})).await, "secret_id");
    let successes: usize = std::thread::scope(|scope| {
        let login = || usize::from(server.program(&role_id, &secret_id).status == 200);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(login)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(successes, 3);
}

#[tokio::test]
async fn secret_ids_are_ended_by_themselves_and_by_their_accessors() {
    let (server, role_id) = Server::with_role(json!({})).await;
    let custom = format!("{ROLE}/custom-secret-id");
    let made = server.write(&custom, json!({"secret_id": "chosen", "metadata": {"a": "b"}})).await;
    assert_eq!(made.data()["secret_id"], "chosen");
    assert_eq!(
        server.write(&custom, json!({"secret_id": "chosen"})).await.refused(400),
        "SecretID is already registered"
    );
    assert_eq!(server.write(&custom, json!({})).await.refused(400), "missing secret_id");
    let first = server.secret(json!({})).await;
    let mut listed = server.keys(&format!("{ROLE}/secret-id")).await.unwrap();
    let mut accessors = vec![text(&made.data(), "secret_id_accessor")];
    accessors.push(text(&first, "secret_id_accessor"));
    listed.sort();
    accessors.sort();
    assert_eq!(listed, accessors);
    let by_accessor = |what: &str| format!("{ROLE}/secret-id-accessor/{what}");
    let accessor = json!({"secret_id_accessor": made.data()["secret_id_accessor"]});
    let looked = server.write(&by_accessor("lookup"), accessor.clone()).await.data();
    assert_eq!(looked["metadata"], json!({"a": "b"}));
    assert_eq!(looked["expiration_time"], "0001-01-01T00:00:00Z");
    server.write(&by_accessor("destroy"), accessor.clone()).await.empty();
    assert_eq!(server.program(&role_id, "chosen").refused(400), WRONG);
    for what in ["lookup", "destroy"] {
        let refused = server.write(&by_accessor(what), accessor.clone()).await.refused(404);
        assert!(refused.starts_with("failed to find accessor entry"), "{refused}");
        let none = json!({"secret_id_accessor": "none"});
        server.write(&by_accessor(what), none).await.refused(404);
    }
    let destroy = format!("{ROLE}/secret-id/destroy");
    server.write(&destroy, json!({"secret_id": first["secret_id"]})).await.empty();
    server.write(&destroy, json!({"secret_id": first["secret_id"]})).await.empty();
    assert_eq!(server.program(&role_id, &text(&first, "secret_id")).refused(400), WRONG);
    assert!(server.keys(&format!("{ROLE}/secret-id")).await.is_none());
    // An accessor is nothing to log in with, nor is one role's secret ID another's.
    let again = server.secret(json!({})).await;
    let accessor = text(&again, "secret_id_accessor");
    assert_eq!(server.program(&role_id, &accessor).refused(400), WRONG);
    server.write("auth/approle/role/other", json!({"role_id": "other"})).await.empty();
    assert_eq!(server.program("other", &text(&again, "secret_id")).refused(400), WRONG);
    let nowhere = "auth/approle/role/nowhere/secret-id";
    assert_eq!(
        server.write(nowhere, json!({})).await.refused(400),
        "role \"nowhere\" does not exist"
    );
}

#[tokio::test]
async fn addresses_bind_roles_secret_ids_and_tokens() {
    let (server, role_id) = Server::with_role(json!({"secret_id_bound_cidrs": "10.0.0.0/8",
        "token_bound_cidrs": "10.0.0.0/8"}))
    .await;
    for (fields, complaint) in [
        (json!({"cidr_list": "11.0.0.0/8"}), "CIDR blocks on the secret ID should be a subset"),
        (json!({"token_bound_cidrs": "0.0.0.0/0"}), "CIDR blocks on the token should be a subset"),
    ] {
        let refused = server.write(&format!("{ROLE}/secret-id"), fields).await.refused(400);
        assert!(refused.contains(complaint), "{refused}");
    }
    let fields =
        json!({"cidr_list": "10.1.0.0/16", "token_bound_cidrs": "10.1.1.1", "num_uses": 1});
    let secret_id = text(&server.secret(fields).await, "secret_id");
    let login = |address| {
        let fields = json!({"role_id": role_id, "secret_id": secret_id});
        server.write_from(&From { address, ..From::default() }, "auth/approle/login", fields)
    };
    let refused = login("10.2.0.1").refused(400);
    assert_eq!(
        refused,
        "source address \"10.2.0.1\" unauthorized through CIDR restrictions on the secret ID"
    );
    assert!(login("192.168.0.1").refused(400).contains("on the role"));
    assert_eq!(login("10.1.2.2").refused(403), "permission denied");
    // None of these took its use.
    let auth = login("10.1.1.1").json()["auth"].clone();
    let token = text(&auth, "client_token");
    let elsewhere = From { address: "10.1.1.2", token: Some(&token), ..From::default() };
    server.write_from(&elsewhere, "auth/token/lookup-self", json!({})).refused(403);

    let unbound = server.write("auth/approle/role/open", json!({"bind_secret_id": false})).await;
    assert_eq!(unbound.refused(400), "at least one constraint should be enabled on the role");
    let fields =
        json!({"bind_secret_id": false, "bound_cidr_list": "10.0.0.0/8", "role_id": "open"});
    server.write("auth/approle/role/open", fields).await.empty();
    let refused = server.write("auth/approle/role/open/secret-id", json!({})).await.refused(400);
    assert_eq!(refused, "bind_secret_id is not set on the role");
    let login = |address| {
        let from = From { address, ..From::default() };
        server.write_from(&from, "auth/approle/login", json!({"role_id": "open"}))
    };
    assert_eq!(login("10.1.1.1").status, 200);
    login("192.168.0.1").refused(400);
}

#[tokio::test]
async fn five_wrong_secret_ids_lock_a_role_id() {
    let (server, role_id) = Server::with_role(json!({})).await;
    let secret_id = text(&server.secret(json!({})).await, "secret_id");
    for _ in 0..5 {
        assert_eq!(server.program(&role_id, "wrong").refused(400), WRONG);
    }
    assert_eq!(server.program(&role_id, &secret_id).refused(403), "permission denied");
    let locked = server.get("sys/locked-users").await.data();
    let method = &locked["by_namespace"][0]["mount_accessors"][0];
    assert_eq!(method["alias_identifiers"], json!([role_id]));
    server.clock.set(NOW + 900);
    assert_eq!(server.program(&role_id, &secret_id).status, 200);
}

#[tokio::test]
async fn a_role_that_is_gone_renews_nothing() {
    let (server, role_id) =
        Server::with_role(json!({"token_ttl": "1h", "token_period": "10m"})).await;
    let secret_id = text(&server.secret(json!({})).await, "secret_id");
    let auth = server.program(&role_id, &secret_id).json()["auth"].clone();
    assert_eq!(auth["lease_duration"], 600);
    let token = text(&auth, "client_token");
    let renew = || server.write_as(&token, "auth/token/renew-self", json!({}));
    server.write(ROLE, json!({"token_period": "20m", "token_policies": "more"})).await.empty();
    assert_eq!(renew().await.json()["auth"]["lease_duration"], 1200);
    server.delete(ROLE).await.empty();
    renew().await.refused(400);
}

#[tokio::test]
async fn secret_ids_are_stored_as_keyed_hashes_only() {
    let (server, _) = Server::with_role(json!({})).await;
    let custom = format!("{ROLE}/custom-secret-id");
    server.write(&custom, json!({"secret_id": "hunter2-of-the-program"})).await.data();
    let records = server.store.reopen();
    for kind in [b"z", b"b", b"j"] {
        let rows = records.scan::<Value>(kind).unwrap();
        assert_eq!(rows.len(), 1);
        for (row, stored) in rows {
            assert!(!String::from_utf8_lossy(&row).contains("hunter2"));
            assert!(!stored.value.to_string().contains("hunter2"));
        }
    }
}
