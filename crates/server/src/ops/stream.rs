//! Cryptographic operations on a message that comes in parts (KMIP 2.1 §5.2.3: Init Indicator,
//! Final Indicator, Correlation Value; KMIP 1.3 and later).
//!
//! A stream lives in this process only. It belongs to the scope, the operation and the key that it
//! was begun with, and ends with its last part, with an error, or when it has been idle.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use claviger_crypto::cipher::CipherStream;
use claviger_crypto::hash::HashStream;
use claviger_crypto::mac::MacStream;
use claviger_crypto::{Parameters, Rng};
use claviger_kmip::codec::{ByteString, Secret};
use claviger_kmip::enums::Operation;
use zeroize::Zeroizing;

use super::Context;
use crate::failure::{Failure, Reason};
use crate::limits::Limits;
use crate::object::{ObjectId, Partition};

/// Which part of a message a request brings.
pub(super) enum Part {
    /// All of it.
    Whole,
    /// The first part of several.
    First,
    /// A later part.
    Next {
        /// The stream that it belongs to.
        correlation_value: Vec<u8>,
        /// Whether it is the last.
        is_last: bool,
    },
}

/// Which part of a message the fields of a request mean.
///
/// # Errors
/// They contradict each other.
pub(super) fn part(
    init_indicator: Option<bool>,
    final_indicator: Option<bool>,
    correlation_value: Option<&ByteString>,
) -> Result<Part, Failure> {
    let is_last = final_indicator == Some(true);
    match (init_indicator == Some(true), correlation_value) {
        (true, Some(_)) => Err(Failure::new(
            Reason::InvalidField,
            "the first part of a message has no Correlation Value yet",
        )),
        (true, None) if !is_last => Ok(Part::First),
        (_, None) => Ok(Part::Whole),
        (false, Some(value)) => Ok(Part::Next { correlation_value: value.0.clone(), is_last }),
    }
}

/// What is under way.
pub(super) enum Work {
    /// Encrypt or Decrypt.
    Cipher(CipherStream),
    /// MAC or MAC Verify.
    Mac(Box<MacStream>),
    /// Hash.
    Hash(Box<HashStream>),
    /// Sign or Signature Verify, which take their message whole.
    Message(Parameters, Zeroizing<Vec<u8>>),
}

impl Work {
    /// How many bytes wait in memory for the last part.
    fn held(&self) -> usize {
        match self {
            Self::Cipher(stream) => stream.held(),
            Self::Message(_, data) => data.len(),
            Self::Mac(_) | Self::Hash(_) => 0,
        }
    }
}

/// What a part gives.
#[derive(Clone, Default)]
pub(super) struct Output {
    /// Data, a MAC, a digest or a signature.
    pub bytes: Secret,
    /// The tag of an authenticated encryption.
    pub tag: Option<Vec<u8>>,
    /// Whether what was to be verified is good.
    pub is_valid: Option<bool>,
}

/// Whose a stream is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    partition: Partition,
    operation: Operation,
    key: Option<ObjectId>,
}

impl Owner {
    /// The client of a request, for an operation with a key.
    pub(super) fn of(
        context: &Context<'_, '_>,
        operation: Operation,
        key: Option<ObjectId>,
    ) -> Self {
        Self { partition: context.tx.partition, operation, key }
    }
}

struct Stream {
    owner: Owner,
    /// `None` after the last part.
    work: Option<Work>,
    /// The evidence to verify against, where it comes before the last part.
    evidence: Option<Vec<u8>>,
    used_us: i64,
    /// What the latest part gave, for a request that is run again because its commit met another.
    latest: Option<(Run, Output)>,
}

/// One batch item of one request, however often it is run.
type Run = (u64, usize);

/// The streams of a server.
#[derive(Default)]
pub struct Streams {
    streams: Mutex<HashMap<Vec<u8>, Stream>>,
}

const CORRELATION_VALUE_LENGTH: usize = 16;

