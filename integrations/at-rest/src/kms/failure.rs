//! Why an exchange with a server ended: an answer that counts, or a reason to ask the next server.

use claviger_client::tls::TlsFailure;
use claviger_client::{Endpoint, Error as ClientError};
use claviger_kmip::enums::ResultReason;

use super::requests::Garbage;
use super::session::now;
use crate::{Error, Kind, ServerFailure};

/// Why an exchange ended without its result.
#[derive(Debug)]
pub(super) enum Stop {
    /// No other server is asked.
    Final(Error),
    /// The connection failed, or the server refuses.
    Client(ClientError),
    /// What the server answered makes no sense.
    Garbage(Garbage),
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl Stop {
    pub(super) const fn garbage(problem: Garbage) -> Self {
        Self::Garbage(problem)
    }

    /// Whether the connection cannot be used any more, or must not be trusted.
    pub(super) const fn is_of_connection(&self) -> bool {
        match self {
            Self::Final(_) => false,
            Self::Client(error) => !error.is_answer(),
            Self::Garbage(_) => true,
        }
    }

    /// Whether the server may have done what it was asked, for all we know.
    pub(super) const fn may_have_been_done(&self) -> bool {
        match self {
            Self::Final(_) => false,
            Self::Client(error) => !error.is_answer() && !matches!(error, ClientError::Unsent(_)),
            Self::Garbage(_) => true,
        }
    }

    /// Says that a key may be on a server that nobody will use.
    pub(super) fn warn_of_orphan(&self, server: &Endpoint) {
        if self.may_have_been_done() {
            tracing::warn!(
                server_host = %server,
                time = now().0,
                "the answer to Register is lost: a key may be on this server that will not be used"
            );
        }
    }

    /// The failure of that server.
    pub(super) fn at(self, server: &Endpoint) -> ServerFailure {
        let (kind, problem) = match self {
            Self::Final(error) => (error.kind(), error.to_string()),
            Self::Client(error) => (kind(&error), error.to_string()),
            Self::Garbage(problem) => (Kind::Garbage, problem.to_owned()),
        };
        ServerFailure { server: server.clone(), kind, problem }
    }
}

fn kind(error: &ClientError) -> Kind {
    match error {
        ClientError::Tls(failure) => tls_kind(failure),
        ClientError::Refused(refusal) => match refusal.reason {
            Some(ResultReason::AUTHENTICATION_NOT_SUCCESSFUL) => Kind::ClientCertificate,
            _ => Kind::Refused,
        },
        ClientError::Malformed(_)
        | ClientError::Version
        | ClientError::Pending(_)
        | ClientError::Undone
        | ClientError::NotDone
        | ClientError::TooYoung(_) => Kind::Garbage,
        _ => Kind::Unreachable,
    }
}

const fn tls_kind(failure: &TlsFailure) -> Kind {
    match failure {
        // A foreign authority of the same name shows as a wrong signature.
        TlsFailure::UnknownAuthority | TlsFailure::ServerCertificate(_) => Kind::Authority,
        TlsFailure::Expired | TlsFailure::NotYetValid => Kind::Expired,
        TlsFailure::WrongHost(_) => Kind::HostName,
        TlsFailure::CertificateRequired | TlsFailure::CertificateRejected(_) => {
            Kind::ClientCertificate
        }
        TlsFailure::NotTls => Kind::Garbage,
        _ => Kind::Tls,
    }
}

/// An error of a file of the options.
pub(super) fn file_error(error: ClientError) -> Error {
    match error {
        ClientError::Pem { path, problem } => Error::ClientFiles { path, problem },
        ClientError::Password { path, is_given } => Error::Password { path, is_given },
        other => Error::ClientFiles { path: std::path::PathBuf::new(), problem: other.to_string() },
    }
}
