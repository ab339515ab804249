//! auth, login: what they ask of an API, and what they make of its answers.

use serde_json::{Value, json};

use crate::program::{Ran, run};
use crate::scripted::{Asked, Scripted};

fn data(data: Value) -> (u16, Value) {
    (200, json!({ "data": data, "auth": null }))
}

fn methods() -> (u16, Value) {
    data(json!({
        "token/": { "type": "token", "description": "token based", "accessor": "auth_token_1" },
        "corp/ldap/": { "type": "ldap", "description": "", "accessor": "auth_ldap_1" },
    }))
}

fn token() -> (u16, Value) {
    let auth = json!({
        "client_token": "hvs.made", "accessor": "acc", "policies": ["default"],
        "lease_duration": 3600, "renewable": true, "num_uses": 0,
    });
    (200, json!({ "data": null, "auth": auth }))
}

/// Runs a command against these answers.
fn against(answers: Vec<(u16, Value)>, words: &[&str], input: &str) -> (Ran, Vec<Asked>) {
    let api = Scripted::start(answers);
    let address = ["--address", &api.address, "--token", "mine"];
    let ran = run(&[words, &address].concat(), input.as_bytes());
    (ran, api.asked())
}

fn asked(line: &str, body: Value) -> Asked {
    Asked { line: line.to_owned(), token: Some("mine".to_owned()), body }
}

#[test]
fn methods_are_enabled_shown_tuned_and_disabled() {
    let words = ["auth", "create", "userpass", "--path", "people", "--description", "staff"];
    let (ran, got) = against(vec![(204, Value::Null)], &words, "");
    ran.success();
    let body = json!({ "type": "userpass", "description": "staff", "config": {} });
    assert_eq!(got[0], asked("PUT /v1/sys/auth/people", body));

    let (ran, _) = against(vec![methods()], &["auth", "list"], "");
    let listed = ran.success();
    assert!(listed.contains("corp/ldap/") && listed.contains("auth_ldap_1"), "{listed}");

    let tuning = data(json!({ "default_lease_ttl": 60, "description": "" }));
    let (ran, got) =
        against(vec![methods(), tuning], &["auth", "read", "corp/ldap/", "--json"], "");
    let read = ran.json();
    assert_eq!((&read["type"], &read["default_lease_ttl"]), (&json!("ldap"), &json!(60)));
    assert_eq!(got[1].line, "GET /v1/sys/auth/corp/ldap/tune");

    let words = ["auth", "update", "token", "--max-lease-ttl", "48h"];
    let (ran, got) = against(vec![(204, Value::Null)], &words, "");
    ran.success();
    assert_eq!(got[0], asked("PUT /v1/sys/auth/token/tune", json!({ "max_lease_ttl": "48h" })));

    let answers = vec![methods(), (204, Value::Null)];
    let (ran, got) = against(answers, &["auth", "delete", "corp/ldap/"], "");
    ran.success();
    assert_eq!(got[1].line, "DELETE /v1/sys/auth/corp/ldap");
    let (ran, _) = against(vec![methods()], &["auth", "delete", "userpass"], "");
    let missing = ran.failure(1);
    assert!(missing.contains("no auth method `userpass`"), "{missing}");
    assert!(missing.contains("claviger auth list"), "{missing}");
}

