//! `sys/mounts`: mount, list, show, unmount engines.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::reply::Reply;
use super::{Call, Services, remount};
use crate::access::AccessError;
use crate::mount::{Mount, MountError, MountPath, Tuning};
use crate::record::Change;

/// `GET sys/mounts`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let mounts = call.services()?.mounts.list();
    let mut data = Map::new();
    data.insert("sys/".to_owned(), system());
    for mount in mounts {
        data.insert(mount.path().to_string(), describe(&mount));
    }
    Ok(Reply::data(Value::Object(data)))
}

/// `GET sys/mounts/:path`.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let services = call.services()?;
    let text = call.captured("path");
    if text == "sys" {
        return Ok(Reply::data(system()));
    }
    Ok(Reply::data(describe(&*existing(services, text)?)))
}

/// `POST sys/mounts/:path`.
pub(super) fn create(call: &Call<'_>) -> Result<Reply, ApiError> {
    let kind = match call.fields.text("type")? {
        Change::To(kind) if !kind.is_empty() => kind,
        _ => return Err(ApiError::bad("backend type must be specified as a string")),
    };
    if kind != "kmip" {
        return Err(ApiError::bad(format!("plugin not found in the catalog: {kind}")));
    }
    let path = MountPath::parse(call.captured("path"))?;
    if path.as_str().ends_with("/tune/") {
        return Err(ApiError::unsupported_operation());
    }
    let description = call.fields.text("description")?.apply(String::new(), String::new());
    let tuning = match call.fields.object("config")? {
        Some(config) => Tuning::default().apply(remount::tuning(config)?)?,
        None => Tuning::default(),
    };
    call.services()?.mounts.create_tuned(&path, &description, tuning)?;
    Ok(Reply::empty())
}

/// `DELETE sys/mounts/:path`.
pub(super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let path = MountPath::parse(call.captured("path"))?;
    let services = call.services()?;
    services.mounts.remove(&path, |mount| -> Result<(), Unmount> {
        Ok(services.access.delete_all_scopes(mount.id())?)
    })?;
    Ok(Reply::empty())
}

/// Why an engine, or an authority of one, could not be deleted.
pub(super) enum Unmount {
    Mount(MountError),
    Access(AccessError),
}

impl From<MountError> for Unmount {
    fn from(error: MountError) -> Self {
        Self::Mount(error)
    }
}

impl From<AccessError> for Unmount {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<Unmount> for ApiError {
    fn from(error: Unmount) -> Self {
        match error {
            Unmount::Mount(error) => error.into(),
            Unmount::Access(error) => error.into(),
        }
    }
}

fn existing(services: &Services, text: &str) -> Result<std::sync::Arc<Mount>, ApiError> {
    let path = MountPath::parse(text)?;
    let mount = services.mounts.at(&path);
    Ok(mount.ok_or(MountError::Missing(path))?)
}

fn describe(mount: &Mount) -> Value {
    let uuid = mount.id().to_string();
    entry("kmip", mount.description(), mount.accessor(), &uuid, mount.tuning())
}

fn system() -> Value {
    let text = "system endpoints used for control, policy and debugging";
    entry("system", text, "system", "", &Tuning::default())
}

pub(super) fn entry(
    kind: &str,
    description: &str,
    accessor: &str,
    uuid: &str,
    tuning: &Tuning,
) -> Value {
    json!({
        "type": kind,
        "description": description,
        "accessor": accessor,
        "uuid": uuid,
        "local": false,
        "seal_wrap": false,
        "external_entropy_access": false,
        "options": null,
        "plugin_version": "",
        "running_plugin_version": concat!("v", env!("CARGO_PKG_VERSION"), "+builtin"),
        "running_sha256": "",
        "config": {
            "default_lease_ttl": tuning.default_lease_ttl,
            "max_lease_ttl": tuning.max_lease_ttl,
            "force_no_cache": false,
        },
    })
}
