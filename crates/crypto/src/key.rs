//! A key as the operations see it: borrowed, and already known to be of one kind.
//!
//! It must never know where the key is kept or who may use it.

use claviger_kmip::enums::CryptographicAlgorithm;

use crate::format::{PrivateKey, PublicKey};

/// A borrowed key of one of four kinds.
#[derive(Clone, Copy)]
pub enum KeyMaterialRef<'a> {
    /// A symmetric key: an algorithm and its bytes.
    Symmetric {
        /// What the key is for: AES, DES3, ChaCha20, an HMAC.
        algorithm: CryptographicAlgorithm,
        /// The key itself.
        bytes: &'a [u8],
    },
    /// Secret Data: bytes without an algorithm, for derivation and for MACs that parameters name.
    SecretData(&'a [u8]),
    /// The public half of a pair.
    Public(&'a PublicKey),
    /// The private half of a pair.
    Private(&'a PrivateKey),
}

impl core::fmt::Debug for KeyMaterialRef<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Symmetric { .. } => "KeyMaterialRef::Symmetric(..)",
            Self::SecretData(_) => "KeyMaterialRef::SecretData(..)",
            Self::Public(_) => "KeyMaterialRef::Public(..)",
            Self::Private(_) => "KeyMaterialRef::Private(..)",
        })
    }
}
