//! Policies as their clients write them, and what they keep from whom.

use serde_json::json;

use super::*;

const ROLE: &str = "kmip/scope/finance/role/accounting";

fn policy(capabilities: &[&str]) -> Value {
    let hcl = |path| format!("path \"{path}\" {{ capabilities = {capabilities:?} }}\n");
    let text = ["kmip/*", "sys/mounts/*"].map(hcl).concat();
    json!({"policy": text})
}

/// Every step of the tutorial: its capabilities (any one will do), verb, path, body.
fn steps() -> Vec<(&'static [&'static str], &'static str, String, Value)> {
    const WRITE: &[&str] = &["create", "update"];
    const READ: &[&str] = &["read"];
    const LIST: &[&str] = &["list"];
    const DELETE: &[&str] = &["delete"];
    let credential = |last: &str| format!("{ROLE}/credential/{last}");
    let step = |any, verb, path: &str, body| (any, verb, path.to_owned(), body);
    vec![
        step(WRITE, "POST", "sys/mounts/kmip/", json!({"type": "kmip"})),
        step(WRITE, "PUT", "kmip/config", json!({"listen_addrs": "127.0.0.1:5696"})),
        step(READ, "GET", "kmip/config", json!(null)),
        step(READ, "GET", "kmip/ca", json!(null)),
        step(WRITE, "PUT", "kmip/scope/finance", json!(null)),
        step(LIST, "GET", "kmip/scope?list=true", json!(null)),
        step(WRITE, "PUT", ROLE, json!({"operation_all": "true"})),
        step(LIST, "LIST", "kmip/scope/finance/role", json!(null)),
        step(READ, "GET", ROLE, json!(null)),
        step(WRITE, "PUT", &credential("generate"), json!({"format": "pem"})),
        step(LIST, "GET", &format!("{ROLE}/credential/?list=true"), json!(null)),
        step(READ, "GET", &credential("lookup?serial_number=SERIAL"), json!(null)),
        step(WRITE, "PUT", &credential("revoke"), json!({"serial_number": "SERIAL"})),
        step(DELETE, "DELETE", ROLE, json!(null)),
        step(DELETE, "DELETE", "kmip/scope/finance?force=true", json!(null)),
        step(READ, "GET", "sys/mounts/kmip", json!(null)),
        step(DELETE, "DELETE", "sys/mounts/kmip", json!(null)),
    ]
}

/// Plays the tutorial under a token, each refused step again as root; which steps were refused.
async fn play(server: &Server, token: &str) -> Vec<usize> {
    let mut refused = Vec::new();
    let mut serial = String::new();
    for (number, (_, verb, path, body)) in steps().into_iter().enumerate() {
        let path = path.replace("SERIAL", &serial);
        let body = body.to_string().replace("SERIAL", &serial);
        let mut answered = server.call_as(token, verb, &path, body.as_bytes()).await;
        if answered.status == 403 {
            let text = answered.refused(403);
            assert_eq!(text, "1 error occurred:\n\t* permission denied\n\n", "{verb} {path}");
            refused.push(number);
            answered = server.call(verb, &path, body.as_bytes()).await;
        }
        let shown = String::from_utf8_lossy(&answered.body).into_owned();
        assert!(matches!(answered.status, 200 | 204), "{verb} {path}: {shown}");
        if path.ends_with("/generate") {
            serial = answered.data()["serial_number"].as_str().unwrap().to_owned();
        }
    }
    refused
}

#[tokio::test]
async fn each_capability_is_needed_for_exactly_its_steps() {
    let all = ["create", "read", "update", "delete", "list"];
    let server = Server::new();
    server.write("sys/policies/acl/tutorial", policy(&all)).await.empty();
    let token = server.token(json!({"policies": "tutorial"})).await["client_token"].clone();
    let token = token.as_str().unwrap();
    assert_eq!(play(&server, token).await, Vec::<usize>::new());
    for without in
        [&["read"][..], &["delete"], &["list"], &["create"], &["update"], &["create", "update"]]
    {
        let left: Vec<&str> = all.into_iter().filter(|name| !without.contains(name)).collect();
        // Changed under a token that is in use.
        server.write("sys/policies/acl/tutorial", policy(&left)).await.empty();
        let expected: Vec<usize> = steps()
            .iter()
            .enumerate()
            .filter(|(_, (any, ..))| !any.iter().any(|name| left.contains(name)))
            .map(|(number, _)| number)
            .collect();
        assert_eq!(expected.is_empty(), matches!(without, ["create"] | ["update"]));
        assert_eq!(play(&server, token).await, expected, "without {without:?}");
    }
}

