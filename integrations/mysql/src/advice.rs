//! What an operator does about a problem: one sentence for the error log, naming the options.

use claviger_client::Error;
use claviger_client::tls::TlsFailure;

use crate::server::{Problem, is_of_client};

/// What to do about a problem; empty where the problem says it.
pub(crate) fn advice(problem: &Problem) -> &'static str {
    match problem {
        Problem::Client(error) => of_client(error.cause()),
        Problem::Ambiguous { .. } => {
            "destroy those that nothing is encrypted with, or set object_group to this server's own"
        }
        Problem::Unknown(_) => {
            "set object_group to this server's own, or if it is, destroy the key and ALTER INSTANCE RELOAD KEYRING"
        }
        Problem::Wrong { .. } => "destroy or rename it, or set object_group to this server's own",
        Problem::TooMany(_) => "raise max_objects, or set object_group to this server's own",
        Problem::Lost(_) => "do again what made the key",
        Problem::Incomplete { .. } => "see the log of the KMIP server",
        Problem::Exists(_) | Problem::Unsupported(_) => "",
    }
}

fn of_client(error: &Error) -> &'static str {
    match error {
        Error::Address(_) | Error::NoServer => "server_addr is a list HOST[:PORT],HOST[:PORT]",
        Error::Tls(failure) => of_tls(failure),
        Error::Refused(refusal) if refusal.reason.is_some_and(is_of_client) => {
            "client_ca must not be revoked, and its role allow Locate, Get, Get Attributes, Register, Activate, Revoke and Destroy"
        }
        Error::Refused(_) => {
            "the KMIP server's log says why; to have keys of users it must keep attributes that it does not know"
        }
        Error::Version => "the server must speak KMIP 1.0 to 2.1",
        Error::TimedOut(_) => {
            "see that server_addr and server_port are right and a KMIP server runs there, or raise kmip_timeout_ms"
        }
        Error::Resolve { .. } | Error::Connect(_) => {
            "see that server_addr and server_port are right, and that a KMIP server runs there"
        }
        Error::Transport(_) | Error::Unsent(_) => {
            "the KMIP server's log says why; one reason is that client_ca is revoked"
        }
        _ => "see the log of the KMIP server",
    }
}

fn of_tls(failure: &TlsFailure) -> &'static str {
    match failure {
        TlsFailure::UnknownAuthority => {
            "set server_ca to the authority of the KMIP server's certificate"
        }
        TlsFailure::Expired | TlsFailure::NotYetValid | TlsFailure::ServerCertificate(_) => {
            "renew the KMIP server's certificate, or set the clock"
        }
        TlsFailure::WrongHost(_) => {
            "set server_addr to a name in the KMIP server's certificate, or tls_hostname_verification to false"
        }
        TlsFailure::CertificateRequired | TlsFailure::CertificateRejected(_) => {
            "set client_ca and client_key to a certificate of the KMIP server's, not revoked and not expired"
        }
        TlsFailure::NotTls => "see that server_port is the KMIP server's",
        TlsFailure::NothingInCommon(_) | TlsFailure::Ended(_) | TlsFailure::Other(_) | _ => {
            "see that server_port is the KMIP server's, and that client_ca and client_key were issued by it"
        }
    }
}
