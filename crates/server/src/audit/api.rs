//! Entries of the HTTP API, in the shape of Vault's audit file device: `type` "request" and
//! "response", the same `request.id`, every string of request and response data as a keyed hash.
//! Pure.

use super::Hasher;
use super::entry::{Object, Phase};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// Who called, as far as a token told.
#[derive(Clone, Debug, Default)]
pub struct Caller<'a> {
    /// The token; written as a keyed hash.
    pub client_token: Option<&'a str>,
    /// Its accessor; written as a keyed hash.
    pub accessor: Option<&'a str>,
    /// The token's display name.
    pub display_name: &'a str,
    /// The names of its policies.
    pub policies: &'a [&'a str],
    /// `service` or `batch`.
    pub token_type: &'a str,
}

/// A request of the HTTP API.
#[derive(Clone, Debug)]
pub struct Api<'a> {
    /// Before or after.
    pub phase: Phase,
    /// Microseconds since 1970.
    pub time_us: i64,
    /// The request's identifier, a UUID.
    pub id: &'a str,
    /// `create`, `read`, `update`, `delete`, `list` or `help`.
    pub operation: &'a str,
    /// The path below `/v1/`.
    pub path: &'a str,
    /// The mount's path, such as `kmip/`.
    pub mount_point: &'a str,
    /// The mount's type, such as `kmip` or `system`.
    pub mount_type: &'a str,
    /// Who called; default if nobody knows yet.
    pub caller: Caller<'a>,
    /// The request's body; its strings are written as keyed hashes.
    pub data: Option<&'a Value>,
    /// The response's `data`, in a response; its strings are written as keyed hashes.
    pub response: Option<&'a Value>,
    /// What went wrong, in a response.
    pub error: Option<&'a str>,
    /// The client's address.
    pub remote: Option<SocketAddr>,
}

impl Api<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>, hasher: &Hasher) {
        let mut object = Object::begin(out, self.time_us, self.phase.text());
        object.key("auth");
        push_json(object.out, &self.auth(hasher));
        object.key("request");
        push_json(object.out, &self.request(hasher));
        if self.phase == Phase::Response {
            object.key("response");
            push_json(object.out, &self.answer(hasher));
        }
        object.optional("error", self.error);
    }

    fn auth(&self, hasher: &Hasher) -> Value {
        let mut auth = Map::new();
        insert_hash(&mut auth, "client_token", self.caller.client_token, hasher);
        insert_hash(&mut auth, "accessor", self.caller.accessor, hasher);
        if self.caller.client_token.is_some() {
            auth.insert("display_name".to_owned(), self.caller.display_name.into());
            auth.insert("policies".to_owned(), self.caller.policies.into());
            auth.insert("token_policies".to_owned(), self.caller.policies.into());
            auth.insert("token_type".to_owned(), self.caller.token_type.into());
        }
        Value::Object(auth)
    }

    fn request(&self, hasher: &Hasher) -> Value {
        let mut request = Map::new();
        for (name, value) in [
            ("id", self.id),
            ("operation", self.operation),
            ("mount_point", self.mount_point),
            ("mount_type", self.mount_type),
            ("path", self.path),
        ] {
            request.insert(name.to_owned(), value.into());
        }
        insert_hash(&mut request, "client_token", self.caller.client_token, hasher);
        insert_hash(&mut request, "client_token_accessor", self.caller.accessor, hasher);
        request.insert("namespace".to_owned(), json!({"id": "root"}));
        if let Some(data) = self.data {
            request.insert("data".to_owned(), hashed(data, hasher));
        }
        if let Some(remote) = self.remote {
            request.insert("remote_address".to_owned(), remote.ip().to_string().into());
            request.insert("remote_port".to_owned(), remote.port().into());
        }
        Value::Object(request)
    }

    fn answer(&self, hasher: &Hasher) -> Value {
        let mut answer = Map::new();
        answer.insert("mount_point".to_owned(), self.mount_point.into());
        answer.insert("mount_type".to_owned(), self.mount_type.into());
        if let Some(data) = self.response {
            answer.insert("data".to_owned(), hashed(data, hasher));
        }
        Value::Object(answer)
    }
}

fn insert_hash(map: &mut Map<String, Value>, name: &str, value: Option<&str>, hasher: &Hasher) {
    if let Some(value) = value {
        map.insert(name.to_owned(), hasher.hash(value).into());
    }
}

/// The same with every string replaced; names of fields, numbers and booleans stay.
fn hashed(value: &Value, hasher: &Hasher) -> Value {
    match value {
        Value::String(text) => hasher.hash(text).into(),
        Value::Array(items) => items.iter().map(|item| hashed(item, hasher)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields.map(|(name, value)| (name.clone(), hashed(value, hasher))).collect()
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain.clone(),
    }
}

/// JSON by `serde_json` has no line breaks.
fn push_json(out: &mut Vec<u8>, value: &Value) {
    out.extend_from_slice(value.to_string().as_bytes());
}
