//! Entries of the HTTP API, in the shape of Vault's audit devices: `type` "request" and "response",
//! the same `request.id`, every string of request and response data as a keyed hash. Pure.

use super::entry::{Object, Phase, seconds_text};
use super::form::Form;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// Fields of `auth` and `wrap_info` in a response that let their reader act.
const SECRETS: [&str; 2] = ["client_token", "token"];
/// And those that name a token.
const ACCESSORS: [&str; 2] = ["accessor", "wrapped_accessor"];

/// Who called, as far as a token told.
#[derive(Clone, Debug, Default)]
pub struct Caller<'a> {
    /// The token; written as a keyed hash.
    pub client_token: Option<&'a str>,
    /// Its accessor; written as a keyed hash unless the device says otherwise.
    pub accessor: Option<&'a str>,
    /// The token's display name.
    pub display_name: &'a str,
    /// The names of its policies.
    pub policies: &'a [&'a str],
    /// `service` or `batch`.
    pub token_type: &'a str,
    /// When it was issued, in seconds since 1970.
    pub issued: Option<i64>,
    /// What its policies say of the request; `None` before they were asked.
    pub verdict: Option<Verdict<'a>>,
}

/// What a token's policies say of a request.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// Whether they allow it.
    pub allowed: bool,
    /// The names of those that do.
    pub granting: &'a [&'a str],
}

/// Where a request went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target<'a> {
    /// The mount's path, such as `kmip/`.
    pub point: &'a str,
    /// Its type, such as `kmip` or `system`.
    pub kind: &'a str,
    /// Its accessor, such as `kmip_ab12cd34`.
    pub accessor: &'a str,
    /// `secret` or `auth`.
    pub class: &'a str,
}

/// What was answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered<'a> {
    /// The answer's `data`; its strings are written as keyed hashes.
    pub data: Option<&'a Value>,
    /// The answer's `auth`; its tokens and accessors are written as keyed hashes.
    pub auth: Option<&'a Value>,
    /// The answer's `wrap_info`; its tokens and accessors are written as keyed hashes.
    pub wrap_info: Option<&'a Value>,
    /// What the caller was warned of.
    pub warnings: &'a [String],
}

/// A request of the HTTP API.
#[derive(Clone, Debug, Default)]
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
    /// The mount that the path leads to.
    pub mount: Target<'a>,
    /// Who called; default if nobody knows yet.
    pub caller: Caller<'a>,
    /// The request's body; its strings are written as keyed hashes.
    pub data: Option<&'a Value>,
    /// Fields at the top of `data` that are written as they are: the mount's
    /// `audit_non_hmac_request_keys`.
    pub plain_request_keys: &'a [String],
    /// The answer, in a response.
    pub response: Answered<'a>,
    /// Fields at the top of its data that are written as they are: the mount's
    /// `audit_non_hmac_response_keys`.
    pub plain_response_keys: &'a [String],
    /// How long the answer is to be kept for whoever unwraps it, in seconds, if it is wrapped.
    pub wrap_ttl: Option<i64>,
    /// What went wrong, in a response, or why it is not carried out.
    pub error: Option<&'a str>,
    /// The client's address.
    pub remote: Option<SocketAddr>,
    /// Serial number of the client's certificate.
    pub client_certificate_serial: Option<&'a str>,
}

