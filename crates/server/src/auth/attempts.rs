//! How many logins an address may try in a minute. In memory, bounded; a restart forgets it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::AuthError;

const WINDOW_SECONDS: i64 = 60;

/// Addresses that are remembered; beyond them, those that began longest ago are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Who is counted as one: an IPv4 address, or the network that one customer has of IPv6 (64 bits).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Origin {
    V4(u32),
    V6(u64),
    Unknown,
}

/// One minute of one origin.
#[derive(Clone, Copy)]
struct Window {
    /// Seconds since 1970.
    began: i64,
    tried: usize,
}

/// The count of every origin.
pub(super) struct Attempts {
    per_minute_max: usize,
    windows: Mutex<HashMap<Origin, Window>>,
}

impl Attempts {
    pub(super) fn new(per_minute_max: usize) -> Self {
        Self { per_minute_max, windows: Mutex::default() }
    }

    /// Counts a login that is about to be tried at `now`.
    ///
    /// # Errors
    /// [`AuthError::TooMany`] with the seconds to wait.
    pub(super) fn count(&self, address: Option<IpAddr>, now: i64) -> Result<(), AuthError> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = Origin::of(address);
        if windows.len() >= ADDRESSES_MAX && !windows.contains_key(&origin) {
            make_room(&mut windows, now);
        }
        let fresh = Window { began: now, tried: 0 };
        let window = windows.entry(origin).or_insert(fresh);
        if window.is_over(now) {
            *window = fresh;
        }
        if window.tried >= self.per_minute_max {
            return Err(AuthError::TooMany(WINDOW_SECONDS.saturating_sub(now - window.began)));
        }
        window.tried = window.tried.saturating_add(1);
        Ok(())
    }
}

impl Window {
    fn is_over(self, now: i64) -> bool {
        now.saturating_sub(self.began) >= WINDOW_SECONDS
    }
}

impl Origin {
    fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V4(address)) => Self::V4(address.to_bits()),
            Some(IpAddr::V6(address)) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

/// Forgets what is over; if that is not enough, the older half.
fn make_room(windows: &mut HashMap<Origin, Window>, now: i64) {
    windows.retain(|_, window| !window.is_over(now));
    if windows.len() < ADDRESSES_MAX {
        return;
    }
    let mut began: Vec<i64> = windows.values().map(|window| window.began).collect();
    began.sort_unstable();
    let middle = began.get(began.len() / 2).copied().unwrap_or(now);
    let mut room = ADDRESSES_MAX / 2;
    windows.retain(|_, window| {
        let goes = window.began <= middle && room > 0;
        room = room.saturating_sub(usize::from(goes));
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_so_many_a_minute_and_others_their_own() {
        let attempts = Attempts::new(3);
        let tried = |address: &str, now| attempts.count(from(address), now).is_ok();
        assert_eq!([1, 2, 3, 4].map(|_| tried("10.0.0.1", NOW)), [true, true, true, false]);
        let refused = attempts.count(from("::ffff:10.0.0.1"), NOW + 59).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "too many logins from this address: try again in 1 seconds"
        );
        assert!(tried("10.0.0.2", NOW));
        assert!(tried("10.0.0.1", NOW + 60));
        // One customer has all addresses of a network.
        assert_eq!(
            [1, 2, 3, 4].map(|n| tried(&format!("fd00::{n}"), NOW)),
            [true, true, true, false]
        );
        assert!(tried("fd00:0:0:1::1", NOW));
        assert!(attempts.count(None, NOW).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_remembered() {
        let attempts = Attempts::new(1);
        for n in 0..30_000u32 {
            let address = Some(IpAddr::V4(n.into()));
            attempts.count(address, NOW + i64::from(n / 10_000)).unwrap();
        }
        assert!(attempts.windows.lock().unwrap().len() <= ADDRESSES_MAX);
        assert!(attempts.count(Some(IpAddr::V4(29_999.into())), NOW + 2).is_err());
        attempts.count(from("255.0.0.1"), NOW + 500).unwrap();
        assert!(attempts.count(from("255.0.0.1"), NOW + 500).is_err());
    }
}
