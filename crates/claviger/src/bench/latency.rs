//! Latencies, kept in buckets whose width grows with the value: within 3 % at any size.

use std::time::Duration;

/// Buckets per power of two.
const FINE: u32 = 32;
const FINE_BITS: u32 = FINE.trailing_zeros();
const BUCKETS: usize = ((u64::BITS - FINE_BITS + 1) * FINE) as usize;

/// How often each latency was seen.
#[derive(Clone)]
pub(super) struct Latencies {
    counts: Vec<u64>,
    total: u64,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }

    pub(super) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(micros)) {
            *count = count.saturating_add(1);
            self.total = self.total.saturating_add(1);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.total = self.total.saturating_add(other.total);
    }

    /// The latency in microseconds that this share of all does not exceed.
    pub(super) fn quantile(&self, share: f64) -> u64 {
        let rank = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0_u64;
        for (index, count) in self.counts.iter().enumerate() {
            seen = seen.saturating_add(*count);
            if seen >= rank {
                return upper_bound(index);
            }
        }
        0
    }
}

/// Values below twice `FINE` have a bucket each; above, the bits after the highest choose it.
fn bucket(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(FINE_BITS + 1);
    let fine = value >> shift;
    let coarse = u64::from(shift) * u64::from(FINE);
    usize::try_from(coarse.saturating_add(fine)).unwrap_or(usize::MAX)
}

/// The largest value of a bucket.
fn upper_bound(index: usize) -> u64 {
    let (index, fine) = (index as u64, u64::from(FINE));
    let shift = (index / fine).saturating_sub(1);
    let value = index.saturating_sub(shift.saturating_mul(fine));
    let next = u128::from(value.saturating_add(1)) << shift;
    u64::try_from(next.saturating_sub(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_a_bucket_that_is_close_to_it() {
        for value in (0..2_000).chain((0..64).map(|bit| 1_u64 << bit)).chain([u64::MAX]) {
            let index = bucket(value);
            assert!(index < BUCKETS, "{value}");
            let bound = upper_bound(index);
            assert!(bound >= value && bound - value <= value / u64::from(FINE), "{value}: {bound}");
        }
        assert!((0..2_000).map(bucket).is_sorted());
    }

    #[test]
    fn quantiles_of_a_hundred_thousand() {
        let mut halves = [Latencies::new(), Latencies::new()];
        for micros in 1..=100_000_u64 {
            halves[(micros % 2) as usize].record(Duration::from_micros(micros));
        }
        let [mut all, other] = halves;
        all.merge(&other);
        for (share, exact) in [(0.5, 50_000), (0.99, 99_000), (0.999, 99_900), (0.0, 1)] {
            let found = all.quantile(share);
            assert!(found >= exact && found <= exact + exact / 31, "{share}: {found}");
        }
        assert_eq!(Latencies::new().quantile(0.5), 0);
    }
}
