//! The key of one object: 32 random bytes, wiped when they are dropped.

use std::fmt;

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::DriverError;

/// The key of an object's bytes, in the clear.
pub struct DataKey(Zeroizing<[u8; Self::LENGTH]>);

impl DataKey {
    /// How many bytes it has.
    pub const LENGTH: usize = 32;

    /// A new one.
    ///
    /// # Errors
    /// [`DriverError::Randomness`].
    pub fn generate() -> Result<Self, DriverError> {
        let mut bytes = Zeroizing::new([0; Self::LENGTH]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| DriverError::Randomness)?;
        Ok(Self(bytes))
    }

    /// One that is known; the caller remains responsible for the original.
    #[must_use]
    pub fn copy_of(bytes: &[u8; Self::LENGTH]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// What came out of a cipher, if it has the right length.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; Self::LENGTH]);
        if bytes.len() != Self::LENGTH {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_show_nothing() {
        let (one, other) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
        assert_ne!(one.bytes(), other.bytes());
        assert_eq!(format!("{:?}", DataKey::copy_of(&[0x61; 32])), "DataKey(..)");
        assert_eq!(DataKey::read(one.bytes()).unwrap().bytes(), one.bytes());
        assert!(DataKey::read(&[0; 31]).is_none() && DataKey::read(&[0; 33]).is_none());
    }
}
