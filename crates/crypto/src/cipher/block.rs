//! Block modes that chain: ECB, CBC, CTR, CFB and OFB over AES, ECB and CBC over 3DES.
//!
//! There is one path for a message in one piece and for one in many: a [`BlockStream`] holds
//! the chaining state and the bytes that do not fill a block yet. It must never give out the
//! last block of a padded decryption before `finish` has looked at the padding.
//! Modes are those of NIST SP 800-38A; CFB means the full-block CFB128.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptingKey,
    EncryptionContext, StreamingDecryptingKey, StreamingEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm};
use zeroize::Zeroizing;

use super::padding::Padding;
use crate::error::CryptoError;
use crate::gaps::TripleDes;
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::random::Rng;

/// Which way the data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Plaintext in, ciphertext out.
    Encrypt,
    /// Ciphertext in, plaintext out.
    Decrypt,
}

/// A cipher that takes its message in pieces.
pub(crate) struct BlockStream {
    direction: Direction,
    engine: Engine,
    padding: Padding,
    block: usize,
    pending: Zeroizing<Vec<u8>>,
}

enum Engine {
    EcbEncrypt(EncryptingKey),
    EcbDecrypt(DecryptingKey),
    CbcEncrypt(EncryptingKey, [u8; 16]),
    CbcDecrypt(DecryptingKey, [u8; 16]),
    StreamEncrypt(StreamingEncryptingKey),
    StreamDecrypt(StreamingDecryptingKey),
    TripleDes(TripleDes),
}

impl BlockStream {
    /// Starts a message. An IV that the mode does not take is refused, as is a missing one.
    pub(crate) fn new(
        direction: Direction,
        key: &KeyMaterialRef<'_>,
        parameters: &Parameters,
        iv: Option<&[u8]>,
    ) -> Result<Self, CryptoError> {
        let KeyMaterialRef::Symmetric { algorithm, bytes } = *key else {
            return Err(CryptoError::KeyMismatch("a symmetric key is needed"));
        };
        let mode = parameters
            .block_cipher_mode
            .ok_or(CryptoError::MissingParameter("block cipher mode"))?;
        let padding = Padding::of(parameters.padding_method)?;
        let (engine, block) = match algorithm {
            CryptographicAlgorithm::AES => (aes(direction, mode, bytes, parameters, iv)?, 16),
            CryptographicAlgorithm::DES3 => (
                Engine::TripleDes(TripleDes::new(
                    direction,
                    mode,
                    bytes,
                    given_or_none(mode, iv)?,
                )?),
                8,
            ),
            _ => {
                return Err(CryptoError::UnsupportedCombination(
                    "a block mode under this algorithm",
                ));
            }
        };
        if engine.is_stream() && padding != Padding::None {
            return Err(CryptoError::UnsupportedCombination("padding in a mode that needs none"));
        }
        Ok(Self { direction, engine, padding, block, pending: Zeroizing::default() })
    }

    /// Takes a piece and gives what is certain so far.
    pub(crate) fn update(&mut self, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if self.engine.is_stream() {
            return self.engine.stream(data, self.block);
        }
        self.pending.extend_from_slice(data);
        let mut ready = self.pending.len() - self.pending.len() % self.block;
        let held_back = self.direction == Direction::Decrypt && self.padding != Padding::None;
        if held_back && ready == self.pending.len() {
            ready = ready.saturating_sub(self.block);
        }
        let mut out = Zeroizing::new(self.pending.get(..ready).unwrap_or_default().to_vec());
        self.pending = Zeroizing::new(self.pending.get(ready..).unwrap_or_default().to_vec());
        self.engine.blocks(&mut out)?;
        Ok(out)
    }

