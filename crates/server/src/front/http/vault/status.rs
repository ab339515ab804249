//! What anybody may ask: health, seal, leadership. Answers without an envelope, as Vault's.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::record::Change;

/// The Vault release whose KMIP API this server has, then our own version. Clients compare it:
/// Terraform asks for named authorities and listeners from 2.0.0 on.
const VERSION: &str = concat!("2.0.0+claviger.", env!("CARGO_PKG_VERSION"));

/// `GET sys/health`.
pub(super) fn health(call: &Call<'_>) -> Result<Reply, ApiError> {
    let initialised = call.api.initialised.load(Ordering::Acquire);
    let sealed = call.api.services().is_none();
    let (field, default) = match (initialised, sealed) {
        (false, _) => ("uninitcode", 501),
        (true, true) => ("sealedcode", 503),
        (true, false) => ("activecode", 200),
    };
    let status = match call.fields.u32(field)? {
        Change::To(status @ 200..=599) => status as u16,
        Change::To(_) => return Err(ApiError::bad(format!("{field} is not an HTTP status"))),
        Change::Keep | Change::Reset => default,
    };
    let node = &call.api.node;
    Ok(Reply::bare(
        status,
        json!({
            "initialized": initialised,
            "sealed": sealed,
            "standby": false,
            "performance_standby": false,
            "replication_performance_mode": "disabled",
            "replication_dr_mode": "disabled",
            "server_time_utc": call.api.clock.now(),
            "version": VERSION,
            "cluster_name": node.cluster_name,
            "cluster_id": node.cluster_id,
        }),
    ))
}

/// `GET sys/seal-status`.
pub(super) fn seal_status(call: &Call<'_>) -> Result<Reply, ApiError> {
    let node = &call.api.node;
    Ok(Reply::bare(
        200,
        json!({
            "type": node.seal_type,
            "initialized": call.api.initialised.load(Ordering::Acquire),
            "sealed": call.api.services().is_none(),
            "t": 1,
            "n": 1,
            "progress": 0,
            "nonce": "",
            "version": VERSION,
            "build_date": "",
            "migration": false,
            "cluster_name": node.cluster_name,
            "cluster_id": node.cluster_id,
            "recovery_seal": false,
            "storage_type": node.storage_type,
        }),
    ))
}

/// `GET sys/leader`.
pub(super) fn leader(_: &Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::bare(
        200,
        json!({
            "ha_enabled": false,
            "is_self": false,
            "active_time": "0001-01-01T00:00:00Z",
            "leader_address": "",
            "leader_cluster_address": "",
            "performance_standby": false,
            "performance_standby_last_remote_wal": 0,
        }),
    ))
}

/// `GET sys/init`.
pub(super) fn init(call: &Call<'_>) -> Result<Reply, ApiError> {
    let initialised = call.api.initialised.load(Ordering::Acquire);
    Ok(Reply::bare(200, json!({ "initialized": initialised })))
}