impl Api<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>, form: &Form) {
        let mut object = Object::begin(out, self.time_us, self.phase.text());
        object.key("auth");
        push_json(object.out, &self.auth(form));
        object.key("request");
        push_json(object.out, &self.request(form));
        if self.phase == Phase::Response {
            object.key("response");
            push_json(object.out, &self.answer(form));
        }
        object.optional("error", self.error);
    }

    fn auth(&self, form: &Form) -> Value {
        let caller = &self.caller;
        let mut auth = Map::new();
        insert(&mut auth, "client_token", caller.client_token.map(|token| form.secret(token)));
        insert(&mut auth, "accessor", caller.accessor.map(|accessor| form.accessor(accessor)));
        if caller.accessor.is_some() {
            insert(&mut auth, "display_name", Some(caller.display_name));
            insert(&mut auth, "policies", Some(caller.policies));
            insert(&mut auth, "token_policies", Some(caller.policies));
            insert(&mut auth, "token_type", Some(caller.token_type));
            insert(&mut auth, "token_issue_time", caller.issued.map(seconds_text));
        }
        if let Some(verdict) = caller.verdict {
            let policy = |name: &&str| json!({"name": name, "namespace_id": "root", "type": "acl"});
            let granting: Vec<Value> = verdict.granting.iter().map(policy).collect();
            let mut results = Map::new();
            insert(&mut results, "allowed", Some(verdict.allowed));
            if !granting.is_empty() {
                insert(&mut results, "granting_policies", Some(granting));
            }
            auth.insert("policy_results".to_owned(), results.into());
        }
        Value::Object(auth)
    }

    fn request(&self, form: &Form) -> Value {
        let mut request = Map::new();
        for (name, value) in [("id", self.id), ("operation", self.operation), ("path", self.path)] {
            insert(&mut request, name, Some(value));
        }
        self.mount.write(&mut request);
        let caller = &self.caller;
        insert(&mut request, "client_token", caller.client_token.map(|token| form.secret(token)));
        let accessor = caller.accessor.map(|accessor| form.accessor(accessor));
        insert(&mut request, "client_token_accessor", accessor);
        request.insert("namespace".to_owned(), json!({"id": "root"}));
        let data = self.data.map(|data| hashed_below(data, self.plain_request_keys, form));
        insert(&mut request, "data", data);
        if let Some(remote) = self.remote {
            insert(&mut request, "remote_address", Some(remote.ip().to_string()));
            insert(&mut request, "remote_port", Some(remote.port()));
        }
        insert(&mut request, "wrap_ttl", self.wrap_ttl);
        insert(&mut request, "client_certificate_serial_number", self.client_certificate_serial);
        Value::Object(request)
    }

    fn answer(&self, form: &Form) -> Value {
        let response = &self.response;
        let mut answer = Map::new();
        self.mount.write(&mut answer);
        let data = response.data.map(|data| {
            let elided =
                (form.elides_list_responses() && self.operation == "list").then(|| elided(data));
            hashed_below(elided.as_ref().unwrap_or(data), self.plain_response_keys, form)
        });
        insert(&mut answer, "data", data);
        insert(&mut answer, "auth", response.auth.map(|auth| without_tokens(auth, form)));
        insert(&mut answer, "wrap_info", response.wrap_info.map(|info| without_tokens(info, form)));
        if !response.warnings.is_empty() {
            insert(&mut answer, "warnings", Some(response.warnings));
        }
        Value::Object(answer)
    }
}

impl Target<'_> {
    fn write(&self, map: &mut Map<String, Value>) {
        for (name, value) in [
            ("mount_point", self.point),
            ("mount_type", self.kind),
            ("mount_accessor", self.accessor),
            ("mount_class", self.class),
        ] {
            insert(map, name, Some(value).filter(|value| !value.is_empty()));
        }
    }
}

fn insert<T: Into<Value>>(map: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

/// The same with every string replaced, but for the fields named `plain`.
fn hashed_below(value: &Value, plain: &[String], form: &Form) -> Value {
    let Value::Object(fields) = value else { return hashed(value, form) };
    let field = |(name, value): (&String, &Value)| {
        let is_plain = plain.contains(name);
        (name.clone(), if is_plain { value.clone() } else { hashed(value, form) })
    };
    fields.iter().map(field).collect()
}

/// The same with every string replaced; names of fields, numbers and booleans stay.
fn hashed(value: &Value, form: &Form) -> Value {
    match value {
        Value::String(text) => form.secret(text).into(),
        Value::Array(items) => items.iter().map(|item| hashed(item, form)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields.map(|(name, value)| (name.clone(), hashed(value, form))).collect()
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain.clone(),
    }
}

/// The same with what lets its reader act, or names a token, replaced.
fn without_tokens(value: &Value, form: &Form) -> Value {
    let Value::Object(fields) = value else { return hashed(value, form) };
    let field = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) if SECRETS.contains(&name.as_str()) => form.secret(text).into(),
            Value::String(text) if ACCESSORS.contains(&name.as_str()) => form.accessor(text).into(),
            // What a login method wrote down about the token may be anything.
            Value::Object(_) => hashed(value, form),
            plain => plain.clone(),
        };
        (name.clone(), value)
    };
    fields.iter().map(field).collect()
}

/// A list's answer with numbers in place of the keys and what is known of each.
fn elided(data: &Value) -> Value {
    let mut data = data.clone();
    if let Some(keys) = data.get_mut("keys")
        && let Some(count) = keys.as_array().map(Vec::len)
    {
        *keys = count.into();
    }
    if let Some(infos) = data.get_mut("key_info")
        && let Some(count) = infos.as_object().map(Map::len)
    {
        *infos = count.into();
    }
    data
}

/// JSON by `serde_json` has no line breaks.
fn push_json(out: &mut Vec<u8>, value: &Value) {
    out.extend_from_slice(value.to_string().as_bytes());
}
