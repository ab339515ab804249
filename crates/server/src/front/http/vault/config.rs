//! `config` and `ca` of a KMIP engine.

use serde_json::json;

use super::Call;
use super::error::ApiError;
use super::reply::Reply;
use crate::mount::ConfigChange;
use crate::pki::KeyType;
use crate::pki::tls::TlsVersion;

/// `GET config`; 404 before the first write.
pub(super) fn read(call: &Call<'_>) -> Result<Reply, ApiError> {
    let engine = call.mount()?.engine().ok_or_else(ApiError::nothing)?;
    let config = engine.config();
    Ok(Reply::data(json!({
        "listen_addrs": config.listen_addrs,
        "server_hostnames": config.server_hostnames,
        "server_ips": config.server_ips,
        "tls_ca_key_type": config.tls_ca.key_type().name(),
        "tls_ca_key_bits": config.tls_ca.bits(),
        "tls_min_version": config.tls_min_version.name(),
        "default_tls_client_key_type": config.default_tls_client.key_type().name(),
        "default_tls_client_key_bits": config.default_tls_client.bits(),
        "default_tls_client_ttl": config.default_tls_client_ttl,
    })))
}

/// `POST config`.
pub(super) fn write(call: &Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields;
    let change = ConfigChange {
        listen_addrs: fields.list("listen_addrs")?,
        server_hostnames: fields.list("server_hostnames")?,
        server_ips: fields.list("server_ips")?,
        tls_ca_key_type: fields.named("tls_ca_key_type", KeyType::from_name)?,
        tls_ca_key_bits: fields.u32("tls_ca_key_bits")?,
        tls_min_version: fields.named("tls_min_version", TlsVersion::from_name)?,
        default_tls_client_key_type: fields
            .named("default_tls_client_key_type", KeyType::from_name)?,
        default_tls_client_key_bits: fields.u32("default_tls_client_key_bits")?,
        default_tls_client_ttl: fields.seconds("default_tls_client_ttl")?,
    };
    let services = call.services()?;
    let mount = call.mount()?;
    let in_use = services.access.has_credentials(mount.id());
    let configured = services.mounts.configure(mount.path(), change, in_use)?;
    Ok(Reply::empty().warning(configured.warnings))
}
