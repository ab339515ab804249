//! The scopes of what is in memory, each of them once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::objects::Partition;

/// Scopes that are not looked through for those of which nothing is in memory any more.
const FEW: usize = 64;

/// The scopes of what is in memory.
#[derive(Debug, Default)]
pub struct Interner(Mutex<Shared>);

#[derive(Debug, Default)]
struct Shared {
    all: HashSet<Arc<Partition>>,
    /// How many there may be before those that nothing shares are forgotten.
    sweep_at: usize,
}

impl Interner {
    /// The scope that all who ask for it share.
    pub fn share(&self, partition: &Partition) -> Arc<Partition> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shared.all.get(partition) {
            return Arc::clone(known);
        }
        if shared.all.len() >= shared.sweep_at {
            shared.all.retain(|it| Arc::strong_count(it) > 1);
            shared.sweep_at = shared.all.len().saturating_mul(2).max(FEW);
        }
        let new = Arc::new(*partition);
        shared.all.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_there_once_and_while_somebody_shares_it() {
        let interner = Interner::default();
        let scope = |number: u16| Partition {
            mount: [1; 16],
            scope: [number.to_be_bytes(); 8].concat().try_into().unwrap(),
        };
        let kept = interner.share(&scope(0));
        for number in 1..1000 {
            assert!(!Arc::ptr_eq(&interner.share(&scope(number)), &kept));
            assert!(interner.0.lock().unwrap().all.len() <= FEW, "at {number}");
        }
        assert!(Arc::ptr_eq(&interner.share(&scope(0)), &kept));
    }
}
