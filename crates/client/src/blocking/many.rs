//! Thousands of objects: found page by page, and asked about many at once.
//!
//! Who waits for each answer before asking on spends the time on the way there and back. So several requests are in a
//! message, and several messages under way ([`AtOnce`]). Not every server takes that; [`Client::many`] asks one that does not for
//! one thing at a time.

use std::collections::HashSet;

use claviger_kmip::Version;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::{BatchErrorContinuationOption, ResultReason};
use claviger_kmip::payload::{LocateRequest, Request};

use super::{Client, Session};
use crate::request::Slot;
use crate::{Answer, Depth, Error, Expected, Failover, Outgoing, Refusal, Step, requests};

/// How many identifiers are asked for at once: a page costs a server about as much as all of them, and so many fit into an
/// answer of 1 MiB.
const PAGE: usize = 8192;

/// How much is asked before an answer is read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AtOnce {
    items: usize,
    depth: Depth,
}

impl AtOnce {
    /// One request, which any server takes.
    pub const ONE: Self = Self { items: 1, depth: Depth::new(1) };

    /// Messages with so many requests at most (0 means 1), and so many messages under way.
    #[must_use]
    pub const fn new(items: usize, depth: Depth) -> Self {
        Self { items: if items == 0 { 1 } else { items }, depth }
    }
}

impl Default for AtOnce {
    /// 32 requests in a message: servers bound that, and the size of answers.
    fn default() -> Self {
        Self::new(32, Depth::default())
    }
}

/// What Locate found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// Each object once, in the order of the server's.
    pub unique_identifiers: Vec<UniqueIdentifier>,
    /// How many there are, if the server says so.
    pub said: Option<usize>,
}

impl Session {
    /// Finds the objects that have all these attributes, page by page where the version has that; one more than `most`,
    /// if there are so many.
    ///
    /// # Errors
    /// As [`Session::call`].
    pub fn locate_all(&mut self, attributes: &[Attribute], most: usize) -> Result<Located, Error> {
        let mut has_pages = self.version() >= Version::V1_3;
        let beyond = most.saturating_add(1);
        let mut seen = HashSet::new();
        let mut located = Located::default();
        loop {
            let before = located.unique_identifiers.len();
            let request = LocateRequest {
                maximum_items: Some(integer(if has_pages { PAGE.min(beyond) } else { beyond })),
                offset_items: (has_pages && before > 0).then(|| integer(before)),
                ..requests::locate(attributes.to_vec())
            };
            let answer = self.call(&request)?;
            located.said = answer.located_items.and_then(|said| usize::try_from(said).ok());
            let is_empty = answer.unique_identifier.is_empty();
            let new = answer.unique_identifier.into_iter().filter(|it| seen.insert(it.clone()));
            located.unique_identifiers.extend(new);
            let count = located.unique_identifiers.len();
            let is_whole = is_empty || located.said.is_some_and(|said| count >= said);
            if !has_pages || is_whole || count >= beyond {
                return Ok(located);
            }
            // A page that was there already: the server does not know offsets, and is asked for everything.
            has_pages = count > before;
        }
    }

    /// Asks for operations of one kind, which must not depend on each other; the answers are in the order of the requests.
    ///
    /// # Errors
    /// A request cannot be made, the network failed, or the server says no to a whole message, or leaves out answers.
    pub fn call_each<R: Request>(
        &mut self,
        requests: impl IntoIterator<Item = R>,
        at_once: AtOnce,
    ) -> Result<Vec<Result<R::Response, Refusal>>, Error> {
        let requests: Vec<R> = requests.into_iter().collect();
        let mut outgoing = Vec::new();
        let mut slots = Vec::new();
        for some in requests.chunks(at_once.items) {
            let (message, expected) = self.message(some)?;
            outgoing.push(message);
            slots.push(expected);
        }
        let mut slots = slots.into_iter();
        let mut answers = Vec::with_capacity(requests.len());
        self.pipeline(outgoing, at_once.depth, |answer| {
            read(&answer, &slots.next().unwrap_or_default(), &mut answers)
        })?;
        Ok(answers)
    }

    /// A message with those requests, and where the answers will be; one alone is no batch.
    fn message<R: Request>(&self, requests: &[R]) -> Result<(Outgoing, Vec<Slot<R>>), Error> {
        if let [request] = requests {
            return Ok((self.outgoing(request)?, vec![Expected::only::<R>()]));
        }
        let mut batch = self.batch();
        batch.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::CONTINUE);
        let slots = requests.iter().map(|request| batch.add(request)).collect::<Result<_, _>>()?;
        Ok((batch.finish()?, slots))
    }
}

/// Reads the answers in a message. What is said of a batch as a whole is said of none of its items.
fn read<R: Request>(
    answer: &Answer,
    slots: &[Slot<R>],
    answers: &mut Vec<Result<R::Response, Refusal>>,
) -> Result<(), Error> {
    let replies = answer.replies()?;
    let is_of_all = slots.len() > 1 && replies.is_refused();
    for slot in slots {
        answers.push(match replies.take(*slot) {
            Ok(answer) => Ok(answer),
            Err(Error::Refused(refusal)) if !is_of_all => Err(refusal),
            Err(error) => return Err(error),
        });
    }
    Ok(())
}

impl Client {
    /// Does work on a session that asks for many things at once; where a server does not take that, does it anew with one
    /// at a time.
    ///
    /// # Errors
    /// As [`Client::session`].
    pub fn many<T>(
        &self,
        failover: Failover,
        mut work: impl FnMut(&mut Session, AtOnce) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.session(failover, |session| work(session, AtOnce::default())) {
            Err(error) if may_be_of_number(&error) => {
                self.session(failover, |session| work(session, AtOnce::ONE))
            }
            done => done,
        }
    }
}

/// Whether a server that takes one request at a time may say that to several: each does it in its own way, from an answer to
/// the end of the connection. Where nobody was reached, or who asks is to blame, it is not that.
fn may_be_of_number(error: &Error) -> bool {
    match error.cause() {
        Error::Refused(refusal) => !matches!(
            refusal.reason,
            Some(ResultReason::PERMISSION_DENIED | ResultReason::AUTHENTICATION_NOT_SUCCESSFUL)
        ),
        Error::Malformed(_)
        | Error::NotDone
        | Error::Undone
        | Error::Transport(_)
        | Error::Unsent(_)
        | Error::TimedOut(Step::Request) => true,
        _ => false,
    }
}

fn integer(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
