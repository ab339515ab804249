//! Several servers, with one connection to each that all tasks share.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use claviger_kmip::Version;
use claviger_kmip::payload::Request;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::Session;
use super::pipe::Pipe;
use crate::options::Event;
use crate::servers::Next;
use crate::state::{Outcome, State, Verdict};
use crate::{Depth, Endpoint, Error, Failover, Options};

/// A client of one or several servers, with one connection to each: any number of tasks share it, and up to a depth
/// their requests are under way at once. Of [`Options::pool`] it takes `idle_max` and `wait_max`. Cheap to clone; all
/// clones share the connections.
#[derive(Clone, Debug)]
pub struct PipelinedClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: State<()>,
    depth: Depth,
    /// Per server, its connection.
    slots: Vec<Mutex<Slot>>,
}

#[derive(Debug, Default)]
struct Slot {
    pipe: Option<Arc<Pipe>>,
    /// When it last could not be connected to, and why.
    failed: Option<(Instant, String)>,
}

impl PipelinedClient {
    /// A client; it connects when it is asked for something.
    #[must_use]
    pub fn new(options: Options, depth: Depth) -> Self {
        let slots = options.servers.iter().map(|_| Mutex::default()).collect();
        Self(Arc::new(Shared { state: State::new(options), depth, slots }))
    }

    /// Asks for one operation.
    ///
    /// # Errors
    /// The request cannot be made, no server answers, the answer is lost, or the server says no.
    pub async fn call<R: Request + Sync>(&self, request: &R) -> Result<R::Response, Error> {
        let state = &self.0.state;
        let mut attempts = state.attempts();
        loop {
            let server = match state.next(&mut attempts) {
                Next::Ask(server) => server,
                Next::Wait(pause) => {
                    sleep(pause).await;
                    continue;
                }
                Next::GiveUp => return Err(attempts.give_up()),
            };
            let endpoint = state.endpoint(server)?;
            match self.0.attempt(server, &endpoint, request).await {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(error) => {
                    state.failed(&mut attempts, server, endpoint, error);
                }
            }
        }
    }

    /// Asks one of the servers, by its place in [`Options::servers`], and no other.
    ///
    /// # Errors
    /// As [`PipelinedClient::call`].
    pub async fn call_at<R: Request + Sync>(
        &self,
        server: usize,
        request: &R,
    ) -> Result<R::Response, Error> {
        let endpoint = self.0.state.endpoint(server)?;
        match self.0.attempt(server, &endpoint, request).await {
            ControlFlow::Break(result) => result,
            ControlFlow::Continue(error) => Err(error),
        }
    }

    /// The version that was agreed on with a server.
    #[must_use]
    pub fn version(&self, server: usize) -> Option<Version> {
        self.0.state.version(server)
    }

    /// Uses no connection any more that is open now: the next requests make new ones.
    pub async fn reconnect(&self) {
        for slot in &self.0.slots {
            slot.lock().await.pipe = None;
        }
    }
}

impl Shared {
    /// Asks one server: on the connection that is open, and if it is dead, on a new one.
    async fn attempt<R: Request + Sync>(
        &self,
        server: usize,
        endpoint: &Endpoint,
        request: &R,
    ) -> ControlFlow<Result<R::Response, Error>, Error> {
        let mut is_anew = false;
        loop {
            let mut outcome = match self.pipe(server, endpoint).await {
                Err(error) => Outcome::without_session(error),
                Ok(pipe) => self.ask(&pipe, endpoint, request).await,
            };
            // A request that ends one connection after the other is not for this server.
            outcome.is_reused &= !is_anew;
            is_anew = true;
            match self.state.judge(server, endpoint, Failover::Careful, outcome) {
                Verdict::Done(result) => return ControlFlow::Break(result),
                Verdict::Elsewhere(error) => return ControlFlow::Continue(error),
                Verdict::Anew => {}
            }
        }
    }

    async fn ask<R: Request + Sync>(
        &self,
        pipe: &Pipe,
        endpoint: &Endpoint,
        request: &R,
    ) -> Outcome<R::Response> {
        let outgoing = match pipe.outgoing(request) {
            Ok(outgoing) => outgoing,
            Err(error) => return Outcome::without_session(error),
        };
        let is_repeatable = outgoing.is_repeatable();
        let asked = pipe.ask(outgoing).await;
        let result = asked.and_then(|asked| {
            self.state.options.tell(&Event::Answered {
                server: endpoint,
                operation: R::OPERATION,
                waited: asked.waited,
                took: asked.took,
                under_way: asked.under_way,
            });
            let result = asked.answer.only::<R>();
            if matches!(&result, Err(error) if !error.leaves_connection_usable()) {
                pipe.distrust();
            }
            result
        });
        let was_sent = match &result {
            Err(Error::Unsent(_) | Error::Busy) => false,
            // The server did not let us in, so it read nothing.
            Err(Error::Tls(_)) => pipe.has_answered(),
            _ => true,
        };
        let is_reused = pipe.has_answered();
        Outcome { result, is_reused, may_have_been_done: was_sent && !is_repeatable }
    }

    /// The connection to a server, or a new one. Whoever waited while another task could not connect does not try again.
    async fn pipe(&self, server: usize, endpoint: &Endpoint) -> Result<Arc<Pipe>, Error> {
        let options = &self.state.options;
        let came = Instant::now();
        let mut slot = self.slots.get(server).ok_or(Error::NoServer)?.lock().await;
        if let Some(pipe) = &slot.pipe
            && pipe.is_usable(options.pool.idle_max).await
        {
            return Ok(Arc::clone(pipe));
        }
        slot.pipe = None;
        if let Some((at, problem)) = &slot.failed
            && *at >= came
        {
            return Err(Error::Connect(io::Error::other(problem.clone())));
        }
        let dialect = self.state.dialect(server);
        let opened = Session::open(endpoint, &options.tls, &dialect, options.timeouts).await;
        let session = opened.inspect_err(|error| {
            slot.failed = Some((Instant::now(), error.to_string()));
        })?;
        self.state.speaks(server, session.version());
        let (wait_max, answer_max) = (options.pool.wait_max, options.timeouts.request);
        let pipe = Arc::new(Pipe::new(session, self.depth, wait_max, answer_max));
        slot.pipe = Some(Arc::clone(&pipe));
        Ok(pipe)
    }
}