    /// Takes the last piece and ends the message. `rng` is drawn on by ISO 10126 padding only.
    pub(crate) fn finish(
        mut self,
        data: &[u8],
        rng: Option<&dyn Rng>,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if self.engine.is_stream() {
            return self.engine.stream(data, self.block);
        }
        let mut out = core::mem::take(&mut self.pending);
        out.reserve_exact(data.len() + self.block);
        out.extend_from_slice(data);
        match self.direction {
            Direction::Encrypt => {
                self.padding.add(&mut out, self.block, rng)?;
                self.engine.blocks(&mut out)?;
            }
            Direction::Decrypt if !out.len().is_multiple_of(self.block) => {
                return Err(CryptoError::BadParameters("data is not a whole number of blocks"));
            }
            Direction::Decrypt => {
                self.engine.blocks(&mut out)?;
                self.padding.remove(&mut out, self.block)?;
            }
        }
        Ok(out)
    }
}

impl core::fmt::Debug for BlockStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BlockStream").field("direction", &self.direction).finish_non_exhaustive()
    }
}

impl Engine {
    fn is_stream(&self) -> bool {
        matches!(self, Self::StreamEncrypt(_) | Self::StreamDecrypt(_))
    }

    /// Whole blocks, in place.
    fn blocks(&mut self, data: &mut [u8]) -> Result<(), CryptoError> {
        if data.is_empty() {
            return Ok(());
        }
        match self {
            Self::EcbEncrypt(key) => {
                key.less_safe_encrypt(data, EncryptionContext::None).map_err(|_| FAILED)?;
            }
            Self::EcbDecrypt(key) => {
                key.decrypt(data, DecryptionContext::None).map_err(|_| FAILED)?;
            }
            Self::CbcEncrypt(key, chain) => {
                let context = EncryptionContext::Iv128(FixedLength::from(*chain));
                key.less_safe_encrypt(data, context).map_err(|_| FAILED)?;
                *chain = last_block(data)?;
            }
            Self::CbcDecrypt(key, chain) => {
                let next = last_block(data)?;
                let context = DecryptionContext::Iv128(FixedLength::from(*chain));
                key.decrypt(data, context).map_err(|_| FAILED)?;
                *chain = next;
            }
            Self::TripleDes(engine) => engine.blocks(data)?,
            Self::StreamEncrypt(_) | Self::StreamDecrypt(_) => return Err(FAILED),
        }
        Ok(())
    }

    /// Any number of bytes through a mode that makes a key stream.
    fn stream(&mut self, data: &[u8], block: usize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut out = Zeroizing::new(vec![0; data.len() + block]);
        let written = match self {
            Self::StreamEncrypt(key) => {
                key.update(data, &mut out).map_err(|_| FAILED)?.written().len()
            }
            Self::StreamDecrypt(key) => {
                key.update(data, &mut out).map_err(|_| FAILED)?.written().len()
            }
            _ => return Err(FAILED),
        };
        out.truncate(written);
        Ok(out)
    }
}

const FAILED: CryptoError = CryptoError::Internal("block cipher");

fn last_block(data: &[u8]) -> Result<[u8; 16], CryptoError> {
    data.last_chunk::<16>().copied().ok_or(FAILED)
}

