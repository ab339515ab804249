//! Modes that authenticate: GCM (NIST SP 800-38D), CCM (SP 800-38C), ChaCha20-Poly1305 (RFC 8439).
//!
//! KMIP carries ciphertext, nonce and tag in three fields, and lets the caller ask for a
//! shortened tag; the provider knows the full 16 bytes only. A shortened tag is checked by
//! undoing the key stream and sealing again, and comparing the start of the true tag in constant time.
//! This module must never return plaintext whose tag did not match, and never take a tag of
//! fewer than 12 bytes (CCM: 8): shorter ones are for protocols that count forgeries, and a key server does not.

use aws_lc_rs::aead::{Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm};
use zeroize::Zeroizing;

use super::block::{BlockStream, Direction};
use super::{CHACHA, ccm, gcm_algorithm};
use crate::error::CryptoError;
use crate::gaps;
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::secret::{Secret, equal};

const FAILED: CryptoError = CryptoError::Internal("authenticated cipher");

/// The full tag of every mode here, in bytes.
const TAG_LEN: usize = 16;

/// The authenticating modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aead {
    Gcm,
    Ccm,
    ChaCha20Poly1305,
}

impl Aead {
    /// Ciphertext and tag.
    pub(super) fn seal(
        self,
        key: &[u8],
        parameters: &Parameters,
        nonce: &[u8],
        aad: &[u8],
        data: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        let tag_len = self.tag_len(parameters, None)?;
        if self == Self::Ccm {
            return ccm::seal(key, nonce, aad, data, tag_len);
        }
        let mut buffer = Zeroizing::new(data.to_vec());
        let tag = self.seal_full(key, nonce, aad, &mut buffer)?;
        Ok((core::mem::take(&mut *buffer), tag.get(..tag_len).ok_or(FAILED)?.to_vec()))
    }

    /// The plaintext, if the tag fits.
    pub(super) fn open(
        self,
        key: &[u8],
        parameters: &Parameters,
        nonce: &[u8],
        aad: &[u8],
        data: &[u8],
        tag: &[u8],
    ) -> Result<Secret, CryptoError> {
        let tag_len = self.tag_len(parameters, Some(tag.len()))?;
        if tag_len != tag.len() {
            return Err(CryptoError::TagLength);
        }
        if self == Self::Ccm {
            return ccm::open(key, nonce, aad, data, tag);
        }
        if tag_len == TAG_LEN && nonce.len() == 12 {
            return self.open_full(key, nonce, aad, data, tag);
        }
        let plain = self.undo_key_stream(key, nonce, data)?;
        let mut again = Zeroizing::new(plain.expose().to_vec());
        let full = self.seal_full(key, nonce, aad, &mut again)?;
        if equal(full.get(..tag_len).ok_or(FAILED)?, tag) {
            Ok(plain)
        } else {
            Err(CryptoError::AuthenticationFailed)
        }
    }

    pub(super) fn tag_len(
        self,
        parameters: &Parameters,
        received: Option<usize>,
    ) -> Result<usize, CryptoError> {
        let len = match parameters.tag_length {
            Some(len) => usize::try_from(len).map_err(|_| CryptoError::TagLength)?,
            None => received.unwrap_or(TAG_LEN),
        };
        let possible = match self {
            Self::Ccm => (8..=TAG_LEN).contains(&len) && len.is_multiple_of(2),
            Self::Gcm | Self::ChaCha20Poly1305 => (12..=TAG_LEN).contains(&len),
        };
        if possible { Ok(len) } else { Err(CryptoError::TagLength) }
    }

    fn algorithm(self, key: &[u8]) -> Result<&'static Algorithm, CryptoError> {
        match self {
            Self::ChaCha20Poly1305 => Ok(CHACHA),
            Self::Gcm | Self::Ccm => gcm_algorithm(key),
        }
    }

    fn bind(self, key: &[u8]) -> Result<LessSafeKey, CryptoError> {
        let unbound = UnboundKey::new(self.algorithm(key)?, key)
            .map_err(|_| CryptoError::KeyMismatch("key length of this cipher"))?;
        Ok(LessSafeKey::new(unbound))
    }

    /// Encrypts in place and gives the whole tag.
    fn seal_full(
        self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<Vec<u8>, CryptoError> {
        if let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) {
            let tag = self.bind(key)?.seal_in_place_separate_tag(nonce, Aad::from(aad), buffer);
            return Ok(tag.map_err(|_| FAILED)?.as_ref().to_vec());
        }
        if self == Self::ChaCha20Poly1305 {
            return Err(CryptoError::BadParameters("the nonce has 12 bytes in this mode"));
        }
        gaps::gcm_seal(key, nonce, aad, buffer).map(|tag| tag.to_vec())
    }

    fn open_full(
        self,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        data: &[u8],
        tag: &[u8],
    ) -> Result<Secret, CryptoError> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| FAILED)?;
        let mut plain = Zeroizing::new(vec![0; data.len()]);
        self.bind(key)?
            .open_separate_gather(nonce, Aad::from(aad), data, tag, &mut plain)
            .map_err(|_| CryptoError::AuthenticationFailed)?;
        Ok(plain.into())
    }

    /// Decrypts without a check. The result may leave only after one.
    fn undo_key_stream(self, key: &[u8], nonce: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
        match self {
            Self::ChaCha20Poly1305 if nonce.len() == 12 => gaps::chacha20(key, nonce, 1, data),
            Self::ChaCha20Poly1305 => {
                Err(CryptoError::BadParameters("the nonce has 12 bytes in this mode"))
            }
            Self::Gcm | Self::Ccm if nonce.len() == 12 => {
                let mut counter = [0_u8; 16];
                counter.get_mut(..12).ok_or(FAILED)?.copy_from_slice(nonce);
                counter[15] = 2;
                ctr(key, &counter, data)
            }
            Self::Gcm | Self::Ccm => gaps::gcm_key_stream(key, nonce, data),
        }
    }
}

/// AES-CTR from a given first block; encryption and decryption are the same.
pub(super) fn ctr(key: &[u8], first: &[u8; 16], data: &[u8]) -> Result<Secret, CryptoError> {
    let key = KeyMaterialRef::Symmetric { algorithm: CryptographicAlgorithm::AES, bytes: key };
    let parameters =
        Parameters { block_cipher_mode: Some(BlockCipherMode::CTR), ..Parameters::default() };
    Ok(BlockStream::new(Direction::Encrypt, &key, &parameters, Some(first))?
        .finish(data, None)?
        .into())
}
