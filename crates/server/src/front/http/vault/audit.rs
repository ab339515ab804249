//! `sys/audit`: audit devices, and the hash under which a string appears on one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::audit::DeviceConfig;
use crate::mount::MountPath;

/// `GET sys/audit`: an empty object when there is none.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let mut data = Map::new();
    for device in call.services()?.audit_devices.list() {
        let described = json!({
            "type": device.kind,
            "description": device.description,
            "options": device.options,
            "local": false,
            "path": device.path,
            "failures": device.failures,
        });
        data.insert(device.path, described);
    }
    Ok(Reply::data(Value::Object(data)))
}

/// `PUT sys/audit/:path`.
pub(super) fn enable(call: &Call<'_>) -> Result<Reply, ApiError> {
    let path = MountPath::parse(call.captured("path"))?;
    let kind = call.fields.required("type")?;
    let description = call.fields.text("description")?.apply(String::new(), String::new());
    let options = call.fields.map("options")?.apply(BTreeMap::new(), BTreeMap::new());
    let config = DeviceConfig::parse(path.as_str(), &kind, &description, options)
        .map_err(|error| ApiError::bad(error.to_string()))?;
    let is_raw = config.is_raw();
    call.services()?.audit_devices.enable(config)?;
    let warning = is_raw.then(|| {
        "log_raw: tokens and private keys are written to this device as they are".to_owned()
    });
    Ok(Reply::empty().warning(warning))
}

/// `DELETE sys/audit/:path`.
pub(super) fn disable(call: &Call<'_>) -> Result<Reply, ApiError> {
    let path = MountPath::parse(call.captured("path"))?;
    call.services()?.audit_devices.disable(path.as_str())?;
    Ok(Reply::empty())
}

/// `PUT sys/audit-hash/:path`.
pub(super) fn hash(call: &Call<'_>) -> Result<Reply, ApiError> {
    let path = MountPath::parse(call.captured("path"))?;
    let input = call.fields.required("input")?;
    let hash = call.services()?.audit.hash(path.as_str(), &input);
    let hash =
        hash.ok_or_else(|| ApiError::bad(format!("unknown audit backend {:?}", path.as_str())))?;
    Ok(Reply::data(json!({ "hash": hash })))
}
