//! Auth methods and users with passwords, as their clients call them.

use std::net::SocketAddr;

use serde_json::json;

use super::*;
use crate::audit::DeviceConfig;
use crate::front::http::vault::{Incoming, Payload};

const DENIED: &str = "1 error occurred:\n\t* permission denied\n\n";
const WRONG: &str = "invalid username or password";

/// A request that no header describes whole: from an address, with certificates.
#[derive(Default)]
pub(super) struct From<'a> {
    pub(super) address: &'a str,
    pub(super) token: Option<&'a str>,
    pub(super) certificates: &'a [Vec<u8>],
}

impl Server {
    /// A write from somewhere.
    pub(super) fn write_from(&self, from: &From<'_>, path: &str, fields: Value) -> Answered {
        let remote: Option<SocketAddr> = match from.address {
            "" => None,
            address => Some(SocketAddr::new(address.parse().unwrap(), 4711)),
        };
        let answer = self.api.handle(&Incoming {
            method: "PUT".to_owned(),
            path: format!("/v1/{path}"),
            token: from.token.map(str::to_owned),
            body: Payload::Whole(fields.to_string().into_bytes()),
            remote,
            client_certificates: from.certificates.into(),
            ..Incoming::default()
        });
        Answered {
            status: answer.status,
            content_type: Some(answer.content_type.to_owned()),
            cache_control: None,
            body: answer.body,
        }
    }

    /// A login that succeeds; what is told of the token.
    #[track_caller]
    pub(super) fn log_in(&self, from: &From<'_>, path: &str, fields: Value) -> Value {
        let answered = self.write_from(from, path, fields);
        assert_eq!(answered.status, 200, "{}", String::from_utf8_lossy(&answered.body));
        answered.json()["auth"].clone()
    }

    async fn with_userpass() -> Self {
        let server = Self::new();
        server.write("sys/auth/userpass", json!({"type": "userpass"})).await.empty();
        server
    }

