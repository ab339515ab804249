//! What a KMIP server was asked in vain lately, so that it is neither asked nor said again at once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How many absent keys are remembered.
const ABSENT_MAX: usize = 1024;
/// For how long nobody is asked again after nobody answered, or answered that there is no key.
const PAUSE: Duration = Duration::from_secs(1);

/// What was asked in vain lately, and is not asked again at once.
#[derive(Default)]
pub(crate) struct Refusals {
    /// Nobody answered.
    pub(crate) outage: Option<Instant>,
    /// It has been said that nobody answers.
    pub(crate) is_outage_said: bool,
    /// The server has no such key that may be used.
    pub(crate) absent: HashMap<u32, Instant>,
}

impl Refusals {
    pub(crate) fn is_outage(&self) -> bool {
        self.outage.is_some_and(|since| since.elapsed() < PAUSE)
    }

    pub(crate) fn holds(&self, key_id: u32) -> bool {
        let is_absent = self.absent.get(&key_id).is_some_and(|since| since.elapsed() < PAUSE);
        is_absent || self.is_outage()
    }

    /// Notes that a key is absent; says whether that is new.
    pub(crate) fn add(&mut self, key_id: u32) -> bool {
        if self.absent.len() >= ABSENT_MAX {
            self.absent.clear();
        }
        self.absent.insert(key_id, Instant::now()).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_key_is_said_once_and_not_asked_for_at_once() {
        let mut refusals = Refusals::default();
        assert!(!refusals.holds(5));
        assert!(refusals.add(5) && !refusals.add(5));
        assert!(refusals.holds(5) && !refusals.holds(6));
        refusals.outage = Some(Instant::now());
        assert!(refusals.holds(6));
        (0..5000).for_each(|key_id| _ = refusals.add(key_id));
        assert!(refusals.absent.len() <= ABSENT_MAX);
    }
}
