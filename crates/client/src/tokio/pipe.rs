//! One connection that any number of tasks share: requests go out as they come, answers come in the same order
//! (KMIP 2.1 §9.5).
//!
//! Nothing is spawned: of the tasks that wait for answers, one does the reading and writing for all until it has its own
//! answer, and then another does. A task may give up at any moment. It must never retry.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_kmip::Version;
use claviger_kmip::payload::Request;
use tokio::select;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Connection, Session};
use crate::error::unsent;
use crate::{Answer, Depth, Dialect, Error, Outgoing, Step};

/// A shared connection to a server in one version.
#[derive(Debug)]
pub(super) struct Pipe {
    connection: tokio::sync::Mutex<Connection>,
    dialect: Dialect,
    version: Version,
    /// As many permits as requests may be under way.
    room: Semaphore,
    depth: Depth,
    /// How long to wait for room.
    wait_max: Duration,
    /// How long an answer may take.
    answer_max: Duration,
    queue: Mutex<Queue>,
    /// There is something in the queue.
    wake: Notify,
    has_answered: AtomicBool,
    is_broken: AtomicBool,
}

/// Requests in the order of their coming.
#[derive(Debug, Default)]
struct Queue {
    unsent: VecDeque<(Outgoing, oneshot::Sender<Result<Answer, Error>>)>,
    sent: VecDeque<(Instant, oneshot::Sender<Result<Answer, Error>>)>,
    last_used: Option<Instant>,
}

/// An answer, and what happened on the way to it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) answer: Answer,
    /// How long it waited for room.
    pub(super) waited: Duration,
    /// How long sending and answering took.
    pub(super) took: Duration,
    /// How many others were under way when it came to be.
    pub(super) under_way: usize,
}

impl Pipe {
    /// Shares a session.
    pub(super) fn new(
        session: Session,
        depth: Depth,
        wait_max: Duration,
        answer_max: Duration,
    ) -> Self {
        let (connection, dialect, version) = session.into_parts();
        Self {
            connection: tokio::sync::Mutex::new(connection),
            dialect,
            version,
            room: Semaphore::new(depth.get().min(Semaphore::MAX_PERMITS)),
            depth,
            wait_max,
            answer_max,
            queue: Mutex::default(),
            wake: Notify::new(),
            has_answered: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
        }
    }

    /// A request with one item, as the dialect makes it.
    pub(super) fn outgoing<R: Request>(&self, request: &R) -> Result<Outgoing, Error> {
        Outgoing::with_header(&self.dialect.header(self.version, 1), request)
    }

