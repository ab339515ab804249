//! Agreeing on a version (KMIP 2.1 §6.1.16): Discover Versions, and where a server does not
//! answer it, one version after the other, newest first.
//!
//! It must never know how bytes travel.

use claviger_kmip::Version;
use claviger_kmip::enums::QueryFunction;
use claviger_kmip::payload::{DiscoverVersionsRequest, QueryRequest};

use crate::{Answer, Dialect, Error, Outgoing, Versions, requests};

/// How far it has come.
#[derive(Debug)]
pub(crate) struct Negotiation {
    /// The versions that may be spoken, newest first.
    versions: Vec<Version>,
    asking: Asking,
}

#[derive(Copy, Clone, Debug)]
enum Asking {
    /// For the server's versions.
    Discover,
    /// For what every server answers, in the n-th version.
    Try(usize),
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Speak that version.
    Speak(Version),
    /// Connect anew, since the server said no and may have closed, and speak that version.
    SpeakAnew(Version),
    /// Connect anew, since a server may close after what it did not understand, and ask.
    Ask,
}

impl Negotiation {
    /// What a dialect begins with: a version that needs no asking, or the first thing to ask.
    ///
    /// # Errors
    /// No version lies between the two.
    pub(crate) fn new(versions: Versions) -> Result<(Self, Next), Error> {
        let (oldest, newest) = match versions {
            Versions::Fixed(version) => (version, version),
            Versions::Negotiated { oldest, newest } => (oldest, newest),
        };
        let range = oldest..=newest;
        let versions: Vec<_> =
            Version::ALL.into_iter().rev().filter(|version| range.contains(version)).collect();
        let next = match versions.as_slice() {
            [] => return Err(Error::Version),
            [only] => Next::Speak(*only),
            _ => Next::Ask,
        };
        Ok((Self { versions, asking: Asking::Discover }, next))
    }

    /// The request to send.
    pub(crate) fn request(&self, dialect: &Dialect) -> Result<Outgoing, Error> {
        match self.asking {
            Asking::Discover => {
                let versions = self.versions.iter().copied();
                let header = dialect.header(self.first_with_discovery(), 1);
                Outgoing::with_header(&header, &requests::discover_versions(versions))
            }
            Asking::Try(position) => {
                let version = self.version(position).ok_or(Error::Version)?;
                let query = requests::query([QueryFunction::QUERY_OPERATIONS]);
                Outgoing::with_header(&dialect.header(version, 1), &query)
            }
        }
    }

    /// Takes the answer, or what came instead of it.
    ///
    /// # Errors
    /// The two have no version in common, or the server cannot be reached at all.
    pub(crate) fn outcome(&mut self, outcome: Result<Answer, Error>) -> Result<Next, Error> {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error @ (Error::Transport(_) | Error::Unsent(_) | Error::Malformed(_))) => {
                return self.go_on(error);
            }
            Err(error) => return Err(error),
        };
        match self.asking {
            Asking::Discover => match answer.only::<DiscoverVersionsRequest>() {
                Ok(response) => {
                    let theirs: Vec<_> =
                        response.protocol_version.iter().map(Version::from).collect();
                    let best = self.versions.iter().find(|version| theirs.contains(version));
                    best.map(|version| Next::Speak(*version)).ok_or(Error::Version)
                }
                Err(error) => self.go_on(error),
            },
            Asking::Try(position) => match answer.only::<QueryRequest>() {
                Err(Error::Refused(refusal)) if refusal.is_of_version() => {
                    self.go_on(Error::Version)
                }
                Err(error @ Error::Malformed(_)) => self.go_on(error),
                // It understood, whatever it says: who may not ask that may ask other things.
                Err(_) => self.version(position).map(Next::SpeakAnew).ok_or(Error::Version),
                Ok(_) => self.version(position).map(Next::Speak).ok_or(Error::Version),
            },
        }
    }

    /// Goes on to the next version.
    fn go_on(&mut self, error: Error) -> Result<Next, Error> {
        let position = match self.asking {
            Asking::Discover => 0,
            Asking::Try(position) => position.saturating_add(1),
        };
        if self.version(position).is_none() {
            return Err(error);
        }
        self.asking = Asking::Try(position);
        Ok(Next::Ask)
    }

    fn version(&self, position: usize) -> Option<Version> {
        self.versions.get(position).copied()
    }

    /// The oldest version that may be spoken and has Discover Versions: the one that most servers
    /// understand.
    fn first_with_discovery(&self) -> Version {
        let first = self.versions.iter().rfind(|version| **version >= Version::V1_1);
        first.copied().unwrap_or(Version::V1_1)
    }
}
