//! What an operator does about a problem: one sentence for the error log and for the command line, naming the options.

use claviger_client::Error;

use crate::Problem;

/// What to do about a problem. Options are named without their prefix `kmip-key-management-`.
#[must_use]
pub fn advice(problem: &Problem) -> &'static str {
    match problem {
        Problem::Client(error) => of_client(error.cause()),
        Problem::NoVersion(_) | Problem::Absent(_) => {
            "make it with `claviger mariadb rotate`, see that key-group is the one it was made in, or set create-missing"
        }
        Problem::Ambiguous { .. } => {
            "if two servers made it at once, start anew; else rename all but the right one"
        }
        Problem::Wrong { .. } => {
            "keys of MariaDB are made with `claviger mariadb rotate`, and with nothing else"
        }
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
        Error::Tls(_) => {
            "ca must hold the authority of the KMIP server, whose certificate names its host in servers; \
             certificate and key must be issued by the KMIP server and not be revoked"
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
