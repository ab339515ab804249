//! `auth/token` as its clients call it.

use std::time::{Duration, Instant};

use claviger_store::Memory;
use serde_json::json;
use tokio::runtime::Handle;

use super::*;
use crate::limits::Limits;
use crate::node::{NodeOptions, SealSource};
use crate::seal::KeyFile;
use crate::token::{Created, NewToken};

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

#[tokio::test]
async fn terraform_makes_a_child_token() {
    let server = Server::new();
    let asked = json!({"ttl": "1200s", "explicit_max_ttl": "1200s", "display_name": "terraform",
        "num_uses": 0, "renewable": false, "type": "", "entity_alias": ""});
    let made = server.call("POST", "auth/token/create", asked.to_string().as_bytes()).await;
    let mut auth = made.json()["auth"].clone();
    assert_eq!((made.status, &made.json()["data"]), (200, &Value::Null));
    let (token, accessor) = (text(&auth, "client_token"), text(&auth, "accessor"));
    assert!(token.starts_with("hvs.") && !accessor.is_empty() && accessor != token);
    for name in ["client_token", "accessor"] {
        auth.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(
        auth,
        json!({"policies": ["root"], "token_policies": ["root"], "metadata": null,
            "lease_duration": 1200, "renewable": false, "entity_id": "", "token_type": "service",
            "orphan": false, "mfa_requirement": null, "num_uses": 0})
    );
    server.clock.set(NOW + 200);
    let mut seen = server.call_as(&token, "GET", "auth/token/lookup-self", b"").await.data();
    let by_accessor = json!({"accessor": accessor});
    let mut other = server.write("auth/token/lookup-accessor", by_accessor).await.data();
    assert_eq!((text(&seen, "id"), text(&other, "id")), (token.clone(), String::new()));
    seen["id"].take();
    other["id"].take();
    assert_eq!(seen, other);
    assert_eq!(
        seen,
        json!({"id": null, "accessor": accessor, "creation_time": NOW, "creation_ttl": 1200,
            "display_name": "token-terraform", "entity_id": "",
            "expire_time": "2027-01-15T08:20:00Z", "explicit_max_ttl": 1200,
            "issue_time": "2027-01-15T08:00:00Z", "meta": null, "num_uses": 0,
            "orphan": false, "path": "auth/token/create", "policies": ["root"],
            "renewable": false, "ttl": 1000, "type": "service"})
    );
    server.clock.set(NOW + 1200);
    let late = server.call_as(&token, "GET", "auth/token/lookup-self", b"").await;
    assert_eq!(late.refused(403), "permission denied");
}

#[tokio::test]
async fn a_child_gets_no_more_than_its_parent_has() {
    let server = Server::new();
    let writer = "path \"auth/token/create\" { capabilities = [\"update\"] }";
    server.write("sys/policies/acl/makers", json!({"policy": writer})).await.empty();
    let parent = server.token(json!({"policies": "makers,b", "meta": {"who": "ci"}})).await;
    assert_eq!(parent["policies"], json!(["b", "default", "makers"]));
    assert_eq!(parent["metadata"], json!({"who": "ci"}));
    let token = text(&parent, "client_token");
    let make = |fields| server.write_as(&token, "auth/token/create", fields);
    for (fields, policies) in [
        (json!(null), json!(["b", "default", "makers"])),
        (json!({"policies": ["b"]}), json!(["b", "default"])),
        (json!({"policies": "B", "no_default_policy": "true"}), json!(["b"])),
    ] {
        assert_eq!(make(fields).await.json()["auth"]["policies"], policies);
    }
    for (fields, complaint) in [
        (json!({"policies": "other"}), "child policies must be subset of parent"),
        (json!({"policies": "root"}), "child policies must be subset of parent"),
        (json!({"no_parent": true}), "root or sudo privileges required to create orphan token"),
        (json!({"period": "1h"}), "root or sudo privileges required to create periodic token"),
        (json!({"id": "mine"}), "root or sudo privileges required to specify token id"),
        (json!({"type": "batch"}), "batch tokens are not supported by this server"),
        (json!({"type": "other"}), "invalid 'token_type' value"),
        (json!({"ttl": "-1s"}), "ttl must not be negative"),
        (json!({"num_uses": -1}), "expected a non-negative number"),
        (
            json!({"entity_alias": "x"}),
            "'entity_alias' is only allowed in combination with token role",
        ),
    ] {
        let refused = make(fields).await.refused(400);
        assert!(refused.contains(complaint), "{refused}");
    }
    let orphan = server.write_as(&token, "auth/token/create-orphan", json!({})).await;
    assert_eq!(orphan.refused(403), "1 error occurred:\n\t* permission denied\n\n");

    // With sudo on the path, but not the policy root itself.
    let sudo = "path \"auth/token/*\" { capabilities = [\"update\", \"sudo\"] }";
    server.write("sys/policies/acl/makers", json!({"policy": sudo})).await.empty();
    assert_eq!(make(json!({"policies": "other"})).await.status, 200);
    assert!(
        make(json!({"policies": "root"})).await.refused(400).contains("parent token being root")
    );
    let orphan = server.write_as(&token, "auth/token/create-orphan", json!({"id": "mine"})).await;
    assert_eq!(orphan.json()["auth"]["orphan"], true);
    assert_eq!(orphan.json()["auth"]["client_token"], "mine");
    server.write("auth/token/revoke", json!({"token": token})).await.empty();
    assert_eq!(server.call_as("mine", "GET", "auth/token/lookup-self", b"").await.status, 200);
}

#[tokio::test]
async fn tokens_are_renewed_and_ended() {
    let server = Server::new();
    let parent = server.token(json!({"policies": "default", "ttl": "1h", "period": 0})).await;
    let (token, accessor) = (text(&parent, "client_token"), text(&parent, "accessor"));
    assert_eq!(parent["lease_duration"], 3600);
    server.clock.set(NOW + 1800);
    let renewed = server.write_as(&token, "auth/token/renew-self", json!({"increment": 0})).await;
    assert_eq!(renewed.json()["auth"]["lease_duration"], 3600);
    assert_eq!(renewed.json()["auth"]["client_token"], token);
    let fields = json!({"token": token, "increment": "2h"});
    let renewed = server.write("auth/token/renew", fields).await;
    assert_eq!(renewed.json()["auth"]["lease_duration"], 7200);
    let fields = json!({"accessor": accessor, "increment": "60"});
    let renewed = server.write("auth/token/renew-accessor", fields).await;
    assert_eq!(renewed.json()["auth"]["lease_duration"], 60);
    assert_eq!(renewed.json()["auth"]["client_token"], "");
    let looked = server.write("auth/token/lookup", json!({"token": token})).await.data();
    assert_eq!((&looked["ttl"], &looked["last_renewal_time"]), (&json!(60), &json!(NOW + 1800)));
    let refused = server.write("auth/token/renew-self", json!({})).await.refused(400);
    assert_eq!(refused, "lease is not renewable");

    let mut listed = server.keys("auth/token/accessors").await.unwrap();
    let root = text(&server.get("auth/token/lookup-self").await.data(), "accessor");
    let mut expected = vec![accessor.clone(), root];
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    server.call_as(&token, "LIST", "auth/token/accessors", b"").await.refused(403);

    let ends = [
        ("auth/token/revoke", "token", "client_token"),
        ("auth/token/revoke-accessor", "accessor", "accessor"),
        ("auth/token/revoke-orphan", "token", "client_token"),
    ];
    for (path, field, from) in ends {
        let made = server.token(json!({"policies": "default"})).await;
        let own = text(&made, "client_token");
        server.call_as(&own, "GET", "auth/token/lookup-self", b"").await.data();
        server.write(path, json!({field: made[from]})).await.empty();
        server.call_as(&own, "GET", "auth/token/lookup-self", b"").await.refused(403);
    }
    server.write_as(&token, "auth/token/revoke-self", json!(null)).await.empty();
    server.call_as(&token, "GET", "auth/token/lookup-self", b"").await.refused(403);
    for (path, fields, status) in [
        ("auth/token/lookup", json!({"token": token}), 403),
        ("auth/token/lookup-accessor", json!({"accessor": accessor}), 403),
        ("auth/token/renew", json!({"token": token}), 400),
        ("auth/token/revoke-accessor", json!({"accessor": accessor}), 403),
        ("auth/token/revoke-orphan", json!({"token": token}), 400),
        ("auth/token/revoke", json!({}), 400),
    ] {
        server.write(path, fields).await.refused(status);
    }
    server.write("auth/token/revoke", json!({"token": token})).await.empty();
}

#[tokio::test]
async fn a_token_with_uses_is_good_for_as_many_requests() {
    let server = Server::new();
    let made = server.token(json!({"policies": "root", "num_uses": 3, "ttl": "1h"})).await;
    let token = text(&made, "client_token");
    let look = || server.call_as(&token, "GET", "auth/token/lookup-self", b"");
    assert_eq!(look().await.data()["num_uses"], 2);
    let child = server.write_as(&token, "auth/token/create", json!({})).await;
    assert_eq!(child.refused(400), "restricted use token cannot generate child tokens");
    assert_eq!(look().await.data()["num_uses"], 0);
    look().await.refused(403);
    let made = server.token(json!({"policies": "root", "num_uses": 1})).await;
    let last = text(&made, "client_token");
    server.write_as(&last, "auth/token/create", json!({})).await.refused(400);
    assert_eq!(server.keys("auth/token/accessors").await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_while_the_server_was_sealed_is_gone_before_the_first_request() {
    let directory = tempfile::tempdir().unwrap();
    let seal = SealSource::KeyFile(KeyFile::new(directory.path().join("seal.key")));
    let options = NodeOptions { seal, audit: Vec::new(), limits: Limits::default() };
    let clock = Arc::new(ManualClock::at(NOW));
    let (engine, runtime) = (Arc::new(Memory::new()), Handle::current());
    let node = crate::node::Node::open(engine, clock.clone(), runtime, options).unwrap();
    let test = move || {
        node.unseal_new(|_| Ok(())).unwrap();
        let services = node.unsealed().unwrap().services().clone();
        let make = |parent: Option<&Created>, ttl| {
            let parent = parent.map(|created| created.info.id);
            services.tokens.create(NewToken { parent, ttl, ..NewToken::default() }).unwrap()
        };
        let parent = make(None, 60);
        let (child, other) = (make(Some(&parent), 3600), make(None, 3600));
        let text = "path \"kmip/*\" { capabilities = [\"read\"] }";
        services.policies.write("storage", text).unwrap();
        node.seal();
        clock.set(NOW + 60);
        node.unseal_at_start(|_| Ok(())).unwrap();
        let services = node.unsealed().unwrap().services().clone();
        let alive = |created: &Created| services.tokens.lookup(&created.token).unwrap().is_some();
        assert_eq!([&parent, &child, &other].map(alive), [false, false, true]);
        assert_eq!(services.policies.text("storage").as_deref(), Some(text));
        // While it runs, the sweep finds out by itself.
        let parent = services.tokens.create(NewToken { ttl: 60, ..NewToken::default() }).unwrap();
        let new = NewToken { parent: Some(parent.info.id), ..NewToken::default() };
        let child = services.tokens.create(new).unwrap();
        clock.set(NOW + 120);
        let deadline = Instant::now() + Duration::from_secs(60);
        while services.tokens.lookup(&child.token).unwrap().is_some() {
            assert!(Instant::now() < deadline, "the child outlives its parent");
            std::thread::yield_now();
        }
        node.seal();
    };
    tokio::task::spawn_blocking(test).await.unwrap();
}