impl Streams {
    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Stream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, stream: Stream, rng: &dyn Rng, limits: &Limits) -> Result<Vec<u8>, Failure> {
        let mut correlation_value = vec![0; CORRELATION_VALUE_LENGTH];
        rng.fill(&mut correlation_value)?;
        let idle_us = i64::try_from(limits.stream_idle_timeout.as_micros()).unwrap_or(i64::MAX);
        let oldest_us = stream.used_us.saturating_sub(idle_us);
        let mut streams = self.lock();
        streams.retain(|_, stream| stream.used_us >= oldest_us);
        let own = |it: &Stream| it.owner.partition == stream.owner.partition;
        if streams.values().filter(|it| own(it)).count() >= limits.scope_streams_max {
            let candidates = streams.iter().filter(|(_, it)| own(it));
            let oldest = candidates.min_by_key(|(_, it)| it.used_us).map(|(name, _)| name.clone());
            oldest.and_then(|name| streams.remove(&name));
        }
        if streams.len() >= limits.streams_max {
            let message = "too many messages in parts are under way";
            return Err(Failure::new(Reason::ServerLimit, message));
        }
        streams.insert(correlation_value.clone(), stream);
        Ok(correlation_value)
    }

    fn take(&self, correlation_value: &[u8], owner: Owner) -> Result<Stream, Failure> {
        let mut streams = self.lock();
        let unknown = || {
            let message = "no message in parts has this Correlation Value; it may have been idle";
            Failure::new(Reason::InvalidField, message)
        };
        if streams.get(correlation_value).is_none_or(|stream| stream.owner != owner) {
            return Err(unknown());
        }
        streams.remove(correlation_value).ok_or_else(unknown)
    }
}

/// Begins a stream and answers its Correlation Value. `evidence` is what will be verified, if the
/// first part brings it.
///
/// # Errors
/// Too many are under way, or this one holds too much.
pub(super) fn begin(
    context: &Context<'_, '_>,
    owner: Owner,
    work: Work,
    evidence: Option<Vec<u8>>,
) -> Result<ByteString, Failure> {
    let limits = &context.resources.limits;
    check_held(&work, limits)?;
    let used_us = context.now_us;
    let stream = Stream { owner, work: Some(work), evidence, used_us, latest: None };
    let rng = &*context.resources.rng;
    context.resources.streams.begin(stream, rng, limits).map(ByteString)
}

/// Goes on with a stream: `step` is given what is under way and the evidence that came before, and
/// gives back what goes on (nothing after the last part) and the output of this part. A failing
/// step ends the stream.
///
/// # Errors
/// There is no such stream; whatever the step says.
pub(super) fn go_on(
    context: &Context<'_, '_>,
    owner: Owner,
    correlation_value: &[u8],
    step: impl FnOnce(Work, Option<&[u8]>) -> Result<(Option<Work>, Output), Failure>,
) -> Result<Output, Failure> {
    let streams = &context.resources.streams;
    let run = (context.number, context.batch.position());
    let mut stream = streams.take(correlation_value, owner)?;
    if let Some((latest, output)) = &stream.latest
        && *latest == run
    {
        let output = output.clone();
        streams.lock().insert(correlation_value.to_vec(), stream);
        return Ok(output);
    }
    let Some(work) = stream.work.take() else {
        return Err(Failure::new(Reason::InvalidField, "this message has had its last part"));
    };
    let (work, output) = step(work, stream.evidence.as_deref())?;
    if let Some(work) = &work {
        check_held(work, &context.resources.limits)?;
    }
    // What changes nothing is not run again; nor is its output needed twice.
    let may_run_again = !context.tx.is_read_only();
    if work.is_some() || may_run_again {
        stream.work = work;
        stream.used_us = context.now_us;
        stream.latest = may_run_again.then(|| (run, output.clone()));
        streams.lock().insert(correlation_value.to_vec(), stream);
    }
    Ok(output)
}

fn check_held(work: &Work, limits: &Limits) -> Result<(), Failure> {
    if work.held() <= limits.stream_bytes_max {
        return Ok(());
    }
    let message = format!(
        "what is kept of a message until its last part can have {} bytes",
        limits.stream_bytes_max
    );
    Err(Failure::new(Reason::ServerLimit, message))
}

/// A step was given work of another operation, which [`Owner`] makes impossible.
pub(super) fn mixed_up() -> Failure {
    tracing::error!("a message in parts was mixed up with another operation's");
    Failure::new(Reason::GeneralFailure, "the message in parts is of another operation")
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streams({} under way)", self.lock().len())
    }
}
