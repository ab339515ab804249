//! Encrypt and Decrypt (KMIP 2.1 §6.1.19, §6.1.16): one key, one set of parameters, one message.
//!
//! The algorithm comes from the key, the mode from the parameters; everything else is looked
//! up from those two. This module must never choose an IV that the caller did not ask for,
//! and never say more about a failed decryption than that it failed.

use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, CHACHA20_POLY1305};
use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm};

use crate::error::CryptoError;
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::random::{self, Rng};
use crate::secret::Secret;
use crate::{gaps, wrap};

mod aead;
pub(crate) mod block;
mod ccm;
mod padding;
mod rsa;
mod stream;

use block::BlockStream;
pub use block::Direction;
pub use stream::{CipherStream, Finished};

/// What goes in beside key and parameters.
#[derive(Debug, Clone, Copy, Default)]
pub struct CipherInput<'a> {
    /// Plaintext or ciphertext.
    pub data: &'a [u8],
    /// IV/Counter/Nonce.
    pub iv: Option<&'a [u8]>,
    /// Authenticated Encryption Additional Data.
    pub aad: &'a [u8],
    /// Authenticated Encryption Tag; read by decryption only.
    pub tag: Option<&'a [u8]>,
}

/// What an encryption gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The ciphertext, without IV and tag.
    pub data: Vec<u8>,
    /// The IV, only if it was chosen here (Random IV).
    pub iv: Option<Vec<u8>>,
    /// The tag of an authenticating mode.
    pub tag: Option<Vec<u8>>,
}

/// Encrypts `input.data`.
pub fn encrypt(
    key: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    input: CipherInput<'_>,
    rng: &dyn Rng,
) -> Result<Encrypted, CryptoError> {
    let (algorithm, bytes) = match key {
        KeyMaterialRef::Symmetric { algorithm, bytes } => (*algorithm, *bytes),
        KeyMaterialRef::Public(key) => {
            let data = rsa::encrypt(key, parameters, input.data, rng)?;
            return Ok(Encrypted { data, iv: None, tag: None });
        }
        KeyMaterialRef::SecretData(_) => {
            return Err(CryptoError::KeyMismatch("secret data does not encrypt"));
        }
        KeyMaterialRef::Private(_) => {
            return Err(CryptoError::KeyMismatch("encryption takes the public half"));
        }
    };
    let scheme = Scheme::of(algorithm, parameters)?;
    let chosen = choose_iv(&scheme, parameters, input.iv, rng)?;
    let iv = chosen.as_deref().or(input.iv);
    let (data, tag) = match scheme {
        Scheme::Block(_) => (
            BlockStream::new(Direction::Encrypt, key, parameters, iv)?
                .finish(input.data, Some(rng))?
                .to_vec(),
            None,
        ),
        Scheme::Aead(sealer) => {
            let sealed = sealer.seal(bytes, parameters, required(iv)?, input.aad, input.data)?;
            (sealed.0, Some(sealed.1))
        }
        Scheme::ChaCha20 => {
            (chacha20(bytes, parameters, iv, input.data)?.into_zeroizing().to_vec(), None)
        }
        Scheme::Xts => (
            gaps::xts(bytes, required(iv)?, input.data, Direction::Encrypt)?
                .into_zeroizing()
                .to_vec(),
            None,
        ),
        Scheme::Wrap(mode) => (wrap::rfc_wrap(mode, bytes, input.data)?, None),
    };
    Ok(Encrypted { data, iv: chosen, tag })
}

/// Decrypts `input.data`; an authenticating mode needs `input.tag`.
pub fn decrypt(
    key: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    input: CipherInput<'_>,
    rng: &dyn Rng,
) -> Result<Secret, CryptoError> {
    let (algorithm, bytes) = match key {
        KeyMaterialRef::Symmetric { algorithm, bytes } => (*algorithm, *bytes),
        KeyMaterialRef::Private(key) => return rsa::decrypt(key, parameters, input.data, rng),
        KeyMaterialRef::SecretData(_) => {
            return Err(CryptoError::KeyMismatch("secret data does not encrypt"));
        }
        KeyMaterialRef::Public(_) => {
            return Err(CryptoError::KeyMismatch("decryption takes the private half"));
        }
    };
    match Scheme::of(algorithm, parameters)? {
        Scheme::Block(_) => {
            let stream = BlockStream::new(Direction::Decrypt, key, parameters, input.iv)?;
            Ok(stream.finish(input.data, None)?.into())
        }
        Scheme::Aead(sealer) => {
            let tag =
                input.tag.ok_or(CryptoError::MissingParameter("authenticated encryption tag"))?;
            sealer.open(bytes, parameters, required(input.iv)?, input.aad, input.data, tag)
        }
        Scheme::ChaCha20 => chacha20(bytes, parameters, input.iv, input.data),
        Scheme::Xts => gaps::xts(bytes, required(input.iv)?, input.data, Direction::Decrypt),
        Scheme::Wrap(mode) => wrap::rfc_unwrap(mode, bytes, input.data),
    }
}

