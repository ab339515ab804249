//! Token roles, and the tokens that are made under them.

use serde_json::json;

use super::*;

const ROLE: &str = "auth/token/roles/ci";
const CREATE: &str = "auth/token/create/ci";
const MAKER: &str = "path \"auth/token/create/ci\" { capabilities = [\"update\"] }";

/// A token that may make tokens under the role, and nothing else.
async fn maker(server: &Server) -> String {
    server.write("sys/policies/acl/maker", json!({"policy": MAKER})).await.empty();
    let made = server.token(json!({"policies": "maker", "ttl": "1h"})).await;
    made["client_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn roles_are_written_read_listed_and_deleted() {
    let server = Server::new();
    assert_eq!(server.keys("auth/token/roles").await, None);
    server.get(ROLE).await.refused(404);
    let fields = json!({"allowed_policies": "B,a", "orphan": "true", "period": "1h",
        "explicit_max_ttl": 7200, "token_num_uses": 5, "path_suffix": "x1"});
    server.write(ROLE, fields).await.empty();
    server.write(ROLE, json!({"renewable": false})).await.empty();
    let expected = json!({"name": "ci", "allowed_policies": ["a", "b"],
        "allowed_policies_glob": [], "disallowed_policies": [], "disallowed_policies_glob": [],
        "allowed_entity_aliases": null, "orphan": true, "renewable": false, "path_suffix": "x1",
        "period": 3600, "explicit_max_ttl": 7200, "token_period": 3600,
        "token_explicit_max_ttl": 7200, "token_num_uses": 5, "token_no_default_policy": false,
        "token_bound_cidrs": [], "token_type": "default-service"});
    assert_eq!(server.get(ROLE).await.data(), expected);
    server.write(ROLE, json!({"token_period": "2h", "path_suffix": null})).await.empty();
    let read = server.get(ROLE).await.data();
    assert_eq!((&read["period"], &read["path_suffix"]), (&json!(7200), &json!("")));
    assert_eq!(server.keys("auth/token/roles").await.unwrap(), ["ci"]);
    for (fields, complaint) in [
        (json!({"token_type": "batch"}), "batch tokens are not supported"),
        (json!({"token_type": "odd"}), "invalid 'token_type' value"),
        (json!({"token_bound_cidrs": "10.0.0.0/8"}), "token_bound_cidrs is not supported"),
        (json!({"allowed_entity_aliases": ["x"]}), "allowed_entity_aliases is not supported"),
        (json!({"path_suffix": "a/b"}), "path_suffix"),
        (json!({"token_period": -1}), "must not be negative"),
        (json!({"allowed_policies": "response-wrapping"}), "cannot be given to a token"),
    ] {
        let refused = server.write(ROLE, fields).await.refused(400);
        assert!(refused.contains(complaint), "{refused}");
    }
    server.delete(ROLE).await.empty();
    server.delete(ROLE).await.empty();
    assert_eq!(server.keys("auth/token/roles").await, None);
}

#[tokio::test]
async fn a_role_says_which_policies_its_tokens_get() {
    let server = Server::new();
    let token = maker(&server).await;
    let refused = server.write_as(&token, CREATE, json!({})).await.refused(400);
    assert_eq!(refused, "unknown role ci");
    let made = |fields| server.write_as(&token, CREATE, fields);
    let named = |names: &str| json!({"policies": names});
    let check = |role: Value, asked: Vec<(Value, Result<Value, &'static str>)>| {
        let (server, made) = (&server, &made);
        async move {
            server.delete(ROLE).await.empty();
            server.write(ROLE, role.clone()).await.empty();
            for (fields, expected) in asked {
                let answered = made(fields.clone()).await;
                match expected {
                    Ok(policies) => {
                        let auth = &answered.json()["auth"];
                        assert_eq!(auth["policies"], policies, "{role} {fields}");
                    }
                    Err(complaint) => {
                        let refused = answered.refused(400);
                        assert!(refused.contains(complaint), "{role} {fields}: {refused}");
                    }
                }
            }
        }
    };
    let beyond = "must be subset of the role's allowed policies";
    let own = json!(["default", "maker"]);
    // Nothing said: as without a role.
    let subset = "child policies must be subset of parent";
    check(json!({}), vec![(json!({}), Ok(own.clone())), (named("a"), Err(subset))]).await;
    let allowed = json!({"allowed_policies": "a,b", "allowed_policies_glob": "kms-*"});
    check(
        allowed,
        vec![
            (json!({}), Ok(json!(["a", "b", "default"]))),
            (named("A"), Ok(json!(["a", "default"]))),
            (named("kms-1,default"), Ok(json!(["default", "kms-1"]))),
            (json!({"policies": "a", "no_default_policy": true}), Ok(json!(["a"]))),
            (named("a,c"), Err(beyond)),
            (named("maker"), Err(beyond)),
            (named("root"), Err(beyond)),
        ],
    )
    .await;
    let denied = json!({"disallowed_policies": "default", "disallowed_policies_glob": "secret-*"});
    let refused = "is disallowed by this role";
    check(
        denied,
        vec![
            (named("a"), Ok(json!(["a"]))),
            (named("secret-1"), Err(refused)),
            (named("default"), Err(refused)),
            (json!({}), Err(refused)),
            (named("root"), Err("root tokens may not be created")),
            (named("response-wrapping"), Err("cannot be given to a token")),
        ],
    )
    .await;
    let bare = json!({"allowed_policies": "a", "token_no_default_policy": true});
    check(bare, vec![(json!({}), Ok(json!(["a"]))), (named("default"), Err(beyond))]).await;
}

#[tokio::test]
async fn a_role_limits_its_tokens_and_their_renewal_needs_it() {
    let server = Server::new();
    let token = maker(&server).await;
    let role = json!({"allowed_policies": "default", "orphan": true, "token_period": "10m",
        "token_explicit_max_ttl": "1h", "path_suffix": "run"});
    server.write(ROLE, role).await.empty();
    let asked = json!({"explicit_max_ttl": "2h", "num_uses": 0});
    let answered = server.write_as(&token, CREATE, asked).await.json();
    let auth = &answered["auth"];
    assert_eq!((&auth["lease_duration"], &auth["orphan"]), (&json!(600), &json!(true)));
    assert!(answered["warnings"][0].as_str().unwrap().contains("explicit_max_ttl of 7200s"));
    let own = auth["client_token"].as_str().unwrap();
    let seen = server.call_as(own, "GET", "auth/token/lookup-self", b"").await.data();
    assert_eq!(seen["path"], "auth/token/create/ci/run");
    assert_eq!((&seen["role"], &seen["explicit_max_ttl"]), (&json!("ci"), &json!(3600)));
    let renewed = server.write_as(own, "auth/token/renew-self", json!({})).await.json();
    assert_eq!(renewed["auth"]["lease_duration"], 600);
    server.write(ROLE, json!({"token_num_uses": 2, "renewable": false})).await.empty();
    let few = server.write_as(&token, CREATE, json!({"num_uses": 9})).await.json();
    assert_eq!((&few["auth"]["num_uses"], &few["auth"]["renewable"]), (&json!(2), &json!(false)));

    server.delete(ROLE).await.empty();
    let refused = server.write_as(own, "auth/token/renew-self", json!({})).await.refused(400);
    assert_eq!(refused, "original token role \"ci\" could not be found, not renewing");
    // An orphan outlives its maker.
    server.write("auth/token/revoke", json!({"token": token})).await.empty();
    server.call_as(own, "GET", "auth/token/lookup-self", b"").await.data();
}

#[tokio::test]
async fn credentials_are_listed_across_roles_and_by_their_end() {
    let server = Server::ready().await;
    server.write("kmip/scope/other", json!({})).await.empty();
    for (role, ttl) in [("finance/role/short", "1h"), ("other/role/long", "100d")] {
        let fields = json!({"operation_all": true, "tls_client_ttl": ttl});
        server.write(&format!("kmip/scope/{role}"), fields).await.empty();
    }
    let mut serials = Vec::new();
    for role in ["finance/role/short", "finance/role/accounting", "other/role/long"] {
        let path = format!("kmip/scope/{role}/credential/generate");
        let made = server.write(&path, json!({})).await.data();
        serials.push(made["serial_number"].as_str().unwrap().to_owned());
    }
    for (path, expected) in [
        ("kmip/credential?list=true", vec![0, 1, 2]),
        ("kmip/scope/finance/credential?list=true", vec![0, 1]),
        ("kmip/scope/finance/role/short/credential?list=true", vec![0]),
        ("kmip/credential?list=true&expiring=30d", vec![0, 1]),
        ("kmip/credential?list=true&expiring=2h", vec![0]),
        ("kmip/scope/other/credential?list=true&expiring=101d", vec![2]),
    ] {
        let data = server.get(path).await.data();
        let mut listed: Vec<&str> =
            data["keys"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let mut expected: Vec<&str> = expected.iter().map(|it: &usize| &*serials[*it]).collect();
        listed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(listed, expected, "{path}");
        for serial in listed {
            assert!(data["key_info"][serial]["scope"].is_string());
        }
    }
    let info = server.get("kmip/credential?list=true").await.data()["key_info"].clone();
    let expected =
        json!({"scope": "finance", "role": "short", "not_after": "2027-01-15T09:00:00Z"});
    assert_eq!(info[&serials[0]], expected);
    for nothing in [
        "kmip/scope/other/credential?list=true&expiring=30d",
        "kmip/scope/none/credential?list=true",
        "kmip/credential?list=true&expiring=0",
    ] {
        assert_eq!(server.get(nothing).await.refused(404), "");
    }
    for bad in ["soon", "-1h", "30x", "1.5"] {
        let path = format!("kmip/credential?list=true&expiring={bad}");
        assert!(server.get(&path).await.refused(400).contains("expiring"), "{bad}");
    }
}