#[tokio::test]
async fn who_may_do_nothing_learns_nothing() {
    let server = Server::ready().await;
    let made = server.token(json!({"policies": "none", "no_default_policy": true})).await;
    let token = made["client_token"].as_str().unwrap();
    let denied = "1 error occurred:\n\t* permission denied\n\n";
    for (verb, path) in [
        ("GET", "kmip/config"),
        ("GET", "kmip/scope/finance/role/accounting"),
        ("GET", "kmip/scope/finance/role/nobody"),
        ("LIST", "kmip/scope"),
        ("GET", "kmip/no/such/path"),
        ("GET", "no/such/mount"),
        ("DELETE", "kmip/config"),
        ("GET", "kmip/config?help=1"),
        ("GET", "sys/mounts"),
        ("GET", "sys/no-such-path"),
        ("PUT", "sys/seal"),
        ("GET", "auth/token/lookup-self"),
        ("PUT", "kmip/scope/x"),
    ] {
        let refused = server.call_as(token, verb, path, b"{").await.refused(403);
        assert_eq!(refused, denied, "{verb} {path}");
    }
    assert_eq!(server.keys("kmip/scope").await.unwrap(), ["finance"]);
    // `default` is enough to look after oneself, and for nothing else.
    let made = server.token(json!({"policies": "default"})).await;
    let token = made["client_token"].as_str().unwrap();
    server.call_as(token, "GET", "auth/token/lookup-self", b"").await.data();
    let paths = json!({"paths": ["kmip/config"]});
    server.write_as(token, "sys/capabilities-self", paths).await.data();
    server.call_as(token, "GET", "kmip/config", b"").await.refused(403);
    server.write_as(token, "auth/token/create", json!({})).await.refused(403);
    server.write_as(token, "auth/token/renew-self", json!({})).await.json();
    server.write_as(token, "auth/token/revoke-self", json!({})).await.empty();
}