    fn password(&self, name: &str, password: &str) -> Answered {
        let path = format!("auth/userpass/login/{name}");
        self.write_from(&From::default(), &path, json!({ "password": password }))
    }
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

#[tokio::test]
async fn methods_are_enabled_tuned_and_disabled() {
    let server = Server::new();
    let config = json!({"default_lease_ttl": "1h", "max_lease_ttl": "0s", "token_type": "service"});
    let fields = json!({"type": "userpass", "description": "people", "config": config});
    server.call("POST", "sys/auth/people/staff/", fields.to_string().as_bytes()).await.empty();
    let listed = server.get("sys/auth").await.data();
    let mut entry = listed["people/staff/"].clone();
    assert!(text(&entry, "accessor").starts_with("auth_userpass_"));
    assert_eq!(text(&entry, "uuid").len(), 36);
    assert_eq!(server.get("sys/auth/people/staff").await.data(), entry);
    for name in ["accessor", "uuid", "running_plugin_version"] {
        entry.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(
        entry,
        json!({"type": "userpass", "description": "people", "local": false, "seal_wrap": false,
            "external_entropy_access": false, "options": null, "plugin_version": "",
            "running_sha256": "", "config": {"default_lease_ttl": 3600, "max_lease_ttl": 0,
            "force_no_cache": false, "token_type": "default-service"}})
    );
    assert_eq!(listed["token/"]["type"], "token");
    assert_eq!(listed["token/"]["description"], "token based credentials");

    let tune = json!({"max_lease_ttl": "2h", "description": "all staff"});
    server.write("sys/auth/people/staff/tune", tune).await.empty();
    assert_eq!(
        server.get("sys/auth/people/staff/tune").await.data(),
        json!({"default_lease_ttl": 3600, "max_lease_ttl": 7200, "description": "all staff",
            "force_no_cache": false, "token_type": "default-service"})
    );
    let lockout = json!({"user_lockout_config": {"lockout_disable": true}});
    let refused = server.write("sys/auth/people/staff/tune", lockout).await.refused(400);
    assert!(refused.contains("user_lockout_config is not supported"), "{refused}");
    let unset = json!({"user_lockout_config": {}});
    server.write("sys/auth/people/staff/tune", unset).await.empty();
    for (path, kind, complaint) in [
        ("people", "approle", "path is already in use at people/staff/"),
        ("people/staff", "approle", "path is already in use at people/staff/"),
        ("people/staff/x", "approle", "path is already in use at people/staff/"),
        ("token", "approle", "path is already in use at token/"),
        ("ldap", "ldap", "plugin not found in the catalog: ldap"),
        ("t", "token", "token credential backend cannot be instantiated"),
        ("none", "", "backend type must be specified as a string"),
    ] {
        let refused = server.write(&format!("sys/auth/{path}"), json!({ "type": kind })).await;
        assert_eq!(refused.refused(400), complaint);
    }
    let refused = server.delete("sys/auth/token").await.refused(400);
    assert_eq!(refused, "token credential backend cannot be disabled");
    for path in ["sys/auth/nobody", "sys/auth/nobody/tune"] {
        assert_eq!(server.get(path).await.refused(400), "No auth engine at nobody/");
    }
    server.delete("sys/auth/nobody").await.empty();
    server.delete("sys/auth/people/staff").await.empty();
    assert!(server.get("sys/auth").await.data().get("people/staff/").is_none());
}

#[tokio::test]
async fn only_an_administrator_enables_methods_and_nobody_sees_who_there_is() {
    let server = Server::with_userpass().await;
    server.write("auth/userpass/users/alice", json!({"password": "pw"})).await.empty();
    let text_of = "path \"sys/auth*\" { capabilities = [\"read\", \"update\", \"delete\"] }";
    server.write("sys/policies/acl/half", json!({ "policy": text_of })).await.empty();
    let made = server.token(json!({"policies": "half"})).await;
    let token = text(&made, "client_token");
    server.call_as(&token, "GET", "sys/auth", b"").await.data();
    for (method, path) in [
        ("PUT", "sys/auth/more"),
        ("DELETE", "sys/auth/userpass"),
        ("GET", "sys/auth/userpass/tune"),
        ("PUT", "auth/userpass/users/alice"),
        ("GET", "auth/userpass/users/alice"),
        ("LIST", "auth/userpass/users"),
    ] {
        assert_eq!(server.call_as(&token, method, path, b"").await.refused(403), DENIED, "{path}");
    }
    server.ask("GET", "auth/userpass/users/alice").await.refused(403);
    server.ask("GET", "auth/userpass/login/alice").await.refused(405);
}

#[tokio::test]
async fn a_user_logs_in_and_gets_what_was_written() {
    let server = Server::with_userpass().await;
    let refused = server.write("auth/userpass/users/alice", json!({"policies": "a"})).await;
    assert_eq!(refused.refused(400), "missing password");
    let fields = json!({"password": "open sesame", "token_policies": "Storage,audit",
        "token_ttl": "10m", "token_max_ttl": "20m", "token_num_uses": "0"});
    server.write("auth/userpass/users/Alice", fields).await.empty();
    assert_eq!(server.keys("auth/userpass/users").await.unwrap(), ["alice"]);
    assert_eq!(
        server.get("auth/userpass/users/alice").await.data(),
        json!({"token_policies": ["audit", "storage"], "token_ttl": 600, "token_max_ttl": 1200,
            "token_explicit_max_ttl": 0, "token_period": 0, "token_num_uses": 0,
            "token_bound_cidrs": [], "token_no_default_policy": false, "token_type": "default"})
    );
    let from = From { token: Some("whatever"), ..From::default() };
    let login = json!({"password": "open sesame"});
    let mut auth = server.log_in(&from, "auth/userpass/login/ALICE", login.clone());
    let token = text(&auth, "client_token");
    for name in ["client_token", "accessor"] {
        auth.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(
        auth,
        json!({"policies": ["audit", "default", "storage"],
            "token_policies": ["audit", "default", "storage"], "metadata": {"username": "alice"},
            "lease_duration": 600, "renewable": true, "entity_id": "", "token_type": "service",
            "orphan": true, "mfa_requirement": null, "num_uses": 0})
    );
    let seen = server.call_as(&token, "GET", "auth/token/lookup-self", b"").await.data();
    assert_eq!((&seen["display_name"], &seen["orphan"]), (&json!("userpass-alice"), &json!(true)));
    assert_eq!(seen["path"], "auth/userpass/login/alice");
    assert_eq!(seen["meta"], json!({"username": "alice"}));

    // Older names of the fields, another password, other policies.
    let older = json!({"policies": ["b"], "ttl": 60, "max_ttl": "0", "bound_cidrs": []});
    server.write("auth/userpass/users/alice", older).await.empty();
    let read = server.get("auth/userpass/users/alice").await.data();
    assert_eq!((&read["token_policies"], &read["token_ttl"]), (&json!(["b"]), &json!(60)));
    let policies = json!({"token_policies": ["c", "d"]});
    server.write("auth/userpass/users/alice/policies", policies).await.empty();
    server.write("auth/userpass/users/alice/password", json!({"password": "new"})).await.empty();
    assert_eq!(server.password("alice", "open sesame").refused(400), WRONG);
    let auth = server.password("alice", "new").json()["auth"].clone();
    assert_eq!((&auth["policies"][0], &auth["lease_duration"]), (&json!("c"), &json!(60)));
    for path in ["auth/userpass/users/bob/password", "auth/userpass/users/bob/policies"] {
        let refused = server.write(path, json!({"password": "x"})).await.refused(400);
        assert_eq!(refused, "username does not exist");
    }
    server.delete("auth/userpass/users/alice").await.empty();
    assert_eq!(server.get("auth/userpass/users/alice").await.refused(404), "");
    assert_eq!(server.password("alice", "new").refused(400), WRONG);
    assert!(server.keys("auth/userpass/users").await.is_none());
}

#[tokio::test]
async fn what_no_login_may_give_is_refused_when_it_is_written() {
    let server = Server::with_userpass().await;
    for (fields, complaint) in [
        (json!({"token_policies": "a,root"}), "auth methods cannot create root tokens"),
        (json!({"token_policies": "response-wrapping"}), "cannot be given to a token"),
        (json!({"token_type": "batch"}), "batch tokens are not supported by this server"),
        (json!({"token_type": "other"}), "invalid 'token_type' value"),
        (json!({"token_ttl": "-1s"}), "'token_ttl' cannot be negative"),
        (json!({"token_ttl": 20, "token_max_ttl": 10}), "cannot be greater than 'token_max_ttl'"),
        (json!({"token_bound_cidrs": "10.0.0.0/8,x"}), "invalid CIDR blocks"),
        (json!({"password": "x".repeat(2000)}), "a password has at most 1024 bytes"),
    ] {
        let mut fields = fields;
        if fields.get("password").is_none() {
            fields["password"] = json!("pw");
        }
        let refused = server.write("auth/userpass/users/alice", fields).await.refused(400);
        assert!(refused.contains(complaint), "{refused}");
    }
    assert_eq!(server.password("alice", "pw").refused(400), WRONG);
    assert_eq!(server.password("alice", "").refused(400), "missing password");
}

#[tokio::test]
async fn a_token_is_good_only_where_its_user_may_log_in_from() {
    let server = Server::with_userpass().await;
    let fields = json!({"password": "pw", "token_policies": "p", "token_num_uses": 2,
        "token_bound_cidrs": "10.0.0.0/8,fd00::/8"});
    server.write("auth/userpass/users/alice", fields).await.empty();
    let path = "auth/userpass/login/alice";
    let login = json!({"password": "pw"});
    for address in ["", "192.168.0.1", "::1"] {
        let from = From { address, ..From::default() };
        let refused = server.write_from(&from, path, login.clone()).refused(403);
        assert_eq!(refused, "permission denied");
    }
    let from = From { address: "10.1.1.1", ..From::default() };
    let auth = server.log_in(&from, path, login.clone());
    let token = text(&auth, "client_token");
    let look = |address| {
        let from = From { address, token: Some(&token), ..From::default() };
        server.write_from(&from, "auth/token/lookup-self", json!({}))
    };
    // From elsewhere it is no token, and none of its uses is taken.
    for _ in 0..5 {
        assert_eq!(look("192.168.0.1").refused(403), "permission denied");
    }
    assert_eq!(look("10.9.9.9").data()["bound_cidrs"], json!(["10.0.0.0/8", "fd00::/8"]));
    assert_eq!(look("10.1.1.1").status, 200);
    assert_eq!(look("10.1.1.1").refused(403), "permission denied");

    // Its children are bound as well.
    let maker = "path \"auth/token/create\" { capabilities = [\"update\"] }";
    server.write("sys/policies/acl/p", json!({ "policy": maker })).await.empty();
    server.write("auth/userpass/users/alice", json!({"token_num_uses": 0})).await.empty();
    let auth = server.log_in(&from, path, login);
    let token = text(&auth, "client_token");
    let own = From { address: "10.1.1.1", token: Some(&token), ..From::default() };
    let child = text(&server.log_in(&own, "auth/token/create", json!({})), "client_token");
    let elsewhere = From { address: "192.168.0.1", token: Some(&child), ..From::default() };
    server.write_from(&elsewhere, "auth/token/lookup-self", json!({})).refused(403);
    let there = From { address: "10.1.1.1", token: Some(&child), ..From::default() };
    server.write_from(&there, "auth/token/lookup-self", json!({})).data();
}

#[tokio::test]
async fn renewals_ask_again_what_the_user_may_have() {
    let server = Server::with_userpass().await;
    let user = "auth/userpass/users/alice";
    let fields = json!({"password": "pw", "token_ttl": 600, "token_max_ttl": 3600});
    server.write(user, fields).await.empty();
    let auth = server.password("alice", "pw").json()["auth"].clone();
    let token = text(&auth, "client_token");
    let renew = || server.write_as(&token, "auth/token/renew-self", json!({"increment": 0}));
    server.clock.set(NOW + 500);
    assert_eq!(renew().await.json()["auth"]["lease_duration"], 600);
    server.write(user, json!({"token_ttl": 60, "token_max_ttl": 1000})).await.empty();
    assert_eq!(renew().await.json()["auth"]["lease_duration"], 60);
    server.write(user, json!({"token_ttl": 900, "token_period": 0})).await.empty();
    assert_eq!(renew().await.json()["auth"]["lease_duration"], 500, "the maximum is narrower");
    server.write(user, json!({"token_period": "2h"})).await.empty();
    assert_eq!(renew().await.json()["auth"]["lease_duration"], 7200);
    server.write(user, json!({"token_policies": "more"})).await.empty();
    assert_eq!(renew().await.refused(400), "policies have changed, not renewing");
    server.write(user, json!({"token_policies": ""})).await.empty();
    assert_eq!(renew().await.status, 200);
    server.delete(user).await.empty();
    assert!(renew().await.refused(400).contains("not there any more"));
    // It is not ended by that.
    server.call_as(&token, "GET", "auth/token/lookup-self", b"").await.data();
}

#[tokio::test]
async fn a_method_says_how_long_its_tokens_live_and_ends_them_with_itself() {
    let server = Server::with_userpass().await;
    let tune = json!({"default_lease_ttl": "1h", "max_lease_ttl": "2000h"});
    server.write("sys/auth/userpass/tune", tune).await.empty();
    server.write("auth/userpass/users/a", json!({"password": "pw"})).await.empty();
    let long = json!({"password": "pw", "token_ttl": "1900h"});
    server.write("auth/userpass/users/b", long).await.empty();
    let first = server.password("a", "pw").json()["auth"].clone();
    let second = server.password("b", "pw").json()["auth"].clone();
    assert_eq!(first["lease_duration"], 3600);
    assert_eq!(second["lease_duration"], 1900 * 3600);
    let other = server.token(json!({"policies": "default"})).await;
    server.delete("sys/auth/userpass").await.empty();
    for (auth, status) in [(&first, 403), (&second, 403), (&other, 200)] {
        let token = text(auth, "client_token");
        let looked = server.call_as(&token, "GET", "auth/token/lookup-self", b"").await;
        assert_eq!(looked.status, status);
    }
    assert_eq!(server.password("a", "pw").refused(403), "missing client token");
    // Enabled again it is another one: nobody is left in it.
    server.write("sys/auth/userpass", json!({"type": "userpass"})).await.empty();
    assert!(server.keys("auth/userpass/users").await.is_none());
    assert_eq!(server.password("a", "pw").refused(400), WRONG);
}

#[tokio::test]
async fn five_wrong_passwords_lock_a_user_out_for_a_quarter_of_an_hour() {
    let server = Server::with_userpass().await;
    server.write("auth/userpass/users/alice", json!({"password": "pw"})).await.empty();
    server.write("auth/userpass/users/bob", json!({"password": "pw"})).await.empty();
    let none = server.get("sys/locked-users").await.data();
    assert_eq!(none, json!({"by_namespace": [], "total": 0}));
    // Four are forgiven by a right one, and the first by its age.
    for _ in 0..4 {
        server.password("alice", "no").refused(400);
    }
    assert_eq!(server.password("alice", "pw").status, 200);
    server.password("alice", "no").refused(400);
    server.clock.set(NOW + 900);
    for _ in 0..4 {
        assert_eq!(server.password("Alice", "no").refused(400), WRONG);
    }
    assert_eq!(server.get("sys/locked-users").await.data()["total"], 0);
    server.password("alice", "no").refused(400);
    for password in ["no", "pw"] {
        assert_eq!(server.password("alice", password).refused(403), "permission denied");
    }
    assert_eq!(server.password("bob", "pw").status, 200);
    // A name that nobody has is locked like one that somebody has, and not shown.
    for _ in 0..5 {
        assert_eq!(server.password("nobody", "no").refused(400), WRONG);
    }
    server.password("nobody", "no").refused(403);
    let accessor = text(&server.get("sys/auth/userpass").await.data(), "accessor");
    let of_method = json!([{"mount_accessor": accessor, "counts": 1,
        "alias_identifiers": ["alice"]}]);
    let expected = json!({"total": 1, "by_namespace": [{"namespace_id": "root",
        "namespace_path": "", "counts": 1, "mount_accessors": of_method}]});
    assert_eq!(server.get("sys/locked-users").await.data(), expected);
    let listed = server.get(&format!("sys/locked-users?mount_accessor={accessor}")).await;
    assert_eq!(listed.data(), expected);
    let other = server.get("sys/locked-users?mount_accessor=other").await.data();
    assert_eq!(other["total"], 0);

    server.write(&format!("sys/locked-users/{accessor}/unlock/Alice"), json!({})).await.empty();
    assert_eq!(server.password("alice", "pw").status, 200);
    for _ in 0..5 {
        server.password("alice", "no").refused(400);
    }
    server.clock.set(NOW + 900 + 899);
    server.password("alice", "pw").refused(403);
    server.clock.set(NOW + 900 + 900);
    assert_eq!(server.password("alice", "pw").status, 200);
}

#[tokio::test]
async fn one_address_tries_only_so_many_logins_a_minute() {
    let server = Server::with_userpass().await;
    let login = |address| {
        let from = From { address, ..From::default() };
        server.write_from(&from, "auth/userpass/login/x", json!({}))
    };
    for _ in 0..300 {
        assert_eq!(login("10.0.0.1").refused(400), "missing password");
    }
    let refused = login("10.0.0.1").refused(429);
    assert_eq!(refused, "too many logins from this address: try again in 60 seconds");
    login("10.0.0.2").refused(400);
    server.clock.set(NOW + 60);
    login("10.0.0.1").refused(400);
}

#[tokio::test]
async fn passwords_are_in_the_audit_and_the_store_only_as_hashes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("audit.log");
    let audit = AuditLog::disabled();
    audit.add(DeviceConfig::file(&file).unwrap(), &Zeroizing::new([7; 32]), 0).unwrap();
    let server = Server::with_audit(audit);
    server.write("sys/auth/userpass", json!({"type": "userpass"})).await.empty();
    let secret = "correct-horse-battery";
    server.write("auth/userpass/users/alice", json!({ "password": secret })).await.empty();
    let auth = server.password("alice", secret).json()["auth"].clone();
    server.password("alice", "wrong-horse-battery").refused(400);
    let lines = std::fs::read_to_string(&file).unwrap();
    for secret in [secret, "wrong-horse-battery", &text(&auth, "client_token")] {
        assert!(!lines.contains(secret), "{secret}");
    }
    let entries: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_login: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["request"]["path"] == "auth/userpass/login/alice")
        .collect();
    assert_eq!(of_login.len(), 4);
    for entry in &of_login {
        assert_eq!(entry["request"]["mount_point"], "auth/userpass/");
        assert_eq!(entry["request"]["mount_type"], "userpass");
        assert_eq!(entry["request"]["mount_class"], "auth");
        assert!(text(&entry["request"]["data"], "password").starts_with("hmac-sha256:"));
    }
    assert!(text(&of_login[1]["response"]["auth"], "client_token").starts_with("hmac-sha256:"));
    assert_eq!(of_login[3]["error"], WRONG);
    let records = server.store.reopen();
    for (_, stored) in records.scan::<Value>(b"b").unwrap() {
        assert!(!stored.value.to_string().contains(secret));
    }
}
