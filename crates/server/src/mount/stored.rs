//! What is stored of mounts, engines and authorities (docs/formats.md, "Server-owned records").

use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::engine::{Engine, KeptAuthority};
use super::{Config, MountError, Tuning};
use crate::pki::tls::{ServerIdentity, TlsVersion};
use crate::pki::{Authority, AuthorityParts, KeySpec, KeyType, PkiError, PrivateKey};
use crate::record::{
    AuthorityId, Edit, Kind, MountId, RecordError, Records, base64_bytes, base64_secret, key,
};

/// A mount.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MountRecord {
    pub(super) id: MountId,
    pub(super) path: String,
    pub(super) accessor: String,
    pub(super) description: String,
    /// Seconds since 1970.
    pub(super) created: i64,
    #[serde(default)]
    pub(super) tuning: Tuning,
}

/// The configuration of an engine, and the certificate that its listener shows.
#[derive(Serialize, Deserialize)]
struct EngineRecord {
    listen_addrs: Vec<String>,
    server_hostnames: Vec<String>,
    server_ips: Vec<String>,
    tls_ca: KeyRecord,
    tls_min_version: String,
    default_tls_client: KeyRecord,
    default_tls_client_ttl: i64,
    /// The authority that issues; others under the same mount are retired.
    authority: AuthorityId,
    #[serde(with = "base64_bytes")]
    server_certificate: Vec<u8>,
    server_key: SecretKeyRecord,
}

/// An authority.
#[derive(Serialize, Deserialize)]
pub(super) struct AuthorityRecord {
    /// Empty for the authority of the engine's own configuration.
    name: String,
    #[serde(with = "base64_bytes")]
    root: Vec<u8>,
    root_key: SecretKeyRecord,
    #[serde(with = "base64_bytes")]
    intermediate: Vec<u8>,
    intermediate_key: SecretKeyRecord,
}

/// A kind of key.
#[derive(Clone, Serialize, Deserialize)]
struct KeyRecord {
    key_type: String,
    bits: u32,
}

/// A private key.
#[derive(Serialize, Deserialize)]
pub(super) struct SecretKeyRecord {
    key_type: String,
    bits: u32,
    #[serde(with = "base64_secret")]
    der: Zeroizing<Vec<u8>>,
}

impl KeyRecord {
    fn of(spec: KeySpec) -> Self {
        Self { key_type: spec.key_type().name().to_owned(), bits: spec.bits() }
    }

    fn spec(&self) -> Result<KeySpec, PkiError> {
        KeySpec::new(KeyType::from_name(&self.key_type)?, self.bits)
    }
}

impl SecretKeyRecord {
    pub(super) fn of(key: &PrivateKey) -> Self {
        Self {
            key_type: key.spec().key_type().name().to_owned(),
            bits: key.spec().bits(),
            der: Zeroizing::new(key.der().to_vec()),
        }
    }

    pub(super) fn open(self) -> Result<PrivateKey, PkiError> {
        let spec = KeySpec::new(KeyType::from_name(&self.key_type)?, self.bits)?;
        Ok(PrivateKey::from_der(spec, self.der))
    }
}

impl AuthorityRecord {
    pub(super) fn of(name: &str, authority: &Authority) -> Self {
        let parts = authority.parts();
        Self {
            name: name.to_owned(),
            root: parts.root.to_vec(),
            root_key: SecretKeyRecord::of(&parts.root_key),
            intermediate: parts.intermediate.to_vec(),
            intermediate_key: SecretKeyRecord::of(&parts.intermediate_key),
        }
    }

    pub(super) fn open(self) -> Result<Authority, PkiError> {
        Authority::from_parts(AuthorityParts {
            root: self.root.into(),
            root_key: self.root_key.open()?,
            intermediate: self.intermediate.into(),
            intermediate_key: self.intermediate_key.open()?,
        })
    }
}

