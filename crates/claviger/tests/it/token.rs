//! policy, token.

use serde_json::{Value, json};

use crate::program::{Server, TOKEN};

const POLICY: &str = "path \"kmip/scope/*\" { capabilities = [\"read\", \"list\"] }\n";

fn made(server: &Server, words: &[&str]) -> (String, String, Value) {
    let made = server.admin(&[&["token", "create", "--json"], words].concat()).json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("client_token"), text("accessor"), made)
}

#[test]
fn a_policy_is_written_read_and_deleted() {
    let server = Server::start();
    let file = server.path("policy.hcl");
    std::fs::write(&file, POLICY).unwrap();
    server.admin(&["policy", "create", "reader", file.to_str().unwrap()]).success();
    assert_eq!(server.admin(&["policy", "read", "reader"]).success(), POLICY);
    let other = r#"{"path":{"sys/mounts":{"capabilities":["read"]}}}"#;
    server.admin_as(TOKEN, &["policy", "update", "reader", "-"], other.as_bytes()).success();
    let read = server.admin(&["policy", "read", "reader", "--json"]).json();
    assert_eq!(read, json!({ "name": "reader", "policy": other }));
    let listed = server.admin(&["policy", "list", "--json"]).json();
    assert!(listed.as_array().unwrap().contains(&json!("reader")), "{listed}");
    assert!(server.admin(&["policy", "list"]).success().lines().any(|line| line == "reader"));

    let broken = server.admin_as(TOKEN, &["policy", "create", "x", "-"], b"path").failure(1);
    assert!(broken.contains("line 1"), "{broken}");
    assert!(server.admin(&["policy", "create", "x", "/nonexistent"]).failure(1).contains("/non"));
    server.admin(&["policy", "delete", "reader"]).success();
    for command in ["read", "delete"] {
        let missing = server.admin(&["policy", command, "reader"]).failure(1);
        assert!(missing.contains("no policy `reader`"), "{missing}");
        assert!(missing.contains("claviger policy list"), "{missing}");
    }
    server.admin(&["policy", "delete", "root"]).failure(1);
}

#[test]
fn a_token_is_made_as_it_is_asked_for() {
    let server = Server::start();
    server.admin_as(TOKEN, &["policy", "create", "reader", "-"], POLICY.as_bytes()).success();
    let words = "--policies reader --ttl 1h --explicit-max-ttl 2h --num-uses 9 --display-name ci \
                 --meta owner=ann --meta team=db --no-default-policy --renewable false";
    let (token, accessor, made) = made(&server, &words.split_whitespace().collect::<Vec<_>>());
    assert_eq!((&made["policies"], &made["orphan"]), (&json!(["reader"]), &json!(false)));
    let read = server.admin(&["token", "read", &accessor, "--json"]).json();
    for (field, expected) in [
        ("display_name", json!("token-ci")),
        ("creation_ttl", json!(3600)),
        ("explicit_max_ttl", json!(7200)),
        ("num_uses", json!(9)),
        ("meta", json!({ "owner": "ann", "team": "db" })),
        ("renewable", json!(false)),
    ] {
        assert_eq!(read[field], expected, "{field}");
    }
    let own = server.admin_as(&token, &["scope", "list", "--json"], b"").json();
    assert_eq!(own, json!(["default"]));
    let refused = server.admin_as(&token, &["mount", "list"], b"").failure(1);
    assert!(refused.contains("policies") && !refused.contains(&token), "{refused}");

    let shown = server.admin(&["token", "create", "--orphan", "--period", "1h"]).success();
    assert!(shown.contains("token ") && shown.contains("hvs.") && shown.contains("1h"), "{shown}");
    // This server has no token roles: the path is asked for all the same.
    server.admin(&["token", "create", "--role", "ci"]).failure(1);
    server.admin(&["token", "create", "--role", "ci", "--orphan"]).failure(2);
    let unnamed = server.admin(&["token", "create", "--meta", "hunter2"]).failure(2);
    assert!(unnamed.contains("NAME=VALUE") && !unnamed.contains("hunter2"), "{unnamed}");
}

