//! `auth/userpass`: users with passwords.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::super::Call;
use super::super::error::ApiError;
use super::super::reply::Reply;
use super::token_terms;
use crate::auth::{TokenTermsChange, Userpass};
use crate::record::Change;

/// `LIST users`.
pub(in super::super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(users(call)?.names()?)
}

/// `GET users/:username`.
pub(in super::super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let found = users(call)?.read(call.captured("username"))?;
    let mut data = Map::new();
    token_terms::describe(&found.ok_or_else(ApiError::nothing)?, &mut data);
    Ok(Reply::data(Value::Object(data)))
}

/// `POST users/:username`.
pub(in super::super) fn write(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (password, change) = (password(call)?, token_terms::change(call.fields)?);
    let password = password.as_deref().map(String::as_str);
    users(call)?.write(call.captured("username"), password, change)?;
    Ok(Reply::empty())
}

/// `DELETE users/:username`.
pub(in super::super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    users(call)?.delete(call.captured("username"))?;
    Ok(Reply::empty())
}

/// `POST users/:username/password`.
pub(in super::super) fn write_password(call: &Call<'_>) -> Result<Reply, ApiError> {
    let password = password(call)?.ok_or_else(|| ApiError::bad("missing password"))?;
    let unchanged = TokenTermsChange::default();
    users(call)?.update(call.captured("username"), Some(&password), unchanged)?;
    Ok(Reply::empty())
}

/// `POST users/:username/policies`.
pub(in super::super) fn write_policies(call: &Call<'_>) -> Result<Reply, ApiError> {
    let change = TokenTermsChange {
        policies: token_terms::policies(call.fields)?,
        ..TokenTermsChange::default()
    };
    users(call)?.update(call.captured("username"), None, change)?;
    Ok(Reply::empty())
}

/// `POST login/:username`.
pub(in super::super) fn login(call: &Call<'_>) -> Result<Reply, ApiError> {
    let password = password(call)?.unwrap_or_default();
    let name = call.captured("username");
    Ok(Reply::auth(users(call)?.login(name, &password, call.client())?))
}

fn users<'a>(call: &'a Call<'_>) -> Result<Userpass<'a>, ApiError> {
    Ok(Userpass::of(&call.services()?.auth, call.method()?))
}

fn password(call: &Call<'_>) -> Result<Option<Zeroizing<String>>, ApiError> {
    Ok(match call.fields.text("password")? {
        Change::To(text) => Some(Zeroizing::new(text)),
        Change::Keep | Change::Reset => None,
    })
}
