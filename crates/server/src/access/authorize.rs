//! The question asked on every request, and its answer.
//!
//! Hot path: one read lock, one hash look-up, a few atomics. Nothing here allocates or waits.

use std::fmt;
use std::sync::{Arc, PoisonError};

use claviger_kmip::enums::Operation;

use super::index::{Gone, Role};
use super::{Access, Name};
use crate::mount::{Identity, ImportedClient, Unplaced};
use crate::pki::Serial;
use crate::record::{MountId, ScopeId};

/// Why a request is not carried out. One line each in the support log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No live credential has this serial: never issued here, or withdrawn before the last start.
    #[error("the certificate is not known to this mount: it was never issued here, or was revoked")]
    Unknown,
    /// The credential was revoked.
    #[error("the certificate was revoked")]
    Revoked,
    /// Its role was deleted.
    #[error("the role of the certificate was deleted")]
    RoleDeleted,
    /// Its scope was deleted.
    #[error("the scope of the certificate was deleted")]
    ScopeDeleted,
    /// Its scope is being deleted right now.
    #[error("the scope of the certificate is being deleted")]
    ScopeClosing,
    /// The imported authority that vouched for it was deleted.
    #[error("the imported certificate authority of the certificate was deleted")]
    AuthorityDeleted,
    /// The subject does not say, or says twice, which scope or role it belongs to.
    #[error("the certificate's subject has not exactly one {0}, which this CA's clients need")]
    NoField(&'static str),
    /// There is no such scope and role for a client of an imported authority.
    #[error("the scope and role that the certificate belongs to do not exist")]
    NoRole,
    /// Its life is over.
    #[error("the certificate has expired")]
    Expired,
    /// The role does not grant the operation.
    #[error("the role does not grant {0}")]
    NotPermitted(Operation),
}

impl Refusal {
    /// Whether the connection has nothing to hope for: every refusal but that of one operation.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::NotPermitted(_) | Self::ScopeClosing)
    }
}

/// Permission to carry out one request, and whose it is.
///
/// Hold it until the request's changes are durable: a scope is deleted only when no grant in it is
/// left, which is why an acknowledged object cannot vanish with a scope thought to be empty.
pub struct Grant {
    role: Arc<Role>,
    serial: Serial,
    imported: Option<Arc<ImportedClient>>,
}

impl Grant {
    /// The mount of the request.
    pub fn mount(&self) -> MountId {
        self.role.scope.mount
    }

    /// The scope whose objects the request may touch.
    pub fn scope(&self) -> ScopeId {
        self.role.scope.record_id
    }

    /// The scope's name, for audit and log.
    pub fn scope_name(&self) -> &Name {
        &self.role.scope.name
    }

    /// Whether the scope's requests and answers are written to the log.
    pub fn is_traced(&self) -> bool {
        self.role.scope.is_traced()
    }

    /// Whether two objects of the scope may not have a Name in common.
    pub fn has_unique_names(&self) -> bool {
        self.role.scope.has_unique_names()
    }

    /// The role's name, for audit and log.
    pub fn role_name(&self) -> &Name {
        &self.role.name
    }

    /// The serial of the client's certificate.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// The client, if an imported authority vouches for it; none for credentials of this server.
    pub fn imported(&self) -> Option<&ImportedClient> {
        self.imported.as_deref()
    }

    /// Whether the role grants another operation too, at this instant.
    pub fn allows(&self, operation: Operation) -> bool {
        self.role.allows(operation)
    }
}

impl Clone for Grant {
    fn clone(&self) -> Self {
        // Inside a running request already: a scope that is closing waits for this one as well.
        self.role.scope.keep_running();
        let imported = self.imported.clone();
        Self { role: self.role.clone(), serial: self.serial, imported }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.role.scope.leave();
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("scope", self.scope_name())
            .field("role", self.role_name())
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Whether a certificate may carry out an operation now. Ask for every request and every batch
    /// item: revocation, expiry, deletion and changed roles act on open connections.
    ///
    /// # Errors
    /// The reason why not.
    pub fn authorize(
        &self,
        mount: MountId,
        identity: &Identity,
        operation: Operation,
    ) -> Result<Grant, Refusal> {
        let grant = self.authenticate(mount, identity)?;
        if grant.allows(operation) { Ok(grant) } else { Err(Refusal::NotPermitted(operation)) }
    }

    /// Whether a certificate is alive, whatever its role grants: for handshakes and for requests
    /// that fail before their operation is known.
    ///
    /// # Errors
    /// The reason why not; never [`Refusal::NotPermitted`].
    pub fn authenticate(&self, mount: MountId, identity: &Identity) -> Result<Grant, Refusal> {
        match identity {
            Identity::Issued(serial) => self.authenticate_issued(mount, serial),
            Identity::Imported(client) => self.authenticate_imported(mount, client),
        }
    }

    fn authenticate_issued(&self, mount: MountId, serial: &Serial) -> Result<Grant, Refusal> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let Some(holder) = index.holders.get(&(mount, *serial)) else {
            return Err(match index.gone.get(&(mount, *serial)) {
                Some(Gone::Revoked) => Refusal::Revoked,
                Some(Gone::RoleDeleted) => Refusal::RoleDeleted,
                Some(Gone::ScopeDeleted) => Refusal::ScopeDeleted,
                None => Refusal::Unknown,
            });
        };
        if self.clock.now() > holder.not_after {
            return Err(Refusal::Expired);
        }
        if !holder.role.scope.enter() {
            return Err(Refusal::ScopeClosing);
        }
        Ok(Grant { role: holder.role.clone(), serial: *serial, imported: None })
    }

    /// Nothing of such a client is stored: who it is follows from its certificate and from what its
    /// authority, scope and role are at this instant.
    fn authenticate_imported(
        &self,
        mount: MountId,
        client: &Arc<ImportedClient>,
    ) -> Result<Grant, Refusal> {
        if self.clock.now() > client.subject.not_after {
            return Err(Refusal::Expired);
        }
        let role = client.place(|scope, role| {
            let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
            index.scopes.get(&mount)?.get(scope)?.role(role)
        });
        let role = role.map_err(|unplaced| match unplaced {
            Unplaced::Deleted => Refusal::AuthorityDeleted,
            Unplaced::Denied => Refusal::Revoked,
            Unplaced::Field(field) => Refusal::NoField(field.name()),
        })?;
        let role = role.ok_or(Refusal::NoRole)?;
        if !role.scope.enter() {
            return Err(Refusal::ScopeClosing);
        }
        Ok(Grant { role, serial: client.subject.serial, imported: Some(Arc::clone(client)) })
    }
}