#[test]
fn tokens_are_read_renewed_and_revoked_by_accessor_by_stdin_or_as_one_s_own() {
    let server = Server::start();
    let (token, accessor, _) = made(&server, &["--ttl", "1h", "--policies", "default"]);
    let line = format!("{token}\n");
    let own = server.admin_as(&token, &["token", "read", "--json"], b"").json();
    let given = server.admin_as(TOKEN, &["token", "lookup", "-", "--json"], line.as_bytes()).json();
    for read in [&own, &given] {
        assert_eq!((&read["accessor"], &read["id"]), (&json!(accessor), &json!(null)));
    }
    let shown = server.admin(&["token", "read", &accessor]).success();
    assert!(shown.contains("default") && !shown.contains(&token), "{shown}");
    let listed = server.admin(&["token", "list", "--json"]).json();
    assert!(listed.as_array().unwrap().contains(&json!(accessor)), "{listed}");

    let renew = ["token", "renew", "--increment", "30m", "--json"];
    let given = [&renew[..], &["-"]].concat();
    for renewed in [
        server.admin_as(&token, &renew, b"").json(),
        server.admin(&[&renew[..], &[accessor.as_str()]].concat()).json(),
        server.admin_as(TOKEN, &given, line.as_bytes()).json(),
    ] {
        assert_eq!(renewed["lease_duration"], 1800);
        assert_eq!(renewed["client_token"], json!(null));
    }
    let paths = ["token", "capabilities", "kmip/scope/a", "auth/token/lookup-self", "--json"];
    let expected =
        json!({ "kmip/scope/a": ["deny"], "auth/token/lookup-self": ["read", "update"] });
    let of = |which| [&paths[..], &["--of", which]].concat();
    assert_eq!(server.admin(&of(&accessor)).json(), expected);
    assert_eq!(server.admin_as(TOKEN, &of("-"), line.as_bytes()).json(), expected);
    assert_eq!(server.admin_as(&token, &paths, b"").json(), expected);

    server.admin_as(&token, &["token", "revoke", "--self"], b"").success();
    server.admin_as(&token, &["token", "read"], b"").failure(1);
    let (_, accessor, _) = made(&server, &[]);
    server.admin(&["token", "revoke", &accessor]).success();
    server.admin(&["token", "delete", &accessor]).failure(1);
    let (token, _, _) = made(&server, &[]);
    server.admin_as(TOKEN, &["token", "delete", "-"], token.as_bytes()).success();
    server.admin_as(&token, &["token", "read"], b"").failure(1);
}

#[test]
fn what_a_token_made_may_outlive_it() {
    let server = Server::start();
    let (parent, _, _) = made(&server, &[]);
    let child = server.admin_as(&parent, &["token", "create", "--json"], b"").json();
    let child = child["client_token"].as_str().unwrap();
    server.admin_as(TOKEN, &["token", "delete", "-", "--orphan"], parent.as_bytes()).success();
    server.admin_as(&parent, &["token", "read"], b"").failure(1);
    server.admin_as(child, &["token", "read"], b"").success();
    server.admin(&["token", "delete", "some-accessor", "--orphan"]).failure(2);
}

#[test]
fn a_token_is_not_repeated() {
    let server = Server::start();
    let wrong = "hvs.wrong-token";
    for command in ["read", "renew", "revoke"] {
        // On the command line it is refused before it is sent.
        let refused = server.admin(&["token", command, wrong]).failure(2);
        assert!(refused.contains("`-`") && !refused.contains(wrong), "{refused}");
        let empty = server.admin(&["token", command, "-"]).failure(2);
        assert!(empty.contains("stdin"), "{empty}");
    }
    for command in ["read", "renew"] {
        let ran = server.admin_as(TOKEN, &["token", command, "-"], wrong.as_bytes());
        assert!(!ran.failure(1).contains(wrong));
        server.admin_as(wrong, &["token", command], b"").failure(1);
    }
    let refused = server.admin_as(wrong, &["policy", "list"], b"").failure(1);
    assert!(!refused.contains(wrong), "{refused}");
    server.admin(&["token", "revoke"]).failure(2);
    server.admin(&["token", "read", "no-such-accessor"]).failure(1);
}
