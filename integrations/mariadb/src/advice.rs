//! What an operator does about a problem: one sentence for the error log and for the command line, naming the options.

use claviger_client::Error;
use claviger_client::tls::TlsFailure;
use claviger_kmip::enums::ResultReason;

use crate::Problem;

/// What to do about a problem. Options are named without their prefix `kmip-key-management-`.
#[must_use]
pub fn advice(problem: &Problem) -> &'static str {
    match problem {
        Problem::Client(error) => of_client(error.cause()),
        Problem::NoVersion(_) | Problem::Absent(_) => {
            "make it with `claviger mariadb rotate`, see that key-group is the one it was made in, or set create-missing"
        }
        Problem::NotActive(_) => {
            "if somebody else makes that version, ask again; else activate it, or make the next with `claviger mariadb rotate`"
        }
        Problem::Ambiguous { .. } => {
            "if two servers made it at once, start anew; else rename all but the right one"
        }
        Problem::Wrong { .. } => {
            "keys of MariaDB are made with `claviger mariadb rotate`, and with nothing else"
        }
        Problem::TooManyKeys(_) => "let tables share keys: give them the same ENCRYPTION_KEY_ID",
        Problem::TooMany(_) => "destroy versions that no page is encrypted with any more",
    }
}

fn of_client(error: &Error) -> &'static str {
    match error {
        Error::Address(_) | Error::NoServer => "servers is a list HOST[:PORT],HOST[:PORT]",
        Error::Pem { .. } => {
            "see that ca, certificate and key name PEM files that the server's user can read"
        }
        Error::Password { .. } => {
            "give key-password, or KMIP_KEY_MANAGEMENT_KEY_PASSWORD in the environment"
        }
        Error::Tls(failure) => of_tls(failure),
        error if error.reason() == Some(ResultReason::NON_UNIQUE_NAME_ATTRIBUTE) => {
            "somebody else makes that version: ask again"
        }
        error if error.reason() == Some(ResultReason::AUTHENTICATION_NOT_SUCCESSFUL) => {
            "certificate and key must be of a credential that is alive: `claviger credential generate` makes one"
        }
        Error::Refused(_) => {
            "certificate must not be revoked, and its role allow Locate, Get Attributes and Get, and Create and Activate for create-missing"
        }
        Error::Version => "the server must speak KMIP 1.0 to 2.1",
        Error::Resolve { .. } | Error::Connect(_) | Error::TimedOut(_) => {
            "see that servers and port are right, and that a KMIP server runs there"
        }
        Error::Transport(_) | Error::Unsent(_) => {
            "the KMIP server's log says why; one reason is that certificate is revoked"
        }
        _ => "see the log of the KMIP server",
    }
}

fn of_tls(failure: &TlsFailure) -> &'static str {
    match failure {
        TlsFailure::UnknownAuthority | TlsFailure::ServerCertificate(_) => {
            "ca must hold the authority of the KMIP server's certificate"
        }
        TlsFailure::WrongHost(_) => {
            "servers must name the KMIP server as its certificate does, which may be given more names"
        }
        TlsFailure::Expired | TlsFailure::NotYetValid => {
            "the KMIP server needs a new certificate, or this computer the right time"
        }
        TlsFailure::CertificateRequired | TlsFailure::CertificateRejected(_) => {
            "certificate and key must be issued by the KMIP server, and neither be revoked nor have ended"
        }
        TlsFailure::NotTls => "see that servers and port are those of a KMIP server",
        _ => "ca, certificate and key must be of the KMIP server in servers, whose log says more",
    }
}

/// What an option must be, for a value that cannot be used.
pub(crate) fn of_option(option: &str) -> &'static str {
    match option {
        "servers" => "set it to the KMIP servers, HOST[:PORT],HOST[:PORT]",
        "port" => "set it to the port of the KMIP servers, 1 to 65535",
        "ca" => {
            "set it to a PEM file with the authority of the KMIP server, which the server's user can read"
        }
        "certificate" => {
            "set it to a PEM file with a certificate that the KMIP server issued, which the server's user can read; \
             without kmip_key_management_key the private key is in it, too"
        }
        "key" => {
            "set it to a PEM file with the private key of the certificate, which the server's user can read"
        }
        "key-password" => {
            "set it, or KMIP_KEY_MANAGEMENT_KEY_PASSWORD in the environment, to the password of the private key"
        }
        _ => "set it to the group that the keys were made in",
    }
}
