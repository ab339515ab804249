//! What the tests of several modules share. Never compiled into the library.

pub(crate) mod foreign;

use claviger_kmip::enums::CryptographicAlgorithm;

use crate::{CryptoError, KeyMaterialRef, Rng};

/// Bytes of a hexadecimal text; blanks are skipped.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A symmetric key reference.
pub(crate) fn symmetric(algorithm: CryptographicAlgorithm, bytes: &[u8]) -> KeyMaterialRef<'_> {
    KeyMaterialRef::Symmetric { algorithm, bytes }
}

/// An AES key reference.
pub(crate) fn aes(bytes: &[u8]) -> KeyMaterialRef<'_> {
    symmetric(CryptographicAlgorithm::AES, bytes)
}

/// A generator that counts: the same bytes in every run.
pub(crate) struct Counting;

impl Rng for Counting {
    fn fill(&self, destination: &mut [u8]) -> Result<(), CryptoError> {
        for (value, byte) in (1..).zip(destination) {
            *byte = value;
        }
        Ok(())
    }
}
