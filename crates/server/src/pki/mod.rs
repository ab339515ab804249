//! Certificates: key pairs, authorities (root and intermediate), the server and client
//! certificates they issue, and the TLS set-up made from them.
//!
//! This module must never know scopes, roles or storage: it is given the identifiers to print in a
//! certificate and hands back bytes. The shapes follow Vault's KMIP engine; `docs/formats.md`
//! ("Certificates") states them field by field.

mod authority;
mod certificate;
mod ending;
mod key;
pub mod pem;
mod presented;
mod request;
mod revocation;
mod revoked_list;
mod serial;
mod subject;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;
mod tls_policy;
pub mod trust;

pub use authority::{
    AUTHORITY_SECONDS, Authority, AuthorityParts, ClientKey, Issued, SERVER_SECONDS, ServerNames,
    Subject,
};
pub use ending::{WARNING_DAYS, warning_due};
pub use key::{KeySpec, KeyType, PrivateKey};
pub use presented::{Presented, extension_text, vouches};
pub use request::PublicKey;
pub use revocation::Revoked;
pub use revoked_list::RevokedList;
pub use serial::Serial;
pub use subject::{ClientSubject, SubjectField};

/// Why a key, certificate or TLS set-up could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The caller asked for a key that this server cannot make.
    #[error("{0}")]
    UnsupportedKey(String),
    /// The caller's certificate signing request is malformed or does not match.
    #[error("{0}")]
    BadRequest(String),
    /// The caller's host name or address cannot appear in a certificate.
    #[error("{0}")]
    BadName(String),
    /// The authority's own certificate has expired: nothing can be issued under it.
    #[error("the certificate authority has expired")]
    AuthorityExpired,
    /// Stored material does not parse: corruption, or a defect of ours.
    #[error("stored certificate material is unusable: {0}")]
    Corrupt(&'static str),
    /// The cryptographic library refused: a defect of ours or of the platform.
    #[error("certificate creation failed: {0}")]
    Library(String),
}

impl PkiError {
    /// True when the caller can put it right by sending something else.
    pub fn is_callers(&self) -> bool {
        matches!(self, Self::UnsupportedKey(_) | Self::BadRequest(_) | Self::BadName(_))
    }
}

impl From<rcgen::Error> for PkiError {
    fn from(error: rcgen::Error) -> Self {
        Self::Library(error.to_string())
    }
}

impl From<aws_lc_rs::error::Unspecified> for PkiError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Library("the cryptographic library gave no reason".to_owned())
    }
}
