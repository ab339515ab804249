//! What can go wrong, by whose fault it is.
//!
//! No error carries a value of a message, only names and what the server says to people.

use std::io;
use std::path::PathBuf;

use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::{Operation, ResultReason};
use claviger_kmip::tables::tag_name;
use claviger_ttlv::Tag;

use crate::tls::TlsFailure;
use crate::{Endpoint, Step};

/// Why there is no answer, or not the one that was wanted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller: that is no address of a server.
    #[error("`{0}` is no HOST[:PORT]")]
    Address(String),
    /// The caller: no server is named.
    #[error("no server is named")]
    NoServer,
    /// The caller: the request has something that its version does not have.
    #[error("{} does not exist in that version of KMIP", name(*.0))]
    TooYoung(Tag),
    /// The caller: a file for TLS cannot be used.
    #[error("{}: {problem}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The caller: the private key is encrypted, and the password is not the right one.
    #[error("{}: the private key is encrypted, and {}", path.display(), password_text(*.is_given))]
    Password {
        /// The file.
        path: PathBuf,
        /// Whether there was a password.
        is_given: bool,
    },
    /// The caller: every connection of the pool is in use, and none came free in time.
    #[error("every connection to the servers is in use, and none came free in time")]
    Busy,
    /// The network: the name has no address, or nobody knows.
    #[error("{host}: {problem}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver says.
        problem: String,
    },
    /// The network or the server: nobody listens there, or cannot be reached.
    #[error("no connection: {0}")]
    Connect(io::Error),
    /// The caller or the server: no TLS connection came about.
    #[error("TLS: {0}")]
    Tls(#[from] TlsFailure),
    /// The network or the server: a step took too long.
    #[error("{0}")]
    TimedOut(Step),
    /// The network or the server: the connection ended before the request was sent whole. The
    /// server cannot have carried it out.
    #[error("the request could not be sent: {0}")]
    Unsent(io::Error),
    /// The network or the server: the connection ended before the answer came.
    #[error("{0}")]
    Transport(io::Error),
    /// The server: it speaks none of the versions that it may be spoken to in.
    #[error("the server speaks none of the versions of KMIP that were allowed")]
    Version,
    /// The server: it sent something else than an answer to the request.
    #[error("the server's answer is wrong: {0}")]
    Malformed(#[from] Malformed),
    /// The server understood and says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server will have the answer later, under this name.
    #[error("the server has not finished; ask again with Poll")]
    Pending(ByteString),
    /// The server took the item back, because a later one of the batch failed.
    #[error("undone, because another item of the batch failed")]
    Undone,
    /// The server stopped before the item, because an earlier one of the batch failed.
    #[error("not done, because an earlier item of the batch failed")]
    NotDone,
    /// The request was sent and the answer lost; the request may have been carried out, and must
    /// not be sent twice.
    #[error("{server}: the answer is lost, and the request may have been carried out: {error}")]
    Lost {
        /// The server that may have carried it out.
        server: Endpoint,
        /// How the answer was lost.
        error: Box<Self>,
    },
    /// No server gave an answer.
    #[error("no server answered: {}", list(.0))]
    Servers(Vec<ServerFailure>),
}

/// Why one server gave no answer, the last time that it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{server}: {error}")]
pub struct ServerFailure {
    /// The server.
    pub server: Endpoint,
    /// Why.
    pub error: Error,
}

/// How an answer can be wrong.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum Malformed {
    /// Not TTLV, or too large.
    #[error("{0}")]
    Encoding(claviger_ttlv::Error),
    /// Not a response, or not the payload of the operation.
    #[error("{0}")]
    Message(claviger_kmip::Error),
    /// The answer to another operation.
    #[error("it answers {0:?}")]
    OtherOperation(Option<Operation>),
    /// An item that nothing was asked under.
    #[error("it has an item that was not asked for")]
    UnknownItem,
    /// Two answers to one item.
    #[error("it answers one item twice")]
    RepeatedItem,
}

