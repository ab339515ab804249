//! What is stored of named authorities and listeners (docs/formats.md, "Server-owned records").

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use super::authority::NamedAuthority;
use super::imported::ImportedAuthority;
use super::listener::{Listener, ListenerConfig, Shown};
use super::mounted::Mount;
use super::revoked::denied;
use super::stored::{AuthorityRecord, SecretKeyRecord};
use super::{Mapping, MountError, Selector, Source};
use crate::pki::tls::{ServerIdentity, TlsVersion};
use crate::pki::{PkiError, SubjectField, trust};
use crate::record::{
    AuthorityId, Edit, Kind, MountId, RecordError, Records, Stored, base64_bytes, key,
};

/// A named authority.
#[derive(Serialize, Deserialize)]
struct NamedAuthorityRecord {
    id: AuthorityId,
    name: String,
    /// Seconds since 1970.
    created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generated: Option<GeneratedRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    imported: Option<ImportedRecord>,
}

#[derive(Serialize, Deserialize)]
struct GeneratedRecord {
    ttl_seconds: i64,
    authority: AuthorityRecord,
}

#[derive(Serialize, Deserialize)]
struct ImportedRecord {
    ca_pem: String,
    scope: SelectorRecord,
    role: SelectorRecord,
}

#[derive(Serialize, Deserialize)]
enum SelectorRecord {
    #[serde(rename = "name")]
    Name(String),
    #[serde(rename = "field")]
    Field(String),
}

/// A named listener.
#[derive(Serialize, Deserialize)]
struct ListenerRecord {
    name: String,
    ca: String,
    address: String,
    server_hostnames: Vec<String>,
    server_ips: Vec<String>,
    additional_client_cas: Vec<String>,
    also_use_legacy_ca: bool,
    tls_min_version: String,
    tls_max_version: String,
    tls_cipher_suites: String,
    /// Who issued the server certificate.
    issuer: AuthorityId,
    #[serde(with = "base64_bytes")]
    server_certificate: Vec<u8>,
    server_key: SecretKeyRecord,
}

impl SelectorRecord {
    fn of(selector: &Selector) -> Self {
        match selector {
            Selector::Name(name) => Self::Name(name.clone()),
            Selector::Field(field) => Self::Field(field.name().to_owned()),
        }
    }

    fn open(self) -> Result<Selector, PkiError> {
        Ok(match self {
            Self::Name(name) => Selector::Name(name),
            Self::Field(field) => Selector::Field(SubjectField::from_name(&field)?),
        })
    }
}

/// Adds a named authority to an edit; its version afterwards.
pub(super) fn write_authority(
    edit: &mut Edit,
    records: &Records,
    mount: MountId,
    authority: &NamedAuthority,
    mapping: Option<&Mapping>,
) -> Result<u64, RecordError> {
    let (generated, imported) = match &authority.source {
        Source::Generated { authority: made, ttl_seconds } => (
            Some(GeneratedRecord {
                ttl_seconds: *ttl_seconds,
                authority: AuthorityRecord::of(&authority.name, made),
            }),
            None,
        ),
        Source::Imported { authority, pem } => {
            let mapping = mapping.cloned().unwrap_or_else(|| authority.mapping());
            let imported = ImportedRecord {
                ca_pem: pem.clone(),
                scope: SelectorRecord::of(&mapping.scope),
                role: SelectorRecord::of(&mapping.role),
            };
            (None, Some(imported))
        }
    };
    let record = NamedAuthorityRecord {
        id: authority.id,
        name: authority.name.clone(),
        created: authority.created,
        generated,
        imported,
    };
    write(edit, authority_key(records, mount, &authority.name), authority.version, &record)
}

/// Adds a listener to an edit; its version afterwards.
pub(super) fn write_listener(
    edit: &mut Edit,
    records: &Records,
    mount: MountId,
    listener: &Listener,
    version: u64,
) -> Result<u64, RecordError> {
    let config = &listener.config;
    let maximum = config.tls_max_version.map_or("", TlsVersion::name);
    let certificate = listener.server.chain.first();
    let record = ListenerRecord {
        name: listener.name.clone(),
        ca: config.ca.clone(),
        address: config.address.clone(),
        server_hostnames: config.server_hostnames.clone(),
        server_ips: config.server_ips.clone(),
        additional_client_cas: config.additional_client_cas.clone(),
        also_use_legacy_ca: config.also_use_legacy_ca,
        tls_min_version: config.tls_min_version.name().to_owned(),
        tls_max_version: maximum.to_owned(),
        tls_cipher_suites: config.tls_cipher_suites.clone(),
        issuer: listener.issuer,
        server_certificate: certificate.map_or_else(Vec::new, |der| der.to_vec()),
        server_key: SecretKeyRecord::of(&listener.server.key),
    };
    write(edit, listener_key(records, mount, &listener.name), version, &record)
}

