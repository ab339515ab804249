//! Named authorities and listeners of a mount: generate, import, change, delete.

use std::sync::Arc;

use super::authority::{NamedAuthority, check_name};
use super::imported::{ImportedAuthority, MappingChange};
use super::listener::{Listener, ListenerChange, ListenerConfig};
use super::mounted::Mount;
use super::revoked::forget_revoked;
use super::table::Mounts;
use super::{MountError, MountPath, Source, stored_named};
use crate::pki::{KeySpec, trust};
use crate::record::{AuthorityId, Edit};

/// Most named authorities of a mount, and most named listeners.
const NAMED_MAX: usize = 1000;

/// Longest text of certificates to import.
const PEM_BYTES_MAX: usize = 256 << 10;

impl Mounts {
    /// Makes a named authority.
    ///
    /// # Errors
    /// [`MountError::BadInput`] when the name is taken or the life cannot be.
    pub fn generate_authority(
        &self,
        path: &MountPath,
        name: &str,
        spec: KeySpec,
        ttl_seconds: i64,
    ) -> Result<Arc<NamedAuthority>, MountError> {
        // Made first: an RSA key takes seconds, in which others may write.
        let authority = NamedAuthority::generate(name, spec, ttl_seconds, self.clock.now())?;
        self.add_authority(path, authority)
    }

    /// Takes over an authority's certificates, without its key.
    ///
    /// # Errors
    /// [`MountError::BadInput`] when the name is taken or the mapping incomplete.
    pub fn import_authority(
        &self,
        path: &MountPath,
        name: &str,
        pem: &str,
        mapping: MappingChange,
    ) -> Result<Arc<NamedAuthority>, MountError> {
        if pem.len() > PEM_BYTES_MAX {
            return Err(MountError::BadInput("ca_pem is too long".to_owned()));
        }
        let certificates = trust::authority_certificates(pem)?;
        let mapping = mapping.apply(None)?;
        let id = AuthorityId::random()?;
        let imported = ImportedAuthority::new(id, certificates, mapping, []);
        let source = Source::Imported { authority: Arc::new(imported), pem: pem.to_owned() };
        let created = self.clock.now();
        let authority = NamedAuthority { id, name: name.to_owned(), version: 0, created, source };
        self.add_authority(path, authority)
    }

    fn add_authority(
        &self,
        path: &MountPath,
        mut authority: NamedAuthority,
    ) -> Result<Arc<NamedAuthority>, MountError> {
        check_name(&authority.name)?;
        let _writer = self.writer();
        let mount = self.existing(path)?;
        if mount.authority(&authority.name).is_some() {
            return Err(MountError::BadInput(format!(
                "a certificate authority {:?} exists already: delete it first",
                authority.name
            )));
        }
        room(mount.authorities().count())?;
        let mut edit = Edit::default();
        authority.version =
            stored_named::write_authority(&mut edit, &self.records, mount.id(), &authority, None)?;
        self.records.commit(edit)?;
        let authority = Arc::new(authority);
        let mut mount = Mount::clone(&mount);
        mount.named_mut().authorities.insert(authority.name.clone(), authority.clone());
        self.put(mount);
        Ok(authority)
    }

    /// Changes where the clients of an imported authority belong, for open connections too.
    ///
    /// # Errors
    /// [`MountError::BadInput`] for a generated one, or when not exactly one of a pair is set.
    pub fn update_authority(
        &self,
        path: &MountPath,
        name: &str,
        change: MappingChange,
    ) -> Result<Arc<NamedAuthority>, MountError> {
        let _writer = self.writer();
        let mount = self.existing(path)?;
        let before = mount.authority(name).ok_or_else(|| {
            MountError::BadInput(format!("there is no certificate authority {name:?}"))
        })?;
        let Source::Imported { authority: imported, .. } = &before.source else {
            return Err(MountError::BadInput(format!(
                "the certificate authority {name:?} is generated: only imported ones can change"
            )));
        };
        let mapping = change.apply(Some(&imported.mapping()))?;
        let mut edit = Edit::default();
        let (records, id) = (&self.records, mount.id());
        let version =
            stored_named::write_authority(&mut edit, records, id, before, Some(&mapping))?;
        self.records.commit(edit)?;
        imported.remap(mapping);
        let after = Arc::new(NamedAuthority {
            id: before.id,
            name: before.name.clone(),
            version,
            created: before.created,
            source: before.source.clone(),
        });
        let mut mount = Mount::clone(&mount);
        mount.named_mut().authorities.insert(name.to_owned(), after.clone());
        self.put(mount);
        Ok(after)
    }

