//! What anybody may ask: health, seal, leadership. Answers without an envelope, as Vault's.

use serde_json::{Value, json};

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::record::Change;

/// The Vault release whose KMIP API this server has, then our own version. Clients compare it:
/// Terraform asks for named authorities and listeners from 2.0.0 on.
const VERSION: &str = concat!("2.0.0+claviger.", env!("CARGO_PKG_VERSION"));

/// `GET sys/health`.
pub(super) fn health(call: &Call<'_>) -> Result<Reply, ApiError> {
    let seal = call.api.keeper.status();
    let (field, default) = match (seal.initialised, seal.sealed) {
        (false, _) => ("uninitcode", 501),
        (true, true) => ("sealedcode", 503),
        (true, false) => ("activecode", 200),
    };
    let status = match call.fields.u32(field)? {
        Change::To(status @ 200..=599) => status as u16,
        Change::To(_) => return Err(ApiError::bad(format!("{field} is not an HTTP status"))),
        Change::Keep | Change::Reset => default,
    };
    let mut body = json!({
        "initialized": seal.initialised,
        "sealed": seal.sealed,
        "standby": false,
        "performance_standby": false,
        "replication_performance_mode": "disabled",
        "replication_dr_mode": "disabled",
        "server_time_utc": call.api.clock.now(),
        "version": VERSION,
    });
    say_hindrance(&mut body, seal.hindrance);
    name_cluster(&mut body, call, seal.cluster_id);
    Ok(Reply::bare(status, body))
}

/// `GET sys/seal-status`.
pub(super) fn seal_status(call: &Call<'_>) -> Result<Reply, ApiError> {
    let seal = call.api.keeper.status();
    let mut body = json!({
        "type": seal.kind,
        "initialized": seal.initialised,
        "sealed": seal.sealed,
        "t": seal.threshold,
        "n": seal.shares,
        "progress": seal.progress,
        "nonce": seal.nonce,
        "version": VERSION,
        "build_date": "",
        "migration": false,
        "recovery_seal": false,
        "storage_type": call.api.node.storage_type,
    });
    say_hindrance(&mut body, seal.hindrance);
    name_cluster(&mut body, call, seal.cluster_id);
    Ok(Reply::bare(200, body))
}

/// Why a server that unseals itself is sealed still: a field of ours.
fn say_hindrance(body: &mut Value, hindrance: Option<&str>) {
    if let (Some(body), Some(hindrance)) = (body.as_object_mut(), hindrance) {
        body.insert("seal_error".to_owned(), hindrance.into());
    }
}

/// Which cluster it is, is behind the seal.
fn name_cluster(body: &mut Value, call: &Call<'_>, cluster_id: Option<String>) {
    if let (Some(body), Some(cluster_id)) = (body.as_object_mut(), cluster_id) {
        body.insert("cluster_name".to_owned(), call.api.node.cluster_name.clone().into());
        body.insert("cluster_id".to_owned(), cluster_id.into());
    }
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
