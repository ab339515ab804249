//! What can go wrong, by whose fault it is.
//!
//! No error carries a value of a message, only names and what the server says to people.

use std::io;
use std::path::PathBuf;

use claviger_kmip::codec::ByteString;
use claviger_kmip::enums::{Operation, ResultReason};
use claviger_kmip::tables::tag_name;
use claviger_ttlv::Tag;

/// Why there is no answer, or not the one that was wanted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller: that is no address of a server.
    #[error("`{0}` is no HOST[:PORT]")]
    Address(String),
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
    /// The caller or the server: no TLS connection came about.
    #[error("TLS: {0}")]
    Tls(String),
    /// The network.
    #[error("{0}")]
    Transport(io::Error),
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

fn name(tag: Tag) -> String {
    tag_name(tag).map_or_else(|| tag.to_string(), str::to_owned)
}

fn reason_text(reason: Option<&ResultReason>) -> String {
    reason.map_or_else(|| String::from("failed"), |reason| format!("{reason:?}"))
}

fn message_text(message: Option<&String>) -> String {
    message.map(|message| format!(": {message}")).unwrap_or_default()
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

    /// Whether the connection may still be used: the answer was read to its end.
    #[must_use]
    pub const fn leaves_connection_usable(&self) -> bool {
        !matches!(self, Self::Transport(_) | Self::Tls(_) | Self::Malformed(_))
    }
}

impl From<io::Error> for Error {
    /// TLS reports its failures through the socket's functions, some of them (the server refuses
    /// our certificate) only when the first answer is read.
    fn from(error: io::Error) -> Self {
        match error.get_ref() {
            Some(inner) if inner.is::<rustls::Error>() => Self::Tls(inner.to_string()),
            _ => Self::Transport(plain(error)),
        }
    }
}

/// The same in words for people: a blocking read past its bound says `WouldBlock`, and a close
/// without goodbye `UnexpectedEof`.
fn plain(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::new(io::ErrorKind::TimedOut, "the server did not answer in time")
        }
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")
        }
        _ => error,
    }
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
