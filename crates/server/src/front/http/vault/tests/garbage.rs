//! Requests made of the right words in the wrong places, and of anything at all: whatever arrives,
//! the answer is one that a Vault client can read, and the fault is never the server's.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;
use crate::front::http::vault::{Incoming, Payload};

/// Words that lead deep into the API.
const SEGMENTS: [&str; 22] = [
    "sys",
    "mounts",
    "auth",
    "token",
    "lookup-self",
    "health",
    "kmip",
    "kmip2",
    "config",
    "ca",
    "scope",
    "finance",
    "role",
    "accounting",
    "credential",
    "generate",
    "sign",
    "lookup",
    "revoke",
    "tune",
    "%2F",
    "",
];

const FIELDS: [&str; 27] = [
    "type",
    "listen_addrs",
    "server_ips",
    "server_hostnames",
    "tls_min_version",
    "default_tls_client_ttl",
    "force",
    "operation_all",
    "operation_none",
    "operation_get",
    "tls_client_ttl",
    "format",
    "csr",
    "serial_number",
    "certificate",
    "scope",
    "password",
    "role_id",
    "secret_id",
    "secret_id_accessor",
    "metadata",
    "num_uses",
    "token_policies",
    "token_ttl",
    "token_period",
    "token_bound_cidrs",
    "required_extensions",
];

/// Paths that there are.
const PATHS: [&str; 24] = [
    "sys/health",
    "sys/seal-status",
    "sys/mounts",
    "sys/mounts/other",
    "auth/token/lookup-self",
    "kmip/config",
    "kmip/ca",
    "kmip/scope",
    "kmip/scope/finance",
    "kmip/scope/finance/role/accounting",
    "kmip/scope/finance/role/accounting/credential/generate",
    "kmip/scope/finance/role/accounting/credential/sign",
    "kmip/scope/finance/role/accounting/credential/lookup",
    "kmip/scope/finance/role/accounting/credential/revoke",
    "sys/auth/userpass/tune",
    "sys/auth/other",
    "auth/userpass/users/alice",
    "auth/userpass/login/alice",
    "auth/approle/role/ci",
    "auth/approle/role/ci/secret-id",
    "auth/approle/role/ci/custom-secret-id",
    "auth/approle/role/ci/secret-id-accessor/lookup",
    "auth/approle/login",
    "auth/cert/certs/hosts",
];

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(PATHS.to_vec()).prop_map(str::to_owned),
        1 => prop::collection::vec(segment(), 0..8).prop_map(|segments| segments.join("/")),
    ]
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(&SEGMENTS[..]).prop_map(str::to_owned),
        1 => "[ -~]{0,20}",
        1 => "%[0-9a-fA-F]{0,2}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,30}".prop_map(Value::from),
        "[0-9]{1,60}".prop_map(Value::from),
        "-?[0-9]{1,9}(ns|us|ms|s|m|h|d|x)".prop_map(Value::from),
        ".{0,10}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{0,5}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn body() -> impl Strategy<Value = Option<Vec<u8>>> {
    let name = prop::sample::select(&FIELDS[..]).prop_map(str::to_owned);
    prop_oneof![
        6 => prop::collection::hash_map(name, any_json(), 0..4).prop_map(|map| {
            Some(Value::Object(map.into_iter().collect()).to_string().into_bytes())
        }),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Some),
        1 => "[a-z]{1,8}=[ -~]{0,16}(&[a-z]{1,8}=[ -~]{0,16})?".prop_map(|text| Some(text.into_bytes())),
        1 => Just(None),
    ]
}

fn incoming() -> impl Strategy<Value = Incoming> {
    let methods =
        ["GET", "GET", "PUT", "PUT", "POST", "DELETE", "LIST", "HEAD", "PATCH", "OPTIONS", "X"];
    let content_types =
        [None, Some("application/x-www-form-urlencoded"), Some("application/json"), Some(";")];
    let queries = prop_oneof![
        4 => Just(String::new()),
        1 => Just("list=true".to_owned()),
        1 => Just("help=1".to_owned()),
        1 => "serial_number=[0-9]{0,60}",
        1 => "[ -~]{0,30}",
    ];
    (
        prop::sample::select(methods.to_vec()),
        path(),
        queries,
        prop::sample::select(content_types.to_vec()),
        body(),
        prop::sample::select(vec![Some(TOKEN), Some(TOKEN), Some(TOKEN), Some("x"), None]),
    )
        .prop_map(|(method, path, query, content_type, body, token)| Incoming {
            wrap_ttl: None,
            method: method.to_owned(),
            path: format!("/v1/{path}"),
            query,
            token: token.map(str::to_owned),
            namespace: None,
            content_type: content_type.map(str::to_owned),
            body: body.map_or(Payload::TooLong, Payload::Whole),
            remote: None,
            client_certificates: Arc::default(),
        })
}

#[test]
fn whatever_arrives_is_answered_in_vaults_shape() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let server = runtime.block_on(async {
        let server = Server::ready().await;
        for kind in ["userpass", "approle", "cert"] {
            server.write(&format!("sys/auth/{kind}"), json!({ "type": kind })).await.empty();
        }
        server.write("auth/approle/role/ci", json!({"role_id": "ci"})).await.empty();
        server
    });
    let mut runner = prop::test_runner::TestRunner::deterministic();
    let mut refused = 0;
    for _ in 0..4000 {
        let request = incoming().new_tree(&mut runner).unwrap().current();
        let answer = server.api.handle(&request);
        let shown = String::from_utf8_lossy(&answer.body);
        assert!(answer.status < 500, "{request:?}: {} {shown}", answer.status);
        if answer.status == 204 {
            assert!(answer.body.is_empty(), "{request:?}");
            continue;
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        if answer.status >= 400 {
            refused += 1;
            let errors = body["errors"].as_array().unwrap();
            assert!(errors.iter().all(Value::is_string), "{request:?}: {shown}");
        }
    }
    // Were all refused, the words would be wrong; were few, the garbage would be none.
    assert!((1000..3800).contains(&refused), "{refused}");
}
