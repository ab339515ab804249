//! AES-CCM (NIST SP 800-38C), put together from the provider's CBC and CTR.
//!
//! The general crate fixes nonce and tag lengths at compile time, which would mean some 150
//! copies of the mode for what KMIP lets a caller choose. This file must never return
//! plaintext before the tag has been compared.

use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm};
use zeroize::Zeroizing;

use super::aead::ctr;
use super::block::{BlockStream, Direction};
use crate::error::CryptoError;
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::secret::{Secret, equal};

const FAILED: CryptoError = CryptoError::Internal("CCM");

/// Ciphertext and tag.
pub(super) fn seal(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    data: &[u8],
    tag_len: usize,
) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
    let tag = masked_mac(key, nonce, aad, data, tag_len)?;
    let sealed = ctr(key, &counter(nonce, 1)?, data)?;
    Ok((sealed.expose().to_vec(), tag))
}

/// The plaintext, if the tag fits.
pub(super) fn open(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    data: &[u8],
    tag: &[u8],
) -> Result<Secret, CryptoError> {
    let plain = ctr(key, &counter(nonce, 1)?, data)?;
    let expected = masked_mac(key, nonce, aad, plain.expose(), tag.len())?;
    if equal(&expected, tag) { Ok(plain) } else { Err(CryptoError::AuthenticationFailed) }
}

/// The counter block A.3: flags, nonce, counter.
fn counter(nonce: &[u8], value: u8) -> Result<[u8; 16], CryptoError> {
    let mut block = [0_u8; 16];
    block[0] = length_len(nonce)? - 1;
    block.get_mut(1..=nonce.len()).ok_or(FAILED)?.copy_from_slice(nonce);
    block[15] = value;
    Ok(block)
}

/// How many bytes the message length takes ("q"): 15 less the nonce.
fn length_len(nonce: &[u8]) -> Result<u8, CryptoError> {
    match u8::try_from(nonce.len()) {
        Ok(len @ 7..=13) => Ok(15 - len),
        _ => Err(CryptoError::BadParameters("the nonce has 7 to 13 bytes in CCM")),
    }
}

/// The CBC-MAC over formatted nonce, additional data and message (A.2), masked with the counter block 0.
fn masked_mac(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    data: &[u8],
    tag_len: usize,
) -> Result<Vec<u8>, CryptoError> {
    let q = length_len(nonce)?;
    let tag_code =
        u8::try_from(tag_len.saturating_sub(2) / 2).map_err(|_| CryptoError::TagLength)?;
    let len = u64::try_from(data.len()).map_err(|_| FAILED)?;
    if q < 8 && len >> (8 * u32::from(q)) != 0 {
        return Err(CryptoError::BadParameters("the message is too long for this nonce length"));
    }
    let mut first = [0_u8; 16];
    first.get_mut(8..).ok_or(FAILED)?.copy_from_slice(&len.to_be_bytes());
    first[0] = (u8::from(!aad.is_empty()) << 6) | (tag_code << 3) | (q - 1);
    first.get_mut(1..=nonce.len()).ok_or(FAILED)?.copy_from_slice(nonce);

    let mut formatted = Zeroizing::new(Vec::with_capacity(data.len() + aad.len() + 64));
    formatted.extend_from_slice(&first);
    if !aad.is_empty() {
        match u16::try_from(aad.len()) {
            Ok(short) if short < 0xFF00 => formatted.extend_from_slice(&short.to_be_bytes()),
            _ => {
                let long = u32::try_from(aad.len())
                    .map_err(|_| CryptoError::BadParameters("additional data"))?;
                formatted.extend_from_slice(&[0xFF, 0xFE]);
                formatted.extend_from_slice(&long.to_be_bytes());
            }
        }
        formatted.extend_from_slice(aad);
        fill_block(&mut formatted);
    }
    formatted.extend_from_slice(data);
    fill_block(&mut formatted);

    let symmetric =
        KeyMaterialRef::Symmetric { algorithm: CryptographicAlgorithm::AES, bytes: key };
    let cbc = Parameters { block_cipher_mode: Some(BlockCipherMode::CBC), ..Parameters::default() };
    let chained = BlockStream::new(Direction::Encrypt, &symmetric, &cbc, Some(&[0; 16]))?
        .finish(&formatted, None)?;
    let mac = chained.last_chunk::<16>().ok_or(FAILED)?;
    let masked = ctr(key, &counter(nonce, 0)?, mac)?;
    Ok(masked.expose().get(..tag_len).ok_or(FAILED)?.to_vec())
}

fn fill_block(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(16), 0);
}
