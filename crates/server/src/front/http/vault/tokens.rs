//! `auth/token`: making, showing, renewing and ending tokens.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::auth::certificate::is_revoked;
use super::error::ApiError;
use super::reply::Reply;
use super::{Call, new_token};
use crate::audit::seconds_text;
use crate::token::{TokenId, TokenInfo, Tokens};

/// `POST auth/token/create`.
pub(super) fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (caller, _) = caller(call)?;
    let path = "auth/token/create";
    let new = new_token::of_request(call, caller, path, false)?;
    Ok(Reply::auth(tokens(call)?.create(new)?))
}

/// `POST auth/token/create/:role_name`.
pub(super) fn create_under_role(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (caller, _) = caller(call)?;
    let name = call.captured("role_name");
    let role = tokens(call)?.role(name)?;
    let role = role.ok_or_else(|| ApiError::bad(format!("unknown role {name}")))?;
    let (new, warnings) = new_token::under_role(call, caller, &role)?;
    Ok(Reply::auth(tokens(call)?.create(new)?).warning(warnings))
}

/// `POST auth/token/create-orphan`.
pub(super) fn create_orphan(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (caller, _) = caller(call)?;
    let path = "auth/token/create-orphan";
    let new = new_token::of_request(call, caller, path, true)?;
    Ok(Reply::auth(tokens(call)?.create(new)?))
}

/// `POST auth/token/tidy`: done when it is answered.
pub(super) fn tidy(call: &Call<'_>) -> Result<Reply, ApiError> {
    let ended = tokens(call)?.sweep()?;
    tracing::info!(ended, "tokens whose time has come were removed");
    Ok(Reply::empty())
}

/// `LIST auth/token/accessors`.
pub(super) fn accessors(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(tokens(call)?.accessors()?)
}

/// `POST auth/token/lookup`; without a token, the caller's own.
pub(super) fn lookup(call: &Call<'_>) -> Result<Reply, ApiError> {
    let given = call.fields.text("token")?.apply(String::new(), String::new());
    if given.is_empty() {
        return lookup_self(call);
    }
    let info = tokens(call)?.lookup(&given)?.ok_or_else(ApiError::bad_token)?;
    Ok(Reply::data(described(call, &info, &given)))
}

/// `GET auth/token/lookup-self`.
pub(super) fn lookup_self(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (info, token) = caller(call)?;
    Ok(Reply::data(described(call, info, token)))
}

/// `POST auth/token/lookup-accessor`.
pub(super) fn lookup_accessor(call: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::data(described(call, &of_accessor(call)?, "")))
}

/// `POST auth/token/renew`.
pub(super) fn renew(call: &Call<'_>) -> Result<Reply, ApiError> {
    let given = call.fields.text("token")?.apply(String::new(), String::new());
    if given.is_empty() {
        return renew_self(call);
    }
    let increment = increment(call)?;
    let info = tokens(call)?.lookup(&given)?.ok_or_else(|| ApiError::bad("token not found"))?;
    renewed(call, info.id, increment, &given)
}

/// `POST auth/token/renew-self`.
pub(super) fn renew_self(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (info, token) = caller(call)?;
    renewed(call, info.id, increment(call)?, token)
}

/// `POST auth/token/renew-accessor`.
pub(super) fn renew_accessor(call: &Call<'_>) -> Result<Reply, ApiError> {
    let increment = increment(call)?;
    renewed(call, of_accessor(call)?.id, increment, "")
}

/// `POST auth/token/revoke`; a token that is not there is ended already.
pub(super) fn revoke(call: &Call<'_>) -> Result<Reply, ApiError> {
    let given = call.fields.required("token")?;
    if let Some(info) = tokens(call)?.lookup(&given)? {
        tokens(call)?.revoke(info.id)?;
    }
    Ok(Reply::empty())
}

/// `POST auth/token/revoke-self`.
pub(super) fn revoke_self(call: &Call<'_>) -> Result<Reply, ApiError> {
    tokens(call)?.revoke(caller(call)?.0.id)?;
    Ok(Reply::empty())
}

