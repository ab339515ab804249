//! Digest gaps: MD5, SHA-512/224, SHA3-224, and HMAC over whatever the provider's HMAC does not take.

use hmac::SimpleHmac;
use hmac::digest::{Digest, KeyInit, Mac};
use md5::Md5;
use sha2::{Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use crate::error::CryptoError;
use crate::secret::Secret;

macro_rules! gap_digests {
    ($($name:ident),*) => {
        /// A digest that the provider cannot compute, or not under HMAC.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum GapDigest { $($name),* }

        /// A digest or an HMAC in progress.
        pub(crate) enum GapHash {
            $($name(Kind<$name, SimpleHmac<$name>>)),*
        }

        impl GapDigest {
            pub(crate) fn hash(self) -> GapHash {
                match self { $(Self::$name => GapHash::$name(Kind::Plain($name::new()))),* }
            }

            pub(crate) fn hmac(self, key: &[u8]) -> Result<GapHash, CryptoError> {
                const FAILED: CryptoError = CryptoError::Internal("HMAC");
                match self {
                    $(Self::$name => SimpleHmac::new_from_slice(key).map(|mac| GapHash::$name(Kind::Keyed(mac)))
                        .map_err(|_| FAILED)),*
                }
            }
        }

        impl GapHash {
            pub(crate) fn update(&mut self, data: &[u8]) {
                match self {
                    $(Self::$name(Kind::Plain(hash)) => Digest::update(hash, data),
                      Self::$name(Kind::Keyed(mac)) => Mac::update(mac, data)),*
                }
            }

            pub(crate) fn finish(self) -> Secret {
                match self {
                    $(Self::$name(Kind::Plain(hash)) => Secret::copy_of(&hash.finalize()),
                      Self::$name(Kind::Keyed(mac)) => Secret::copy_of(&mac.finalize().into_bytes())),*
                }
            }
        }
    };
}

/// Without or with a key.
pub(crate) enum Kind<P, K> {
    Plain(P),
    Keyed(K),
}

gap_digests!(Md5, Sha512_224, Sha512_256, Sha3_224, Sha3_256, Sha3_384, Sha3_512);
