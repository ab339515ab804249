//! `X-Vault-Wrap-TTL` and `sys/wrapping` as their clients call them.

use std::fs;

use serde_json::json;

use super::*;
use crate::front::http::vault::{Answer, Incoming, Payload};
use crate::record::{Kind, key};

const REFUSED: &str = "wrapping token is not valid or does not exist";
const GENERATE: &str = "kmip/scope/finance/role/accounting/credential/generate";

/// A request as the holder of a token, with a header for wrapping.
async fn asked(server: &Server, token: &str, ttl: &str, path: &str, body: Value) -> Answered {
    let request = Request::builder()
        .method(if body.is_null() { "GET" } else { "PUT" })
        .uri(format!("/v1/{path}"))
        .header("X-Vault-Token", token)
        .header("X-Vault-Wrap-TTL", ttl);
    server.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// The same as root; what it tells of the wrapping token.
async fn wrapped(server: &Server, ttl: &str, path: &str, body: Value) -> Value {
    let answered = asked(server, TOKEN, ttl, path, body).await;
    assert_eq!(answered.status, 200, "{}", String::from_utf8_lossy(&answered.body));
    let json = answered.json();
    assert_eq!((&json["data"], &json["auth"]), (&Value::Null, &Value::Null));
    json["wrap_info"].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// How many answers wait.
fn waiting(server: &Server) -> usize {
    server.store.reopen().keys(&key(Kind::Wrapped, &[])).unwrap().len()
}

#[tokio::test]
async fn a_credential_is_handed_over_once() {
    let server = Server::ready().await;
    let info = wrapped(&server, "5m", GENERATE, json!({"format": "pem"})).await;
    let (token, accessor) = (text(&info["token"]), text(&info["accessor"]));
    assert!(token.starts_with("hvs."));
    assert_eq!(
        info,
        json!({"token": token, "accessor": accessor, "ttl": 300, "creation_path": GENERATE,
            "creation_time": "2027-01-15T08:00:00Z"})
    );
    // Whoever has it can look when it was made, without a token of their own, and it stays good.
    let request = Request::builder().method("POST").uri("/v1/sys/wrapping/lookup");
    let body = Body::from(json!({ "token": token }).to_string());
    let seen = server.send(request.body(body).unwrap()).await.data();
    let expected = json!({"creation_path": GENERATE, "creation_ttl": 300,
        "creation_time": "2027-01-15T08:00:00Z"});
    assert_eq!(seen, expected);
    assert_eq!(server.call_as(token, "GET", "sys/wrapping/lookup", b"").await.data(), expected);
    // It is good for nothing else, and is not used up by the attempt.
    server.call_as(token, "GET", "kmip/config", b"").await.refused(403);
    server.call_as(token, "GET", "auth/token/lookup-self", b"").await.refused(403);

    let taken = server.call_as(token, "POST", "sys/wrapping/unwrap", b"").await.data();
    assert!(text(&taken["private_key"]).starts_with("-----BEGIN EC PRIVATE KEY"));
    assert_eq!(waiting(&server), 0);
    let again = server.call_as(token, "POST", "sys/wrapping/unwrap", b"").await;
    assert_eq!(again.refused(400), REFUSED);
    let serial = text(&taken["serial_number"]).to_owned();
    let listed = server.keys("kmip/scope/finance/role/accounting/credential").await.unwrap();
    assert_eq!(listed, [serial]);
}

#[tokio::test]
async fn somebody_else_unwraps_with_a_token_of_their_own() {
    let server = Server::new();
    let made = server.token(json!({"policies": "default"})).await;
    let other = text(&made["client_token"]);
    let body = json!({"password": "hunter2", "list": [1, {"a": null}]});
    let info = wrapped(&server, "60", "sys/wrapping/wrap", body.clone()).await;
    let give = json!({"token": info["token"]});
    for path in ["sys/wrapping/lookup", "sys/wrapping/unwrap"] {
        let answered = server.write_as(other, path, give.clone()).await.json();
        assert_eq!(answered["warnings"], Value::Null);
        assert_eq!(answered["data"] == body, path.ends_with("unwrap"), "{answered}");
    }
    for (path, fields) in [
        ("sys/wrapping/unwrap", give.clone()),
        ("sys/wrapping/lookup", give.clone()),
        ("sys/wrapping/unwrap", json!({"token": "hvs.wrong"})),
        ("sys/wrapping/unwrap", json!({"token": other})),
        ("sys/wrapping/unwrap", json!({"token": TOKEN})),
        ("sys/wrapping/unwrap", json!({})),
        ("sys/wrapping/lookup", json!({})),
    ] {
        let refused = server.write_as(other, path, fields.clone()).await.refused(400);
        assert_eq!(refused, REFUSED, "{path} {fields}");
    }
    // Somebody whose own token has ended is told so, not that the wrapping token was used.
    let info = wrapped(&server, "60", "sys/wrapping/wrap", json!({"a": 1})).await;
    let give = json!({"token": info["token"]});
    let ended = server.write_as("ended", "sys/wrapping/unwrap", give.clone()).await;
    assert_eq!(ended.refused(403), "permission denied");
    assert_eq!(server.write("sys/wrapping/unwrap", give).await.data(), json!({"a": 1}));
}

#[tokio::test]
async fn logins_and_tokens_are_wrapped_with_their_accessor() {
    let server = Server::new();
    let info = wrapped(&server, "1h", "auth/token/create", json!({"policies": "default"})).await;
    let token = text(&info["token"]);
    let unwrapped = server.call_as(token, "PUT", "sys/wrapping/unwrap", b"null").await.json();
    let auth = &unwrapped["auth"];
    assert_eq!(auth["accessor"], info["wrapped_accessor"]);
    assert_eq!((&auth["policies"], &unwrapped["data"]), (&json!(["default"]), &Value::Null));
    let own = text(&auth["client_token"]);
    server.call_as(own, "GET", "auth/token/lookup-self", b"").await.data();
}

#[tokio::test]
async fn what_is_no_answer_is_not_wrapped() {
    let server = Server::ready().await;
    // Nothing, errors, what has no envelope, and a time of nothing.
    let scope = asked(&server, TOKEN, "60", "kmip/scope/other", json!({})).await;
    scope.empty();
    asked(&server, TOKEN, "60", "kmip/scope/x/role/y", Value::Null).await.refused(404);
    asked(&server, TOKEN, "60", "sys/policies/acl/x", json!({"policy": "?"})).await.refused(400);
    let health = asked(&server, TOKEN, "60", "sys/health", Value::Null).await;
    assert_eq!(health.json()["initialized"], true);
    for ttl in ["0", "0s", ""] {
        asked(&server, TOKEN, ttl, "kmip/config", Value::Null).await.data();
    }
    let needs = asked(&server, TOKEN, "0", "sys/wrapping/wrap", json!({"a": 1})).await;
    assert_eq!(needs.refused(400), "endpoint requires response wrapping to be used");
    for (ttl, complaint) in [
        ("soon", "not a duration"),
        ("-1", "requested wrap ttl cannot be negative"),
        ("-1ms", "requested wrap ttl cannot be negative"),
        ("-", "not a duration"),
    ] {
        let refused = asked(&server, TOKEN, ttl, "kmip/config", Value::Null).await.refused(400);
        assert_eq!(refused, format!("error parsing X-Vault-Wrap-TTL header: {complaint}"));
    }
    assert_eq!(waiting(&server), 0);
    let long = json!({"a": "x".repeat(1 << 20)});
    let refused = asked(&server, TOKEN, "60", "sys/wrapping/wrap", long).await.refused(400);
    assert!(refused.contains("cannot be wrapped"), "{refused}");
    // A part of a second is one, not none.
    let info = wrapped(&server, "10ms", "kmip/config", Value::Null).await;
    assert_eq!(info["ttl"], 1);
}

#[tokio::test]
async fn it_ends_with_its_token_and_outlives_a_restart() {
    let mut server = Server::ready().await;
    let short = wrapped(&server, "60", "kmip/config", Value::Null).await;
    let long = wrapped(&server, "1h", "kmip/config", Value::Null).await;
    let ended = wrapped(&server, "1h", "kmip/config", Value::Null).await;
    let accessor = json!({"accessor": ended["accessor"]});
    server.write("auth/token/revoke-accessor", accessor).await.empty();
    assert_eq!(waiting(&server), 2);
    server.clock.set(NOW + 60);
    server.restart();
    let unwrap = |info: &Value| {
        let token = text(&info["token"]).to_owned();
        let server = &server;
        async move { server.call_as(&token, "POST", "sys/wrapping/unwrap", b"").await }
    };
    assert_eq!(unwrap(&short).await.refused(400), REFUSED);
    assert_eq!(unwrap(&ended).await.refused(400), REFUSED);
    assert_eq!(unwrap(&long).await.data()["tls_min_version"], "tls12");
    server.write("auth/token/tidy", json!({})).await.empty();
    assert_eq!(waiting(&server), 0);
}

#[tokio::test]
async fn a_rewrapped_answer_has_a_new_token_and_the_old_one_ends() {
    let server = Server::ready().await;
    let first = wrapped(&server, "10m", "kmip/config", Value::Null).await;
    server.clock.set(NOW + 500);
    let again = server.write("sys/wrapping/rewrap", json!({"token": first["token"]})).await;
    let again = again.json()["wrap_info"].clone();
    assert_eq!((&again["ttl"], &again["creation_path"]), (&json!(600), &first["creation_path"]));
    assert_ne!(again["token"], first["token"]);
    let old = json!({"token": first["token"]});
    for path in ["sys/wrapping/rewrap", "sys/wrapping/unwrap"] {
        assert_eq!(server.write(path, old.clone()).await.refused(400), REFUSED);
    }
    server.clock.set(NOW + 1000);
    // Wrapped within a wrapping: each token gives what the next one is for.
    let unwrap = json!({"token": again["token"]});
    let nested = wrapped(&server, "30", "sys/wrapping/unwrap", unwrap).await;
    let taken = server.write("sys/wrapping/unwrap", json!({"token": nested["token"]})).await;
    assert_eq!(taken.data()["tls_min_version"], "tls12");
    assert_eq!(waiting(&server), 0);
}

#[tokio::test]
async fn the_longest_answer_survives_being_unwrapped_into_a_wrapping() {
    let server = Server::ready().await;
    let around = r#"{"data":{"a":""},"auth":null,"warnings":[]}"#.len();
    let longest = json!({"a": "x".repeat((1 << 20) - around)});
    let first = wrapped(&server, "60", "sys/wrapping/wrap", longest.clone()).await;
    // What is ignored is warned of; the warning is none of the answer's.
    let unwrap = json!({"token": first["token"], "zebra": 1});
    let second = wrapped(&server, "60", "sys/wrapping/unwrap", unwrap.clone()).await;
    assert_eq!(second["creation_path"], "sys/wrapping/unwrap");
    assert_eq!(server.write("sys/wrapping/unwrap", unwrap).await.refused(400), REFUSED);
    let taken = server.write("sys/wrapping/unwrap", json!({"token": second["token"]})).await;
    assert_eq!(taken.data(), longest);
    assert_eq!(waiting(&server), 0);
}

#[tokio::test]
async fn of_several_who_unwrap_one_gets_it() {
    let server = Server::ready().await;
    for round in 0..10 {
        let info = wrapped(&server, "60", "kmip/config", Value::Null).await;
        // By the token itself, by another, and by rewrapping.
        let attempt = |own: bool, action: &str| Incoming {
            method: "POST".to_owned(),
            path: format!("/v1/sys/wrapping/{action}"),
            token: Some(if own { text(&info["token"]) } else { TOKEN }.to_owned()),
            body: Payload::Whole(match own {
                true => Vec::new(),
                false => json!({"token": info["token"]}).to_string().into_bytes(),
            }),
            ..Incoming::default()
        };
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let attempts =
                [(true, "unwrap"), (false, "unwrap"), (false, "rewrap"), (true, "unwrap")];
            let threads = attempts.map(|(own, action)| {
                let (api, attempt) = (&server.api, attempt(own, action));
                scope.spawn(move || api.handle(&attempt))
            });
            threads.map(|thread| thread.join().unwrap()).into()
        });
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "round {round}");
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(lost.status, 400);
            assert!(String::from_utf8_lossy(&lost.body).contains(REFUSED));
        }
    }
}

