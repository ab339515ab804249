//! Bytes that must not leak, and how they are compared.
//!
//! The type is the vocabulary's own, so that key bytes travel from message to cipher without a
//! copy. It must never know what the bytes mean.

use subtle::ConstantTimeEq;

pub use claviger_kmip::codec::Secret;

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
        assert!(equal(b"ab", b"ab") && !equal(b"ab", b"ac") && !equal(b"ab", b"abc"));
    }
}
