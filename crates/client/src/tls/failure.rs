//! Why no TLS connection came about, told apart as far as the other side lets us.
//!
//! It must never know a socket.

use std::error::Error as StdError;
use std::{fmt, io};

use rustls::{AlertDescription, CertificateError};

use crate::{Error, Step};

/// Why no TLS connection came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The server's certificate comes from an authority that is not trusted.
    #[error("the server's certificate comes from an authority that is not trusted")]
    UnknownAuthority,
    /// The server's certificate has expired.
    #[error("the server's certificate has expired, or our clock is wrong")]
    Expired,
    /// The server's certificate is not valid yet.
    #[error("the server's certificate is not valid yet, or our clock is wrong")]
    NotYetValid,
    /// The server's certificate is another host's.
    #[error("the server's certificate does not name the host: {0}")]
    WrongHost(String),
    /// Something else is wrong with the server's certificate.
    #[error("the server's certificate cannot be used: {0}")]
    ServerCertificate(String),
    /// The server demands a client certificate and got none.
    #[error("the server demands a client certificate")]
    CertificateRequired,
    /// The server does not take our certificate.
    #[error("the server does not take our certificate: {0}")]
    CertificateRejected(String),
    /// The two sides found no version, cipher suite or signature that both take. A server of TLS
    /// 1.2 that demands a client certificate says this too.
    #[error("the two sides have no TLS version or cipher suite in common: {0}")]
    NothingInCommon(String),
    /// What came was not TLS.
    #[error("the server does not speak TLS there")]
    NotTls,
    /// The connection ended during the handshake.
    #[error("the connection ended during the handshake: {0}")]
    Ended(io::Error),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl TlsFailure {
    /// What an error of the TLS library means; `None` if it is none, or if it says nothing of
    /// the handshake. With TLS 1.3 the server's word on our certificate comes only with the first
    /// answer.
    pub(crate) fn of(error: &(dyn StdError + Send + Sync + 'static), step: Step) -> Option<Self> {
        let failure = match error.downcast_ref::<rustls::Error>() {
            Some(error) => Self::from(error),
            #[cfg(feature = "openssl")]
            None => super::openssl::of_read(error)?,
            #[cfg(not(feature = "openssl"))]
            None => return None,
        };
        match failure {
            Self::CertificateRequired | Self::CertificateRejected(_) => Some(failure),
            _ => (step == Step::Handshake).then_some(failure),
        }
    }
}

impl TlsFailure {
    /// What the other side said in an error; `None` if it only went away.
    pub(crate) fn said(error: Error) -> Option<Self> {
        match error {
            Error::Tls(Self::Ended(_)) => None,
            Error::Tls(failure) => Some(failure),
            _ => None,
        }
    }
}

impl From<&rustls::Error> for TlsFailure {
    fn from(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(problem) => certificate(problem),
            rustls::Error::AlertReceived(alert) => received(*alert, error),
            rustls::Error::PeerIncompatible(_) => Self::NothingInCommon(error.to_string()),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            _ => Self::Other(error.to_string()),
        }
    }
}

fn certificate(problem: &CertificateError) -> TlsFailure {
    match problem {
        // A bad signature is that of another authority of the same name: one that was made anew.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsFailure::UnknownAuthority
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFailure::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFailure::WrongHost(problem.to_string())
        }
        other => TlsFailure::ServerCertificate(other.to_string()),
    }
}

/// What the server's alert means (RFC 8446 §6.2).
pub(super) fn received(alert: AlertDescription, error: &dyn fmt::Display) -> TlsFailure {
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            TlsFailure::CertificateRequired
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => TlsFailure::CertificateRejected(format!("{alert:?}")),
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => TlsFailure::NothingInCommon(error.to_string()),
        _ => TlsFailure::Other(error.to_string()),
    }
}
