//! A commit on its way: a future that any executor can poll and any thread can wait on.
//! Knows nothing of how an engine commits.

use crate::error::CommitError;
use crate::record::Revision;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

type Outcome = Result<Revision, CommitError>;

/// Resolves once the commit is durable or has failed. Dropping it does not take the commit back.
#[must_use = "a commit is acknowledged only when its Pending has resolved"]
#[derive(Debug)]
pub struct Pending {
    shared: Arc<Shared>,
}

/// The engine's end of a [`Pending`].
#[derive(Debug)]
pub(crate) struct Completion {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    resolved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
    /// A thread sleeps: only then is a wake-up worth a system call.
    sleeps: bool,
}

impl Pending {
    pub(crate) fn new() -> (Completion, Self) {
        let shared = Arc::new(Shared::default());
        (Completion { shared: Arc::clone(&shared) }, Self { shared })
    }

    /// A commit whose outcome is already known: how a layer above refuses one itself.
    pub fn resolved(outcome: Outcome) -> Self {
        let state = Mutex::new(State { outcome: Some(outcome), ..State::default() });
        Self { shared: Arc::new(Shared { state, resolved: Condvar::new() }) }
    }

    /// The outcome, if it is known already.
    pub fn outcome(&self) -> Option<Outcome> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).outcome.clone()
    }

    /// Blocks the thread until the outcome is known. Not for use inside an async runtime.
    ///
    /// # Errors
    /// As the commit's.
    pub fn wait(self) -> Outcome {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            state.sleeps = true;
            state = self.shared.resolved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Completion {
    pub(crate) fn resolve(self, outcome: Outcome) {
        self.settle(outcome);
    }

    /// The first outcome stands.
    fn settle(&self, outcome: Outcome) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.outcome.is_some() {
            return;
        }
        state.outcome = Some(outcome);
        let waker = state.waker.take();
        let sleeps = state.sleeps;
        drop(state);
        if sleeps {
            self.shared.resolved.notify_one();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// An engine that lets go of a commit without an answer does not know what became of it.
impl Drop for Completion {
    fn drop(&mut self) {
        self.settle(Err(CommitError::Failed("the engine stopped".to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_poll_before_the_outcome_is_woken_by_it() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let (completion, mut pending) = Pending::new();
        let mut context = Context::from_waker(&waker);
        assert_eq!(Pin::new(&mut pending).poll(&mut context), Poll::Pending);
        completion.resolve(Ok(Revision(7)));
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(Pin::new(&mut pending).poll(&mut context), Poll::Ready(Ok(Revision(7))));
        assert_eq!(pending.wait(), Ok(Revision(7)));
    }

    #[test]
    fn waiting_threads_are_released_and_a_dropped_completion_is_a_failure() {
        let (completion, pending) = Pending::new();
        let waiter = std::thread::spawn(move || pending.wait());
        drop(completion);
        assert!(matches!(waiter.join().unwrap(), Err(CommitError::Failed(_))));
    }
}
