//! Randomness, as an argument.
//!
//! Whatever draws random bytes here takes an [`Rng`], so that a simulation can replay it. RSA
//! key generation is the exception: the provider draws by itself. This module must never
//! offer a source that is not either the operating system's or the caller's.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::error::CryptoError;

/// A source of random bytes.
pub trait Rng: Send + Sync {
    /// Overwrites `destination` wholly, or fails.
    fn fill(&self, destination: &mut [u8]) -> Result<(), CryptoError>;
}

/// The provider's generator, seeded by the operating system.
#[derive(Debug, Default)]
pub struct SystemRng(SystemRandom);

impl SystemRng {
    /// A handle; it holds no state of its own.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Rng for SystemRng {
    fn fill(&self, destination: &mut [u8]) -> Result<(), CryptoError> {
        self.0.fill(destination).map_err(|_| CryptoError::Internal("random generator"))
    }
}

/// `len` fresh bytes.
pub(crate) fn bytes(rng: &dyn Rng, len: usize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let mut out = Zeroizing::new(vec![0; len]);
    rng.fill(&mut out)?;
    Ok(out)
}
