//! `sys/policies/acl`, `sys/policy` and `sys/capabilities`: what tokens may do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::token::TokenInfo;

/// `LIST sys/policies/acl`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(call.services()?.policies.names())
}

/// `GET sys/policy`.
pub(super) fn list_old(call: &Call<'_>) -> Result<Reply, ApiError> {
    let names = call.services()?.policies.names();
    Ok(Reply::spread(json!({ "keys": names, "policies": names })))
}

/// `GET sys/policies/acl/:name`.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (name, text) = existing(call)?;
    Ok(Reply::data(json!({ "name": name, "policy": text })))
}

/// `GET sys/policy/:name`.
pub(super) fn read_old(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (name, text) = existing(call)?;
    Ok(Reply::spread(json!({ "name": name, "rules": text })))
}

/// `POST sys/policies/acl/:name`.
pub(super) fn write(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (text, older) = (call.fields.text("policy")?, call.fields.text("rules")?);
    let text = text.apply(older.apply(String::new(), String::new()), String::new());
    // No policy is base64 by chance: it has quotes in it.
    let decoded = STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let policies = &call.services()?.policies;
    policies.write(call.captured("name"), &decoded.unwrap_or(text))?;
    Ok(Reply::empty())
}

/// `DELETE sys/policies/acl/:name`.
pub(super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    call.services()?.policies.delete(call.captured("name"))?;
    Ok(Reply::empty())
}

/// `POST sys/capabilities-self`.
pub(super) fn of_caller(call: &Call<'_>) -> Result<Reply, ApiError> {
    let paths = paths(call)?;
    let (info, _) = call.caller.ok_or_else(ApiError::denied)?;
    capabilities(call, &paths, info)
}

/// `POST sys/capabilities`.
pub(super) fn of_token(call: &Call<'_>) -> Result<Reply, ApiError> {
    let paths = paths(call)?;
    let found = call.services()?.tokens.lookup(&call.fields.required("token")?)?;
    capabilities(call, &paths, &found.ok_or_else(|| ApiError::bad("invalid token"))?)
}

/// `POST sys/capabilities-accessor`.
pub(super) fn of_accessor(call: &Call<'_>) -> Result<Reply, ApiError> {
    let paths = paths(call)?;
    let accessor = call.fields.required("accessor")?;
    let found = call.services()?.tokens.lookup_accessor(&accessor)?;
    capabilities(call, &paths, &found.ok_or_else(|| ApiError::bad("invalid accessor"))?)
}

/// The paths asked for: there is one at least.
fn paths(call: &Call<'_>) -> Result<Vec<String>, ApiError> {
    let mut paths = call.fields.list("paths")?.apply(Vec::new(), Vec::new());
    paths.extend(call.fields.list("path")?.apply(Vec::new(), Vec::new()));
    if paths.is_empty() {
        return Err(ApiError::bad("paths must be supplied"));
    }
    Ok(paths)
}

/// What a token may do to paths; of a single one also without its name.
fn capabilities(call: &Call<'_>, paths: &[String], info: &TokenInfo) -> Result<Reply, ApiError> {
    let policies = &call.services()?.policies;
    let names = |path: &str| {
        if info.is_root() { vec!["root"] } else { policies.granted(&info.policies, path).names() }
    };
    let mut data: Map<String, Value> =
        paths.iter().map(|path| (path.clone(), json!(names(path)))).collect();
    if let [path] = paths {
        data.insert("capabilities".to_owned(), json!(names(path)));
    }
    Ok(Reply::spread(Value::Object(data)))
}

fn existing(call: &Call<'_>) -> Result<(String, String), ApiError> {
    let name = call.captured("name").to_lowercase();
    let text = call.services()?.policies.text(&name).ok_or_else(ApiError::nothing)?;
    Ok((name, text))
}
