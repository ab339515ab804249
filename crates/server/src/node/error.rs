//! Why a server does not start, or stays sealed.

use std::io;

use crate::access::AccessError;
use crate::audit::AuditError;
use crate::audit_devices::AuditDeviceError;
use crate::auth::AuthError;
use crate::export::ExportError;
use crate::front::http::TlsError;
use crate::mount::MountError;
use crate::policy::PolicyError;
use crate::rotation::RotationError;
use crate::seal::{CommitError, SealError, SealKind};
use crate::token::TokenError;
use claviger_store::OpenError;

/// Why a server did not start or unseal.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum StartError {
    #[error("storage: {0}")]
    Open(#[from] OpenError),
    #[error("storage: {0}")]
    Commit(#[from] CommitError),
    #[error("seal: {0}")]
    Seal(#[from] SealError),
    #[error("seal: the root key of this store is kept by {}; say so in [seal], or migrate the seal", kept_by(*.stored))]
    SealMismatch { stored: SealKind },
    #[error("audit: {0}")]
    Audit(#[from] AuditError),
    #[error("audit: {0}")]
    AuditDevice(#[from] AuditDeviceError),
    #[error("mount: {0}")]
    Mount(#[from] MountError),
    #[error("access: {0}")]
    Access(#[from] AccessError),
    #[error("token: {0}")]
    Token(#[from] TokenError),
    #[error("policy: {0}")]
    Policy(#[from] PolicyError),
    #[error("rotation: {0}")]
    Rotation(#[from] RotationError),
    #[error("auth methods: {0}")]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("api {address}: {source}")]
    Api { address: String, source: io::Error },
    #[error("api: TLS: {0}")]
    Tls(#[from] TlsError),
}

fn kept_by(kind: SealKind) -> &'static str {
    match kind {
        SealKind::Shamir => "key shares (type = \"shamir\")",
        SealKind::KeyFile => "a key file (type = \"key_file\")",
        SealKind::Pkcs11 => "a PKCS#11 token (type = \"pkcs11\")",
        SealKind::Kmip => "another KMIP server (type = \"kmip\")",
    }
}
