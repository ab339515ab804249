//! `auth/approle`: roles that programs log in as, and their secret IDs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::super::Call;
use super::super::error::ApiError;
use super::super::fields::Fields;
use super::super::reply::Reply;
use super::token_terms::{self, either, texts};
use crate::audit::seconds_text;
use crate::auth::{AppRole, AppRoleChange, NewSecretId, SecretIdState};
use crate::record::{Change, SecretIdAccessor};

/// `LIST role`.
pub(in super::super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(roles(call)?.names()?)
}

/// `GET role/:role_name`.
pub(in super::super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let role = roles(call)?.read(role(call))?.ok_or_else(ApiError::nothing)?;
    let mut data = Map::new();
    data.insert("bind_secret_id".to_owned(), role.bind_secret_id.into());
    data.insert("local_secret_ids".to_owned(), false.into());
    let bound = texts(&role.secret_id_bound_cidrs);
    data.insert("secret_id_bound_cidrs".to_owned(), json!((!bound.is_empty()).then_some(bound)));
    data.insert("secret_id_num_uses".to_owned(), role.secret_id_num_uses.into());
    data.insert("secret_id_ttl".to_owned(), role.secret_id_ttl.into());
    token_terms::describe(&role.token, &mut data);
    Ok(Reply::data(Value::Object(data)))
}

/// `POST role/:role_name`.
pub(in super::super) fn write(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields;
    let change = AppRoleChange {
        role_id: fields.text("role_id")?,
        bind_secret_id: fields.bool("bind_secret_id")?,
        secret_id_bound_cidrs: either(
            fields.list("secret_id_bound_cidrs")?,
            fields.list("bound_cidr_list")?,
        ),
        secret_id_num_uses: fields.u32("secret_id_num_uses")?,
        secret_id_ttl: fields.seconds("secret_id_ttl")?,
        token: token_terms::change(fields)?,
    };
    roles(call)?.write(role(call), change)?;
    Ok(Reply::empty())
}

/// `DELETE role/:role_name`.
pub(in super::super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    roles(call)?.delete(role(call))?;
    Ok(Reply::empty())
}

/// `GET role/:role_name/role-id`.
pub(in super::super) fn read_role_id(call: &Call<'_>) -> Result<Reply, ApiError> {
    let found = roles(call)?.role_id(role(call))?.ok_or_else(ApiError::nothing)?;
    Ok(Reply::data(json!({ "role_id": found })))
}

/// `POST role/:role_name/role-id`.
pub(in super::super) fn write_role_id(call: &Call<'_>) -> Result<Reply, ApiError> {
    let role_id = Change::To(call.fields.required("role_id")?);
    roles(call)?.update(role(call), AppRoleChange { role_id, ..AppRoleChange::default() })?;
    Ok(Reply::empty())
}

/// `LIST role/:role_name/secret-id`.
pub(in super::super) fn list_secret_ids(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(roles(call)?.secret_id_accessors(role(call))?)
}

/// `POST role/:role_name/secret-id`.
pub(in super::super) fn make_secret_id(call: &Call<'_>) -> Result<Reply, ApiError> {
    made(call, None)
}

/// `POST role/:role_name/custom-secret-id`.
pub(in super::super) fn make_custom_secret_id(call: &Call<'_>) -> Result<Reply, ApiError> {
    let wanted = Zeroizing::new(call.fields.text("secret_id")?.apply(String::new(), String::new()));
    made(call, Some(wanted))
}

/// `POST role/:role_name/secret-id/lookup`; nothing of one that is not there.
pub(in super::super) fn lookup(call: &Call<'_>) -> Result<Reply, ApiError> {
    let accessor = of_secret(call)?;
    let found = roles(call)?.secret_id(role(call), accessor)?;
    Ok(found.map_or_else(Reply::empty, |state| described(&state)))
}

/// `POST role/:role_name/secret-id/destroy`; one that is not there is ended already.
pub(in super::super) fn destroy(call: &Call<'_>) -> Result<Reply, ApiError> {
    let accessor = of_secret(call)?;
    roles(call)?.destroy_secret_id(role(call), accessor)?;
    Ok(Reply::empty())
}

/// `POST role/:role_name/secret-id-accessor/lookup`.
pub(in super::super) fn lookup_accessor(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (text, accessor) = accessor(call)?;
    let found = match accessor {
        Some(accessor) => roles(call)?.secret_id(role(call), accessor)?,
        None => None,
    };
    found.map(|state| described(&state)).ok_or_else(|| no_accessor(&text))
}

