//! Bytes that must not leak: wiped on drop, compared in constant time.
//!
//! A [`Secret`] has no `Clone`, no serialisation and a `Debug` that shows only that it is
//! there. It must never know what the bytes mean.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Key bytes, plaintext, anything whose exposure is the incident.
#[derive(Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the vector's allocation is wiped when the secret is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Copies the bytes; the caller remains responsible for the original.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }

    /// The bytes. The name is long so that every place that reads a secret is found by it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// A second copy, made on purpose.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Hands over the buffer, which still wipes itself.
    pub fn into_zeroizing(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        equal(self.expose(), other.expose())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_bytes_nor_length() {
        assert_eq!(format!("{:?}", Secret::copy_of(b"hunter2")), "Secret(..)");
    }

    #[test]
    fn equality_is_by_content() {
        assert_eq!(Secret::copy_of(b"ab"), Secret::copy_of(b"ab"));
        assert_ne!(Secret::copy_of(b"ab"), Secret::copy_of(b"ac"));
        assert_ne!(Secret::copy_of(b"ab"), Secret::copy_of(b"abc"));
        assert_eq!(Secret::copy_of(b"ab").duplicate(), Secret::copy_of(b"ab"));
    }
}
