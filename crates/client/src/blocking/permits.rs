//! How many may be in use at once, and waiting for one to come free.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Error;

/// A number of permits.
#[derive(Debug)]
pub(super) struct Permits {
    count: usize,
    free: Mutex<usize>,
    came_free: Condvar,
}

/// One of them, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Permits);

impl Permits {
    /// So many, at least one.
    pub(super) fn new(count: usize) -> Self {
        let count = count.max(1);
        Self { count, free: Mutex::new(count), came_free: Condvar::new() }
    }

    /// Waits for one.
    pub(super) fn acquire(&self, wait_max: Duration) -> Result<Permit<'_>, Error> {
        let free = self.lock();
        let waited = self.came_free.wait_timeout_while(free, wait_max, |free| *free == 0);
        let (mut free, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1).ok_or(Error::Busy)?;
        Ok(Permit(self))
    }

    /// How many are held.
    pub(super) fn in_use(&self) -> usize {
        self.count.saturating_sub(*self.lock())
    }

    /// The number is right at every moment, so a thread that panicked did it no harm.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut free = self.0.lock();
        *free = free.saturating_add(1);
        self.0.came_free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn whoever_comes_too_late_waits_for_one() {
        let permits = Permits::new(0);
        let first = permits.acquire(Duration::ZERO).unwrap();
        assert!(matches!(permits.acquire(Duration::ZERO), Err(Error::Busy)));
        let (send, receive) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                drop(permits.acquire(Duration::from_secs(60)).unwrap());
                send.send(()).unwrap();
            });
            assert!(receive.try_recv().is_err());
            drop(first);
            receive.recv().unwrap();
        });
        assert_eq!(permits.in_use(), 0);
        assert!(permits.acquire(Duration::ZERO).is_ok());
    }
}
