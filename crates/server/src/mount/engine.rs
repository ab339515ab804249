//! A configured KMIP engine: its configuration, its authorities, its server certificate.
//!
//! Immutable: a write makes another one. Never stores anything; `stored` turns it into records.

use std::fmt;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use super::trusted::TrustedClients;
use super::{Config, DEFAULT_LISTENER, ListenerPlan, MountError};
use crate::pki::tls::{ServerIdentity, kmip_server_config};
use crate::pki::{Authority, PrivateKey, ServerNames};
use crate::record::AuthorityId;

/// CN of the root; the intermediate's is made from it.
const AUTHORITY_NAME: &str = "vault-kmip-default";

/// An authority and the identifier it is stored under.
#[derive(Debug, Clone)]
pub(super) struct KeptAuthority {
    pub(super) id: AuthorityId,
    pub(super) authority: Arc<Authority>,
}

/// A configured engine.
pub struct Engine {
    pub(super) config: Config,
    /// Issues.
    pub(super) current: KeptAuthority,
    /// Issue no more, but the certificates that they issued still connect.
    pub(super) retired: Vec<KeptAuthority>,
    pub(super) server: Arc<ServerIdentity>,
    plan: ListenerPlan,
    /// Version of the stored configuration; 0 before it is stored.
    pub(super) version: u64,
}

impl Engine {
    /// Puts an engine together.
    pub(super) fn assemble(
        config: Config,
        current: KeptAuthority,
        retired: Vec<KeptAuthority>,
        server: Arc<ServerIdentity>,
        version: u64,
    ) -> Result<Self, MountError> {
        let issuers = std::iter::once(&current).chain(&retired);
        let clients = Arc::new(TrustedClients::new(issuers, Vec::new())?);
        let plan = ListenerPlan {
            name: DEFAULT_LISTENER.to_owned(),
            addresses: config.addresses()?,
            tls: kmip_server_config(&server, &clients.trust, &config.tls_min_version.into())?,
            clients,
        };
        Ok(Self { config, current, retired, server, plan, version })
    }

    /// The engine of a mount whose first configuration is written: new authorities, new server
    /// certificate. `now` is in seconds since 1970.
    pub(super) fn first(config: Config, now: i64) -> Result<Self, MountError> {
        let current = new_authority(&config, now)?;
        let server = new_server(&config.names()?, &current.authority, now)?;
        Self::assemble(config, current, Vec::new(), server, 0)
    }

    /// The engine after its configuration changed. What the change does not touch stays: the
    /// authority unless its kind of key changes, the server certificate unless names or authority
    /// change. `keep_retired` says whether certificates of an authority now replaced still connect.
    pub(super) fn next(
        &self,
        config: Config,
        keep_retired: bool,
        now: i64,
    ) -> Result<Self, MountError> {
        let same_authority = config.tls_ca == self.config.tls_ca;
        let current =
            if same_authority { self.current.clone() } else { new_authority(&config, now)? };
        let mut retired = self.retired.clone();
        if !same_authority && keep_retired {
            retired.push(self.current.clone());
        }
        retired.retain(|kept| kept.authority.not_after() > now);
        let same_names = config.names()? == self.config.names()?;
        let server = if same_authority && same_names {
            self.server.clone()
        } else {
            new_server(&config.names()?, &current.authority, now)?
        };
        Self::assemble(config, current, retired, server, self.version)
    }

    /// Whether a listener has to be told of the change from `other` to this.
    pub(super) fn listens_otherwise(&self, other: &Self) -> bool {
        self.plan.addresses != other.plan.addresses
            || self.config.tls_min_version != other.config.tls_min_version
            || self.retired.len() != other.retired.len()
            || !Arc::ptr_eq(&self.server, &other.server)
    }

    /// The same engine with the plan of another: a listener that need not change keeps its session
    /// tickets.
    pub(super) fn with_plan_of(mut self, other: &Self) -> Self {
        self.plan = other.plan.clone();
        self
    }

    /// The same engine with another server certificate.
    pub(super) fn with_server(&self, server: Arc<ServerIdentity>) -> Result<Self, MountError> {
        let (config, current) = (self.config.clone(), self.current.clone());
        Self::assemble(config, current, self.retired.clone(), server, self.version)
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The authority that issues, and its identifier.
    pub fn authority(&self) -> (AuthorityId, &Authority) {
        (self.current.id, &self.current.authority)
    }

    /// An authority that issues or has issued.
    pub fn authority_of(&self, id: AuthorityId) -> Option<&Authority> {
        let kept = self.authorities().find(|kept| kept.id == id);
        kept.map(|kept| kept.authority.as_ref())
    }

    /// Every authority that issues or has issued.
    pub(super) fn authorities(&self) -> impl Iterator<Item = &KeptAuthority> {
        std::iter::once(&self.current).chain(&self.retired)
    }

    /// Whose clients its listener takes.
    pub(super) fn clients(&self) -> &TrustedClients {
        &self.plan.clients
    }

    /// Intermediate, then root, in PEM: what clients must trust.
    pub fn ca_pem(&self) -> String {
        self.current.authority.chain_pem().join("\n")
    }

    /// What its listener is to be.
    pub fn plan(&self) -> &ListenerPlan {
        &self.plan
    }

    /// The server certificate.
    pub fn server_certificate(&self) -> Option<&CertificateDer<'static>> {
        self.server.chain.first()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).finish_non_exhaustive()
    }
}

fn new_authority(config: &Config, now: i64) -> Result<KeptAuthority, MountError> {
    Ok(KeptAuthority {
        id: AuthorityId::random()?,
        authority: Arc::new(Authority::generate(AUTHORITY_NAME, config.tls_ca, now)?),
    })
}

/// A new key and server certificate of an authority.
pub(super) fn new_server(
    names: &ServerNames,
    authority: &Authority,
    now: i64,
) -> Result<Arc<ServerIdentity>, MountError> {
    let key = PrivateKey::generate(authority.spec())?;
    let issued = authority.issue_server(names, &key, now)?;
    let [intermediate, _] = authority.chain();
    Ok(Arc::new(ServerIdentity { chain: vec![issued.certificate, intermediate], key }))
}
