//! Answers of the HTTP API: the envelope, and what goes without one.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::error::ApiError;
use crate::audit::seconds_text;
use crate::token::{Created, TokenInfo, Wrapped};

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
    /// `wrap_info` of an envelope: the answer itself waits for whoever unwraps it.
    WrapInfo(WrapInfo),
    /// `data` or `auth` of an envelope, as they were when they were wrapped.
    Unwrapped(Wrapped),
    /// A body of its own, under a status of its own.
    Bare(u16, Value),
    /// A file.
    Download(Download),
    /// Bytes that are not JSON, and their media type.
    Raw(&'static str, Vec<u8>),
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

/// What an answer tells of the token that unwraps it (vault's `wrap_info`).
#[derive(Serialize)]
pub(super) struct WrapInfo {
    #[serde(serialize_with = "secret_text")]
    token: Zeroizing<String>,
    accessor: String,
    ttl: i64,
    creation_time: String,
    creation_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapped_accessor: Option<String>,
}

impl WrapInfo {
    /// Of a wrapping token just made, and of the token in the answer, if there is one.
    pub(super) fn of(created: Created, wrapped_accessor: Option<String>) -> Self {
        let Created { token, info, .. } = created;
        Self {
            token,
            accessor: info.accessor,
            ttl: info.creation_ttl,
            creation_time: seconds_text(info.creation_time),
            creation_path: info.path,
            wrapped_accessor,
        }
    }

    /// As JSON, for the audit, which hashes the tokens in it.
    pub(super) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl fmt::Debug for WrapInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrapInfo").field("ttl", &self.ttl).finish_non_exhaustive()
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

    /// An answer that was wrapped, in place of which the token that unwraps it is told.
    pub(super) fn wrapped(info: WrapInfo, warnings: Vec<String>) -> Self {
        Self { content: Content::WrapInfo(info), warnings }
    }

    /// An answer that had been wrapped.
    pub(super) fn unwrapped(mut wrapped: Wrapped) -> Self {
        let warnings = std::mem::take(&mut wrapped.warnings);
        Self { content: Content::Unwrapped(wrapped), warnings }
    }

    /// A body without an envelope.
    pub(super) fn bare(status: u16, body: Value) -> Self {
        Self { content: Content::Bare(status, body), warnings: Vec::new() }
    }

    /// A file.
    pub(super) fn download(
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let content = Content::Download(Download(Box::new(write)));
        Self { content, warnings: Vec::new() }
    }

    /// What is not JSON: a file that other programs read.
    pub(super) fn raw(content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { content: Content::Raw(content_type, bytes), warnings: Vec::new() }
    }

    /// The same, with warnings.
    pub(super) fn warning(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }
}

/// What leaves: a status and, unless it is empty, a body: JSON but for a few files.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The media type of the body, exactly as it is sent.
    pub content_type: &'static str,
    /// JSON with a newline, a file, or nothing.
    pub body: Vec<u8>,
    /// A file instead of the body.
    pub download: Option<Download>,
}

impl Answer {
    fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, body, download: None }
    }
}

/// A file that is written while it is sent. A failure cuts it off, which its format must show.
pub struct Download(Box<Sending>);

/// What writes a file.
type Sending = dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send;

impl Download {
    /// Writes it. Blocks.
    ///
    /// # Errors
    /// The receiver's, or why there is no more.
    pub fn write(self, out: &mut dyn Write) -> io::Result<()> {
        self.0(out)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Download(…)")
    }
}

/// Exactly this: clients compare it as it stands.
pub const JSON: &str = "application/json";

/// What only its own program reads.
const OCTETS: &str = "application/octet-stream";

#[derive(Serialize)]
struct Envelope<'a> {
    request_id: &'a str,
    lease_id: &'a str,
    renewable: bool,
    lease_duration: u32,
    data: Option<&'a Map<String, Value>>,
    wrap_info: Option<&'a WrapInfo>,
    warnings: Option<&'a [String]>,
    auth: Option<AuthBody<'a>>,
    mount_type: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum AuthBody<'a> {
    Made(&'a Auth),
    Unwrapped(&'a Value),
}

/// Renders a reply.
pub(super) fn render(reply: Reply, request_id: &str, mount_type: &str) -> Answer {
    let reply = match reply.content {
        Content::Raw(content_type, body) => return Answer::new(200, content_type, body),
        Content::Download(download) => {
            let answer = Answer::new(200, OCTETS, Vec::new());
            return Answer { download: Some(download), ..answer };
        }
        content => Reply { content, ..reply },
    };
    let is_spread = matches!(reply.content, Content::Spread(_));
    let (mut data, mut auth, mut wrap_info) = (None, None, None);
    match &reply.content {
        Content::Bare(status, body) => return json(*status, body),
        Content::Empty if reply.warnings.is_empty() => return Answer::new(204, JSON, Vec::new()),
        Content::Empty | Content::Raw(..) | Content::Download(_) => {}
        Content::Auth(made) => auth = Some(AuthBody::Made(made)),
        Content::Data(it) | Content::Spread(it) => data = Some(it),
        Content::WrapInfo(info) => wrap_info = Some(info),
        Content::Unwrapped(wrapped) => {
            data = wrapped.data.as_ref();
            auth = wrapped.auth.as_ref().map(AuthBody::Unwrapped);
        }
    }
    let envelope = Envelope {
        request_id,
        lease_id: "",
        renewable: false,
        lease_duration: 0,
        data,
        wrap_info,
        warnings: (!reply.warnings.is_empty()).then_some(&reply.warnings),
        auth,
        mount_type,
    };
    match data {
        Some(data) if is_spread => {
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
    Answer::new(status, JSON, bytes)
}
