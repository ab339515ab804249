//! Hash (KMIP 2.1 §6.1.27): digests by name, in one piece or in several.
//!
//! It must never know what the digest is for: MD5 and SHA-1 are here because clients ask for them, not because
//! anything in this crate trusts them.

use aws_lc_rs::digest as provider;
use claviger_kmip::enums::HashingAlgorithm;

use crate::error::CryptoError;
use crate::gaps::{GapDigest, GapHash};

/// A digest in progress.
pub struct HashStream(State);

#[expect(clippy::large_enum_variant, reason = "one per request, never in a collection")]
enum State {
    Provider(provider::Context),
    Gap(GapHash),
}

impl HashStream {
    /// Starts a digest.
    pub fn new(algorithm: HashingAlgorithm) -> Result<Self, CryptoError> {
        if let Some(algorithm) = provider_digest(algorithm) {
            return Ok(Self(State::Provider(provider::Context::new(algorithm))));
        }
        match gap_digest(algorithm) {
            Some(gap) => Ok(Self(State::Gap(gap.hash()))),
            None => Err(CryptoError::UnsupportedCombination("this hashing algorithm")),
        }
    }

    /// Takes a piece.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Provider(context) => context.update(data),
            State::Gap(hash) => hash.update(data),
        }
    }

    /// The digest.
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Provider(context) => context.finish().as_ref().to_vec(),
            State::Gap(hash) => hash.finish().expose().to_vec(),
        }
    }
}

impl core::fmt::Debug for HashStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HashStream(..)")
    }
}

/// The digest of `data`.
pub fn hash(algorithm: HashingAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut stream = HashStream::new(algorithm)?;
    stream.update(data);
    Ok(stream.finish())
}

/// The length of a digest in bytes.
pub fn output_len(algorithm: HashingAlgorithm) -> Result<usize, CryptoError> {
    match algorithm {
        HashingAlgorithm::MD5 => Ok(16),
        HashingAlgorithm::SHA_1 => Ok(20),
        HashingAlgorithm::SHA_224 | HashingAlgorithm::SHA_512_224 | HashingAlgorithm::SHA3_224 => {
            Ok(28)
        }
        HashingAlgorithm::SHA_256 | HashingAlgorithm::SHA_512_256 | HashingAlgorithm::SHA3_256 => {
            Ok(32)
        }
        HashingAlgorithm::SHA_384 | HashingAlgorithm::SHA3_384 => Ok(48),
        HashingAlgorithm::SHA_512 | HashingAlgorithm::SHA3_512 => Ok(64),
        _ => Err(CryptoError::UnsupportedCombination("this hashing algorithm")),
    }
}

/// The provider's digest of this name.
pub(crate) fn provider_digest(algorithm: HashingAlgorithm) -> Option<&'static provider::Algorithm> {
    Some(match algorithm {
        HashingAlgorithm::SHA_1 => &provider::SHA1_FOR_LEGACY_USE_ONLY,
        HashingAlgorithm::SHA_224 => &provider::SHA224,
        HashingAlgorithm::SHA_256 => &provider::SHA256,
        HashingAlgorithm::SHA_384 => &provider::SHA384,
        HashingAlgorithm::SHA_512 => &provider::SHA512,
        HashingAlgorithm::SHA_512_256 => &provider::SHA512_256,
        HashingAlgorithm::SHA3_256 => &provider::SHA3_256,
        HashingAlgorithm::SHA3_384 => &provider::SHA3_384,
        HashingAlgorithm::SHA3_512 => &provider::SHA3_512,
        _ => return None,
    })
}

/// The fallback's digest of this name.
pub(crate) fn gap_digest(algorithm: HashingAlgorithm) -> Option<GapDigest> {
    Some(match algorithm {
        HashingAlgorithm::MD5 => GapDigest::Md5,
        HashingAlgorithm::SHA_512_224 => GapDigest::Sha512_224,
        HashingAlgorithm::SHA_512_256 => GapDigest::Sha512_256,
        HashingAlgorithm::SHA3_224 => GapDigest::Sha3_224,
        HashingAlgorithm::SHA3_256 => GapDigest::Sha3_256,
        HashingAlgorithm::SHA3_384 => GapDigest::Sha3_384,
        HashingAlgorithm::SHA3_512 => GapDigest::Sha3_512,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// FIPS 180-4, FIPS 202 and RFC 1321, each of "abc".
    #[rustfmt::skip]
    const ABC: [(HashingAlgorithm, &str); 12] = [
        (HashingAlgorithm::MD5, "900150983cd24fb0d6963f7d28e17f72"),
        (HashingAlgorithm::SHA_1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (HashingAlgorithm::SHA_224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        (HashingAlgorithm::SHA_256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (HashingAlgorithm::SHA_384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
        (HashingAlgorithm::SHA_512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"),
        (HashingAlgorithm::SHA_512_224, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
        (HashingAlgorithm::SHA_512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        (HashingAlgorithm::SHA3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
        (HashingAlgorithm::SHA3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (HashingAlgorithm::SHA3_384, "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25"),
        (HashingAlgorithm::SHA3_512, "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"),
    ];

    #[test]
    fn known_answers_in_one_piece_and_three() {
        for (algorithm, digest) in ABC {
            let digest = hex(digest);
            assert_eq!(hash(algorithm, b"abc").unwrap(), digest, "{algorithm:?}");
            assert_eq!(output_len(algorithm).unwrap(), digest.len());
            let mut stream = HashStream::new(algorithm).unwrap();
            for piece in [b"a", b"b", b"c"] {
                stream.update(piece);
            }
            assert_eq!(stream.finish(), digest, "{algorithm:?}");
        }
    }

    #[test]
    fn unknown_digests_are_refused() {
        for algorithm in
            [HashingAlgorithm::MD2, HashingAlgorithm::TIGER, HashingAlgorithm::WHIRLPOOL]
        {
            assert!(matches!(hash(algorithm, b""), Err(CryptoError::UnsupportedCombination(_))));
        }
    }
}
