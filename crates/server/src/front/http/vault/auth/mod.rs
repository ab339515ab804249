//! `sys/auth` and `sys/locked-users`: auth methods, and who is locked out of them. One file for the
//! paths of each kind of method.

pub(super) mod approle;
pub(super) mod certificate;
pub(super) mod token_terms;
pub(super) mod userpass;

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::reply::Reply;
use super::{Call, remount};
use crate::auth::{AuthError, AuthMethods, Method, MethodKind};
use crate::mount::{MountPath, TuneChange, Tuning};
use crate::record::Change;

/// The method of tokens, which is always there.
const TOKEN_PATH: &str = "token/";
const TOKEN_TEXT: &str = "token based credentials";

/// `GET sys/auth`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut data = Map::new();
    for method in methods(call)?.list() {
        data.insert(method.path().to_string(), describe(&method));
    }
    data.insert(TOKEN_PATH.to_owned(), token());
    Ok(Reply::data(Value::Object(data)))
}

/// `GET sys/auth/:path`.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let path = path(call)?;
    if path.as_str() == TOKEN_PATH {
        return Ok(Reply::data(token()));
    }
    let method = methods(call)?.at(&path).ok_or(AuthError::NoMethod(path))?;
    Ok(Reply::data(describe(&method)))
}

/// `POST sys/auth/:path`.
pub(super) fn enable(call: &Call<'_>) -> Result<Reply, ApiError> {
    let kind = call.fields.text("type")?.apply(String::new(), String::new());
    let description = call.fields.text("description")?.apply(String::new(), String::new());
    let tuning = match call.fields.object("config")? {
        Some(config) => Tuning::default().apply(remount::tuning(config)?)?,
        None => Tuning::default(),
    };
    if kind.is_empty() {
        return Err(ApiError::bad("backend type must be specified as a string"));
    }
    let (kind, path) = (MethodKind::from_name(&kind)?, path(call)?);
    if path.as_str().ends_with("/tune/") {
        return Err(ApiError::unsupported_operation());
    }
    methods(call)?.enable(&path, kind, &description, tuning)?;
    Ok(Reply::empty())
}

/// `DELETE sys/auth/:path`.
pub(super) fn disable(call: &Call<'_>) -> Result<Reply, ApiError> {
    methods(call)?.disable(&path(call)?)?;
    Ok(Reply::empty())
}

/// `GET sys/auth/:path/tune`.
pub(super) fn read_tune(call: &Call<'_>) -> Result<Reply, ApiError> {
    let path = path(call)?;
    let mut data = if path.as_str() == TOKEN_PATH {
        remount::tuned(&Tuning::default(), TOKEN_TEXT)
    } else {
        let method = methods(call)?.at(&path).ok_or(AuthError::NoMethod(path))?;
        remount::tuned(method.tuning(), method.description())
    };
    data.insert("token_type".to_owned(), "default-service".into());
    Ok(Reply::data(Value::Object(data)))
}

/// `POST sys/auth/:path/tune`.
pub(super) fn tune(call: &Call<'_>) -> Result<Reply, ApiError> {
    let change = TuneChange {
        description: call.fields.text("description")?,
        ..remount::tuning(call.fields)?
    };
    // Whoever sets it counts on it: it must not be ignored.
    if matches!(call.fields.map("user_lockout_config")?, Change::To(config) if !config.is_empty()) {
        let text = "user_lockout_config is not supported: 5 failures lock a name for 15 minutes";
        return Err(ApiError::bad(text));
    }
    let path = path(call)?;
    if path.as_str() == TOKEN_PATH {
        return Err(ApiError::bad("the method of tokens cannot be tuned on this server"));
    }
    methods(call)?.tune(&path, change)?;
    Ok(Reply::empty())
}

/// `GET sys/locked-users`, of one method if an accessor is given.
pub(super) fn locked(call: &Call<'_>) -> Result<Reply, ApiError> {
    let wanted = call.fields.text("mount_accessor")?.apply(String::new(), String::new());
    let mut locked = methods(call)?.locked();
    locked.retain(|users| wanted.is_empty() || users.accessor == wanted);
    let total: usize = locked.iter().map(|users| users.names.len()).sum();
    let of_methods: Vec<Value> = locked
        .iter()
        .map(|users| {
            json!({
                "mount_accessor": users.accessor,
                "counts": users.names.len(),
                "alias_identifiers": users.names,
            })
        })
        .collect();
    let by_namespace = match total {
        0 => json!([]),
        _ => json!([{
            "namespace_id": "root",
            "namespace_path": "",
            "counts": total,
            "mount_accessors": of_methods,
        }]),
    };
    Ok(Reply::data(json!({ "by_namespace": by_namespace, "total": total })))
}

/// `POST sys/locked-users/:mount_accessor/unlock/:alias_identifier`.
pub(super) fn unlock(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (accessor, name) = (call.captured("mount_accessor"), call.captured("alias_identifier"));
    methods(call)?.unlock(accessor, name);
    Ok(Reply::empty())
}

fn methods<'a>(call: &'a Call<'_>) -> Result<&'a AuthMethods, ApiError> {
    Ok(&call.services()?.auth)
}

fn path(call: &Call<'_>) -> Result<MountPath, ApiError> {
    Ok(MountPath::parse(call.captured("path"))?)
}

fn describe(method: &Method) -> Value {
    let (kind, uuid) = (method.kind().name(), method.id().to_string());
    entry(kind, method.description(), method.accessor(), &uuid, method.tuning())
}

fn token() -> Value {
    entry("token", TOKEN_TEXT, "auth_token", "", &Tuning::default())
}

fn entry(kind: &str, description: &str, accessor: &str, uuid: &str, tuning: &Tuning) -> Value {
    let mut entry = super::mounts::entry(kind, description, accessor, uuid, tuning);
    if let Some(config) = entry.get_mut("config").and_then(Value::as_object_mut) {
        config.insert("token_type".to_owned(), "default-service".into());
    }
    entry
}
