//! Mounts: KMIP engines at API paths, each with its own configuration, authorities and listeners.
//!
//! Never knows scopes or credentials, nor how a listener serves: it hands [`Listeners`] a plan.

mod address;
mod authority;
mod config;
mod engine;
mod imported;
mod listener;
mod mounted;
mod moved;
mod named;
mod path;
mod renewal;
pub(crate) mod revoked;
mod stored;
mod stored_named;
mod table;
mod trusted;

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;

use crate::pki::PkiError;
use crate::record::{MountId, RecordError};

pub use authority::{NamedAuthority, Source};
pub use config::{Config, ConfigChange, client_names};
pub use engine::Engine;
pub use imported::{
    Denied, ImportedAuthority, ImportedClient, IssuerHash, Mapping, MappingChange, Selector,
    Unplaced,
};
pub use listener::{Listener, ListenerChange, ListenerConfig};
pub use mounted::Mount;
pub use moved::{Migration, TuneChange, Tuning};
pub use path::MountPath;
pub use renewal::Ending;
pub use table::{Configured, Mounts};
pub use trusted::{Identity, TrustedClients};

/// What one listener is to be: where it accepts and how it speaks TLS.
#[derive(Clone)]
pub struct ListenerPlan {
    /// Which listener of the mount; [`DEFAULT_LISTENER`] is the one of `config`.
    pub name: String,
    /// `host:port`, IPv6 in brackets; none closes the listener.
    pub addresses: Vec<String>,
    /// Ready to accept with.
    pub tls: Arc<ServerConfig>,
    /// Whose clients `tls` takes, and who they are.
    pub clients: Arc<TrustedClients>,
}

impl fmt::Debug for ListenerPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerPlan")
            .field("name", &self.name)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// The name of the listener that a mount's `config` describes.
pub const DEFAULT_LISTENER: &str = "";

/// The KMIP front door, as mounts see it.
pub trait Listeners: Send + Sync + 'static {
    /// Makes the mount's listener of that name what the plan says. New connections follow the plan
    /// when this returns; open ones end or go on as the front door sees fit, since every request is
    /// authorized anew.
    ///
    /// # Errors
    /// Text such as `listen tcp4 127.0.0.1:1003: bind: permission denied`; everything is then as it
    /// was before the call.
    fn apply(&self, mount: MountId, plan: &ListenerPlan) -> Result<(), String>;

    /// Closes every listener and connection of a mount.
    fn close(&self, mount: MountId);

    /// Closes one listener and its connections.
    fn close_one(&self, mount: MountId, name: &str);
}

/// Why an administrative call on a mount was refused.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The caller's input is wrong.
    #[error("{0}")]
    BadInput(String),
    /// Nothing is mounted there.
    #[error("No secret engine mount at {0}")]
    Missing(MountPath),
    /// The path, one above it or one below it is taken.
    #[error("path is already in use at {0}")]
    InUse(MountPath),
    /// A listener cannot be what the configuration says.
    #[error("{0}")]
    Listen(String),
    /// Certificates could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Records could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<aws_lc_rs::error::Unspecified> for MountError {
    fn from(error: aws_lc_rs::error::Unspecified) -> Self {
        Self::Pki(error.into())
    }
}

#[cfg(test)]
pub(crate) mod tests;