#[tokio::test]
async fn a_policy_can_ask_for_it() {
    let server = Server::ready().await;
    let policy = "path \"kmip/*\" { capabilities = [\"read\", \"update\"]\n\
                  min_wrapping_ttl = \"1s\"\nmax_wrapping_ttl = \"5m\" }";
    server.write("sys/policies/acl/wrapped", json!({"policy": policy})).await.empty();
    let made = server.token(json!({"policies": "wrapped"})).await;
    let token = text(&made["client_token"]);
    for ttl in ["", "0", "301"] {
        let refused = asked(&server, token, ttl, GENERATE, json!({})).await.refused(403);
        assert_eq!(refused, "1 error occurred:\n\t* permission denied\n\n", "{ttl:?}");
    }
    let list = "kmip/scope/finance/role/accounting/credential";
    assert_eq!(server.keys(list).await, None, "nothing was done");
    let given = asked(&server, token, "300", GENERATE, json!({})).await.json();
    assert_eq!(given["wrap_info"]["ttl"], 300);
}

#[tokio::test]
async fn the_audit_has_the_hash_of_the_token_and_who_unwrapped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let server = Server::ready().await;
    let device = json!({"type": "file", "options": {"file_path": path}});
    server.write("sys/audit/file", device).await.empty();
    let info = wrapped(&server, "60", GENERATE, json!({"format": "pem"})).await;
    let token = text(&info["token"]);
    let taken = server.call_as(token, "POST", "sys/wrapping/unwrap", b"").await.data();
    let text_of = fs::read_to_string(&path).unwrap();
    for secret in [token, text(&info["accessor"])] {
        assert!(!text_of.contains(secret));
    }
    assert!(!text_of.contains("PRIVATE KEY"));
    let entries: Vec<Value> =
        text_of.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str, path: &str| {
        let mut found = entries.iter().filter(|it| it["type"] == kind);
        found.find(|it| it["request"]["path"] == path).unwrap().clone()
    };
    assert_eq!(of("request", GENERATE)["request"]["wrap_ttl"], 60);
    let answer = of("response", GENERATE);
    assert_eq!(answer["response"].get("data"), None);
    let told = &answer["response"]["wrap_info"];
    assert_eq!((&told["ttl"], &told["creation_path"]), (&json!(60), &json!(GENERATE)));
    let hash = text(&told["token"]);
    assert!(hash.starts_with("hmac-sha256:"));
    assert!(text(&told["accessor"]).starts_with("hmac-sha256:"));
    let unwrapped = of("response", "sys/wrapping/unwrap");
    assert_eq!(unwrapped["auth"]["client_token"], hash, "the one is found by the other");
    assert!(text(&unwrapped["response"]["data"]["private_key"]).starts_with("hmac-sha256:"));
    assert_eq!(taken["serial_number"].as_str().map(str::is_empty), Some(false));
}

#[tokio::test]
async fn attempts_to_make_a_root_token_are_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let server = Server::new();
    let device = json!({"type": "file", "options": {"file_path": path}});
    server.write("sys/audit/file", device).await.empty();
    let request = Request::builder().method("PUT").uri("/v1/sys/generate-root/update");
    let body = json!({"key": "0123456789abcdef", "nonce": "guessed"}).to_string();
    server.send(request.body(Body::from(body)).unwrap()).await.refused(400);
    let text_of = fs::read_to_string(&path).unwrap();
    let entries: Vec<Value> =
        text_of.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut tried = entries.iter().filter(|it| it["request"]["path"] == "sys/generate-root/update");
    let (request, response) = (tried.next().unwrap(), tried.next().unwrap());
    assert!(text(&request["request"]["data"]["key"]).starts_with("hmac-sha256:"));
    assert!(response["error"].is_string() && !text_of.contains("0123456789abcdef"));
}
