//! What can go wrong, and what a client of S3 is told of it: one table, that of CloudServer of 2025, but for
//! servers that do not answer, which are 503 here.
//!
//! No error carries key material. [`DriverError`]'s own text may name servers and is for logs;
//! [`S3Failure`]'s never does.

use claviger_client::{Error as ClientError, Refusal};
use claviger_kmip::enums::{Operation, ResultReason};

use super::KeyId;
use super::addresses::without_addresses;
use super::options::Problem;

/// Why the driver did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// Options are wrong, or contradict each other.
    #[error("{}", list(.0))]
    Options(Vec<Problem>),
    /// Options say that no KMIP server is to be used.
    #[error("KMIP is not enabled")]
    Disabled,
    /// A file for TLS cannot be used.
    #[error("{0}")]
    Files(#[source] ClientError),
    /// That is the identifier of no key on a KMIP server.
    #[error("that is the identifier of no key on a KMIP server")]
    KeyId,
    /// That is no name of a bucket.
    #[error("that is no name of a bucket")]
    Bucket,
    /// The server understood and says no.
    #[error("{}: {refusal}", asked(*.operation, .key.as_ref()))]
    Refused {
        /// What was asked for.
        operation: Operation,
        /// Of which key.
        key: Option<KeyId>,
        /// What the server says.
        refusal: Refusal,
    },
    /// No server answered in time.
    #[error("{}: {error}", asked(*.operation, .key.as_ref()))]
    Unreachable {
        /// What was asked for.
        operation: Operation,
        /// Of which key.
        key: Option<KeyId>,
        /// Why each of them did not.
        #[source]
        error: ClientError,
    },
    /// What a server answered makes no sense.
    #[error("{}: {problem}", asked(*.operation, .key.as_ref()))]
    Answer {
        /// What was asked for.
        operation: Operation,
        /// Of which key.
        key: Option<KeyId>,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The operating system has no randomness.
    #[error("the operating system gives no randomness")]
    Randomness,
}

/// What a client of S3 is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Failure {
    /// The code of S3's error.
    pub code: &'static str,
    /// The status of the HTTP answer.
    pub status: u16,
    /// For people. It names no server and no address.
    pub message: String,
}

/// The table: what a failure is called in S3, and its status.
const NOT_FOUND: (&str, u16) = ("KMS.NotFoundException", 400);
const NAME: (&str, u16) = ("InvalidBucketName", 400);
const DENIED: (&str, u16) = ("AccessDenied", 403);
const INTERNAL: (&str, u16) = ("InternalError", 500);
const OFF: (&str, u16) = ("NotImplemented", 501);
const UNAVAILABLE: (&str, u16) = ("ServiceUnavailable", 503);

/// Reasons of a server that does not have the key, or not any more.
const ABSENT: [ResultReason; 3] =
    [ResultReason::ITEM_NOT_FOUND, ResultReason::OBJECT_NOT_FOUND, ResultReason::OBJECT_DESTROYED];

impl DriverError {
    /// What a client of S3 is told.
    #[must_use]
    pub fn s3(&self) -> S3Failure {
        let ((code, status), message) = match self {
            Self::Refused { operation, key, refusal } => {
                let row = if self.is_absent() { NOT_FOUND } else { DENIED };
                let asked = asked(*operation, key.as_ref());
                (row, format!("KMS (KMIP) error for {asked}. {}", said(refusal)))
            }
            Self::KeyId => (NOT_FOUND, format!("KMS (KMIP): {self}.")),
            Self::Bucket => (NAME, format!("KMS (KMIP): {self}.")),
            Self::Unreachable { .. } => (
                UNAVAILABLE,
                String::from("KMS (KMIP): no key server answers. Please try again later."),
            ),
            Self::Answer { operation, key, .. } => {
                let asked = asked(*operation, key.as_ref());
                (INTERNAL, format!("KMS (KMIP) error for {asked}. The answer makes no sense."))
            }
            Self::Disabled => (OFF, String::from("KMS (KMIP): no key server is configured.")),
            Self::Options(_) | Self::Files(_) => {
                (INTERNAL, String::from("KMS (KMIP): the key servers are configured wrongly."))
            }
            Self::Randomness => (INTERNAL, format!("KMS (KMIP): {self}.")),
        };
        S3Failure { code, status, message }
    }

