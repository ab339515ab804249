//! Passwords as they are kept: PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2), a salt and a number of
//! iterations for each. Never knows whose.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::pbkdf2;
use serde::{Deserialize, Serialize};

use super::AuthError;
use crate::record::base64_bytes;

/// What OWASP asks for with HMAC-SHA-256: a tenth of a second or two.
pub(super) const ITERATIONS: u32 = 600_000;

/// A longer one is none that anybody types; it would be hashed first in any case.
const PASSWORD_BYTES_MAX: usize = 1024;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// How many logins may wait for their turn. Each holds a thread, so more would keep others from
/// everything else that the API does.
const WAITING_MAX: usize = 8;

/// Where logins wait for their hash, and new passwords too.
static LOGINS: Queue = Queue::new();

struct Queue {
    /// One hash at a time: guessing passwords must not take the processors from KMIP.
    hashing: Mutex<()>,
    waiting: AtomicUsize,
}

/// A place in a queue.
struct Place<'a>(&'a Queue);

impl Queue {
    const fn new() -> Self {
        Self { hashing: Mutex::new(()), waiting: AtomicUsize::new(0) }
    }

    fn enter(&self) -> Result<Place<'_>, AuthError> {
        // Counted before it is asked, so that two cannot take the last place.
        let place = Place(self);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= WAITING_MAX {
            Err(AuthError::Busy)
        } else {
            Ok(place)
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What is kept of a password.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PasswordHash {
    iterations: NonZeroU32,
    #[serde(with = "base64_bytes")]
    salt: Vec<u8>,
    #[serde(with = "base64_bytes")]
    hash: Vec<u8>,
}

impl PasswordHash {
    /// Of a new password. Slow.
    pub(super) fn of(password: &str, iterations: u32) -> Result<Self, AuthError> {
        if password.is_empty() {
            return Err(AuthError::bad("missing password"));
        }
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(AuthError::bad(format!(
                "a password has at most {PASSWORD_BYTES_MAX} bytes"
            )));
        }
        let mut kept = Self::of_nobody(iterations);
        aws_lc_rs::rand::fill(&mut kept.salt)?;
        let _one = LOGINS.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, kept.iterations, &kept.salt, password.as_bytes(), &mut kept.hash);
        Ok(kept)
    }

    /// What no password is: comparing with it takes as long as with another.
    pub(super) fn of_nobody(iterations: u32) -> Self {
        Self {
            iterations: NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN),
            salt: vec![0; SALT_BYTES],
            hash: vec![0; HASH_BYTES],
        }
    }

    /// Whether a password is the one. Slow, and as slow if it is not.
    ///
    /// # Errors
    /// [`AuthError::Busy`] if too many wait already.
    pub(super) fn is(&self, password: &str) -> Result<bool, AuthError> {
        self.is_behind(&LOGINS, password)
    }

    fn is_behind(&self, queue: &Queue, password: &str) -> Result<bool, AuthError> {
        let _place = queue.enter()?;
        let long = password.len() > PASSWORD_BYTES_MAX;
        let password = if long { "" } else { password };
        let _one = queue.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        let bytes = password.as_bytes();
        let verified = pbkdf2::verify(algorithm, self.iterations, &self.salt, bytes, &self.hash);
        Ok(verified.is_ok() && !long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_itself_and_nothing_else_is() {
        let kept = PasswordHash::of("correct horse", 10).unwrap();
        assert!(kept.is("correct horse").unwrap());
        let other = PasswordHash::of("correct horse", 10).unwrap();
        assert_ne!(kept.hash, other.hash, "each has a salt of its own");
        for wrong in ["", "correct hors", "Correct horse", &"x".repeat(2000)] {
            assert!(!kept.is(wrong).unwrap(), "{wrong:?}");
            assert!(!PasswordHash::of_nobody(10).is(wrong).unwrap(), "{wrong:?}");
        }
        for unfit in ["", &"x".repeat(1025)] {
            assert!(matches!(PasswordHash::of(unfit, 10), Err(AuthError::BadInput(_))));
        }
    }

    #[test]
    fn few_wait_and_the_others_are_told_to_come_again() {
        let kept = PasswordHash::of("x", 200_000).unwrap();
        // Other tests log in meanwhile.
        let queue = Queue::new();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let logins: Vec<_> =
                (0..4 * WAITING_MAX).map(|_| scope.spawn(|| kept.is_behind(&queue, "x"))).collect();
            logins.into_iter().map(|login| login.join().unwrap()).collect()
        });
        let busy = answers.iter().filter(|it| matches!(it, Err(AuthError::Busy))).count();
        assert!(busy > 0, "all of {} waited", answers.len());
        assert!(answers.iter().all(|it| matches!(it, Ok(true) | Err(AuthError::Busy))));
        assert!(kept.is_behind(&queue, "x").unwrap(), "the places are free again");
    }

    #[test]
    fn a_hash_is_the_published_one_and_says_how_it_was_made() {
        // RFC 7914 §11: of the 64 octets there the first 32.
        let json = r#"{"iterations":1,"salt":"c2FsdA==","hash":"VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw="}"#;
        let kept: PasswordHash = serde_json::from_str(json).unwrap();
        assert!(kept.is("passwd").unwrap());
        assert!(!kept.is("password").unwrap());
    }
}
