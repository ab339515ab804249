//! Get through the pool of the client library, as programs use it: threads that borrow a connection
//! for some requests, have several of them under way, and read every answer.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::thread;
use std::time::Instant;

use claviger_client::blocking::Client;
use claviger_client::{Depth, Dialect, Error, Failover, Options, Pool};
use claviger_kmip::Version;
use claviger_kmip::payload::GetRequest;

use super::drive::{Plan, Source, Tally};
use super::latency::Latencies;
use super::workload::Requests;
use crate::failure::{Failure, Outcome};

/// How many requests a connection is borrowed for.
const BORROWED: usize = 64;

/// Runs a thread for each source until the time is over; the sources come back.
pub(super) fn drive(
    plan: &Plan,
    version: Version,
    sources: Vec<Requests>,
) -> Outcome<(Tally, Vec<Requests>)> {
    let client = Client::new(Options {
        dialect: Dialect::fixed(version),
        pool: Pool { connections_max: sources.len(), ..Pool::default() },
        ..Options::new(vec![plan.endpoint.clone()], plan.config.clone())
    });
    let now = Instant::now();
    let deadline = now.checked_add(plan.duration).unwrap_or(now);
    let mut tally = Tally {
        latencies: Latencies::new(),
        operations: 0,
        errors: 0,
        seconds: plan.duration.as_secs_f64(),
        first_error: None,
    };
    let workers: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = sources
            .into_iter()
            .map(|source| {
                let worker =
                    Worker { source, latencies: Latencies::new(), operations: 0, error: None };
                scope.spawn(|| worker.run(&client, plan.pipeline, deadline))
            })
            .collect();
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut sources = Vec::with_capacity(workers.len());
    for worker in workers {
        let worker = worker.map_err(|_| Failure::new("a thread of the benchmark failed"))?;
        tally.latencies.merge(&worker.latencies);
        tally.operations = tally.operations.saturating_add(worker.operations);
        if let Some(error) = worker.error {
            tally.errors = tally.errors.saturating_add(1);
            tally.first_error.get_or_insert(error);
        }
        sources.push(worker.source);
    }
    Ok((tally, sources))
}

/// The work of one thread. The first error ends it.
struct Worker {
    source: Requests,
    latencies: Latencies,
    operations: u64,
    error: Option<String>,
}

impl Worker {
    fn run(mut self, client: &Client, pipeline: usize, deadline: Instant) -> Self {
        while self.error.is_none() && Instant::now() < deadline {
            if let Err(error) = self.borrow(client, pipeline, deadline) {
                self.error = Some(error.to_string());
            }
        }
        self
    }

    fn borrow(&mut self, client: &Client, pipeline: usize, deadline: Instant) -> Result<(), Error> {
        let Self { source, latencies, operations, .. } = self;
        client.session(Failover::Careful, |session| {
            let sent = RefCell::new(VecDeque::with_capacity(pipeline));
            let mut problem = None;
            let requests = (0..BORROWED).map_while(|_| {
                let begun = Instant::now();
                let outgoing = (begun < deadline).then(|| source.next())?;
                sent.borrow_mut().push_back(begun);
                outgoing.map_err(|error| problem = Some(error)).ok()
            });
            session.pipeline(requests, Depth::new(pipeline), |answer| {
                answer.only::<GetRequest>()?;
                if let Some(begun) = sent.borrow_mut().pop_front() {
                    latencies.record(begun.elapsed());
                }
                *operations = operations.saturating_add(1);
                Ok(())
            })?;
            problem.map_or(Ok(()), Err)
        })
    }
}