/// How a symmetric key and a mode work together.
enum Scheme {
    /// ECB, CBC, CTR, CFB, OFB with blocks of this many bytes.
    Block(usize),
    Aead(aead::Aead),
    ChaCha20,
    Xts,
    /// RFC 3394 or 5649 used as a cipher.
    Wrap(BlockCipherMode),
}

impl Scheme {
    fn of(algorithm: CryptographicAlgorithm, parameters: &Parameters) -> Result<Self, CryptoError> {
        let mode = parameters.block_cipher_mode;
        match algorithm {
            CryptographicAlgorithm::CHACHA20 => match mode {
                None => Ok(Self::ChaCha20),
                Some(BlockCipherMode::AEAD) => Ok(Self::Aead(aead::Aead::ChaCha20Poly1305)),
                Some(_) => {
                    Err(CryptoError::UnsupportedCombination("ChaCha20 in this block cipher mode"))
                }
            },
            CryptographicAlgorithm::CHACHA20_POLY1305 => match mode {
                None | Some(BlockCipherMode::AEAD) => Ok(Self::Aead(aead::Aead::ChaCha20Poly1305)),
                Some(_) => Err(CryptoError::UnsupportedCombination(
                    "ChaCha20-Poly1305 in this block cipher mode",
                )),
            },
            CryptographicAlgorithm::AES => match mode {
                Some(BlockCipherMode::GCM | BlockCipherMode::AEAD) => {
                    Ok(Self::Aead(aead::Aead::Gcm))
                }
                Some(BlockCipherMode::CCM) => Ok(Self::Aead(aead::Aead::Ccm)),
                Some(BlockCipherMode::XTS) => Ok(Self::Xts),
                Some(
                    mode @ (BlockCipherMode::NIST_KEY_WRAP | BlockCipherMode::AES_KEY_WRAP_PADDING),
                ) => Ok(Self::Wrap(mode)),
                _ => Ok(Self::Block(16)),
            },
            CryptographicAlgorithm::DES3 => Ok(Self::Block(8)),
            _ => Err(CryptoError::UnsupportedCombination("encryption under this algorithm")),
        }
    }

    /// The length of a random IV in bytes; `None` if the scheme takes none.
    fn iv_length(&self, parameters: &Parameters) -> Option<usize> {
        match self {
            Self::Block(_) if parameters.block_cipher_mode == Some(BlockCipherMode::ECB) => None,
            Self::Block(len) => Some(*len),
            Self::Aead(_) | Self::ChaCha20 => Some(12),
            Self::Xts => Some(16),
            Self::Wrap(_) => None,
        }
    }
}

/// Draws an IV if Random IV asks for one and the scheme has one; a caller's IV beside it is refused.
fn choose_iv(
    scheme: &Scheme,
    parameters: &Parameters,
    given: Option<&[u8]>,
    rng: &dyn Rng,
) -> Result<Option<Vec<u8>>, CryptoError> {
    if !parameters.random_iv {
        return Ok(None);
    }
    if given.is_some() {
        return Err(CryptoError::BadParameters("both an IV and Random IV"));
    }
    let Some(mut len) = scheme.iv_length(parameters) else { return Ok(None) };
    if let (Scheme::Aead(_), Some(bits)) = (scheme, parameters.iv_length) {
        len = match usize::try_from(bits) {
            Ok(bits) if bits % 8 == 0 && (8..=1024).contains(&bits) => bits / 8,
            _ => return Err(CryptoError::BadParameters("IV length")),
        };
    }
    Ok(Some(random::bytes(rng, len)?.to_vec()))
}

fn required(iv: Option<&[u8]>) -> Result<&[u8], CryptoError> {
    iv.ok_or(CryptoError::MissingParameter("IV/Counter/Nonce"))
}

fn chacha20(
    key: &[u8],
    parameters: &Parameters,
    iv: Option<&[u8]>,
    data: &[u8],
) -> Result<Secret, CryptoError> {
    let counter = u32::try_from(parameters.initial_counter_value.unwrap_or(0))
        .map_err(|_| CryptoError::BadParameters("initial counter value"))?;
    gaps::chacha20(key, required(iv)?, counter, data)
}

/// The provider's AEAD for an AES key of this length.
fn gcm_algorithm(key: &[u8]) -> Result<&'static aws_lc_rs::aead::Algorithm, CryptoError> {
    match key.len() {
        16 => Ok(&AES_128_GCM),
        24 => Ok(&AES_192_GCM),
        32 => Ok(&AES_256_GCM),
        _ => Err(CryptoError::KeyMismatch("AES keys have 16, 24 or 32 bytes")),
    }
}

/// The provider's ChaCha20-Poly1305.
const CHACHA: &aws_lc_rs::aead::Algorithm = &CHACHA20_POLY1305;

#[cfg(test)]
mod tests;