#[tokio::test]
async fn some_paths_take_sudo_besides() {
    let server = Server::new();
    let write = |capabilities: &str| {
        let text = format!("path \"*\" {{ capabilities = [{capabilities}] }}");
        server.write("sys/policies/acl/admin", json!({"policy": text}))
    };
    write(r#""create", "read", "update", "delete", "list""#).await.empty();
    let token = server.token(json!({"policies": "admin"})).await["client_token"].clone();
    let token = token.as_str().unwrap();
    server.call_as(token, "GET", "sys/mounts", b"").await.data();
    let guarded = [
        ("LIST", "auth/token/accessors"),
        ("PUT", "auth/token/create-orphan"),
        ("PUT", "sys/seal"),
    ];
    for (verb, path) in guarded {
        server.call_as(token, verb, path, b"").await.refused(403);
    }
    // Where a mount is decides who may use it.
    server.call_as(token, "PUT", "sys/remount", b"").await.refused(403);
    write(r#""sudo""#).await.empty();
    server.call_as(token, "PUT", "sys/seal", b"").await.refused(403);
    write(r#""update", "list", "sudo""#).await.empty();
    for (verb, path) in guarded {
        let status = server.call_as(token, verb, path, b"").await.status;
        assert!(matches!(status, 200 | 204), "{verb} {path}: {status}");
    }
}

/// Everything is granted but a few things; each is asked for in other letters, and with more slashes.
#[tokio::test]
async fn what_is_denied_is_so_however_it_is_written() {
    let server = Server::ready().await;
    for kind in ["approle", "userpass", "cert"] {
        server.write(&format!("sys/auth/Methods/{kind}"), json!({ "type": kind })).await.empty();
    }
    let guarded = [
        "sys/policies/acl/guard",
        "sys/policy/guard",
        "auth/Methods/userpass/users/guard",
        "auth/Methods/userpass/users/guard/password",
        "auth/Methods/approle/role/guard",
        "auth/Methods/approle/role/guard/secret-id",
        "auth/Methods/cert/certs/guard",
        "auth/Methods/cert/crls/guard",
        "sys/mounts/kmip",
        "sys/auth/Methods/cert",
        "kmip/scope/finance",
        "kmip/scope/finance/role/accounting",
    ];
    let deny = guarded.map(|path| format!("path \"{path}\" {{ capabilities = [\"deny\"] }}\n"));
    let all = "path \"*\" { capabilities = [\"update\", \"read\", \"delete\", \"sudo\"] }\n";
    let text = format!("{all}{}", deny.concat());
    server.write("sys/policies/acl/most", json!({"policy": text})).await.empty();
    let token = server.token(json!({"policies": "most"})).await["client_token"].clone();
    let token = token.as_str().unwrap();
    let denied = "1 error occurred:\n\t* permission denied\n\n";
    for path in guarded {
        for verb in ["GET", "PUT", "DELETE"] {
            let (start, name) = path.split_once("guard").unwrap_or((path, ""));
            let encoded = path.replace("guard", "%67uard").replace("kmip", "kmi%70");
            let mut spelt = vec![format!("{path}/"), encoded];
            if path.contains("guard") {
                spelt.extend(["GUARD", "gUard", "%47uard"].map(|it| format!("{start}{it}{name}")));
            }
            for spelling in spelt {
                let refused = server.call_as(token, verb, &spelling, b"{}").await.refused(403);
                assert_eq!(refused, denied, "{verb} {spelling}");
            }
            for spelling in [format!("{path}//"), path.replacen('/', "//", 1), format!("/{path}")] {
                server.call_as(token, verb, &spelling, b"{}").await.refused(400);
            }
        }
    }
    // Where letters do matter another spelling is another thing.
    server.call_as(token, "PUT", "kmip/scope/FINANCE", b"{}").await.empty();
    let other = json!({"password": "x"});
    server.write_as(token, "auth/Methods/userpass/users/OTHER", other).await.empty();
}

#[tokio::test]
async fn policies_are_written_read_listed_and_deleted_on_both_paths() {
    let server = Server::new();
    let text = "# Storage\npath \"kmip/*\" { capabilities = [\"read\"] }\n";
    let json_text = json!({"path": {"kmip/*": {"capabilities": ["read"]}}}).to_string();
    server.write("sys/policies/acl/storage", json!({"policy": text})).await.empty();
    server.write("sys/policy/old", json!({"rules": json_text})).await.empty();
    let base64 = "cGF0aCAiYSIgeyBjYXBhYmlsaXRpZXMgPSBbInJlYWQiXSB9";
    server.write("sys/policies/acl/coded", json!({"policy": base64})).await.empty();
    assert_eq!(
        server.get("sys/policies/acl/storage").await.data(),
        json!({"name": "storage", "policy": text})
    );
    let coded = server.get("sys/policies/acl/coded").await.data();
    assert_eq!(coded["policy"], "path \"a\" { capabilities = [\"read\"] }");
    let old = server.get("sys/policy/old").await.json();
    assert_eq!(old["data"], json!({"name": "old", "rules": json_text}));
    assert_eq!((&old["rules"], &old["auth"]), (&json!(json_text), &Value::Null));
    let names = ["coded", "default", "old", "root", "storage"];
    assert_eq!(server.keys("sys/policies/acl").await.unwrap(), names);
    let listed = server.get("sys/policy").await.json();
    assert_eq!(listed["data"], json!({"keys": names, "policies": names}));
    assert_eq!((&listed["keys"], &listed["policies"]), (&json!(names), &json!(names)));
    server.delete("sys/policies/acl/storage").await.empty();
    server.delete("sys/policy/old").await.empty();
    server.delete("sys/policies/acl/never").await.empty();
    assert_eq!(server.get("sys/policies/acl/storage").await.refused(404), "");
    for (path, fields, complaint) in [
        ("sys/policies/acl/root", json!({"policy": text}), "cannot update \"root\" policy"),
        ("sys/policies/acl/x", json!({}), "'policy' parameter not supplied or empty"),
        ("sys/policies/acl/x", json!({"policy": "path"}), "failed to parse policy: line 1"),
    ] {
        let refused = server.write(path, fields).await.refused(400);
        assert!(refused.contains(complaint), "{refused}");
    }
    server.delete("sys/policies/acl/default").await.refused(400);
    server.delete("sys/policies/acl/root").await.refused(400);
}

#[tokio::test]
async fn capabilities_are_told() {
    let server = Server::new();
    let text = "path \"kmip/*\" { capabilities = [\"read\", \"list\"] }\n\
                path \"kmip/ca\" { capabilities = [\"deny\"] }";
    server.write("sys/policies/acl/reader", json!({"policy": text})).await.empty();
    let made = server.token(json!({"policies": "reader"})).await;
    let paths = json!(["kmip/config", "kmip/ca", "other"]);
    let expected = json!({"kmip/config": ["list", "read"], "kmip/ca": ["deny"], "other": ["deny"]});
    let by_token = json!({"token": made["client_token"], "paths": paths});
    assert_eq!(server.write("sys/capabilities", by_token).await.data(), expected);
    let by_accessor = json!({"accessor": made["accessor"], "paths": paths});
    assert_eq!(server.write("sys/capabilities-accessor", by_accessor).await.data(), expected);
    let own = made["client_token"].as_str().unwrap();
    let one = json!({"path": "kmip/config"});
    let told = server.write_as(own, "sys/capabilities-self", one).await;
    let expected = json!({"capabilities": ["list", "read"], "kmip/config": ["list", "read"]});
    assert_eq!(told.data(), expected);
    assert_eq!(told.json()["capabilities"], json!(["list", "read"]));
    let root = server.write("sys/capabilities-self", json!({"paths": "a"})).await.data();
    assert_eq!(root["a"], json!(["root"]));
    for (path, fields) in [
        ("sys/capabilities-self", json!({})),
        ("sys/capabilities", json!({"paths": "a"})),
        ("sys/capabilities", json!({"paths": "a", "token": "wrong"})),
        ("sys/capabilities-accessor", json!({"paths": "a", "accessor": "wrong"})),
    ] {
        server.write(path, fields).await.refused(400);
    }
}
