//! Encrypt and Decrypt in pieces (KMIP 2.1 §5.2.3: Init Indicator, Correlation Value, Final Indicator).
//!
//! Block modes and GCM encryption give their output as they go. Everything else is collected and done at the
//! end: what authenticates must never give out plaintext before its tag is checked, and the rest is one unit by nature.
//! How much may be collected is the caller's limit.

use claviger_kmip::enums::CryptographicAlgorithm;
use zeroize::Zeroizing;

use super::aead::Aead;
use super::block::{BlockStream, Direction};
use super::{CipherInput, Scheme, choose_iv, decrypt, encrypt, required};
use crate::error::CryptoError;
use crate::gaps::GcmEncryption;
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::random::Rng;
use crate::secret::Secret;

/// A cipher that takes its message in pieces.
pub struct CipherStream {
    kind: Kind,
    chosen_iv: Option<Vec<u8>>,
}

enum Kind {
    Block(Box<BlockStream>),
    Gcm { encryption: Box<GcmEncryption>, tag_len: usize },
    Collected(Box<Collected>),
}

/// All that a cipher in one piece needs, kept until the last piece.
struct Collected {
    direction: Direction,
    algorithm: CryptographicAlgorithm,
    key: Secret,
    parameters: Parameters,
    iv: Option<Vec<u8>>,
    aad: Vec<u8>,
    tag: Option<Vec<u8>>,
    data: Zeroizing<Vec<u8>>,
}

/// The end of a message.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished {
    /// The last output; with what [`CipherStream::update`] gave, it makes the whole.
    pub data: Secret,
    /// The tag of an authenticating encryption.
    pub tag: Option<Vec<u8>>,
}

impl CipherStream {
    /// Starts a message under a symmetric key. `input.data` is not looked at; a tag to check may come here or at the end.
    pub fn new(
        direction: Direction,
        key: &KeyMaterialRef<'_>,
        parameters: &Parameters,
        input: CipherInput<'_>,
        rng: &dyn Rng,
    ) -> Result<Self, CryptoError> {
        let KeyMaterialRef::Symmetric { algorithm, bytes } = *key else {
            return Err(CryptoError::KeyMismatch("a message in pieces takes a symmetric key"));
        };
        let scheme = Scheme::of(algorithm, parameters)?;
        let chosen_iv = match direction {
            Direction::Encrypt => choose_iv(&scheme, parameters, input.iv, rng)?,
            Direction::Decrypt => None,
        };
        let iv = chosen_iv.as_deref().or(input.iv);
        let kind = match (scheme, direction) {
            (Scheme::Block(_), _) => {
                Kind::Block(Box::new(BlockStream::new(direction, key, parameters, iv)?))
            }
            (Scheme::Aead(Aead::Gcm), Direction::Encrypt) => Kind::Gcm {
                tag_len: Aead::Gcm.tag_len(parameters, None)?,
                encryption: Box::new(GcmEncryption::new(bytes, required(iv)?, input.aad)?),
            },
            _ => Kind::Collected(Box::new(Collected {
                direction,
                algorithm,
                key: Secret::copy_of(bytes),
                parameters: Parameters { random_iv: false, ..parameters.clone() },
                iv: iv.map(<[u8]>::to_vec),
                aad: input.aad.to_vec(),
                tag: input.tag.map(<[u8]>::to_vec),
                data: Zeroizing::default(),
            })),
        };
        Ok(Self { kind, chosen_iv })
    }

    /// The IV, if Random IV made this choose one.
    pub fn iv(&self) -> Option<&[u8]> {
        self.chosen_iv.as_deref()
    }

    /// How many bytes of the message wait here for its end.
    pub fn held(&self) -> usize {
        match &self.kind {
            Kind::Collected(collected) => collected.data.len(),
            Kind::Block(_) | Kind::Gcm { .. } => 0,
        }
    }

    /// Takes a piece and gives what is certain so far, which may be nothing.
    pub fn update(&mut self, data: &[u8]) -> Result<Secret, CryptoError> {
        match &mut self.kind {
            Kind::Block(stream) => Ok(stream.update(data)?.into()),
            Kind::Gcm { encryption, .. } => {
                let mut out = Zeroizing::new(data.to_vec());
                encryption.update(&mut out);
                Ok(out.into())
            }
            Kind::Collected(collected) => {
                collected.data.extend_from_slice(data);
                Ok(Secret::default())
            }
        }
    }

    /// Takes the last piece, which may be empty, and ends the message.
    pub fn finish(
        self,
        data: &[u8],
        tag: Option<&[u8]>,
        rng: &dyn Rng,
    ) -> Result<Finished, CryptoError> {
        match self.kind {
            Kind::Block(stream) => {
                Ok(Finished { data: stream.finish(data, Some(rng))?.into(), tag: None })
            }
            Kind::Gcm { mut encryption, tag_len } => {
                let mut out = Zeroizing::new(data.to_vec());
                encryption.update(&mut out);
                let full = encryption.finish()?;
                Ok(Finished {
                    data: out.into(),
                    tag: Some(full.get(..tag_len).unwrap_or(&full).to_vec()),
                })
            }
            Kind::Collected(collected) => collected.finish(data, tag, rng),
        }
    }
}

impl Collected {
    fn finish(
        mut self,
        data: &[u8],
        tag: Option<&[u8]>,
        rng: &dyn Rng,
    ) -> Result<Finished, CryptoError> {
        self.data.extend_from_slice(data);
        let key = KeyMaterialRef::Symmetric { algorithm: self.algorithm, bytes: self.key.expose() };
        let input = CipherInput {
            data: &self.data,
            iv: self.iv.as_deref(),
            aad: &self.aad,
            tag: tag.or(self.tag.as_deref()),
        };
        match self.direction {
            Direction::Encrypt => {
                let sealed = encrypt(&key, &self.parameters, input, rng)?;
                Ok(Finished { data: Secret::new(sealed.data), tag: sealed.tag })
            }
            Direction::Decrypt => {
                Ok(Finished { data: decrypt(&key, &self.parameters, input, rng)?, tag: None })
            }
        }
    }
}

impl core::fmt::Debug for CipherStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CipherStream(..)")
    }
}
