//! One mount: its place, what is set about it, its engine, its named authorities and listeners.
//!
//! Immutable: a change makes another one, which the table puts in its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::stored::MountRecord;
use super::{Config, Engine, Listener, MountPath, NamedAuthority, Tuning, stored_named};
use crate::pki::Authority;
use crate::record::{AuthorityId, MountId, Records, Stored};

/// A KMIP engine at an API path, as it was when it was looked up.
#[derive(Debug, Clone)]
pub struct Mount {
    pub(super) path: MountPath,
    pub(super) record: Arc<Stored<MountRecord>>,
    pub(super) engine: Option<Arc<Engine>>,
    pub(super) named: Arc<Named>,
}

/// What a mount has by name.
#[derive(Debug, Default, Clone)]
pub(super) struct Named {
    pub(super) authorities: BTreeMap<String, Arc<NamedAuthority>>,
    pub(super) listeners: BTreeMap<String, Arc<Listener>>,
}

impl Mount {
    /// Its identifier, which stands in the keys of everything that belongs to it.
    pub fn id(&self) -> MountId {
        self.record.value.id
    }

    /// Where it is.
    pub fn path(&self) -> &MountPath {
        &self.path
    }

    /// Its name for the audit, such as `kmip_ab12cd34`.
    pub fn accessor(&self) -> &str {
        &self.record.value.accessor
    }

    /// What its owner wrote about it.
    pub fn description(&self) -> &str {
        &self.record.value.description
    }

    /// What is set about it.
    pub fn tuning(&self) -> &Tuning {
        &self.record.value.tuning
    }

    /// Its engine; none before the first configuration.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_deref()
    }

    /// The configuration of its engine; the default before the first write.
    pub fn config(&self) -> Config {
        self.engine().map_or_else(Config::default, |engine| engine.config().clone())
    }

    /// The named authority of that name.
    pub fn authority(&self, name: &str) -> Option<&Arc<NamedAuthority>> {
        self.named.authorities.get(name)
    }

    /// Its named authorities, by name.
    pub fn authorities(&self) -> impl Iterator<Item = &Arc<NamedAuthority>> {
        self.named.authorities.values()
    }

    /// The named listener of that name.
    pub fn listener(&self, name: &str) -> Option<&Arc<Listener>> {
        self.named.listeners.get(name)
    }

    /// Its named listeners, by name.
    pub fn listeners(&self) -> impl Iterator<Item = &Arc<Listener>> {
        self.named.listeners.values()
    }

    /// Every authority that issues or has issued here, named or not.
    pub fn issuers(&self) -> impl Iterator<Item = AuthorityId> {
        let named = self.authorities().filter(|named| named.issuer().is_some());
        let own = self.engine().into_iter().flat_map(Engine::authorities);
        named.map(|named| named.id()).chain(own.map(|kept| kept.id))
    }

    /// An authority that issues or has issued here, named or not.
    pub fn issuer(&self, id: AuthorityId) -> Option<&Authority> {
        let named = self.authorities().find(|named| named.id() == id);
        let named = named.and_then(|named| named.issuer()).map(AsRef::as_ref);
        named.or_else(|| self.engine()?.authority_of(id))
    }

    /// Where its named authority is stored.
    pub(crate) fn authority_key(&self, records: &Records, name: &str) -> Vec<u8> {
        stored_named::authority_key(records, self.id(), name)
    }

    pub(super) fn named_mut(&mut self) -> &mut Named {
        Arc::make_mut(&mut self.named)
    }
}