/// What the server says when it says no.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}{}", reason_text(.reason.as_ref()), message_text(.message.as_ref()))]
pub struct Refusal {
    /// The operation, if the server could read it.
    pub operation: Option<Operation>,
    /// Why.
    pub reason: Option<ResultReason>,
    /// Why, for people.
    pub message: Option<String>,
}

impl Refusal {
    /// Whether the server did not understand the message as a whole: it names no operation and
    /// complains of the message or its version.
    pub(crate) fn is_of_version(&self) -> bool {
        let is_complaint = matches!(
            self.reason,
            None | Some(
                ResultReason::INVALID_MESSAGE
                    | ResultReason::UNSUPPORTED_PROTOCOL_VERSION
                    | ResultReason::CODEC_ERROR
                    | ResultReason::GENERAL_FAILURE
            )
        );
        self.reason == Some(ResultReason::UNSUPPORTED_PROTOCOL_VERSION)
            || (is_complaint && self.operation.is_none())
    }
}

fn name(tag: Tag) -> String {
    tag_name(tag).map_or_else(|| tag.to_string(), str::to_owned)
}

fn reason_text(reason: Option<&ResultReason>) -> String {
    reason.map_or_else(|| String::from("failed"), |reason| format!("{reason:?}"))
}

const fn password_text(is_given: bool) -> &'static str {
    if is_given { "the password is wrong" } else { "no password is given" }
}

fn message_text(message: Option<&String>) -> String {
    message.map(|message| format!(": {message}")).unwrap_or_default()
}

fn list(failures: &[ServerFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// The server's reason, if it said no.
    #[must_use]
    pub fn reason(&self) -> Option<ResultReason> {
        match self {
            Self::Refused(refusal) => refusal.reason,
            _ => None,
        }
    }

    /// What went wrong with the last server that was asked: the error itself, unless it is
    /// [`Error::Servers`] or [`Error::Lost`].
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::Lost { error, .. } => error.cause(),
            Self::Servers(failures) => failures.last().map_or(self, |last| last.error.cause()),
            _ => self,
        }
    }

    /// Whether a server read the request and answered it: asking another one would be asking
    /// again.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Pending(_) | Self::Undone | Self::NotDone)
    }

    /// Whether another server, or the same one later, may do better. The rest is for the caller
    /// to mend, or is an answer.
    pub(crate) const fn is_of_server(&self) -> bool {
        matches!(
            self,
            Self::Resolve { .. }
                | Self::Connect(_)
                | Self::Tls(_)
                | Self::TimedOut(_)
                | Self::Unsent(_)
                | Self::Transport(_)
                | Self::Version
                | Self::Malformed(_)
        )
    }

    /// Whether the connection may still be used: the answer was read to its end.
    #[must_use]
    pub const fn leaves_connection_usable(&self) -> bool {
        self.is_answer() || matches!(self, Self::TooYoung(_))
    }

    /// An error of a socket during a step.
    pub(crate) fn at(step: Step, error: io::Error) -> Self {
        if let Some(failure) = error.get_ref().and_then(|inner| TlsFailure::of(inner, step)) {
            return Self::Tls(failure);
        }
        match step {
            _ if is_timeout(&error) => Self::TimedOut(step),
            Step::Resolve | Step::Connect => Self::Connect(error),
            Step::Handshake => Self::Tls(TlsFailure::Ended(plain(error))),
            Step::Request => Self::Transport(plain(error)),
        }
    }
}

/// A blocking read past its bound says `WouldBlock`.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Whether a write failed because the other end had hung up. What it said before may still be read.
pub(crate) fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

/// The same in words for people: a close without goodbye says `UnexpectedEof`.
pub(crate) fn plain(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")
        }
        _ => error,
    }
}

/// A connection that cannot be used for what is wanted.
pub(crate) fn unsent(problem: &str) -> Error {
    Error::Unsent(io::Error::new(io::ErrorKind::NotConnected, problem))
}

impl From<claviger_ttlv::Error> for Error {
    fn from(error: claviger_ttlv::Error) -> Self {
        Self::Malformed(Malformed::Encoding(error))
    }
}

impl From<claviger_kmip::Error> for Error {
    fn from(error: claviger_kmip::Error) -> Self {
        Self::Malformed(Malformed::Message(error))
    }
}
