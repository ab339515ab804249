//! From the bytes of a request to the bytes of its answer.
//!
//! The dispatcher checks, in this order: that the message is understood, that its version has the
//! operation, that the credential, its role and its scope are alive and grant it, that the audit
//! takes the entry. Only then does a handler of [`crate::ops`] run, inside a transaction whose
//! commit is durable before the answer leaves. Handlers know nothing of any of this.

mod answer;
mod item;
mod recorder;
mod salvage;
pub mod table;
mod trace;
mod undo;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::access::Access;
use crate::audit::AuditLog;
use crate::clock::Clock;
use crate::mount::Identity;
use crate::ops::Resources;
use crate::record::MountId;

/// Answers requests.
pub struct Service {
    /// What handlers work with.
    pub resources: Resources,
    /// Scopes, roles and credentials.
    pub access: Arc<Access>,
    /// The audit.
    pub audit: AuditLog,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Numbers requests in audit and log.
    pub requests: AtomicU64,
}

/// Who sends a request: one KMIP connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The mount whose listener accepted the connection.
    pub mount: MountId,
    /// The mount's path, for audit and log.
    pub mount_path: Arc<str>,
    /// Who the client is.
    pub identity: Identity,
    /// The serial of its certificate in decimal, for audit and log.
    pub serial_text: Arc<str>,
    /// The client's address.
    pub remote: SocketAddr,
}

/// What becomes of the connection after an answer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on.
    Continue,
    /// It ends: the client cannot be understood, or its credential is no more.
    Close,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}