fn aes(
    direction: Direction,
    mode: BlockCipherMode,
    key: &[u8],
    parameters: &Parameters,
    iv: Option<&[u8]>,
) -> Result<Engine, CryptoError> {
    let unbound = UnboundCipherKey::new(aes_algorithm(key)?, key).map_err(|_| FAILED)?;
    let iv = given_or_none(mode, iv)?;
    let chain = match (mode, iv) {
        (BlockCipherMode::ECB, _) => [0; 16],
        (BlockCipherMode::CTR, Some(iv)) => counter_block(iv, parameters)?,
        (_, Some(iv)) => iv
            .try_into()
            .map_err(|_| CryptoError::BadParameters("the IV has 16 bytes in this mode"))?,
        (_, None) => return Err(FAILED),
    };
    let encryption = EncryptionContext::Iv128(FixedLength::from(chain));
    let decryption = DecryptionContext::Iv128(FixedLength::from(chain));
    let engine = match (mode, direction) {
        (BlockCipherMode::ECB, Direction::Encrypt) => {
            EncryptingKey::ecb(unbound).map(Engine::EcbEncrypt)
        }
        (BlockCipherMode::ECB, Direction::Decrypt) => {
            DecryptingKey::ecb(unbound).map(Engine::EcbDecrypt)
        }
        (BlockCipherMode::CBC, Direction::Encrypt) => {
            EncryptingKey::cbc(unbound).map(|key| Engine::CbcEncrypt(key, chain))
        }
        (BlockCipherMode::CBC, Direction::Decrypt) => {
            DecryptingKey::cbc(unbound).map(|key| Engine::CbcDecrypt(key, chain))
        }
        (BlockCipherMode::CTR, Direction::Encrypt) => {
            StreamingEncryptingKey::less_safe_ctr(unbound, encryption).map(Engine::StreamEncrypt)
        }
        (BlockCipherMode::CTR, Direction::Decrypt) => {
            StreamingDecryptingKey::ctr(unbound, decryption).map(Engine::StreamDecrypt)
        }
        (BlockCipherMode::CFB, Direction::Encrypt) => {
            StreamingEncryptingKey::less_safe_cfb128(unbound, encryption).map(Engine::StreamEncrypt)
        }
        (BlockCipherMode::CFB, Direction::Decrypt) => {
            StreamingDecryptingKey::cfb128(unbound, decryption).map(Engine::StreamDecrypt)
        }
        (BlockCipherMode::OFB, Direction::Encrypt) => {
            StreamingEncryptingKey::less_safe_ofb(unbound, encryption).map(Engine::StreamEncrypt)
        }
        (BlockCipherMode::OFB, Direction::Decrypt) => {
            StreamingDecryptingKey::ofb(unbound, decryption).map(Engine::StreamDecrypt)
        }
        _ => return Err(CryptoError::UnsupportedCombination("AES in this block cipher mode")),
    };
    engine.map_err(|_| FAILED)
}

/// The AES variant for a key of this length.
pub(crate) fn aes_algorithm(key: &[u8]) -> Result<&'static Algorithm, CryptoError> {
    match key.len() {
        16 => Ok(&AES_128),
        24 => Ok(&AES_192),
        32 => Ok(&AES_256),
        _ => Err(CryptoError::KeyMismatch("AES keys have 16, 24 or 32 bytes")),
    }
}

/// ECB takes no IV, every other mode needs one. An empty one counts as none.
fn given_or_none(mode: BlockCipherMode, iv: Option<&[u8]>) -> Result<Option<&[u8]>, CryptoError> {
    let iv = iv.filter(|iv| !iv.is_empty());
    match (mode, iv) {
        (BlockCipherMode::ECB, _) => Ok(None),
        (_, Some(iv)) => Ok(Some(iv)),
        (_, None) => Err(CryptoError::MissingParameter("IV/Counter/Nonce")),
    }
}

/// CTR's first block: all 16 bytes, or a shorter nonce whose rest is the Counter Length.
fn counter_block(iv: &[u8], parameters: &Parameters) -> Result<[u8; 16], CryptoError> {
    const WRONG: CryptoError =
        CryptoError::BadParameters("nonce and counter make 16 bytes together");
    if let Ok(whole) = iv.try_into() {
        return Ok(whole);
    }
    let counter_len =
        parameters.counter_length.and_then(|bits| usize::try_from(bits).ok()).ok_or(WRONG)?;
    if iv.len() > 16 || (16 - iv.len()) * 8 != counter_len {
        return Err(WRONG);
    }
    let initial =
        u128::try_from(parameters.initial_counter_value.unwrap_or(0)).map_err(|_| WRONG)?;
    if counter_len < 128 && initial >> counter_len != 0 {
        return Err(WRONG);
    }
    let mut block = initial.to_be_bytes();
    block.get_mut(..iv.len()).ok_or(WRONG)?.copy_from_slice(iv);
    Ok(block)
}