/// Adds everything of an engine to an edit; what was stored of `before` and is gone is deleted.
pub(super) fn write_engine(
    edit: &mut Edit,
    mount: MountId,
    engine: &Engine,
    before: Option<&Engine>,
) -> Result<u64, RecordError> {
    let config = &engine.config;
    let certificate = engine.server_certificate();
    let record = EngineRecord {
        listen_addrs: config.listen_addrs.clone(),
        server_hostnames: config.server_hostnames.clone(),
        server_ips: config.server_ips.clone(),
        tls_ca: KeyRecord::of(config.tls_ca),
        tls_min_version: config.tls_min_version.name().to_owned(),
        default_tls_client: KeyRecord::of(config.default_tls_client),
        default_tls_client_ttl: config.default_tls_client_ttl,
        authority: engine.current.id,
        server_certificate: certificate.map_or_else(Vec::new, |der| der.to_vec()),
        server_key: SecretKeyRecord::of(&engine.server.key),
    };
    let at = engine_key(mount);
    let version = match before {
        None => edit.create(at, &record)?,
        Some(before) => edit.update(at, before.version, &record)?,
    };
    if before.is_none_or(|before| before.current.id != engine.current.id) {
        let record = AuthorityRecord::of("", &engine.current.authority);
        edit.create(authority_key(mount, engine.current.id), &record)?;
    }
    let known = before.into_iter().flat_map(|before| {
        let retired = before.retired.iter();
        retired.chain(std::iter::once(&before.current)).map(|kept| kept.id)
    });
    for id in known.filter(|id| engine.authority_of(*id).is_none()) {
        edit.delete(authority_key(mount, id));
    }
    Ok(version)
}

/// Reads an engine; `None` before its first configuration.
pub(super) fn read_engine(records: &Records, mount: MountId) -> Result<Option<Engine>, MountError> {
    let Some(stored) = records.get::<EngineRecord>(&engine_key(mount))? else {
        return Ok(None);
    };
    let record = stored.value;
    let mut current = None;
    let mut retired = Vec::new();
    let prefix = key(Kind::Authority, &[mount.as_bytes()]);
    for (at, stored) in records.scan::<AuthorityRecord>(&prefix)? {
        let id = at.last_chunk::<16>().copied().map(AuthorityId::from);
        let id = id.ok_or(PkiError::Corrupt("the key of an authority"))?;
        let kept = KeptAuthority { id, authority: Arc::new(stored.value.open()?) };
        if id == record.authority {
            current = Some(kept);
        } else {
            retired.push(kept);
        }
    }
    let current = current.ok_or(PkiError::Corrupt("the authority of an engine is missing"))?;
    let [intermediate, _] = current.authority.chain();
    let server = ServerIdentity {
        chain: vec![CertificateDer::from(record.server_certificate), intermediate],
        key: record.server_key.open()?,
    };
    let config = Config {
        listen_addrs: record.listen_addrs,
        server_hostnames: record.server_hostnames,
        server_ips: record.server_ips,
        tls_ca: record.tls_ca.spec()?,
        tls_min_version: TlsVersion::from_name(&record.tls_min_version)?,
        default_tls_client: record.default_tls_client.spec()?,
        default_tls_client_ttl: record.default_tls_client_ttl,
    };
    Engine::assemble(config, current, retired, Arc::new(server), stored.version).map(Some)
}

/// Where an engine's configuration is.
pub(super) fn engine_key(mount: MountId) -> Vec<u8> {
    key(Kind::Engine, &[mount.as_bytes()])
}

fn authority_key(mount: MountId, id: AuthorityId) -> Vec<u8> {
    key(Kind::Authority, &[mount.as_bytes(), id.as_bytes()])
}

/// The keys of every authority of a mount.
pub(super) fn authority_keys(
    records: &Records,
    mount: MountId,
) -> Result<Vec<Vec<u8>>, RecordError> {
    records.keys(&key(Kind::Authority, &[mount.as_bytes()]))
}
