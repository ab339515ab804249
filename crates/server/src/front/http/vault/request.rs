//! A request as the API sees it: an operation on a path with values. Pure parsing; every input that
//! is not understood is a 400 in Vault's shape.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::ApiError;
use super::fields::parse_bool;
use crate::auth::Client;
use crate::duration::parse_seconds_up;

/// What arrived, before it is understood.
#[derive(Debug, Default)]
pub struct Incoming {
    /// The verb.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The query as sent, without `?`.
    pub query: String,
    /// From `X-Vault-Token` or `Authorization: Bearer`.
    pub token: Option<String>,
    /// `X-Vault-Namespace`.
    pub namespace: Option<String>,
    /// `X-Vault-Wrap-TTL`.
    pub wrap_ttl: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: Payload,
    /// Who sent it.
    pub remote: Option<SocketAddr>,
    /// The certificate that the client proved to hold, under an authority that the API trusts for
    /// clients, then those that the client showed with it, in DER.
    pub client_certificates: Arc<[Vec<u8>]>,
}

/// A body, as far as it is there.
#[derive(Debug)]
pub enum Payload {
    /// All of it.
    Whole(Vec<u8>),
    /// It is longer than what is read.
    TooLong,
    /// It did not come to its end, or not in time.
    Cut,
}

impl Default for Payload {
    fn default() -> Self {
        Self::Whole(Vec::new())
    }
}

impl Incoming {
    /// Where it comes from.
    pub(super) fn client(&self) -> Client<'_> {
        let address = self.remote.map(|remote| remote.ip());
        Client { address, certificates: &self.client_certificates }
    }

    /// The values in the body.
    pub(super) fn fields(&self) -> Result<Map<String, Value>, ApiError> {
        match &self.body {
            Payload::Whole(body) => parse_body(body, self.content_type.as_deref()),
            Payload::TooLong => Err(ApiError::too_large()),
            Payload::Cut => {
                Err(ApiError::bad("the request's body did not come whole, or not in time"))
            }
        }
    }
}

/// A request that has been understood, but not yet admitted.
pub(super) struct Request {
    pub(super) id: String,
    pub(super) path: Path,
    pub(super) operation: Operation,
    pub(super) query: Map<String, Value>,
    /// For how many seconds the answer is to be wrapped, if it is.
    pub(super) wrap_ttl: Option<i64>,
}

impl Request {
    pub(super) fn understand(id: String, incoming: &Incoming) -> Result<Self, ApiError> {
        let path = Path::parse(&incoming.path)?;
        let mut query = parse_query(&incoming.query)?;
        let operation = operation(&incoming.method, &mut query)?;
        let namespace = incoming.namespace.as_deref().unwrap_or_default();
        if !matches!(namespace.trim_matches('/'), "" | "root") {
            return Err(ApiError::no_route(&path.text()));
        }
        let wrap_ttl = parse_wrap_ttl(incoming.wrap_ttl.as_deref().unwrap_or_default())?;
        Ok(Self { id, path, operation, query, wrap_ttl })
    }
}

/// Seconds in `X-Vault-Wrap-TTL`; 0 and nothing do not wrap.
fn parse_wrap_ttl(text: &str) -> Result<Option<i64>, ApiError> {
    let refused =
        |reason| ApiError::bad(format!("error parsing X-Vault-Wrap-TTL header: {reason}"));
    match parse_seconds_up(text.trim()) {
        None => Err(refused("not a duration")),
        Some(..0) => Err(refused("requested wrap ttl cannot be negative")),
        Some(0) => Ok(None),
        Some(seconds) => Ok(Some(seconds)),
    }
}

/// What is to be done to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Update,
    Delete,
    List,
    Help,
}

impl Operation {
    /// Its name in the audit.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Help => "help",
        }
    }
}

/// Path below `/v1/`, decoded and cut at its slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) segments: Vec<String>,
    /// Whether a slash follows the last one. Routes do not mind; policies may.
    pub(super) has_slash: bool,
}

impl Path {
    pub(super) fn parse(raw: &str) -> Result<Self, ApiError> {
        let below = raw.strip_prefix("/v1/").ok_or_else(ApiError::nothing)?;
        let trimmed = below.strip_suffix('/').unwrap_or(below);
        let segments: Result<Vec<String>, ApiError> =
            trimmed.split('/').map(decode_segment).collect();
        let segments = segments?;
        // What handlers would leave out, policies would not: one thing must have one path.
        if below.split('/').rev().skip(1).any(str::is_empty) {
            return Err(ApiError::bad("the path has an empty segment"));
        }
        Ok(Self { segments, has_slash: trimmed.len() < below.len() })
    }

    /// With slashes between the segments and none at the end.
    pub(super) fn text(&self) -> String {
        self.segments.join("/")
    }
}

fn decode_segment(raw: &str) -> Result<String, ApiError> {
    let decoded = percent_decode(raw, false)
        .ok_or_else(|| ApiError::bad("the path is not valid percent-encoded UTF-8"))?;
    if decoded.contains('/') {
        return Err(ApiError::bad("a path segment must not contain an encoded slash"));
    }
    Ok(decoded)
}