fn write(
    edit: &mut Edit,
    at: Vec<u8>,
    version: u64,
    record: &impl Serialize,
) -> Result<u64, RecordError> {
    match version {
        0 => edit.create(at, record),
        version => edit.update(at, version, record),
    }
}

/// Reads the named authorities of a mount.
pub(super) fn read_authorities(
    records: &Records,
    mount: MountId,
) -> Result<BTreeMap<String, Arc<NamedAuthority>>, MountError> {
    let prefix = key(Kind::NamedAuthority, &[mount.as_bytes()]);
    let mut found = BTreeMap::new();
    for (_, Stored { version, value }) in records.scan::<NamedAuthorityRecord>(&prefix)? {
        let NamedAuthorityRecord { id, name, created, generated, imported } = value;
        let source = match (generated, imported) {
            (Some(record), None) => Source::Generated {
                authority: Arc::new(record.authority.open()?),
                ttl_seconds: record.ttl_seconds,
            },
            (None, Some(record)) => {
                let mapping = Mapping { scope: record.scope.open()?, role: record.role.open()? };
                let certificates = trust::authority_certificates(&record.ca_pem)?;
                let denied = denied(records, mount, id)?;
                let authority = ImportedAuthority::new(id, certificates, mapping, denied);
                Source::Imported { authority: Arc::new(authority), pem: record.ca_pem }
            }
            _ => return Err(PkiError::Corrupt("a named authority").into()),
        };
        let authority = NamedAuthority { id, name: name.clone(), version, created, source };
        found.insert(name, Arc::new(authority));
    }
    Ok(found)
}

/// Reads the named listeners of a mount whose authorities have been read.
pub(super) fn read_listeners(
    records: &Records,
    mount: &Mount,
    now: i64,
) -> Result<BTreeMap<String, Arc<Listener>>, MountError> {
    let prefix = key(Kind::Listener, &[mount.id().as_bytes()]);
    let mut found = BTreeMap::new();
    for (_, Stored { version, value }) in records.scan::<ListenerRecord>(&prefix)? {
        let maximum = match value.tls_max_version.as_str() {
            "" => None,
            name => Some(TlsVersion::from_name(name)?),
        };
        let config = ListenerConfig {
            ca: value.ca,
            address: value.address,
            server_hostnames: value.server_hostnames,
            server_ips: value.server_ips,
            additional_client_cas: value.additional_client_cas,
            also_use_legacy_ca: value.also_use_legacy_ca,
            tls_min_version: TlsVersion::from_name(&value.tls_min_version)?,
            tls_max_version: maximum,
            tls_cipher_suites: value.tls_cipher_suites,
        };
        let (_, issuer) = super::listener::issuing(mount, &config.ca)?;
        let [intermediate, _] = issuer.chain();
        let server = ServerIdentity {
            chain: vec![CertificateDer::from(value.server_certificate), intermediate],
            key: value.server_key.open()?,
        };
        let names = super::config::server_names(&config.server_hostnames, &config.server_ips)?;
        let shown = Shown { issuer: value.issuer, names, server: Arc::new(server) };
        let mut listener = Listener::assemble(mount, &value.name, config, Some(shown), now)?;
        listener.version = version;
        found.insert(value.name, Arc::new(listener));
    }
    Ok(found)
}

/// Where a named authority is.
pub(super) fn authority_key(records: &Records, mount: MountId, name: &str) -> Vec<u8> {
    key(Kind::NamedAuthority, &[mount.as_bytes(), &records.blind("authority", name)])
}

/// Where a named listener is.
pub(super) fn listener_key(records: &Records, mount: MountId, name: &str) -> Vec<u8> {
    key(Kind::Listener, &[mount.as_bytes(), &records.blind("listener", name)])
}

/// The keys of everything named under a mount.
pub(super) fn named_keys(records: &Records, mount: MountId) -> Result<Vec<Vec<u8>>, RecordError> {
    let mut keys = records.keys(&key(Kind::NamedAuthority, &[mount.as_bytes()]))?;
    keys.extend(records.keys(&key(Kind::Listener, &[mount.as_bytes()]))?);
    Ok(keys)
}
