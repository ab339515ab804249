//! Named listeners: what is configured of one, what a write does to it, and what it is then.
//!
//! Immutable: a write makes another one. Field names and defaults are those of Vault's KMIP engine.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use super::engine::{KeptAuthority, new_server};
use super::imported::ImportedAuthority;
use super::mounted::Mount;
use super::trusted::TrustedClients;
use super::{ListenerPlan, MountError, Source, address, config};
use crate::pki::tls::{ServerIdentity, TlsPolicy, TlsVersion, kmip_server_config};
use crate::pki::{Authority, ServerNames};
use crate::record::{AuthorityId, Change};

/// Most additional authorities of one listener.
const CLIENT_CAS_MAX: usize = 100;

/// What is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// The generated authority that issues the server certificate and vouches for clients.
    pub ca: String,
    /// `host:port`, as given.
    pub address: String,
    /// DNS names in the server certificate.
    pub server_hostnames: Vec<String>,
    /// IP addresses in the server certificate, as given.
    pub server_ips: Vec<String>,
    /// Further authorities that vouch for clients.
    pub additional_client_cas: Vec<String>,
    /// Whether clients of the engine's own authority are taken too.
    pub also_use_legacy_ca: bool,
    /// The oldest TLS version.
    pub tls_min_version: TlsVersion,
    /// The newest; none is the newest there is.
    pub tls_max_version: Option<TlsVersion>,
    /// Go's names of TLS 1.2 suites, as given; empty for all.
    pub tls_cipher_suites: String,
}

/// What a write says about a listener: fields left out stay as they are.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see the fields of ListenerConfig")]
pub struct ListenerChange {
    pub ca: Change<String>,
    pub address: Change<String>,
    pub server_hostnames: Change<Vec<String>>,
    pub server_ips: Change<Vec<String>>,
    pub additional_client_cas: Change<Vec<String>>,
    pub also_use_legacy_ca: Change<bool>,
    pub tls_min_version: Change<TlsVersion>,
    pub tls_max_version: Change<TlsVersion>,
    pub tls_cipher_suites: Change<String>,
}

impl ListenerConfig {
    /// What a listener is before anything is said of it.
    fn unset() -> Self {
        Self {
            ca: String::new(),
            address: String::new(),
            server_hostnames: Vec::new(),
            server_ips: vec!["127.0.0.1".to_owned(), "::1".to_owned()],
            additional_client_cas: Vec::new(),
            also_use_legacy_ca: false,
            tls_min_version: TlsVersion::Tls12,
            tls_max_version: None,
            tls_cipher_suites: String::new(),
        }
    }

    /// The configuration after a write; `before` is absent for a new listener.
    pub(super) fn after(before: Option<&Self>, change: ListenerChange) -> Result<Self, MountError> {
        let default = Self::unset();
        let now = before.cloned().unwrap_or_else(Self::unset);
        let maximum = match change.tls_max_version {
            Change::Keep => now.tls_max_version,
            Change::Reset => None,
            Change::To(version) => Some(version),
        };
        let config = Self {
            ca: change.ca.apply(now.ca, default.ca),
            address: change.address.apply(now.address, default.address),
            server_hostnames: change
                .server_hostnames
                .apply(now.server_hostnames, default.server_hostnames),
            server_ips: change.server_ips.apply(now.server_ips, default.server_ips),
            additional_client_cas: change
                .additional_client_cas
                .apply(now.additional_client_cas, default.additional_client_cas),
            also_use_legacy_ca: change
                .also_use_legacy_ca
                .apply(now.also_use_legacy_ca, default.also_use_legacy_ca),
            tls_min_version: change.tls_min_version.apply(now.tls_min_version, TlsVersion::Tls12),
            tls_max_version: maximum,
            tls_cipher_suites: change
                .tls_cipher_suites
                .apply(now.tls_cipher_suites, default.tls_cipher_suites),
        };
        let bad = |text: &str| Err(MountError::BadInput(text.to_owned()));
        if config.ca.is_empty() {
            return bad("missing ca: the name of a generated certificate authority");
        }
        if config.address.is_empty() {
            return bad("missing address: host:port");
        }
        if config.additional_client_cas.len() > CLIENT_CAS_MAX {
            return bad("additional_client_cas holds more than 100 names");
        }
        config.names()?;
        Ok(config)
    }

