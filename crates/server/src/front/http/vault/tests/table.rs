//! Every route × everything that can be wrong with a request, generated from the table of routes: a
//! route that is added is tested with the others.
//!
//! A column is a row of [`COLUMNS`]: what is sent for a cell, and what has to come back. `None` says
//! that the column means nothing for the cell.

use axum::body::Bytes;
use serde_json::json;

use super::*;
use crate::front::http::vault::fields::{Field, Kind};
use crate::front::http::vault::openapi;
use crate::front::http::vault::request::Operation;
use crate::front::http::vault::routes::{self, Auth, Route};
use crate::record::{Kind as RecordKind, key};

/// What is done on one path.
struct Cell {
    route: &'static Route,
    operation: Operation,
    /// With its captures filled in.
    path: String,
}

/// What is sent.
struct Sent {
    method: &'static str,
    token: Option<&'static str>,
    path: String,
    body: Bytes,
}

/// What has to come back.
enum Expected {
    /// A refusal with exactly this status and text.
    Refused(u16, &'static str),
    /// A refusal with this status that says something.
    Says(u16),
    /// A refusal with one of these statuses, or a success that warns of this.
    WarnsOf(&'static str),
    /// Anything that is not the server's fault.
    Served,
}

type Column = (&'static str, fn(&Cell) -> Option<(Sent, Expected)>);

const LIMITED: &str = "limited";

/// What the policy `default` lets every token do.
const DEFAULT_POLICY: &[&str] = &[];

const COLUMNS: &[Column] = &[
    ("no token", |cell| {
        let expected = match cell.route.auth {
            Auth::Anybody | Auth::Login | Auth::Holder => Expected::Served,
            Auth::Token | Auth::Sudo => Expected::Refused(403, "missing client token"),
        };
        Some((Sent { token: None, ..cell.plain() }, expected))
    }),
    ("a token that is not alive", |cell| {
        matches!(cell.route.auth, Auth::Token | Auth::Sudo).then(|| {
            let sent = Sent { token: Some("nobody"), ..cell.plain() };
            let unwraps = ["sys/wrapping/unwrap", "sys/wrapping/rewrap"];
            // The token is what is to be unwrapped.
            if unwraps.contains(&cell.route.pattern) && cell.writes() {
                let text = "wrapping token is not valid or does not exist";
                return (sent, Expected::Refused(400, text));
            }
            (sent, Expected::Refused(403, "permission denied"))
        })
    }),
    ("a token without a policy", |cell| {
        let expected = match cell.route.auth {
            Auth::Anybody | Auth::Login | Auth::Holder => Expected::Served,
            Auth::Token if DEFAULT_POLICY.contains(&cell.route.pattern) => Expected::Served,
            Auth::Token | Auth::Sudo => {
                Expected::Refused(403, "1 error occurred:\n\t* permission denied\n\n")
            }
        };
        Some((Sent { token: Some(LIMITED), ..cell.plain() }, expected))
    }),
    ("a wrong path", |cell| {
        let path = format!("{}/no-such-thing/at-all", cell.path);
        let is_taken = |(prefix, table): &(&str, &'static [Route])| {
            let below = path.strip_prefix(prefix).unwrap_or_default();
            let segments: Vec<String> = below.split('/').map(str::to_owned).collect();
            routes::find(table, &segments).is_some()
        };
        if routes::tables().iter().any(is_taken) {
            return None;
        }
        let text = "1 error occurred:\n\t* unsupported path\n\n";
        Some((Sent { path, ..cell.plain() }, Expected::Refused(404, text)))
    }),
    ("a verb that the path does not have", |cell| {
        let has = |operation| cell.route.operations.iter().any(|(it, _)| *it == operation);
        // One for each path is enough; only what another cell would answer is left out.
        let first = cell.route.operations.first().is_some_and(|(it, _)| *it == cell.operation);
        if has(Operation::List) || !first {
            return None;
        }
        let text = "1 error occurred:\n\t* unsupported operation\n\n";
        let path = format!("{}?list=true", cell.path);
        Some((Sent { method: "GET", path, ..cell.plain() }, Expected::Refused(405, text)))
    }),
    ("a garbage body", |cell| {
        cell.writes().then(|| {
            let body = Bytes::from_static(b"{\"force\":");
            (Sent { body, ..cell.plain() }, Expected::Says(400))
        })
    }),
    ("a body that is no object", |cell| {
        cell.writes().then(|| {
            let body = Bytes::from_static(b"[true]");
            (Sent { body, ..cell.plain() }, Expected::Says(400))
        })
    }),
    ("an unknown field", |cell| {
        (cell.writes() && !cell.ends()).then(|| {
            let body = Bytes::from_static(b"{\"zebra\":1}");
            let text = "Endpoint ignored these unrecognized parameters: [zebra]";
            (Sent { body, ..cell.plain() }, Expected::WarnsOf(text))
        })
    }),
    ("a huge body", |cell| {
        static HUGE: std::sync::LazyLock<Bytes> =
            std::sync::LazyLock::new(|| vec![b' '; (32 << 20) + 1].into());
        cell.writes().then(|| {
            let sent = Sent { body: HUGE.clone(), ..cell.plain() };
            (sent, Expected::Refused(413, "request body too large"))
        })
    }),
    ("an empty segment", |cell| {
        let path = cell.path.replacen('/', "//", 1);
        let text = "the path has an empty segment";
        Some((Sent { path, ..cell.plain() }, Expected::Refused(400, text)))
    }),
];

impl Cell {
    fn plain(&self) -> Sent {
        let (mut path, mut body) = (self.path.clone(), Bytes::new());
        match self.operation {
            Operation::List => path.push_str("?list=true"),
            Operation::Help => path.push_str("?help=1"),
            Operation::Update => body = Bytes::from_static(b"{}"),
            Operation::Read | Operation::Delete => {}
        }
        let method = match self.operation {
            Operation::Update => "PUT",
            Operation::Delete => "DELETE",
            Operation::Read | Operation::List | Operation::Help => "GET",
        };
        Sent { method, token: Some(TOKEN), path, body }
    }

    fn writes(&self) -> bool {
        self.operation == Operation::Update
    }

    /// Whether it ends what the others need once it is carried out; `seal` and `tokens` have that.
    fn ends(&self) -> bool {
        self.writes() && ["sys/seal", "auth/token/revoke-self"].contains(&self.route.pattern)
    }

    fn is_captured(&self, field: &Field) -> bool {
        let name = format!("{{{}", field.name);
        self.route.pattern.split('/').any(|part| part.trim_end_matches(['}', '*']) == name)
    }
}

/// Every path and every verb that it has, path help included.
fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (prefix, table) in routes::tables() {
        for route in table {
            let parts: Vec<&str> = route
                .pattern
                .split('/')
                .map(|part| match part {
                    "{scope}" => "finance",
                    "{role}" => "accounting",
                    "{path*}" => "kmip",
                    part if part.starts_with('{') => "some",
                    part => part,
                })
                .collect();
            let operations = route.operations.iter().map(|(operation, _)| *operation);
            for operation in operations.chain([Operation::Help]) {
                let path = format!("{prefix}{}", parts.join("/"));
                cells.push(Cell { route, operation, path });
            }
        }
    }
    cells
}

/// Values of the fields that a path cannot do without.
fn sample(route: &Route) -> Value {
    let all = json!({"type": "kmip", "from": "kmip", "to": "kmip", "ca_pem": "x", "csr": "x",
        "key_type": "ec", "key_bits": 256, "scope_name": "x", "role_name": "x",
        "key": "00", "token": TOKEN, "accessor": "x", "policy": "path \"x\" {}", "paths": ["x"],
        "password": "x", "role_id": "x", "secret_id": "x", "secret_id_accessor": "x"});
    let mut fields = json!({});
    // A token's type is another word than a mount's.
    let is_known = |name: &str| name != "type" || !route.pattern.starts_with("auth/token/");
    for field in (route.fields)().iter().filter(|field| is_known(&field.name)) {
        if let Some(value) = all.get(field.name.as_ref()) {
            fields[field.name.as_ref()] = value.clone();
        }
    }
    fields
}

/// A server with a mount, a scope, a role, and a token without a policy.
async fn prepared() -> Server {
    let server = Server::ready().await;
    server.write("auth/token/roles/some", json!({})).await.empty();
    for kind in ["approle", "userpass", "cert"] {
        server.write(&format!("sys/auth/{kind}"), json!({ "type": kind })).await.empty();
    }
    let records = server.store.reopen();
    let token = json!({"accessor": "a", "display_name": "limited", "policies": ["none"],
        "path": "auth/token/create", "creation_time": NOW, "creation_ttl": 0});
    let at = key(RecordKind::Token, &[&records.blind("token", LIMITED)]);
    records.plant(at, [b"\x01", token.to_string().as_bytes()].concat());
    server
}

async fn answered(server: &Server, sent: Sent) -> Answered {
    let mut request = Request::builder().method(sent.method).uri(format!("/v1/{}", sent.path));
    if let Some(token) = sent.token {
        request = request.header("X-Vault-Token", token);
    }
    server.send(request.body(Body::from(sent.body)).unwrap()).await
}

/// What holds for every answer, then what holds for this one.
fn check(what: &str, answered: &Answered, expected: &Expected) {
    let text = String::from_utf8_lossy(&answered.body);
    let said = format!("{what}: {} {text}", answered.status);
    match expected {
        Expected::Refused(status, text) => {
            assert_eq!(answered.status, *status, "{said}");
            assert_eq!(answered.refused(*status), *text, "{said}");
        }
        Expected::Says(status) => {
            assert_eq!(answered.status, *status, "{said}");
            assert!(!answered.refused(*status).is_empty(), "{said}");
        }
        Expected::WarnsOf(text) => match answered.status {
            200 => assert_eq!(answered.json()["warnings"][0], *text, "{said}"),
            // The fields that it needs were not there: nothing was done, so nothing is warned of.
            400 => assert!(!answered.refused(400).is_empty(), "{said}"),
            404 => assert_eq!(answered.refused(404), "", "{said}"),
            _ => panic!("{said}"),
        },
        Expected::Served => {
            assert!(answered.status < 500 && answered.status != 403, "{said}");
            match answered.content_type.as_deref() {
                Some("application/json") | None => {}
                Some(file) => assert!(what.contains("crl"), "{file} {said}"),
            }
            if answered.status >= 400 {
                answered.refused(answered.status);
            }
        }
    }
}

/// The document has every path, once, and with it the table below.
#[test]
fn every_path_of_the_document_is_in_the_table() {
    let document = openapi::whole();
    let mut patterns: Vec<(&str, &str)> = Vec::new();
    for (prefix, table) in routes::tables() {
        patterns.extend(table.iter().map(|route| (prefix, route.pattern)));
    }
    assert_eq!(document["paths"].as_object().unwrap().len(), patterns.len());
    let mut verbs = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        verbs += ["get", "post", "delete"].iter().filter(|verb| item[**verb].is_object()).count();
        let of_pattern = |(_, pattern): &&(&str, &str)| path.ends_with(&pattern.replace('*', ""));
        assert!(patterns.iter().any(|it| of_pattern(&it)), "{path}");
    }
    // Reading and listing are one verb.
    let cells = cells();
    let has = |cell: &&Cell, operation| {
        cell.route.operations.iter().any(|(known, _)| *known == operation)
    };
    let counted = cells
        .iter()
        .filter(|cell| cell.operation != Operation::Help)
        .filter(|cell| cell.operation != Operation::List || !has(cell, Operation::Read));
    assert_eq!(counted.count(), verbs);
}

#[tokio::test]
async fn whatever_is_wrong_has_its_status_and_its_words() {
    let server = prepared().await;
    let mut tried = 0;
    for cell in cells() {
        for (column, make) in COLUMNS {
            let Some((sent, expected)) = make(&cell) else { continue };
            let what = format!("{column}: {} {}", sent.method, sent.path);
            check(&what, &answered(&server, sent).await, &expected);
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried} cells");
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named() {
    let server = prepared().await;
    let mut tried = 0;
    for cell in cells().iter().filter(|cell| cell.writes()) {
        for field in (cell.route.fields)().iter().filter(|field| !cell.is_captured(field)) {
            let wrong = match field.kind {
                Kind::Ignored => continue,
                Kind::Bool | Kind::Int | Kind::Map => json!("many"),
                Kind::Text | Kind::List => json!({"a": 1}),
                Kind::Duration => json!("soon"),
            };
            let mut fields = sample(cell.route);
            fields[field.name.as_ref()] = wrong;
            let body = Bytes::from(fields.to_string());
            let answered = answered(&server, Sent { body, ..cell.plain() }).await;
            let what = format!("{} {}: {:?}", cell.path, field.name, answered);
            assert_eq!(answered.status, 400, "{what}");
            let said = answered.refused(400);
            assert!(said.contains(&format!("{:?}", field.name)), "{said} {what}");
            assert!(!said.contains("many") && !said.contains("soon"), "{what}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} fields");
}

#[tokio::test]
async fn while_sealed_only_who_needs_no_key_is_answered() {
    let server = prepared().await;
    server.keeper.seal();
    answers_only_who_needs_no_key(&server, 503).await;
}

#[tokio::test]
async fn while_uninitialised_only_who_needs_no_key_is_answered() {
    let server = prepared().await;
    server.keeper.forget();
    answers_only_who_needs_no_key(&server, 501).await;
}

async fn answers_only_who_needs_no_key(server: &Server, health: u16) {
    for cell in cells() {
        let sent = cell.plain();
        let what = format!("{} {}", sent.method, sent.path);
        let answered = answered(server, sent).await;
        let is_mounts = cell.path.starts_with("kmip/");
        if cell.route.auth != Auth::Anybody || is_mounts {
            check(&what, &answered, &Expected::Refused(503, "Vault is sealed"));
        } else if cell.route.pattern == "sys/health" && cell.operation == Operation::Read {
            let initialised = answered.json()["initialized"].clone();
            assert_eq!((answered.status, initialised), (health, json!(health == 503)), "{what}");
        } else {
            check(&what, &answered, &Expected::Served);
        }
    }
}
