//! What a command says when it fails: the problem, what to do next, and the exit code.
//!
//! It must never carry key material, tokens or passwords.

use std::fmt::{self, Display};
use std::io;

use claviger_client::Error;
use claviger_kmip::enums::ResultReason;

/// A refused or failed action.
pub(crate) const FAILED: u8 = 1;
/// Bad usage.
pub(crate) const USAGE: u8 = 2;
/// `status`: the server is sealed.
pub(crate) const SEALED: u8 = 2;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// What went wrong.
    pub(crate) problem: String,
    /// What to do next.
    pub(crate) next: Option<String>,
}

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A refused or failed action.
    pub(crate) fn new(problem: impl Display) -> Self {
        Self { code: FAILED, problem: problem.to_string(), next: None }
    }

    /// Bad usage that the parser of arguments cannot see.
    pub(crate) fn usage(problem: impl Display) -> Self {
        Self { code: USAGE, ..Self::new(problem) }
    }

    /// Says what to do next.
    pub(crate) fn next(mut self, next: impl Display) -> Self {
        self.next = Some(next.to_string());
        self
    }

    /// Says what was being done.
    pub(crate) fn at(mut self, doing: impl Display) -> Self {
        self.problem = format!("{doing}: {}", self.problem);
        self
    }

    /// What to call an [`io::Error`] on a file.
    pub(crate) fn file(path: &std::path::Path, error: &io::Error) -> Self {
        Self::new(format_args!("{}: {error}", path.display()))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        match &self.next {
            Some(next) => write!(f, "\n{next}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let next = next_after(&error);
        let code = if matches!(error, Error::Address(_)) { USAGE } else { FAILED };
        Self { code, problem: error.to_string(), next: next.map(str::to_owned) }
    }
}

fn next_after(error: &Error) -> Option<&'static str> {
    match error {
        Error::Address(_) => Some("Give --server HOST[:PORT][,HOST…]."),
        Error::TooYoung(_) => Some("Choose a later --kmip-version."),
        Error::Pem { .. } => Some(
            "Give --client DIR, as `claviger server --export-client DIR` writes it, or --ca, \
             --cert and --key.",
        ),
        Error::Tls(_) => Some(
            "The server must know the authority of --cert, and --ca that of the server; its \
             certificate must name the host given with --server.",
        ),
        Error::TimedOut(_) => Some("Is the server reachable, or very busy?"),
        Error::Connect(error) | Error::Unsent(error) | Error::Transport(error) => {
            match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    Some("Is the server running, and is this its KMIP port?")
                }
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Some(
                    "The server ends a connection whose certificate is revoked or whose message it \
                 cannot read; its log says why.",
                ),
                _ => None,
            }
        }
        Error::Refused(refusal) => refusal.reason.and_then(next_after_refusal),
        _ => None,
    }
}

fn next_after_refusal(reason: ResultReason) -> Option<&'static str> {
    match reason {
        ResultReason::PERMISSION_DENIED => Some(
            "The role of this certificate may not do that, or the object's state forbids it: see \
             `claviger role read`.",
        ),
        ResultReason::ITEM_NOT_FOUND | ResultReason::OBJECT_NOT_FOUND => {
            Some("The scope of this certificate has no such object: see `claviger object locate`.")
        }
        ResultReason::WRONG_KEY_LIFECYCLE_STATE => {
            Some("See the State with `claviger object attributes list`, or activate it first.")
        }
        ResultReason::AUTHENTICATION_NOT_SUCCESSFUL => {
            Some("The certificate is revoked, or its role or scope is gone: make a new one.")
        }
        ResultReason::INVALID_MESSAGE | ResultReason::UNSUPPORTED_PROTOCOL_VERSION => {
            Some("The server may not speak that version: see `claviger object query`.")
        }
        _ => None,
    }
}
