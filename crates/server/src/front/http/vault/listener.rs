//! Named listeners of a KMIP engine.

use serde_json::json;

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::mount::{Listener, ListenerChange};
use crate::pki::tls::TlsVersion;

/// `LIST listener`.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    Reply::keys(call.mount()?.listeners().map(|listener| listener.name()))
}

/// `GET listener/:name`.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let found = call.mount()?.listener(call.captured("name"));
    Ok(describe(found.ok_or_else(ApiError::nothing)?))
}

/// `POST listener/:name`.
pub(super) fn write(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields;
    let change = ListenerChange {
        ca: fields.text("ca")?,
        address: fields.text("address")?,
        server_hostnames: fields.list("server_hostnames")?,
        server_ips: fields.list("server_ips")?,
        additional_client_cas: fields.list("additional_client_cas")?,
        also_use_legacy_ca: fields.bool("also_use_legacy_ca")?,
        tls_min_version: fields.named("tls_min_version", TlsVersion::from_name)?,
        tls_max_version: fields.named("tls_max_version", TlsVersion::from_name)?,
        tls_cipher_suites: fields.text("tls_cipher_suites")?,
    };
    let (path, name) = (call.mount()?.path(), call.captured("name"));
    Ok(describe(&*call.services()?.mounts.write_listener(path, name, change)?))
}

/// `DELETE listener/:name`.
pub(super) fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let (path, name) = (call.mount()?.path(), call.captured("name"));
    call.services()?.mounts.delete_listener(path, name)?;
    Ok(Reply::empty())
}

/// Lists as they were given, in their order: Terraform compares them.
fn describe(listener: &Listener) -> Reply {
    let config = listener.config();
    Reply::data(json!({
        "ca": config.ca,
        "address": config.address,
        "server_hostnames": config.server_hostnames,
        "server_ips": config.server_ips,
        "additional_client_cas": config.additional_client_cas,
        "also_use_legacy_ca": config.also_use_legacy_ca,
        "tls_min_version": config.tls_min_version.name(),
        "tls_max_version": config.tls_max_version.map_or("", TlsVersion::name),
        "tls_cipher_suites": config.tls_cipher_suites,
    }))
}