/// Decodes `%XX` (and, in queries, `+`); `None` when it is malformed or not UTF-8.
fn percent_decode(raw: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                (high << 4 | low) as u8
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// `a=1&b=2` as values: each a string, or an array when repeated.
pub(super) fn parse_query(raw: &str) -> Result<Map<String, Value>, ApiError> {
    let mut values = Map::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text| {
            percent_decode(text, true)
                .ok_or_else(|| ApiError::bad("the query is not valid percent-encoded UTF-8"))
        };
        let (name, value) = (decode(name)?, Value::String(decode(value)?));
        match values.get_mut(&name) {
            None => {
                values.insert(name, value);
            }
            Some(Value::Array(items)) => items.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(values)
}

/// The operation that verb and query ask for. Takes `list` and `help` out of the query.
pub(super) fn operation(
    method: &str,
    query: &mut Map<String, Value>,
) -> Result<Operation, ApiError> {
    match method {
        "GET" | "HEAD" => {
            let help = query.remove("help");
            if help.is_some_and(|help| help != Value::String(String::new())) {
                return Ok(Operation::Help);
            }
            match query.remove("list") {
                None => Ok(Operation::Read),
                Some(Value::String(text)) if text.is_empty() => Ok(Operation::Read),
                Some(Value::String(text)) => match parse_bool(&text) {
                    Some(true) => Ok(Operation::List),
                    Some(false) => Ok(Operation::Read),
                    None => Err(ApiError::bad("the query parameter \"list\" is not a boolean")),
                },
                Some(_) => Err(ApiError::bad("the query parameter \"list\" is given twice")),
            }
        }
        "POST" | "PUT" => Ok(Operation::Update),
        "DELETE" => Ok(Operation::Delete),
        "LIST" => Ok(Operation::List),
        "HELP" => Ok(Operation::Help),
        _ => Err(ApiError::unsupported_operation()),
    }
}

/// The values in the body of a write. The content type is trusted only when it says form and the
/// body does not look like JSON: `curl -d` says form of everything.
pub(super) fn parse_body(
    body: &[u8],
    content_type: Option<&str>,
) -> Result<Map<String, Value>, ApiError> {
    let trimmed = body.trim_ascii();
    if trimmed.is_empty() || trimmed == b"null" {
        return Ok(Map::new());
    }
    let is_form = content_type.is_some_and(|content_type| {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if is_form && !matches!(trimmed.first(), Some(b'{' | b'[')) {
        let text = std::str::from_utf8(trimmed)
            .map_err(|_| ApiError::bad("error parsing form data: not UTF-8"))?;
        return parse_query(text);
    }
    match serde_json::from_slice(trimmed) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(ApiError::bad("error parsing JSON: the body is not an object")),
        Err(error) => Err(ApiError::bad(format!(
            "error parsing JSON: at line {} column {}",
            error.line(),
            error.column()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_cut_before_they_are_decoded() {
        let segments = |raw| Path::parse(raw).unwrap().segments;
        assert_eq!(segments("/v1/kmip/scope/a%20b/"), ["kmip", "scope", "a b"]);
        assert_eq!(segments("/v1/"), [""]);
        for bad in [
            "/v1/a%2Fb",
            "/v1/a%2",
            "/v1/a%zz",
            "/v1/%ff",
            "/v1//a",
            "/v1/a//b",
            "/v1/a//",
            "/v1//",
        ] {
            assert_eq!(Path::parse(bad).unwrap_err().status, 400, "{bad}");
        }
        for elsewhere in ["/", "/v1", "/v2/sys/health", "/ui/"] {
            assert_eq!(Path::parse(elsewhere).unwrap_err(), ApiError::nothing(), "{elsewhere}");
        }
    }

    #[test]
    fn operations_come_from_verb_and_query() {
        let ask = |method, query| {
            let mut query = parse_query(query).unwrap();
            operation(method, &mut query).map_err(|error| error.status)
        };
        for query in ["list=true", "list=True", "list=1", "list=t"] {
            assert_eq!(ask("GET", query), Ok(Operation::List), "{query}");
        }
        for query in ["", "list=false", "list=0", "list=", "help="] {
            assert_eq!(ask("GET", query), Ok(Operation::Read), "{query}");
        }
        assert_eq!(ask("GET", "help=1"), Ok(Operation::Help));
        assert_eq!(ask("LIST", ""), Ok(Operation::List));
        assert_eq!(
            (ask("PUT", ""), ask("POST", "list=true")),
            (Ok(Operation::Update), Ok(Operation::Update))
        );
        assert_eq!(ask("GET", "list=maybe"), Err(400));
        assert_eq!(ask("GET", "list=1&list=1"), Err(400));
        assert_eq!((ask("PATCH", ""), ask("BREW", "")), (Err(405), Err(405)));
    }

    #[test]
    fn bodies_in_every_dress() {
        let form = Some("application/x-www-form-urlencoded");
        let read =
            |body: &[u8], kind| parse_body(body, kind).map(Value::Object).map_err(|e| e.status);
        for nothing in [&b""[..], b"null", b" null\n", b"{}", b"  "] {
            assert_eq!(read(nothing, None), Ok(json!({})));
            assert_eq!(read(nothing, form), Ok(json!({})));
        }
        for kind in [None, form, Some("text/plain"), Some("application/json; charset=utf-8")] {
            assert_eq!(read(br#" {"a":1}"#, kind), Ok(json!({"a": 1})));
        }
        assert_eq!(read(b"a=1&b=x+y&a=2", form), Ok(json!({"a": ["1", "2"], "b": "x y"})));
        let deep = "[".repeat(100_000);
        for bad in
            [&b"{"[..], b"[1]", b"\"x\"", b"a=b", b"\x00", b"\xff\xfe", b"{}{}", deep.as_bytes()]
        {
            assert_eq!(read(bad, None), Err(400));
        }
        assert_eq!(read(b"a=%zz", form), Err(400));
        assert_eq!(read(b"[1]", form), Err(400));
    }
}