    /// Whether the server has answered anything, and so has let us in.
    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::SeqCst)
    }

    /// Says that what came was not the answer: it must not be used any more.
    pub(super) fn distrust(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
    }

    /// Whether it may be used: nothing failed, and if nobody uses it, it was used lately and the server is still there.
    pub(super) async fn is_usable(&self, idle_max: Duration) -> bool {
        if self.is_broken.load(Ordering::SeqCst) {
            return false;
        }
        let last_used = {
            let queue = self.queue();
            if !queue.unsent.is_empty() || !queue.sent.is_empty() {
                return true;
            }
            queue.last_used
        };
        // The runtime learns here that the server closed it.
        yield_now().await;
        let Ok(mut connection) = self.connection.try_lock() else { return true };
        let is_young = last_used.is_none_or(|at| at.elapsed() < idle_max);
        is_young && connection.is_ready()
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn ask(&self, outgoing: Outgoing) -> Result<Asked, Error> {
        let came = Instant::now();
        let permit = timeout(self.wait_max, self.room.acquire()).await;
        let _room = permit.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        let waited = came.elapsed();
        let begun = Instant::now();
        let (sender, mut receiver) = oneshot::channel();
        let under_way = {
            let mut queue = self.queue();
            queue.unsent.push_back((outgoing, sender));
            queue.sent.len()
        };
        self.wake.notify_one();
        let answer = select! {
            biased;
            answered = &mut receiver => answered.unwrap_or_else(|_| Err(given_up()))?,
            mut connection = self.connection.lock() => {
                self.drive(&mut connection, &mut receiver).await?
            }
        };
        Ok(Asked { answer, waited, took: begun.elapsed(), under_way })
    }

    /// Reads and writes for all, until this task's answer is there.
    async fn drive(
        &self,
        connection: &mut Connection,
        receiver: &mut oneshot::Receiver<Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        loop {
            match receiver.try_recv() {
                Ok(answered) => return answered,
                Err(TryRecvError::Closed) => return Err(given_up()),
                Err(TryRecvError::Empty) => {}
            }
            if self.is_broken.load(Ordering::SeqCst) || connection.is_broken() {
                // A request of which a task sent one half makes nonsense of what comes after it.
                self.distrust();
                self.fail(&given_up());
            } else if let Err(error) = self.exchange(connection).await {
                self.distrust();
                self.fail(&error);
            }
        }
    }

    /// Sends what waits, as far as there is room, and takes one answer, or none if there is more to send.
    async fn exchange(&self, connection: &mut Connection) -> Result<(), Error> {
        while let Some((outgoing, sender)) = self.next_unsent(connection) {
            if let Err(error) = connection.send(outgoing).await {
                let told = again(&error);
                let _it_gave_up = sender.send(Err(error));
                return Err(told);
            }
            self.queue().sent.push_back((Instant::now(), sender));
        }
        let oldest = self.queue().sent.front().map(|(at, _)| *at);
        let Some(oldest) = oldest else {
            // Its task is the one that drives, and has just been told.
            return Ok(());
        };
        let due = oldest.checked_add(self.answer_max).unwrap_or(oldest);
        select! {
            // More may have come to be sent; what is being read stays where it is.
            () = self.wake.notified() => {}
            answered = timeout_at(due, connection.next_answer()) => {
                let answer = answered.map_err(|_| Error::TimedOut(Step::Request))??;
                self.has_answered.store(true, Ordering::SeqCst);
                let first = {
                    let mut queue = self.queue();
                    queue.last_used = Some(Instant::now());
                    queue.sent.pop_front()
                };
                if let Some((_, sender)) = first {
                    let _it_gave_up = sender.send(Ok(answer));
                }
            }
        }
        Ok(())
    }

    /// The next request that somebody waits for, if it may be sent now.
    fn next_unsent(
        &self,
        connection: &Connection,
    ) -> Option<(Outgoing, oneshot::Sender<Result<Answer, Error>>)> {
        let mut queue = self.queue();
        queue.unsent.retain(|(_, sender)| !sender.is_closed());
        let (outgoing, _) = queue.unsent.front()?;
        if connection.admits(outgoing, self.depth) { queue.unsent.pop_front() } else { None }
    }

    /// Tells everybody: what was sent may have been done, what was not cannot have been.
    fn fail(&self, error: &Error) {
        let mut queue = self.queue();
        for (_, sender) in queue.sent.drain(..) {
            let _it_gave_up = sender.send(Err(again(error)));
        }
        for (_, sender) in queue.unsent.drain(..) {
            let _it_gave_up = sender.send(Err(unsent("the connection failed before")));
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // What is inside is right at every moment.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn given_up() -> Error {
    Error::Transport(io::Error::other("the connection was given up half-way through a request"))
}

/// The same error once more, for another task.
fn again(error: &Error) -> Error {
    match error {
        Error::TimedOut(step) => Error::TimedOut(*step),
        Error::Transport(cause) => {
            Error::Transport(io::Error::new(cause.kind(), cause.to_string()))
        }
        Error::Malformed(_) => Error::Transport(io::Error::other(error.to_string())),
        Error::Tls(_) => Error::Tls(crate::tls::TlsFailure::Other(error.to_string())),
        other => Error::Transport(io::Error::other(other.to_string())),
    }
}
