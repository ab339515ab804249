//! Answers of the HTTP API: the envelope, and what goes without one.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::error::ApiError;
use crate::token::{Created, TokenInfo};

/// A successful answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) content: Content,
    pub(super) warnings: Vec<String>,
}

/// What an answer carries.
#[derive(Debug)]
pub(super) enum Content {
    /// Nothing: 204, or an envelope when there are warnings.
    Empty,
    /// `data` of an envelope.
    Data(Map<String, Value>),
    /// The same, its keys also beside it, as in Vault's first versions.
    Spread(Map<String, Value>),
    /// `auth` of an envelope: a token that was made or renewed.
    Auth(Auth),
    /// A body of its own, under a status of its own.
    Bare(u16, Value),
}

/// What an answer tells of a token (vault's `auth`).
#[derive(Serialize)]
pub(super) struct Auth {
    #[serde(serialize_with = "secret_text")]
    client_token: Zeroizing<String>,
    accessor: String,
    policies: Vec<String>,
    token_policies: Vec<String>,
    metadata: Option<BTreeMap<String, String>>,
    lease_duration: i64,
    renewable: bool,
    entity_id: &'static str,
    token_type: &'static str,
    orphan: bool,
    mfa_requirement: Option<()>,
    num_uses: u32,
}

impl Auth {
    fn of(info: &TokenInfo, ttl: i64, client_token: Zeroizing<String>) -> Self {
        Self {
            client_token,
            accessor: info.accessor.clone(),
            policies: info.policies.clone(),
            token_policies: info.policies.clone(),
            metadata: (!info.meta.is_empty()).then(|| info.meta.clone()),
            lease_duration: ttl,
            renewable: info.renewable,
            entity_id: "",
            token_type: "service",
            orphan: info.parent.is_none(),
            mfa_requirement: None,
            num_uses: info.num_uses,
        }
    }

    /// As JSON, for the audit, which hashes every string of it.
    pub(super) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("policies", &self.policies).finish_non_exhaustive()
    }
}

fn secret_text<S: Serializer>(text: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl Reply {
    /// Done; nothing to tell.
    pub(super) fn empty() -> Self {
        Self { content: Content::Empty, warnings: Vec::new() }
    }

    /// Data, which must be a JSON object.
    pub(super) fn data(value: Value) -> Self {
        let map = match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Self { content: Content::Data(map), warnings: Vec::new() }
    }

    /// Data whose keys also stand beside `data`, for clients of Vault's first versions.
    pub(super) fn spread(value: Value) -> Self {
        let mut reply = Self::data(value);
        if let Content::Data(data) = reply.content {
            reply.content = Content::Spread(data);
        }
        reply
    }

    /// Keys of a list; an empty one is a 404 without words, as in Vault.
    pub(super) fn keys<T: ToString>(keys: impl IntoIterator<Item = T>) -> Result<Self, ApiError> {
        let keys: Vec<String> = keys.into_iter().map(|key| key.to_string()).collect();
        if keys.is_empty() {
            return Err(ApiError::nothing());
        }
        Ok(Self::data(serde_json::json!({ "keys": keys })))
    }

    /// A token just made, by a login or by another token.
    pub(super) fn auth(created: Created) -> Self {
        let warnings = created.warnings;
        let auth = Auth::of(&created.info, created.info.creation_ttl, created.token);
        Self { content: Content::Auth(auth), warnings }
    }

    /// A token that was renewed, and now has `ttl` seconds.
    pub(super) fn renewed(info: &TokenInfo, ttl: i64, token: Zeroizing<String>) -> Self {
        Self { content: Content::Auth(Auth::of(info, ttl, token)), warnings: Vec::new() }
    }

    /// A body without an envelope.
    pub(super) fn bare(status: u16, body: Value) -> Self {
        Self { content: Content::Bare(status, body), warnings: Vec::new() }
    }

    /// The same, with warnings.
    pub(super) fn warning(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }
}

/// What leaves: a status and, unless it is empty, JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON with a newline, or nothing.
    pub body: Vec<u8>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    request_id: &'a str,
    lease_id: &'a str,
    renewable: bool,
    lease_duration: u32,
    data: Option<&'a Map<String, Value>>,
    wrap_info: Option<()>,
    warnings: Option<&'a [String]>,
    auth: Option<&'a Auth>,
    mount_type: &'a str,
}

/// Renders a reply.
pub(super) fn render(reply: &Reply, request_id: &str, mount_type: &str) -> Answer {
    let data = match &reply.content {
        Content::Bare(status, body) => return json(*status, body),
        Content::Empty if reply.warnings.is_empty() => {
            return Answer { status: 204, body: Vec::new() };
        }
        Content::Empty | Content::Auth(_) => None,
        Content::Data(data) | Content::Spread(data) => Some(data),
    };
    let auth = match &reply.content {
        Content::Auth(auth) => Some(auth),
        _ => None,
    };
    let envelope = Envelope {
        request_id,
        lease_id: "",
        renewable: false,
        lease_duration: 0,
        data,
        wrap_info: None,
        warnings: (!reply.warnings.is_empty()).then_some(&reply.warnings),
        auth,
        mount_type,
    };
    match &reply.content {
        Content::Spread(data) => {
            let mut whole = data.clone();
            if let Ok(Value::Object(fields)) = serde_json::to_value(&envelope) {
                whole.extend(fields);
            }
            json(200, &whole)
        }
        _ => json(200, &envelope),
    }
}

/// Renders a failure.
pub(super) fn render_error(error: &ApiError) -> Answer {
    json(error.status, &serde_json::json!({ "errors": error.errors }))
}

fn json(status: u16, body: &impl Serialize) -> Answer {
    let mut bytes = serde_json::to_vec(body).unwrap_or_default();
    bytes.push(b'\n');
    Answer { status, body: bytes }
}
