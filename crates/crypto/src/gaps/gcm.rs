//! GCM gaps: nonces that are not 12 bytes, and encryption in pieces (NIST SP 800-38D).
//!
//! Decryption in pieces must never be offered: plaintext would leave before its tag is checked.

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use zeroize::Zeroizing;

use crate::error::CryptoError;
use crate::secret::Secret;

/// A GCM encryption in progress.
pub(crate) struct GcmEncryption {
    cipher: Block,
    first: [u8; 16],
    counter: u32,
    /// The key stream of the current block and how much of it is used.
    mask: Zeroizing<[u8; 16]>,
    used: usize,
    hash: GHash,
    /// Ciphertext that does not fill a block yet.
    pending: Vec<u8>,
    aad_len: usize,
    len: usize,
}

impl GcmEncryption {
    /// Starts with all of the additional data.
    pub(crate) fn new(key: &[u8], nonce: &[u8], aad: &[u8]) -> Result<Self, CryptoError> {
        let cipher = Block::new(key)?;
        let first = cipher.first_counter(nonce)?;
        let mut hash = cipher.hash();
        hash.update_padded(aad);
        Ok(Self {
            cipher,
            first,
            counter: 1,
            mask: Zeroizing::new([0; 16]),
            used: 16,
            hash,
            pending: Vec::with_capacity(16),
            aad_len: aad.len(),
            len: 0,
        })
    }

    /// Encrypts a piece of any length in place.
    pub(crate) fn update(&mut self, piece: &mut [u8]) {
        for byte in piece.iter_mut() {
            if self.used == 16 {
                self.mask = Zeroizing::new(self.cipher.key_stream_block(self.first, self.counter));
                self.counter = self.counter.wrapping_add(1);
                self.used = 0;
            }
            *byte ^= self.mask.get(self.used).copied().unwrap_or_default();
            self.used += 1;
        }
        self.len = self.len.saturating_add(piece.len());
        let mut rest: &[u8] = piece;
        if !self.pending.is_empty() {
            let (start, after) = rest.split_at(rest.len().min(16 - self.pending.len()));
            self.pending.extend_from_slice(start);
            rest = after;
            if self.pending.len() == 16 {
                self.hash.update_padded(&self.pending);
                self.pending.clear();
            }
        }
        let (whole, after) = rest.split_at(rest.len() - rest.len() % 16);
        self.hash.update_padded(whole);
        self.pending.extend_from_slice(after);
    }

    /// The whole tag.
    pub(crate) fn finish(mut self) -> Result<[u8; 16], CryptoError> {
        self.hash.update_padded(&self.pending);
        self.hash.update_padded(&lengths(self.aad_len, self.len)?);
        let mut tag = self.cipher.encrypt(self.first);
        for (byte, mask) in tag.iter_mut().zip(self.hash.finalize()) {
            *byte ^= mask;
        }
        Ok(tag)
    }
}

/// Encrypts in place and gives the whole tag.
pub(crate) fn gcm_seal(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; 16], CryptoError> {
    let mut encryption = GcmEncryption::new(key, nonce, aad)?;
    encryption.update(buffer);
    encryption.finish()
}

/// GCM's encryption alone, which is also its decryption; nothing is authenticated.
pub(crate) fn gcm_key_stream(key: &[u8], nonce: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
    let mut out = Zeroizing::new(data.to_vec());
    GcmEncryption::new(key, nonce, &[])?.update(&mut out);
    Ok(out.into())
}

/// AES of any key length, one block at a time.
enum Block {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

impl Block {
    fn new(key: &[u8]) -> Result<Self, CryptoError> {
        match key.len() {
            16 => Aes128::new_from_slice(key).map(Self::Aes128),
            24 => Aes192::new_from_slice(key).map(Self::Aes192),
            32 => Aes256::new_from_slice(key).map(Self::Aes256),
            _ => return Err(CryptoError::KeyMismatch("AES keys have 16, 24 or 32 bytes")),
        }
        .map_err(|_| CryptoError::Internal("cipher"))
    }

    fn encrypt(&self, block: [u8; 16]) -> [u8; 16] {
        let mut block = Array::from(block);
        match self {
            Self::Aes128(cipher) => cipher.encrypt_block(&mut block),
            Self::Aes192(cipher) => cipher.encrypt_block(&mut block),
            Self::Aes256(cipher) => cipher.encrypt_block(&mut block),
        }
        block.into()
    }

    fn hash(&self) -> GHash {
        GHash::new(&Array::from(self.encrypt([0; 16])))
    }

    /// J0 of SP 800-38D §7.1.
    fn first_counter(&self, nonce: &[u8]) -> Result<[u8; 16], CryptoError> {
        if nonce.is_empty() || nonce.len() > 1024 {
            return Err(CryptoError::BadParameters("nonce length in GCM"));
        }
        if let Ok(short) = <[u8; 12]>::try_from(nonce) {
            let mut first = [0; 16];
            for (byte, value) in first.iter_mut().zip(short.into_iter().chain([0, 0, 0, 1])) {
                *byte = value;
            }
            return Ok(first);
        }
        let mut hash = self.hash();
        hash.update_padded(nonce);
        hash.update_padded(&lengths(0, nonce.len())?);
        Ok(hash.finalize().into())
    }

    /// The key stream `after` blocks behind `first`: only the last 32 bits count, and they wrap.
    fn key_stream_block(&self, first: [u8; 16], after: u32) -> [u8; 16] {
        let start = u128::from_be_bytes(first);
        let low = (start & u128::from(u32::MAX)) as u32;
        let fixed = start & !u128::from(u32::MAX);
        self.encrypt((fixed | u128::from(low.wrapping_add(after))).to_be_bytes())
    }
}

/// Two lengths in bits, 64 bits each.
fn lengths(first: usize, second: usize) -> Result<[u8; 16], CryptoError> {
    const TOO_LONG: CryptoError = CryptoError::BadParameters("the message is too long for GCM");
    let bits =
        |len: usize| u64::try_from(len).ok().and_then(|len| len.checked_mul(8)).ok_or(TOO_LONG);
    let both = (u128::from(bits(first)?) << 64) | u128::from(bits(second)?);
    Ok(both.to_be_bytes())
}