/// `POST auth/token/revoke-accessor`.
pub(super) fn revoke_accessor(call: &Call<'_>) -> Result<Reply, ApiError> {
    tokens(call)?.revoke(of_accessor(call)?.id)?;
    Ok(Reply::empty())
}

/// `POST auth/token/revoke-orphan`.
pub(super) fn revoke_orphan(call: &Call<'_>) -> Result<Reply, ApiError> {
    let found = tokens(call)?.lookup(&call.fields.required("token")?)?;
    let info = found.ok_or_else(|| ApiError::bad("token to revoke not found"))?;
    tokens(call)?.revoke_orphaning(info.id)?;
    Ok(Reply::empty())
}

fn tokens<'a>(call: &'a Call<'_>) -> Result<&'a Tokens, ApiError> {
    Ok(&call.services()?.tokens)
}

fn caller<'a>(call: &Call<'a>) -> Result<(&'a TokenInfo, &'a str), ApiError> {
    call.caller.ok_or_else(ApiError::denied)
}

fn of_accessor(call: &Call<'_>) -> Result<TokenInfo, ApiError> {
    let accessor = call.fields.required("accessor")?;
    tokens(call)?.lookup_accessor(&accessor)?.ok_or_else(ApiError::bad_accessor)
}

/// How many seconds from now the token shall have; 0 leaves it to the server.
fn increment(call: &Call<'_>) -> Result<i64, ApiError> {
    Ok(call.fields.seconds("increment")?.apply(0, 0))
}

fn renewed(call: &Call<'_>, id: TokenId, increment: i64, token: &str) -> Result<Reply, ApiError> {
    let missing = || ApiError::bad("token not found");
    let info = tokens(call)?.lookup_id(id)?.ok_or_else(missing)?;
    if !info.role.is_empty() && tokens(call)?.role(&info.role)?.is_none() {
        let text = format!("original token role {:?} could not be found, not renewing", info.role);
        return Err(ApiError::bad(text));
    }
    let terms = call
        .services()?
        .auth
        .terms_at_renewal(&info, call.client(), &|chain| is_revoked(call, chain))?;
    let renewed = tokens(call)?.renew(id, increment, terms)?;
    let (info, warnings) = renewed.ok_or_else(missing)?;
    // Of that moment: storing it may have taken until the next second.
    let ttl = info.ttl(info.last_renewal_time.unwrap_or_else(|| call.api.clock.now()));
    Ok(Reply::renewed(&info, ttl, Zeroizing::new(token.to_owned())).warning(warnings))
}

/// What a token is, in the words of Vault's lookups.
fn described(call: &Call<'_>, info: &TokenInfo, token: &str) -> Value {
    let mut data = json!({
        "id": token,
        "accessor": info.accessor,
        "creation_time": info.creation_time,
        "creation_ttl": info.creation_ttl,
        "display_name": info.display_name,
        "entity_id": "",
        "expire_time": info.expire_time.map(seconds_text),
        "explicit_max_ttl": info.explicit_max_ttl,
        "issue_time": seconds_text(info.creation_time),
        "meta": (!info.meta.is_empty()).then_some(&info.meta),
        "num_uses": info.num_uses,
        "orphan": info.parent.is_none(),
        "path": info.path,
        "policies": info.policies,
        "renewable": info.renewable,
        "ttl": info.ttl(call.api.clock.now()),
        "type": "service",
    });
    if let Some(fields) = data.as_object_mut() {
        if !info.role.is_empty() {
            fields.insert("role".to_owned(), json!(info.role));
        }
        if !info.bound_cidrs.is_empty() {
            fields.insert("bound_cidrs".to_owned(), json!(info.bound_cidrs));
        }
        if info.period > 0 {
            fields.insert("period".to_owned(), json!(info.period));
        }
        if let Some(time) = info.last_renewal_time {
            fields.insert("last_renewal".to_owned(), json!(seconds_text(time)));
            fields.insert("last_renewal_time".to_owned(), json!(time));
        }
    }
    data
}