#[test]
fn what_a_method_keeps_is_written_read_listed_and_deleted() {
    let words = ["auth", "write", "userpass/users/ann", "password=-", "token_policies=admin,ops"];
    let (ran, got) = against(vec![(204, Value::Null)], &words, "hunter 2\n");
    assert_eq!(ran.success(), "userpass/users/ann: written\n");
    let body = json!({ "password": "hunter 2", "token_policies": "admin,ops" });
    assert_eq!(got, [asked("PUT /v1/auth/userpass/users/ann", body)]);

    let secret = data(json!({ "secret_id": "s", "secret_id_ttl": 600 }));
    let words = ["auth", "write", "approle/role/ci/secret-id"];
    let (ran, got) = against(vec![secret], &words, "");
    let shown = ran.success();
    assert!(shown.contains("secret_id  ") && shown.contains("10m"), "{shown}");
    assert_eq!(got[0].body, json!({}));
    let (ran, _) = against(vec![token()], &["auth", "write", "x/login", "jwt=y"], "");
    assert!(ran.success().contains("hvs.made"));

    let keys = data(json!({ "keys": ["ann", "bob"] }));
    let (ran, got) = against(vec![keys], &["auth", "list", "auth/userpass/users"], "");
    assert_eq!(ran.success(), "ann\nbob\n");
    assert_eq!(got[0].line, "GET /v1/auth/userpass/users?list=true");
    let user = data(json!({ "token_policies": ["admin"], "token_ttl": 0 }));
    let (ran, _) = against(vec![user], &["auth", "read", "userpass/users/ann", "--json"], "");
    assert_eq!(ran.json()["token_policies"], json!(["admin"]));
    let nothing = || (404, json!({ "errors": [] }));
    let (ran, _) = against(vec![nothing()], &["auth", "read", "userpass/users/zoe"], "");
    assert!(ran.failure(1).contains("nothing at `userpass/users/zoe`"));
    let (ran, got) =
        against(vec![(204, Value::Null)], &["auth", "delete", "userpass/users/ann"], "");
    ran.success();
    assert_eq!(got, [asked("DELETE /v1/auth/userpass/users/ann", Value::Null)]);
}

#[test]
fn what_is_no_field_is_not_repeated() {
    let words = ["auth", "write", "userpass/users/ann", "hunter2"];
    let refused = run(&[&words[..], &["--token", "t"]].concat(), b"").failure(2);
    assert!(refused.contains("NAME=VALUE") && !refused.contains("hunter2"), "{refused}");
    let without = (404, json!({ "errors": ["1 error occurred:\n\t* unsupported path\n\n"] }));
    let (ran, _) = against(vec![without], &["auth", "list"], "");
    let said = ran.failure(1);
    assert!(said.starts_with("error: unsupported path\nThis server"), "{said}");
    let unreachable = run(&["auth", "list", "--address", "http://127.0.0.1:1"], b"").failure(1);
    assert!(unreachable.contains("--address"), "{unreachable}");
}

#[test]
fn a_login_prints_the_token_alone() {
    let without_token = |line: &str, body| Asked { token: None, ..asked(line, body) };
    let words = ["login", "--method", "userpass", "--username", "ann"];
    let (ran, got) = against(vec![token()], &words, "hunter2\n");
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.success(), "hvs.made\n");
    let body = json!({ "password": "hunter2" });
    assert_eq!(got, [without_token("PUT /v1/auth/userpass/login/ann", body)]);

    let words = ["login", "--method", "approle", "--role-id", "r", "--path", "ci/apps", "--json"];
    let (ran, got) = against(vec![token()], &words, "s");
    assert_eq!(ran.json()["lease_duration"], 3600);
    let body = json!({ "role_id": "r", "secret_id": "s" });
    assert_eq!(got, [without_token("PUT /v1/auth/ci/apps/login", body)]);
    let words = ["login", "--method", "approle", "--role-id", "r", "--no-secret-id"];
    let (ran, got) = against(vec![token()], &words, "");
    ran.success();
    assert_eq!(got[0].body, json!({ "role_id": "r" }));

    let words = ["login", "--method", "cert", "--role", "web"];
    let (ran, got) = against(vec![token()], &words, "");
    ran.success();
    assert_eq!(got, [without_token("PUT /v1/auth/cert/login", json!({ "name": "web" }))]);
}

#[test]
fn a_refused_login_says_what_to_do_and_repeats_nothing() {
    let words = ["login", "--method", "userpass", "--username", "ann"];
    let wrong = (400, json!({ "errors": ["invalid username or password"] }));
    let (ran, _) = against(vec![wrong], &words, "hunter2\n");
    let refused = ran.failure(1);
    assert!(refused.contains("invalid username") && refused.contains("--path"), "{refused}");
    assert!(!refused.contains("hunter2") && !refused.contains("CLAVIGER_TOKEN"), "{refused}");
    let (ran, _) = against(vec![data(json!({}))], &words, "hunter2\n");
    assert!(ran.failure(1).contains("no token"));
    run(&["login", "--method", "userpass"], b"").failure(2);
    run(&["login", "--method", "approle"], b"").failure(2);
    run(&["login"], b"").failure(2);
    let half =
        ["login", "--method", "cert", "--client-cert", "x", "--address", "https://localhost"];
    assert!(run(&half, b"").failure(2).contains("--client-key"));
}