/// `POST role/:role_name/secret-id-accessor/destroy`.
pub(in super::super) fn destroy_accessor(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (text, accessor) = accessor(call)?;
    let was_there = match accessor {
        Some(accessor) => roles(call)?.destroy_secret_id(role(call), accessor)?,
        None => false,
    };
    if was_there { Ok(Reply::empty()) } else { Err(no_accessor(&text)) }
}

/// `POST tidy/secret-id`. It is done when it is answered.
pub(in super::super) fn tidy(call: &Call<'_>) -> Result<Reply, ApiError> {
    roles(call)?.tidy()?;
    Ok(Reply::empty())
}

/// `POST login`.
pub(in super::super) fn login(call: &Call<'_>) -> Result<Reply, ApiError> {
    let role_id = call.fields.text("role_id")?.apply(String::new(), String::new());
    let secret = Zeroizing::new(call.fields.text("secret_id")?.apply(String::new(), String::new()));
    Ok(Reply::auth(roles(call)?.login(&role_id, &secret, call.client())?))
}

fn roles<'a>(call: &'a Call<'_>) -> Result<AppRole<'a>, ApiError> {
    Ok(AppRole::of(&call.services()?.auth, call.method()?))
}

fn role<'a>(call: &'a Call<'_>) -> &'a str {
    call.captured("role_name")
}

fn made(call: &Call<'_>, secret_id: Option<Zeroizing<String>>) -> Result<Reply, ApiError> {
    let fields = call.fields;
    let new = NewSecretId {
        secret_id,
        metadata: metadata(fields)?,
        cidr_list: fields.list("cidr_list")?,
        token_bound_cidrs: fields.list("token_bound_cidrs")?,
        num_uses: fields.u32("num_uses")?,
        ttl: fields.seconds("ttl")?,
    };
    let made = roles(call)?.make_secret_id(role(call), new)?;
    Ok(Reply::data(json!({
        "secret_id": *made.secret_id,
        "secret_id_accessor": made.accessor.to_string(),
        "secret_id_ttl": made.ttl,
        "secret_id_num_uses": made.num_uses,
    })))
}

/// An object, or JSON text of one, as Vault's clients send it.
fn metadata(fields: Fields<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let text = match fields.text("metadata") {
        Ok(Change::To(text)) => text,
        _ => return Ok(fields.map("metadata")?.apply(BTreeMap::new(), BTreeMap::new())),
    };
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let read = serde_json::from_str::<Map<String, Value>>(&text);
    let read = read.map(|metadata| Map::from_iter([("metadata".to_owned(), metadata.into())]));
    let wrong = |_| ApiError::bad("field \"metadata\": expected JSON text of an object of strings");
    Ok(Fields::new(&read.map_err(wrong)?).map("metadata")?.apply(BTreeMap::new(), BTreeMap::new()))
}

fn of_secret(call: &Call<'_>) -> Result<SecretIdAccessor, ApiError> {
    let secret_id = Zeroizing::new(call.fields.required("secret_id")?);
    Ok(roles(call)?.accessor_of(role(call), &secret_id)?)
}

fn accessor(call: &Call<'_>) -> Result<(String, Option<SecretIdAccessor>), ApiError> {
    let text = call.fields.required("secret_id_accessor")?;
    let parsed = SecretIdAccessor::parse(&text);
    Ok((text, parsed))
}

fn no_accessor(text: &str) -> ApiError {
    ApiError::missing(format!("failed to find accessor entry for secret_id_accessor: {text:?}"))
}

fn described(state: &SecretIdState) -> Reply {
    // What Vault shows where there is no end.
    let never = || "0001-01-01T00:00:00Z".to_owned();
    Reply::data(json!({
        "secret_id_accessor": state.accessor.to_string(),
        "secret_id_num_uses": state.num_uses,
        "secret_id_ttl": state.ttl,
        "creation_time": seconds_text(state.creation_time),
        "expiration_time": state.expire_time.map_or_else(never, seconds_text),
        "last_updated_time": seconds_text(state.last_updated_time),
        "metadata": state.metadata,
        "cidr_list": texts(&state.cidr_list),
        "token_bound_cidrs": texts(&state.token_bound_cidrs),
    }))
}
