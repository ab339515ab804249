//! Garbage on the admin API: 4xx in Vault's shape, never a 5xx, and the server goes on.

use super::Bystander;
use crate::api::{self, Api};
use crate::server::{ROOT_TOKEN, Server};

const PATHS: &[&str] = &[
    "kmip/config",
    "kmip/scope/default",
    "kmip/scope/default/role/admin",
    "kmip/scope/default/role/admin/credential/generate",
    "kmip/scope/default/role/admin/credential/sign",
    "kmip/scope/default/role/admin/credential/revoke",
    "sys/mounts/garbage",
];

#[test]
fn bodies_of_every_wrong_kind_are_refused_in_vault_s_shape() {
    let mut server = Server::start();
    let root = Api::root(&server);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: &[&[u8]] = &[
        b"{",
        b"{\"a\":",
        b"[]",
        b"[1,2]",
        b"\"text\"",
        b"12",
        b"true",
        b"\xff\xfe\x00",
        b"{\"a\":1}{\"b\":2}",
        b"<xml/>",
        deep.as_bytes(),
    ];
    for path in PATHS {
        for body in bodies {
            let answer = root.call("PUT", path, Some(body));
            let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
            assert_eq!(answer.status, 400, "{path} {shown}: {answer:?}");
            assert!(!answer.errors().is_empty(), "{path} {shown}: an error says what to do");
        }
    }
    assert!(server.alive());
}

#[test]
fn fields_of_every_wrong_kind_are_refused_or_ignored() {
    let server = Server::start();
    let root = Api::root(&server);
    let values =
        ["{}", "[]", "[{}]", "-1", "1e99", "\"\"", "\"\\u0000\"", "null", "true", "99999999999999"];
    let fields = [
        ("kmip/config", "listen_addrs"),
        ("kmip/config", "server_hostnames"),
        ("kmip/config", "server_ips"),
        ("kmip/config", "tls_ca_key_type"),
        ("kmip/config", "tls_ca_key_bits"),
        ("kmip/config", "tls_min_version"),
        ("kmip/config", "default_tls_client_ttl"),
        ("kmip/scope/s", "force"),
        ("kmip/scope/default/role/r", "operation_get"),
        ("kmip/scope/default/role/r", "tls_client_ttl"),
        ("kmip/scope/default/role/r", "tls_client_key_bits"),
        ("kmip/scope/default/role/admin/credential/generate", "format"),
        ("kmip/scope/default/role/admin/credential/sign", "csr"),
        ("kmip/scope/default/role/admin/credential/revoke", "serial_number"),
        ("kmip/scope/default/role/admin/credential/revoke", "certificate"),
        ("sys/mounts/m", "type"),
    ];
    let mut bystander = Bystander::new(&server);
    for (path, field) in fields {
        for value in values {
            let body = format!("{{\"{field}\":{value}}}");
            let answer = root.call("PUT", path, Some(body.as_bytes()));
            assert!(answer.status < 500, "{path} {body}: {answer:?}");
            if answer.status >= 400 {
                answer.errors();
            }
        }
        // A changed listener configuration is allowed to move the port; these values must not.
        bystander.is_unharmed(field);
    }
}

#[test]
fn paths_and_methods_of_every_wrong_kind() {
    let server = Server::start();
    let root = Api::root(&server);
    let long = format!("kmip/scope/{}", "x".repeat(9000));
    let paths = [
        "",
        "/",
        "kmip",
        "kmip/",
        "kmip//config",
        "kmip/nothing",
        "kmip/scope/a/b/c",
        "kmip/scope/../../etc/passwd",
        "kmip/scope/%2e%2e",
        "kmip/scope/a%2Fb",
        "kmip/scope/%00",
        "kmip/scope/%zz",
        "kmip/scope/%ff",
        "sys",
        "sys/nothing",
        "auth",
        "auth/token/nothing",
        "nothing/at/all",
        "kmip/config?list=perhaps",
        "kmip/scope/default/role/admin/credential/lookup",
        "kmip/scope/default/role/admin/credential/lookup?serial_number=x",
        long.as_str(),
    ];
    for path in paths {
        for method in ["GET", "PUT", "POST", "LIST", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW"] {
            if (method, path) == ("DELETE", "kmip/") {
                continue;
            }
            let body = matches!(method, "PUT" | "POST" | "PATCH").then_some(&b"{}"[..]);
            let answer = root.call(method, path, body);
            assert!(answer.status < 500, "{method} {path}: {answer:?}");
            if answer.status >= 400 && method != "HEAD" && !answer.body.is_empty() {
                answer.errors();
            }
        }
    }
    assert_eq!(Api::root(&server).get("kmip/scope/default/role/admin").status, 200);
}

#[test]
fn what_is_hardly_http_is_answered_400_or_closed() {
    let mut server = Server::start();
    let anyone = Api::anonymous(&server);
    let token = format!("X-Vault-Token: {ROOT_TOKEN}\r\n");
    let huge_header = format!("GET /v1/sys/health HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(1 << 20));
    let lying_length = format!(
        "PUT /v1/kmip/scope/x HTTP/1.1\r\nHost: x\r\n{token}Content-Length: 99999\r\n\r\n{{}}"
    );
    let endless = format!(
        "PUT /v1/kmip/scope/x HTTP/1.1\r\nHost: x\r\n{token}Content-Length: 9999999999999\r\n\r\n"
    );
    let two_lengths = format!(
        "PUT /v1/kmip/scope/x HTTP/1.1\r\nHost: x\r\n{token}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"
    );
    let bad_chunk = format!(
        "PUT /v1/kmip/scope/x HTTP/1.1\r\nHost: x\r\n{token}Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    );
    let cases: &[&[u8]] = &[
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v1/sys/health HTTP/9.9\r\n\r\n",
        b"GET /v1/sys/health\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/sys/health HTTP/1.1\r\nno colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        huge_header.as_bytes(),
        lying_length.as_bytes(),
        endless.as_bytes(),
        two_lengths.as_bytes(),
        bad_chunk.as_bytes(),
    ];
    for bytes in cases {
        let answer = anyone.raw(bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        if !answer.is_empty() {
            let answer = api::parse(&answer).unwrap_or_else(|| panic!("{shown}: no HTTP"));
            assert!((400..500).contains(&answer.status), "{shown}: {answer:?}");
        }
        assert_eq!(anyone.get("sys/health").status, 200, "after {shown}");
    }
    assert!(server.alive());
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let server = Server::start();
    let root = Api::root(&server);
    let body = format!("{{\"description\":\"{}\"}}", "x".repeat(64 << 20));
    let bytes = format!(
        "PUT /v1/kmip/scope/x HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {ROOT_TOKEN}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = root.raw(bytes.as_bytes());
    if let Some(answer) = api::parse(&answer) {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    assert_eq!(root.get("sys/health").status, 200);
}