    /// Deletes a named authority. `guarded` carries the deletion out while nobody begins to use the
    /// authority, or refuses. Deleting what is not there is no error.
    ///
    /// # Errors
    /// [`MountError::BadInput`] while a listener uses it, and what `guarded` says.
    pub fn delete_authority<E: From<MountError>>(
        &self,
        path: &MountPath,
        name: &str,
        guarded: impl FnOnce(&dyn Fn() -> Result<(), MountError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let _writer = self.writer();
        let mount = self.existing(path)?;
        let Some(authority) = mount.authority(name) else {
            return Ok(());
        };
        if let Some(listener) = mount.listeners().find(|listener| listener.config.uses(name)) {
            return Err(MountError::BadInput(format!(
                "the certificate authority {name:?} is in use by the listener {:?}",
                listener.name
            ))
            .into());
        }
        guarded(&|| {
            let mut edit = Edit::default();
            edit.delete(stored_named::authority_key(&self.records, mount.id(), name));
            Ok(self.records.commit(edit)?)
        })?;
        if let Source::Imported { authority, .. } = &authority.source {
            authority.delete();
        }
        let mut after = Mount::clone(&mount);
        after.named_mut().authorities.remove(name);
        self.put(after);
        // What a fault leaves behind of them is only garbage.
        forget_revoked(&self.records, mount.id(), Some(authority.id)).map_err(MountError::from)?;
        Ok(())
    }

    /// Creates a listener, or merges the change into it; stored only when it stands.
    ///
    /// # Errors
    /// [`MountError::Listen`] when it cannot be so; everything is as before then.
    pub fn write_listener(
        &self,
        path: &MountPath,
        name: &str,
        change: ListenerChange,
    ) -> Result<Arc<Listener>, MountError> {
        check_name(name)?;
        let _writer = self.writer();
        let mount = self.existing(path)?;
        let before = mount.listener(name);
        let config = ListenerConfig::after(before.map(|listener| &listener.config), change)?;
        if let Some(before) = before
            && before.config == config
        {
            return Ok(before.clone());
        }
        if before.is_none() {
            room(mount.listeners().count())?;
        }
        let shown = before.map(|listener| listener.shown()).transpose()?;
        let listener = Listener::assemble(&mount, name, config, shown, self.clock.now())?;
        self.establish(&mount, listener)
    }

    /// Makes a listener what it is to be, and stores it when it stands.
    pub(super) fn establish(
        &self,
        mount: &Mount,
        mut listener: Listener,
    ) -> Result<Arc<Listener>, MountError> {
        let before = mount.listener(&listener.name);
        self.listeners.apply(mount.id(), &listener.plan).map_err(MountError::Listen)?;
        let version = before.map_or(0, |before| before.version);
        let mut edit = Edit::default();
        let (records, id) = (&self.records, mount.id());
        let stored = stored_named::write_listener(&mut edit, records, id, &listener, version)
            .and_then(|version| self.records.commit(edit).map(|()| version));
        match stored {
            Ok(version) => listener.version = version,
            Err(error) => {
                match before {
                    Some(before) => self.reapply(mount, before),
                    None => self.listeners.close_one(mount.id(), &listener.name),
                }
                return Err(error.into());
            }
        }
        let listener = Arc::new(listener);
        let mut mount = mount.clone();
        mount.named_mut().listeners.insert(listener.name.clone(), listener.clone());
        self.put(mount);
        Ok(listener)
    }

    /// Deletes a listener and ends its connections. Deleting what is not there is no error.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn delete_listener(&self, path: &MountPath, name: &str) -> Result<(), MountError> {
        let _writer = self.writer();
        let mount = self.existing(path)?;
        if mount.listener(name).is_none() {
            return Ok(());
        }
        let mut edit = Edit::default();
        edit.delete(stored_named::listener_key(&self.records, mount.id(), name));
        self.records.commit(edit)?;
        self.listeners.close_one(mount.id(), name);
        let mut mount = Mount::clone(&mount);
        mount.named_mut().listeners.remove(name);
        self.put(mount);
        Ok(())
    }

    /// Lets the listeners that take clients of the engine's own authority know that it is another.
    pub(super) fn replan_listeners(&self, mount: &Mount) -> Result<Mount, MountError> {
        let mut after = mount.clone();
        for before in mount.listeners().filter(|listener| listener.config.also_use_legacy_ca) {
            let shown = Some(before.shown()?);
            let (name, config) = (&before.name, before.config.clone());
            let mut listener = Listener::assemble(mount, name, config, shown, self.clock.now())?;
            listener.version = before.version;
            let listener = Arc::new(listener);
            self.reapply(mount, &listener);
            after.named_mut().listeners.insert(name.clone(), listener);
        }
        Ok(after)
    }

    /// Tells the front door again what a listener is, as far as that goes.
    pub(super) fn reapply(&self, mount: &Mount, listener: &Listener) {
        if let Err(reason) = self.listeners.apply(mount.id(), &listener.plan) {
            tracing::error!(
                mount = %mount.path(), listener = listener.name, %reason,
                "a KMIP listener could not be restored"
            );
        }
    }
}

fn room(taken: usize) -> Result<(), MountError> {
    if taken < NAMED_MAX {
        return Ok(());
    }
    Err(MountError::BadInput(format!("a mount has {NAMED_MAX} of these at most")))
}
