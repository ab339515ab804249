//! `sys/remount` and `sys/mounts/:path/tune`: what is changed about a mount while everything in it
//! stays.

use serde_json::{Map, Value, json};

use super::Call;
use super::error::ApiError;
use super::fields::Fields;
use super::reply::Reply;
use crate::mount::{MountError, MountPath, TuneChange, Tuning};
use crate::record::Change;

/// Leases of Vault's default: 768 hours. Nothing here has a lease; clients read the fields.
const LEASE_SECONDS: i64 = 2_764_800;

/// `POST sys/remount`. It is done when it is answered; clients ask for its status all the same.
pub(super) fn remount(call: &Call<'_>) -> Result<Reply, ApiError> {
    let from = MountPath::parse(&call.fields.required("from")?)?;
    let to = MountPath::parse(&call.fields.required("to")?)?;
    let migration = call.services()?.mounts.remount(&from, &to)?;
    Ok(Reply::data(json!({ "migration_id": migration.id.to_string() })))
}

/// `GET sys/remount/status/:migration_id`.
pub(super) fn status(call: &Call<'_>) -> Result<Reply, ApiError> {
    let found = call.services()?.mounts.migration(call.captured("migration_id"));
    let migration = found.ok_or_else(ApiError::nothing)?;
    Ok(Reply::data(json!({
        "migration_id": migration.id.to_string(),
        "migration_info": {
            "source_mount": migration.from.as_str(),
            "target_mount": migration.to.as_str(),
            "status": "success",
        },
    })))
}

/// `GET sys/mounts/:path/tune`.
pub(super) fn read_tune(call: &Call<'_>) -> Result<Reply, ApiError> {
    let path = MountPath::parse(call.captured("path"))?;
    let mount = call.services()?.mounts.at(&path);
    let mount = mount.ok_or(MountError::Missing(path))?;
    Ok(Reply::data(Value::Object(tuned(mount.tuning(), mount.description()))))
}

/// What is set about a mount, or an auth method.
pub(super) fn tuned(tuning: &Tuning, description: &str) -> Map<String, Value> {
    let or_default = |seconds| if seconds == 0 { LEASE_SECONDS } else { seconds };
    let mut data = Map::new();
    data.insert("default_lease_ttl".to_owned(), or_default(tuning.default_lease_ttl).into());
    data.insert("max_lease_ttl".to_owned(), or_default(tuning.max_lease_ttl).into());
    data.insert("description".to_owned(), description.into());
    data.insert("force_no_cache".to_owned(), false.into());
    for (name, keys) in [
        ("audit_non_hmac_request_keys", &tuning.audit_non_hmac_request_keys),
        ("audit_non_hmac_response_keys", &tuning.audit_non_hmac_response_keys),
    ] {
        if !keys.is_empty() {
            data.insert(name.to_owned(), keys.clone().into());
        }
    }
    data
}

/// `POST sys/mounts/:path/tune`.
pub(super) fn tune(call: &Call<'_>) -> Result<Reply, ApiError> {
    let path = MountPath::parse(call.captured("path"))?;
    let change =
        TuneChange { description: call.fields.text("description")?, ..tuning(call.fields)? };
    call.services()?.mounts.tune(&path, change)?;
    Ok(Reply::empty())
}

/// What is said about a mount, its description apart: `config` of a new one says the same.
pub(super) fn tuning(fields: Fields<'_>) -> Result<TuneChange, ApiError> {
    Ok(TuneChange {
        description: Change::Keep,
        default_lease_ttl: lease(fields, "default_lease_ttl")?,
        max_lease_ttl: lease(fields, "max_lease_ttl")?,
        audit_non_hmac_request_keys: fields.list("audit_non_hmac_request_keys")?,
        audit_non_hmac_response_keys: fields.list("audit_non_hmac_response_keys")?,
    })
}

/// A lease's length; `system` is the default.
fn lease(fields: Fields<'_>, name: &str) -> Result<Change<i64>, ApiError> {
    match fields.text(name) {
        Ok(Change::To(text)) if text == "system" => Ok(Change::Reset),
        _ => fields.seconds(name),
    }
}
