//! What a command says when it fails: the problem, what to do next, and the exit code.
//!
//! It must never carry key material, tokens or passwords.

mod kind;

use std::fmt::{self, Display};
use std::io;

use claviger_client::Error;

pub(crate) use kind::{Kind, Names};

/// A refused or failed action.
pub(crate) const FAILED: u8 = 1;
/// Bad usage.
pub(crate) const USAGE: u8 = 2;
/// `status`: the server is sealed.
pub(crate) const SEALED: u8 = 2;
/// The master key is absent or not Active.
pub(crate) const KEY_LOST: u8 = claviger_at_rest::KEY_LOST;

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
        let kind = Kind::of(&error);
        let next = Some(kind.hint(&Names::FLAGS));
        Self { code: kind.code(), problem: error.to_string(), next }
    }
}