    /// Whether the server said that it does not have the key.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. }
            if refusal.reason.is_some_and(|reason| ABSENT.contains(&reason)))
    }

    /// Whether what was asked for may have been done, although no answer said so.
    pub(super) const fn is_lost(&self) -> bool {
        matches!(self, Self::Unreachable { error: ClientError::Lost { .. }, .. })
    }

    /// Whether the server refused for another reason than that it does not have the key: its State, for one.
    pub(super) fn is_refusal_of_state(&self) -> bool {
        matches!(self, Self::Refused { .. }) && !self.is_absent()
    }

    /// What an error of the client means for what was asked.
    pub(super) fn of(operation: Operation, key: Option<&KeyId>, error: ClientError) -> Self {
        let key = key.cloned();
        match error {
            ClientError::Refused(refusal) => Self::Refused { operation, key, refusal },
            ClientError::Malformed(_)
            | ClientError::Pending(_)
            | ClientError::Undone
            | ClientError::NotDone
            | ClientError::TooYoung(_) => {
                Self::Answer { operation, key, problem: error.to_string() }
            }
            error => Self::Unreachable { operation, key, error },
        }
    }

    /// An answer that makes no sense.
    pub(super) fn answer(operation: Operation, key: Option<&KeyId>, problem: &str) -> Self {
        Self::Answer { operation, key: key.cloned(), problem: problem.to_owned() }
    }
}

/// `Decrypt on 7`.
fn asked(operation: Operation, key: Option<&KeyId>) -> String {
    match key {
        Some(key) => format!("{operation:?} on {key}"),
        None => format!("{operation:?}"),
    }
}

/// `Permission Denied: Key is not active`, in the words of the server but for addresses.
fn said(refusal: &Refusal) -> String {
    let title = refusal.reason.and_then(ResultReason::row).map_or("Failed", |row| row.title);
    match refusal.message.as_deref().map(without_addresses) {
        Some(message) if !message.is_empty() => format!("{title}: {message}"),
        _ => title.to_owned(),
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use claviger_client::{Malformed, ServerFailure, Step};

    use super::*;

    fn refused(reason: ResultReason, message: &str) -> DriverError {
        let refusal = Refusal {
            operation: Some(Operation::DECRYPT),
            reason: Some(reason),
            message: Some(message.to_owned()),
        };
        DriverError::of(Operation::DECRYPT, Some(&"7".parse().unwrap()), refusal.into())
    }

    #[test]
    fn every_failure_has_its_row() {
        let unreachable = || {
            let error = ClientError::Connect(io::ErrorKind::ConnectionRefused.into());
            let server = "kms-1.example.com:5696".parse().unwrap();
            ClientError::Servers(vec![ServerFailure { server, error }])
        };
        let lost = || ClientError::Lost {
            server: "10.1.2.3:5696".parse().unwrap(),
            error: Box::new(ClientError::TimedOut(Step::Request)),
        };
        let of = |error| DriverError::of(Operation::CREATE, None, error);
        for (error, row) in [
            (refused(ResultReason::ITEM_NOT_FOUND, "x"), NOT_FOUND),
            (refused(ResultReason::OBJECT_DESTROYED, "x"), NOT_FOUND),
            (refused(ResultReason::PERMISSION_DENIED, "x"), DENIED),
            (refused(ResultReason::CRYPTOGRAPHIC_FAILURE, "x"), DENIED),
            (refused(ResultReason::GENERAL_FAILURE, "x"), DENIED),
            (DriverError::KeyId, NOT_FOUND),
            (DriverError::Bucket, NAME),
            (of(unreachable()), UNAVAILABLE),
            (of(lost()), UNAVAILABLE),
            (of(ClientError::Busy), UNAVAILABLE),
            (of(ClientError::Version), UNAVAILABLE),
            (of(Malformed::UnknownItem.into()), INTERNAL),
            (of(ClientError::NotDone), INTERNAL),
            (DriverError::answer(Operation::CREATE, None, "?"), INTERNAL),
            (DriverError::Disabled, OFF),
            (DriverError::Randomness, INTERNAL),
        ] {
            let failure = error.s3();
            assert_eq!((failure.code, failure.status), row, "{error}");
            for address in ["5696", "10.1.2.3", "kms-1", "example"] {
                assert!(!failure.message.contains(address), "{}", failure.message);
            }
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words_without_addresses() {
        let error = refused(ResultReason::PERMISSION_DENIED, "Key is not active");
        assert_eq!(
            error.s3().message,
            "KMS (KMIP) error for Decrypt on 7. Permission Denied: Key is not active"
        );
        let error = refused(ResultReason::GENERAL_FAILURE, "node kms-1.example.com:5696 is down");
        assert_eq!(
            error.s3().message,
            "KMS (KMIP) error for Decrypt on 7. General Failure: node … is down"
        );
        assert!(error.to_string().contains("kms-1.example.com"), "the log has it all");
    }
}
