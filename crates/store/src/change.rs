//! The ordered feed of changes that an engine publishes and watchers follow at their own pace.
//!
//! The feed keeps a bounded number of past changes. A watcher that falls behind it learns that it
//! missed something ([`WatchError::Lost`]) and never skips silently.

use crate::error::WatchError;
use crate::record::{Batch, Key, Revision};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Past changes kept for watchers that lag.
const CHANGES_KEPT_MAX: usize = 1024;
/// Keys kept over all past changes: bounds memory when batches are large.
const KEYS_KEPT_MAX: usize = 16_384;

/// What one applied batch changed. Values are not carried: who needs one reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The batch's place in the order.
    pub revision: Revision,
    /// Keys written, each with its new version.
    pub put: Vec<(Key, u64)>,
    /// Keys removed (or asked to be).
    pub delete: Vec<Key>,
}

impl Change {
    pub(crate) fn of(revision: Revision, batch: Batch) -> Self {
        let put = batch.put.into_iter().map(|put| (put.key, put.version)).collect();
        Self { revision, put, delete: batch.delete }
    }

    fn keys(&self) -> usize {
        self.put.len().saturating_add(self.delete.len())
    }
}

/// The engine's end.
#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    published: Condvar,
}

#[derive(Debug)]
struct State {
    /// The revision of the newest change published, or what the store had when it was opened.
    last: Revision,
    /// Consecutive changes, the newest being `last`.
    kept: VecDeque<Arc<Change>>,
    keys_kept: usize,
    wakers: Vec<Waker>,
    closed: bool,
}

impl Feed {
    pub(crate) fn new(last: Revision) -> Arc<Self> {
        let state =
            State { last, kept: VecDeque::new(), keys_kept: 0, wakers: Vec::new(), closed: false };
        Arc::new(Self { state: Mutex::new(state), published: Condvar::new() })
    }

    /// Adds changes whose revisions follow the last one published.
    pub(crate) fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            state.last = change.revision;
            state.keys_kept = state.keys_kept.saturating_add(change.keys());
            state.kept.push_back(Arc::new(change));
            while state.kept.len() > CHANGES_KEPT_MAX || state.keys_kept > KEYS_KEPT_MAX {
                let Some(oldest) = state.kept.pop_front() else { break };
                state.keys_kept = state.keys_kept.saturating_sub(oldest.keys());
            }
        }
        self.wake(state);
    }

    pub(crate) fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        self.wake(state);
    }

    fn wake(&self, mut state: std::sync::MutexGuard<'_, State>) {
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.published.notify_all();
        for waker in wakers {
            waker.wake();
        }
    }

    pub(crate) fn last(&self) -> Revision {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).last
    }

    pub(crate) fn watch(self: &Arc<Self>, from: Revision) -> Watch {
        let seen = if from == Revision::LATEST { self.last() } else { from };
        Watch { feed: Arc::clone(self), seen }
    }
}

impl State {
    /// The change after `seen`, `None` if there is none yet.
    fn after(&self, seen: Revision) -> Result<Option<Arc<Change>>, WatchError> {
        if seen == self.last {
            return if self.closed { Err(WatchError::Closed) } else { Ok(None) };
        }
        // Ahead of the store: it has been restored from an older copy.
        let behind = self.last.0.checked_sub(seen.0).ok_or(WatchError::Lost)?;
        let behind = usize::try_from(behind).map_err(|_| WatchError::Lost)?;
        let index = self.kept.len().checked_sub(behind).ok_or(WatchError::Lost)?;
        self.kept.get(index).cloned().map(Some).ok_or(WatchError::Lost)
    }
}

/// Follows an engine's changes, in order and without gaps.
#[derive(Debug)]
pub struct Watch {
    feed: Arc<Feed>,
    seen: Revision,
}

impl Watch {
    /// The last revision delivered (or started from).
    pub fn seen(&self) -> Revision {
        self.seen
    }

    /// The next change, if there is one already.
    ///
    /// # Errors
    /// [`WatchError`] if the watch cannot go on.
    pub fn try_next(&mut self) -> Result<Option<Arc<Change>>, WatchError> {
        let state = self.feed.state.lock().unwrap_or_else(PoisonError::into_inner);
        let change = state.after(self.seen)?;
        drop(state);
        if let Some(change) = &change {
            self.seen = change.revision;
        }
        Ok(change)
    }

    /// A future of the next change. Dropping it loses nothing.
    pub fn changed(&mut self) -> Changed<'_> {
        Changed { watch: self }
    }

    /// Blocks the thread for the next change, at most `timeout`; `None` if that passed.
    ///
    /// # Errors
    /// [`WatchError`] if the watch cannot go on.
    pub fn wait_next(&mut self, timeout: Duration) -> Result<Option<Arc<Change>>, WatchError> {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.feed.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(change) = state.after(self.seen)? {
                self.seen = change.revision;
                return Ok(Some(change));
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            let left = left.unwrap_or(Duration::MAX);
            let woken = self.feed.published.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// See [`Watch::changed`].
#[derive(Debug)]
pub struct Changed<'w> {
    watch: &'w mut Watch,
}

impl Future for Changed<'_> {
    type Output = Result<Arc<Change>, WatchError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let watch = &mut *self.watch;
        let mut state = watch.feed.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.after(watch.seen) {
            Ok(Some(change)) => {
                watch.seen = change.revision;
                Poll::Ready(Ok(change))
            }
            Ok(None) => {
                if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.wakers.push(context.waker().clone());
                }
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(revision: u64, keys: usize) -> Change {
        let delete = vec![b"k".to_vec(); keys];
        Change { revision: Revision(revision), put: Vec::new(), delete }
    }

    #[test]
    fn a_watcher_that_lags_is_told_so() {
        let feed = Feed::new(Revision(10));
        let mut lagging = feed.watch(Revision(10));
        let mut older = feed.watch(Revision(9));
        let mut ahead = feed.watch(Revision(11));
        assert_eq!(older.try_next(), Err(WatchError::Lost));
        assert_eq!(ahead.try_next(), Err(WatchError::Lost));
        for revision in 11..=1035 {
            feed.publish([change(revision, 1)]);
        }
        assert_eq!(lagging.try_next(), Err(WatchError::Lost));
        let mut inside = feed.watch(Revision(11));
        for revision in 12..=1035 {
            assert_eq!(inside.try_next().unwrap().unwrap().revision, Revision(revision));
        }
        assert_eq!(inside.try_next(), Ok(None));
    }

    #[test]
    fn large_changes_do_not_pile_up() {
        let feed = Feed::new(Revision(0));
        let mut watch = feed.watch(Revision(0));
        feed.publish([change(1, KEYS_KEPT_MAX), change(2, 1)]);
        assert_eq!(watch.try_next(), Err(WatchError::Lost));
        assert_eq!(feed.watch(Revision(1)).try_next().unwrap().unwrap().revision, Revision(2));
    }

    #[test]
    fn closing_ends_a_watch_after_its_last_change() {
        let feed = Feed::new(Revision(0));
        let mut watch = feed.watch(Revision::LATEST);
        feed.publish([change(1, 1)]);
        feed.close();
        assert!(watch.try_next().unwrap().is_some());
        assert_eq!(watch.wait_next(Duration::from_secs(60)), Err(WatchError::Closed));
    }
}
