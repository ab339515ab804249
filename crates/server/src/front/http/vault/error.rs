//! Failures of the HTTP API: which status, which words. The one place that maps the server's own
//! errors to HTTP (vault's convention: 4xx is the caller's to put right, 5xx is ours; clients repeat
//! what failed with 5xx, so nothing that the caller did may end there).

use crate::access::AccessError;
use crate::audit::AuditError;
use crate::audit_devices::AuditDeviceError;
use crate::auth::AuthError;
use crate::backup::BackupError;
use crate::mount::MountError;
use crate::pki::PkiError;
use crate::policy::PolicyError;
use crate::record::RecordError;
use crate::rotation::RotationError;
use crate::seal::{CommitError, SealError};
use crate::token::TokenError;

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    /// HTTP status.
    pub(super) status: u16,
    /// What `errors` lists. Never holds a secret.
    pub(super) errors: Vec<String>,
}

impl ApiError {
    fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, errors: vec![text.into()] }
    }

    /// The caller's input is wrong.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(400, text)
    }

    /// No token, or one that is not alive.
    pub(super) fn denied() -> Self {
        Self::new(403, "permission denied")
    }

    /// A token whose policies do not grant the request.
    pub(super) fn not_granted() -> Self {
        Self::new(403, "1 error occurred:\n\t* permission denied\n\n")
    }

    /// A token given in the request, not with it, that is not alive.
    pub(super) fn bad_token() -> Self {
        Self::new(403, "bad token")
    }

    /// An accessor of no token that is alive.
    pub(super) fn bad_accessor() -> Self {
        Self::new(403, "1 error occurred:\n\t* invalid accessor\n\n")
    }

    /// No token at all.
    pub(super) fn no_token() -> Self {
        Self::new(403, "missing client token")
    }

    /// What was asked for is not there; nothing to say about it.
    pub(super) fn nothing() -> Self {
        Self { status: 404, errors: Vec::new() }
    }

    /// The same, with something to say about it.
    pub(super) fn missing(text: impl Into<String>) -> Self {
        Self::new(404, text)
    }

    /// Nothing is mounted at or above the path.
    pub(super) fn no_route(path: &str) -> Self {
        Self::new(404, format!("no handler for route {path:?}. route entry not found."))
    }

    /// The engine has no such path.
    pub(super) fn unsupported_path() -> Self {
        Self::new(404, "1 error occurred:\n\t* unsupported path\n\n")
    }

    /// The path does not take this verb.
    pub(super) fn unsupported_operation() -> Self {
        Self::new(405, "1 error occurred:\n\t* unsupported operation\n\n")
    }

    /// The body is longer than what is read.
    pub(super) fn too_large() -> Self {
        Self::new(413, "request body too large")
    }

    /// Nothing but the seal's own paths works while sealed.
    pub(super) fn sealed() -> Self {
        Self::new(503, "Vault is sealed")
    }

    /// Ours. The reason goes to the log, not to the caller.
    pub(super) fn internal(reason: &dyn std::fmt::Display) -> Self {
        tracing::error!(%reason, "a request of the HTTP API failed");
        Self::new(500, "internal error: see the server's log")
    }

    /// As one text, for the audit.
    pub(super) fn text(&self) -> String {
        if self.errors.is_empty() { "not found".to_owned() } else { self.errors.join("; ") }
    }
}

impl From<MountError> for ApiError {
    fn from(error: MountError) -> Self {
        match error {
            MountError::BadInput(_)
            | MountError::Missing(_)
            | MountError::InUse(_)
            | MountError::Listen(_) => Self::bad(error.to_string()),
            MountError::Pki(error) => error.into(),
            MountError::Record(error) => error.into(),
        }
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::BadInput(text)
            | AccessError::Missing(text)
            | AccessError::Refused(text) => Self::bad(text),
            AccessError::Pki(error) => error.into(),
            AccessError::Record(error) => error.into(),
            AccessError::Objects(reason) => Self::internal(&reason),
        }
    }
}

impl From<PkiError> for ApiError {
    fn from(error: PkiError) -> Self {
        if error.is_callers() || matches!(error, PkiError::AuthorityExpired) {
            return Self::bad(error.to_string());
        }
        Self::internal(&error)
    }
}

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> Self {
        match error {
            // Clients repeat a 503 by themselves, which is what these need.
            RecordError::Conflict => Self::new(503, error.to_string()),
            RecordError::Storage(CommitError::Full | CommitError::Unavailable) => {
                tracing::error!(reason = %error, "a request of the HTTP API could not be stored");
                Self::new(503, error.to_string())
            }
            other => Self::internal(&other),
        }
    }
}

impl From<BackupError> for ApiError {
    fn from(error: BackupError) -> Self {
        Self::internal(&error)
    }
}

impl From<SealError> for ApiError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::UnderWay
            | SealError::NotUnderWay
            | SealError::KeptOtherwise(_)
            | SealError::WrongSealKey
            | SealError::Shamir(_) => Self::bad(error.to_string()),
            SealError::Sealed => Self::sealed(),
            SealError::Commit(error) => RecordError::Storage(error).into(),
            other => Self::internal(&other),
        }
    }
}

impl From<RotationError> for ApiError {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::BadInput(text) => Self::bad(text),
            RotationError::Record(error) => error.into(),
            RotationError::Seal(error) => error.into(),
        }
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unfit | TokenError::BadInput(_) => Self::bad(error.to_string()),
            TokenError::NoParent => Self::denied(),
            TokenError::Record(error) => error.into(),
            TokenError::Random => Self::internal(&error),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::BadInput(_)
            | AuthError::NoMethod(_)
            | AuthError::InUse(_)
            | AuthError::Missing(_)
            | AuthError::Wrong(_) => Self::bad(error.to_string()),
            AuthError::Denied => Self::denied(),
            AuthError::TooMany(_) | AuthError::Busy => Self::new(429, error.to_string()),
            AuthError::Token(error) => error.into(),
            AuthError::Record(error) => error.into(),
            AuthError::Random => Self::internal(&error),
        }
    }
}

impl From<AuditDeviceError> for ApiError {
    fn from(error: AuditDeviceError) -> Self {
        match error {
            AuditDeviceError::Refused(_) | AuditDeviceError::Declared(_) => {
                Self::bad(error.to_string())
            }
            AuditDeviceError::Record(error) => error.into(),
            AuditDeviceError::Random => Self::internal(&error),
        }
    }
}

impl From<PolicyError> for ApiError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Parse(_) | PolicyError::BadInput(_) => Self::bad(error.to_string()),
            PolicyError::Record(error) => error.into(),
        }
    }
}

impl From<AuditError> for ApiError {
    fn from(_: AuditError) -> Self {
        // Which device fails is in the log already, and not once for each request.
        Self::new(500, "the audit does not take the request: see the server's log")
    }
}
