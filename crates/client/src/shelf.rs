//! Idle connections, each with its server and since when it waits.
//!
//! It must never know what a connection is, and reads no clock.

use std::time::{Duration, Instant};

/// Idle connections, the longest idle first.
#[derive(Debug)]
pub(crate) struct Shelf<C> {
    idle: Vec<Idle<C>>,
    idle_max: Duration,
}

#[derive(Debug)]
struct Idle<C> {
    server: usize,
    since: Instant,
    connection: C,
}

impl<C> Shelf<C> {
    pub(crate) const fn new(idle_max: Duration) -> Self {
        Self { idle: Vec::new(), idle_max }
    }

    /// The connection to a server that was used last: the likeliest to be alive, and the others
    /// may grow old.
    pub(crate) fn take(&mut self, server: usize) -> Option<C> {
        let at = self.idle.iter().rposition(|idle| idle.server == server)?;
        Some(self.idle.remove(at).connection)
    }

    pub(crate) fn put(&mut self, server: usize, connection: C, now: Instant) {
        if !self.idle_max.is_zero() {
            self.idle.push(Idle { server, since: now, connection });
        }
    }

    /// Those that were idle for too long, to be closed.
    pub(crate) fn take_old(&mut self, now: Instant) -> Vec<C> {
        let max = self.idle_max;
        self.take_if(|idle| now.saturating_duration_since(idle.since) >= max)
    }

    /// Those to one server, which cannot be trusted any more.
    pub(crate) fn take_all(&mut self, server: usize) -> Vec<C> {
        self.take_if(|idle| idle.server == server)
    }

    /// The one that is idle for longest, to make room.
    pub(crate) fn take_oldest(&mut self) -> Option<C> {
        if self.idle.is_empty() { None } else { Some(self.idle.remove(0).connection) }
    }

    pub(crate) fn len(&self) -> usize {
        self.idle.len()
    }

    fn take_if(&mut self, test: impl Fn(&Idle<C>) -> bool) -> Vec<C> {
        self.idle.extract_if(.., |idle| test(idle)).map(|idle| idle.connection).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_comes_first_and_old_ones_go() {
        let start = Instant::now();
        let second = |n: u64| start + Duration::from_secs(n);
        let mut shelf = Shelf::new(Duration::from_secs(10));
        for (server, connection, at) in [(0, "a", 0), (1, "b", 1), (0, "c", 2), (1, "d", 3)] {
            shelf.put(server, connection, second(at));
        }
        assert_eq!(shelf.take(0), Some("c"));
        assert_eq!(shelf.take_old(second(9)), Vec::<&str>::new());
        assert_eq!(shelf.take_old(second(11)), ["a", "b"]);
        assert_eq!(shelf.take(0), None);
        assert_eq!(shelf.take_all(1), ["d"]);
        assert_eq!((shelf.len(), shelf.take_oldest()), (0, None));
    }

    #[test]
    fn none_is_kept_where_none_may_be() {
        let mut shelf = Shelf::new(Duration::ZERO);
        shelf.put(0, "a", Instant::now());
        assert_eq!(shelf.len(), 0);
    }
}
