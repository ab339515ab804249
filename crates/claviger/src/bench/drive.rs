//! Drives a server from many connections at once and counts.
//!
//! It must never know which operation it drives, so that all of them, and the limit, cost the
//! client the same.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_client::blocking::Timeouts;
use claviger_client::tls::Config;
use claviger_client::tokio::Connection;
use claviger_client::{Endpoint, Error, Outgoing, Replies};
use claviger_kmip::enums::ResultStatus;
use claviger_kmip::message::ResponseMessage;
use claviger_ttlv::{Limits, Message};
use tokio::sync::Barrier;

use super::latency::Latencies;
use crate::failure::{Failure, Outcome};

/// Makes the requests of one connection.
pub(super) trait Source: Send {
    /// The next request.
    fn next(&mut self) -> Result<Outgoing, Error>;

    /// Sees the answer to one that succeeded; only a workload that has to clean up looks at it.
    fn succeeded(&mut self, _answer: &Replies<'_>) {}

    /// Whether [`Source::succeeded`] wants to see answers.
    fn wants_answers(&self) -> bool {
        false
    }
}

/// Where to, and how.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) endpoint: Endpoint,
    pub(super) config: Config,
    pub(super) duration: Duration,
    /// How many requests a connection has under way.
    pub(super) pipeline: usize,
    /// Whether each request gets a connection of its own.
    pub(super) reconnect: bool,
    /// Whether anything is asked over it: else the connection is all there is.
    pub(super) asks: bool,
    /// How long each connection takes from one request to the next; else as short as it can be.
    pub(super) pace: Option<Duration>,
}

/// What was counted.
pub(super) struct Tally {
    pub(super) latencies: Latencies,
    pub(super) operations: u64,
    pub(super) errors: u64,
    pub(super) seconds: f64,
    /// The first error, for the person who looks.
    pub(super) first_error: Option<String>,
}

/// The work of one connection.
struct Worker<S> {
    plan: Plan,
    source: S,
    latencies: Latencies,
    operations: u64,
    errors: u64,
    first_error: Option<String>,
}

/// Runs until the time is over; the sources come back for what they have seen.
pub(super) async fn drive<S: Source + 'static>(
    plan: &Plan,
    sources: Vec<S>,
) -> Outcome<(Tally, Vec<S>)> {
    let barrier = Arc::new(Barrier::new(sources.len()));
    let tasks: Vec<_> = sources
        .into_iter()
        .map(|source| {
            let worker = Worker {
                plan: plan.clone(),
                source,
                latencies: Latencies::new(),
                operations: 0,
                errors: 0,
                first_error: None,
            };
            tokio::spawn(worker.run(Arc::clone(&barrier)))
        })
        .collect();
    let mut tally = Tally {
        latencies: Latencies::new(),
        operations: 0,
        errors: 0,
        seconds: plan.duration.as_secs_f64(),
        first_error: None,
    };
    let mut sources = Vec::with_capacity(tasks.len());
    for task in tasks {
        let worker = task.await.map_err(Failure::new)?;
        tally.latencies.merge(&worker.latencies);
        tally.operations = tally.operations.saturating_add(worker.operations);
        tally.errors = tally.errors.saturating_add(worker.errors);
        tally.first_error = tally.first_error.or(worker.first_error);
        sources.push(worker.source);
    }
    Ok((tally, sources))
}

impl<S: Source> Worker<S> {
    /// All workers are connected before the first begins to measure.
    async fn run(mut self, barrier: Arc<Barrier>) -> Self {
        let mut connection = if self.plan.reconnect { None } else { self.open().await };
        barrier.wait().await;
        let now = Instant::now();
        let deadline = now.checked_add(self.plan.duration).unwrap_or(now);
        let mut pace = self.plan.pace.map(tokio::time::interval);
        while Instant::now() < deadline {
            if let Some(pace) = &mut pace {
                pace.tick().await;
            }
            let done = if self.plan.reconnect {
                self.once().await
            } else {
                match &mut connection {
                    Some(connection) => self.pipelined(connection, deadline).await,
                    None => return self,
                }
            };
            if let Err(error) = done {
                self.failed(&error);
                if !self.plan.reconnect {
                    connection = self.open().await;
                }
            }
        }
        self
    }

    fn failed(&mut self, error: &Error) {
        self.errors = self.errors.saturating_add(1);
        self.first_error.get_or_insert_with(|| error.to_string());
    }

    async fn open(&mut self) -> Option<Connection> {
        let Plan { endpoint, config, .. } = &self.plan;
        match Connection::open(endpoint, config, Timeouts::default()).await {
            Ok(connection) => Some(connection),
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    /// A connection, one request, and the end of the connection.
    async fn once(&mut self) -> Result<(), Error> {
        let outgoing = self.source.next()?;
        let begun = Instant::now();
        let Plan { endpoint, config, .. } = &self.plan;
        let mut connection = Connection::open(endpoint, config, Timeouts::default()).await?;
        if self.plan.asks {
            connection.send(outgoing).await?;
            check(connection.receive().await?.bytes())?;
        }
        self.latencies.record(begun.elapsed());
        self.operations = self.operations.saturating_add(1);
        connection.close().await
    }

    /// Keeps the pipeline full until the time is over, then empties it. At a pace it is one request.
    async fn pipelined(
        &mut self,
        connection: &mut Connection,
        deadline: Instant,
    ) -> Result<(), Error> {
        let mut sent = VecDeque::with_capacity(self.plan.pipeline);
        let mut has_sent = false;
        loop {
            let is_paced_out = self.plan.pace.is_some() && has_sent;
            while sent.len() < self.plan.pipeline && Instant::now() < deadline && !is_paced_out {
                has_sent = true;
                let outgoing = self.source.next()?;
                sent.push_back(Instant::now());
                connection.send(outgoing).await?;
            }
            let Some(begun) = sent.pop_front() else { return Ok(()) };
            let answer = connection.receive().await?;
            let elapsed = begun.elapsed();
            match check(answer.bytes()) {
                Ok(()) => {
                    self.latencies.record(elapsed);
                    self.operations = self.operations.saturating_add(1);
                    if self.source.wants_answers() {
                        self.source.succeeded(&answer.replies()?);
                    }
                }
                Err(error) if error.leaves_connection_usable() => self.failed(&error),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether the first item succeeded; the payload is not looked into.
fn check(bytes: &[u8]) -> Result<(), Error> {
    let message = Message::parse(bytes, &Limits::default())?;
    let response = ResponseMessage::parse(&message)?;
    match response.items.first() {
        Some(item) if item.result_status == ResultStatus::SUCCESS => Ok(()),
        Some(item) => Err(Error::Refused(claviger_client::Refusal {
            operation: item.operation,
            reason: item.result_reason,
            message: item.result_message.clone(),
        })),
        None => Err(Error::NotDone),
    }
}
