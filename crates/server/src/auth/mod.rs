//! Auth methods: who may log in to the HTTP API, and what the token of a login may do.
//!
//! A method is at a path below `auth/` and has principals: users, AppRole roles, certificates. Tokens
//! are made by `token`; what a policy grants is decided by `policy`. Never knows a route.

mod approle;
mod attempts;
mod certificate;
mod glob;
mod lockout;
mod methods;
mod password;
mod principal;
mod renewal;
mod revocation;
mod shown;
mod terms;
#[cfg(test)]
pub(crate) mod tests;
mod userpass;

use crate::mount::{MountError, MountPath};
use crate::record::RecordError;
use crate::token::TokenError;

pub use approle::{AppRole, AppRoleChange, AppRoleState, NewSecretId, SecretId, SecretIdState};
pub use certificate::{CertificateChange, CertificateState, Certificates, ConstraintField};
pub use lockout::LockedUsers;
pub use methods::{AuthMethods, Method, MethodKind};
pub use terms::{TokenTerms, TokenTermsChange, TokenType};
pub use userpass::Userpass;

/// Where a login comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Client<'a> {
    /// Its address; `None` if it is not known.
    pub address: Option<std::net::IpAddr>,
    /// The certificates that it proved to hold, its own first, in DER.
    pub certificates: &'a [Vec<u8>],
}

/// Whether this server has issued the certificate that a chain begins with, and has revoked it: whoever
/// keeps credentials knows.
pub type IsRevoked<'a> = &'a dyn Fn(&[Vec<u8>]) -> Result<bool, RecordError>;

/// Why a login or a change was refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The caller's input is wrong; says how.
    #[error("{0}")]
    BadInput(String),
    /// There is no auth method there.
    #[error("No auth engine at {0}")]
    NoMethod(MountPath),
    /// The path, one above it or one below it is taken.
    #[error("path is already in use at {0}")]
    InUse(MountPath),
    /// Who logs in is not who it says; the words do not tell which part is wrong.
    #[error("{0}")]
    Wrong(&'static str),
    /// Locked out, or from an address that may not.
    #[error("permission denied")]
    Denied,
    /// More logins from one address than it may try.
    #[error("too many logins from this address: try again in {0} seconds")]
    TooMany(i64),
    /// More logins at once than are looked at.
    #[error("too many logins at the same time: try again")]
    Busy,
    /// There is nothing under that name.
    #[error("{0}")]
    Missing(String),
    /// The token could not be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Records could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The operating system gives no randomness.
    #[error("the cryptographic library gave no reason")]
    Random,
}

impl AuthError {
    fn bad(text: impl Into<String>) -> Self {
        Self::BadInput(text.into())
    }
}

impl From<MountError> for AuthError {
    fn from(error: MountError) -> Self {
        match error {
            MountError::Record(error) => error.into(),
            other => Self::BadInput(other.to_string()),
        }
    }
}

impl From<aws_lc_rs::error::Unspecified> for AuthError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Random
    }
}
