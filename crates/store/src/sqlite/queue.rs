//! Which commits share one sync. Knows no SQL.
//!
//! Callers that have just been answered tend to come back at once. A writer that starts with the
//! first of them leaves the others to the next sync, and the callers fall into two halves that wait
//! for each other. So it waits for as many as there were, for a fraction of what a sync costs.

use crate::pending::Completion;
use crate::record::Batch;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Batches in one transaction.
const GROUP_BATCHES_MAX: usize = 512;
/// Bytes in one transaction, unless a single batch has more.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// Of the last commit's time, this part (one in …) is spent on waiting for more.
const WAIT_SHARE: u32 = 4;
/// And never more than this.
const WAIT_MAX: Duration = Duration::from_millis(2);

/// A batch on its way to the writer.
pub(crate) struct Job {
    pub(crate) batch: Batch,
    pub(crate) completion: Completion,
}

/// The writer's end of the queue.
pub(crate) struct Queue {
    jobs: Receiver<Job>,
    /// The next group, as far as it is together.
    group: Vec<Job>,
    bytes: usize,
    /// How many callers there seem to be.
    expected: usize,
    /// Until when they are waited for.
    deadline: Instant,
}

impl Queue {
    pub(crate) fn new(jobs: Receiver<Job>) -> Self {
        Self { jobs, group: Vec::new(), bytes: 0, expected: 0, deadline: Instant::now() }
    }

    /// Waits for the next group; `None` once the engine is gone and nothing is left.
    pub(crate) fn next_group(&mut self) -> Option<Vec<Job>> {
        if self.group.is_empty() {
            let first = self.jobs.recv().ok()?;
            self.push(first);
        }
        loop {
            self.take_waiting();
            let left = self.deadline.saturating_duration_since(Instant::now());
            if self.is_full() || self.group.len() >= self.expected || left.is_zero() {
                break;
            }
            let Ok(job) = self.jobs.recv_timeout(left) else { break };
            self.push(job);
        }
        self.bytes = 0;
        Some(std::mem::take(&mut self.group))
    }

    /// A group of `size` took `took` and is about to be answered: these callers, and those that have
    /// queued up meanwhile, are the ones to expect.
    pub(crate) fn committed(&mut self, size: usize, took: Duration) {
        self.take_waiting();
        self.expected = self.group.len().saturating_add(size);
        let now = Instant::now();
        let wait = took.checked_div(WAIT_SHARE).unwrap_or_default().min(WAIT_MAX);
        self.deadline = now.checked_add(wait).unwrap_or(now);
    }

    fn take_waiting(&mut self) {
        while !self.is_full()
            && let Ok(job) = self.jobs.try_recv()
        {
            self.push(job);
        }
    }

    fn is_full(&self) -> bool {
        self.group.len() >= GROUP_BATCHES_MAX || self.bytes >= GROUP_BYTES_MAX
    }

    fn push(&mut self, job: Job) {
        self.bytes = self.bytes.saturating_add(job.batch.bytes());
        self.group.push(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pending::Pending;
    use std::sync::mpsc::{Sender, channel};

    fn send(sender: &Sender<Job>, count: usize) {
        for _ in 0..count {
            let (completion, _pending) = Pending::new();
            sender.send(Job { batch: Batch::default(), completion }).unwrap();
        }
    }

    fn queue() -> (Sender<Job>, Queue) {
        let (sender, receiver) = channel();
        (sender, Queue::new(receiver))
    }

    #[test]
    fn a_lone_caller_is_never_kept_waiting() {
        let (sender, mut queue) = queue();
        for _ in 0..3 {
            send(&sender, 1);
            let started = Instant::now();
            assert_eq!(queue.next_group().unwrap().len(), 1);
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no deadline of an hour is waited for"
            );
            queue.committed(1, Duration::from_secs(3600));
            // The cap on waiting is lifted, so that waiting would show.
            queue.deadline = Instant::now() + Duration::from_secs(3600);
        }
    }

    #[test]
    fn callers_that_come_back_share_the_next_sync() {
        let (sender, mut queue) = queue();
        send(&sender, 5);
        assert_eq!(queue.next_group().unwrap().len(), 5);
        send(&sender, 3);
        queue.committed(5, Duration::from_secs(3600));
        queue.deadline = Instant::now() + Duration::from_secs(3600);
        let returning = std::thread::spawn(move || {
            send(&sender, 2);
            send(&sender, 3);
            sender
        });
        assert_eq!(queue.next_group().unwrap().len(), 8);
        let sender = returning.join().unwrap();
        queue.committed(8, Duration::from_nanos(1));
        send(&sender, 1);
        assert_eq!(queue.next_group().unwrap().len(), 1, "who stays away is not waited for long");
    }

    #[test]
    fn a_group_is_bounded_and_the_end_comes_after_the_last() {
        let (sender, mut queue) = queue();
        send(&sender, GROUP_BATCHES_MAX + 1);
        drop(sender);
        assert_eq!(queue.next_group().unwrap().len(), GROUP_BATCHES_MAX);
        assert_eq!(queue.next_group().unwrap().len(), 1);
        assert!(queue.next_group().is_none());
    }
}
