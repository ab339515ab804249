//! Scopes, roles, credentials, and the one question asked on every request: may this certificate do
//! this operation now?
//!
//! Records live in storage; an index of them lives in memory, is rebuilt at start, and answers
//! [`Access::authorize`] without allocating, waiting or reading storage. Never knows managed
//! objects (it asks [`Objects`]) nor any protocol.

mod authorize;
mod credential;
mod ending;
mod index;
mod name;
mod operations;
mod permissions;
mod registry;
mod revoked;
mod role;
mod scope;
mod subject;

use crate::pki::PkiError;
use crate::record::{MountId, RecordError, ScopeId};

pub use authorize::{Grant, Refusal};
pub use credential::Credential;
pub use ending::{EndingCredentials, ListedCredential};
pub use name::Name;
pub use operations::{OperationSet, operation_named, permission_names};
pub use permissions::{PermissionChange, Permissions};
pub use registry::Access;
pub use role::{RoleChange, RoleView};
pub use scope::ScopeChange;
pub use subject::{RoleSubject, ScopeSubject};

/// What `access` must know about managed objects; whoever keeps them implements it.
pub trait Objects: Send + Sync + 'static {
    /// Whether the scope holds any object, tombstones of destroyed ones not counted.
    ///
    /// # Errors
    /// A description for the operator, when storage does not answer.
    fn any(&self, mount: MountId, scope: ScopeId) -> Result<bool, String>;

    /// Deletes every object of the scope, tombstones included. No request is running in the scope
    /// while this is called, and none starts until it returns.
    ///
    /// # Errors
    /// A description for the operator; calling it again must be safe.
    fn delete_all(&self, mount: MountId, scope: ScopeId) -> Result<(), String>;
}

/// Why an administrative call was refused.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The caller's input is wrong.
    #[error("{0}")]
    BadInput(String),
    /// What the caller names does not exist.
    #[error("{0}")]
    Missing(String),
    /// The state of things forbids it.
    #[error("{0}")]
    Refused(String),
    /// Certificates could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Records could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The keeper of objects failed.
    #[error("managed objects: {0}")]
    Objects(String),
}

impl From<aws_lc_rs::error::Unspecified> for AccessError {
    fn from(error: aws_lc_rs::error::Unspecified) -> Self {
        Self::Pki(error.into())
    }
}

#[cfg(test)]
mod old_records;
#[cfg(test)]
pub(crate) mod tests;
