//! Response wrapping: `X-Vault-Wrap-TTL`, and `sys/wrapping`, where what was wrapped is taken out, once.

use serde_json::{Value, json};

use super::error::ApiError;
use super::reply::{Content, Reply, WrapInfo};
use super::request::{Incoming, Operation, Request};
use super::{Call, Services};
use crate::audit::seconds_text;
use crate::token::{Created, Tokens, Wrapped};

/// Wraps the answer of a request that asks for it. What has neither `data` nor `auth` is left as it is,
/// as in Vault: nothing, a file, and the bodies that have no envelope.
pub(super) fn wrap_answer(
    services: &Services,
    request: &Request,
    reply: Reply,
) -> Result<Reply, ApiError> {
    let Some(ttl) = request.wrap_ttl else { return Ok(reply) };
    let Reply { content, warnings } = reply;
    let (data, auth) = match content {
        Content::Data(data) | Content::Spread(data) => (Some(data), None),
        Content::Auth(auth) => (None, Some(auth.json())),
        content => return Ok(Reply { content, warnings }),
    };
    let wrapped = Wrapped { data, auth, warnings: warnings.clone() };
    let accessor = wrapped.accessor();
    let created = services.tokens.wrap(wrapped, ttl, &request.path.text())?;
    Ok(Reply::wrapped(WrapInfo::of(created, accessor), warnings))
}

/// Why a request whose token is not alive is refused. Where the token itself is what is to be
/// unwrapped it is said so: a wrapping token that has been used is a sign that somebody else had it.
pub(super) fn refusal(request: &Request, incoming: &Incoming) -> ApiError {
    let path = request.path.text();
    let unwraps = request.operation == Operation::Update
        && ["sys/wrapping/unwrap", "sys/wrapping/rewrap"].contains(&path.as_str());
    let names_another = || incoming.fields().is_ok_and(|fields| fields.contains_key("token"));
    if unwraps && !names_another() { not_valid() } else { ApiError::denied() }
}

/// `POST sys/wrapping/wrap`: what is sent is the answer.
pub(super) fn wrap(call: &Call<'_>) -> Result<Reply, ApiError> {
    if call.wrap_ttl.is_none() {
        return Err(ApiError::bad("endpoint requires response wrapping to be used"));
    }
    Ok(Reply::data(Value::Object(call.fields.all().clone())))
}

/// `POST sys/wrapping/unwrap`. An answer that is to be wrapped at once is moved, as it is: were it taken
/// out first, one that cannot be wrapped would be lost.
pub(super) fn unwrap(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (tokens, token) = (tokens(call)?, token(call)?);
    let Some(ttl) = call.wrap_ttl else {
        let taken = tokens.take_wrapped(&token)?;
        return Ok(Reply::unwrapped(taken.ok_or_else(not_valid)?));
    };
    moved(tokens.wrap_again(&token, ttl, "sys/wrapping/unwrap")?)
}

/// `POST sys/wrapping/rewrap`: the same under a new token.
pub(super) fn rewrap(call: &Call<'_>) -> Result<Reply, ApiError> {
    let ttl = call.wrap_ttl.unwrap_or_default();
    moved(tokens(call)?.rewrap(&token(call)?, ttl)?)
}

/// The answer of a request that put an answer under another token, if there was one.
fn moved(again: Option<(Created, Option<String>)>) -> Result<Reply, ApiError> {
    let (created, accessor) = again.ok_or_else(not_valid)?;
    Ok(Reply::wrapped(WrapInfo::of(created, accessor), Vec::new()))
}

/// `POST sys/wrapping/lookup`, and `GET` with the wrapping token as the caller's.
pub(super) fn lookup(call: &Call<'_>) -> Result<Reply, ApiError> {
    let info = tokens(call)?.lookup_wrapping(&token(call)?)?.ok_or_else(not_valid)?;
    Ok(Reply::data(json!({
        "creation_path": info.path,
        "creation_time": seconds_text(info.creation_time),
        "creation_ttl": info.creation_ttl,
    })))
}

/// The wrapping token: in the body, else the caller's own.
fn token(call: &Call<'_>) -> Result<String, ApiError> {
    let given = call.fields.text("token")?.apply(String::new(), String::new());
    if !given.is_empty() {
        return Ok(given.trim().to_owned());
    }
    call.caller.map(|(_, token)| token.to_owned()).ok_or_else(not_valid)
}

fn tokens<'a>(call: &'a Call<'_>) -> Result<&'a Tokens, ApiError> {
    Ok(&call.services()?.tokens)
}

fn not_valid() -> ApiError {
    ApiError::bad("wrapping token is not valid or does not exist")
}