    fn names(&self) -> Result<ServerNames, MountError> {
        config::server_names(&self.server_hostnames, &self.server_ips)
    }

    /// Whether it needs an authority of that name.
    pub(super) fn uses(&self, authority: &str) -> bool {
        self.ca == authority || self.additional_client_cas.iter().any(|name| name == authority)
    }
}

/// A named listener.
pub struct Listener {
    pub(super) name: String,
    pub(super) config: ListenerConfig,
    /// Who issued the server certificate.
    pub(super) issuer: AuthorityId,
    pub(super) server: Arc<ServerIdentity>,
    pub(super) plan: ListenerPlan,
    /// Version of the stored record; 0 before it is stored.
    pub(super) version: u64,
}

/// The server certificate that a listener has, if it has one.
pub(super) struct Shown {
    pub(super) issuer: AuthorityId,
    pub(super) names: ServerNames,
    pub(super) server: Arc<ServerIdentity>,
}

impl Listener {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its configuration.
    pub fn config(&self) -> &ListenerConfig {
        &self.config
    }

    /// The server certificate.
    pub fn server_certificate(&self) -> Option<&CertificateDer<'static>> {
        self.server.chain.first()
    }

    /// The server certificate that it has.
    pub(super) fn shown(&self) -> Result<Shown, MountError> {
        Ok(Shown { issuer: self.issuer, names: self.config.names()?, server: self.server.clone() })
    }

    /// Puts a listener together from the authorities of its mount. The server certificate stays
    /// unless issuer or names are others. `now` is in seconds since 1970.
    pub(super) fn assemble(
        mount: &Mount,
        name: &str,
        config: ListenerConfig,
        shown: Option<Shown>,
        now: i64,
    ) -> Result<Self, MountError> {
        let (issuer, authority) = issuing(mount, &config.ca)?;
        let names = config.names()?;
        let kept = shown.filter(|shown| shown.issuer == issuer && shown.names == names);
        let server = match kept {
            Some(shown) => shown.server,
            None => new_server(&names, &authority, now)?,
        };
        let policy = TlsPolicy::new(
            config.tls_min_version,
            config.tls_max_version,
            &config.tls_cipher_suites,
            authority.spec().key_type(),
        )?;
        let clients = Arc::new(trusted(mount, &config)?);
        let plan = ListenerPlan {
            name: name.to_owned(),
            addresses: vec![address::with_port(&config.address)?],
            tls: kmip_server_config(&server, &clients.trust, &policy)?,
            clients,
        };
        Ok(Self { name: name.to_owned(), config, issuer, server, plan, version: 0 })
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The generated authority of that name.
pub(super) fn issuing(
    mount: &Mount,
    name: &str,
) -> Result<(AuthorityId, Arc<Authority>), MountError> {
    let found = mount.authority(name).ok_or_else(|| unknown(name))?;
    let issuer = found.issuer().ok_or_else(|| {
        MountError::BadInput(format!(
            "the certificate authority {name:?} is imported: it cannot issue certificates"
        ))
    })?;
    Ok((found.id(), issuer.clone()))
}

fn unknown(name: &str) -> MountError {
    MountError::BadInput(format!("there is no certificate authority {name:?}"))
}

fn trusted(mount: &Mount, config: &ListenerConfig) -> Result<TrustedClients, MountError> {
    let mut own: Vec<KeptAuthority> = Vec::new();
    let mut imported: Vec<Arc<ImportedAuthority>> = Vec::new();
    for name in std::iter::once(&config.ca).chain(&config.additional_client_cas) {
        let found = mount.authority(name).ok_or_else(|| unknown(name))?;
        match found.source() {
            Source::Generated { .. } => own.extend(found.kept()),
            Source::Imported { authority, .. } => imported.push(authority.clone()),
        }
    }
    if let Some(engine) = mount.engine().filter(|_| config.also_use_legacy_ca) {
        own.extend(engine.authorities().cloned());
    }
    TrustedClients::new(&own, imported)
}
