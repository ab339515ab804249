//! New keys (KMIP 2.1 §6.1.8 Create, §6.1.9 Create Key Pair): random bytes of the right length and form.
//!
//! It must never make a key of a length that the algorithm does not have: a Cryptographic
//! Length is checked here, not by the caller.

use claviger_kmip::enums::CryptographicAlgorithm;

use crate::error::CryptoError;
use crate::random::{self, Rng};
use crate::secret::Secret;

/// A symmetric key of `bits` Cryptographic Length. 3DES and DES keys come with odd parity.
pub fn symmetric(
    algorithm: CryptographicAlgorithm,
    bits: usize,
    rng: &dyn Rng,
) -> Result<Secret, CryptoError> {
    let len = byte_len(algorithm, bits)?;
    let mut key = random::bytes(rng, len)?;
    if matches!(algorithm, CryptographicAlgorithm::DES | CryptographicAlgorithm::DES3) {
        if weak_or_repeated(&key) {
            return Err(CryptoError::Internal("the random generator repeats itself"));
        }
        for byte in key.iter_mut() {
            *byte = (*byte & 0xFE) | u8::from((*byte >> 1).count_ones() % 2 == 0);
        }
    }
    Ok(key.into())
}

/// The Cryptographic Length of a symmetric key of `len` bytes: 3DES and DES do not count parity.
pub fn cryptographic_length(algorithm: CryptographicAlgorithm, len: usize) -> usize {
    match algorithm {
        CryptographicAlgorithm::DES | CryptographicAlgorithm::DES3 => len * 7,
        _ => len * 8,
    }
}

/// The longest key of an algorithm without a length of its own, in bits.
const LONGEST_BITS: usize = 65_536;

/// How many bytes a symmetric key of this algorithm and Cryptographic Length has.
pub fn byte_len(algorithm: CryptographicAlgorithm, bits: usize) -> Result<usize, CryptoError> {
    use CryptographicAlgorithm as A;
    let one_of = |lengths: &[usize]| lengths.contains(&bits);
    let whole = bits.is_multiple_of(8);
    let possible = match algorithm {
        A::DES3 => return des_len(bits, &[(112, 16), (128, 16), (168, 24), (192, 24)]),
        A::DES => return des_len(bits, &[(56, 8), (64, 8)]),
        A::AES | A::CAMELLIA | A::ARIA | A::TWOFISH => one_of(&[128, 192, 256]),
        A::CHACHA20 | A::CHACHA20_POLY1305 | A::POLY1305 | A::GOST28147_89 => bits == 256,
        A::SEED | A::IDEA | A::SM4 => bits == 128,
        A::SKIPJACK => bits == 80,
        A::CAST5 => whole && (40..=128).contains(&bits),
        A::BLOWFISH => whole && (32..=448).contains(&bits),
        A::MARS => whole && (128..=448).contains(&bits),
        A::RC2 | A::RC4 | A::RC5 => whole && (40..=1024).contains(&bits),
        A::HMAC_MD5
        | A::HMAC_SHA1
        | A::HMAC_SHA224
        | A::HMAC_SHA256
        | A::HMAC_SHA384
        | A::HMAC_SHA512
        | A::HMAC_SHA3_224
        | A::HMAC_SHA3_256
        | A::HMAC_SHA3_384
        | A::HMAC_SHA3_512 => whole && (64..=LONGEST_BITS).contains(&bits),
        A::ONE_TIME_PAD => whole && (8..=LONGEST_BITS).contains(&bits),
        _ => return Err(CryptoError::UnsupportedCombination("a symmetric key of this algorithm")),
    };
    if possible { Ok(bits / 8) } else { Err(WRONG_LENGTH) }
}

const WRONG_LENGTH: CryptoError =
    CryptoError::BadParameters("cryptographic length of this algorithm");

/// DES lengths are given with or without the parity bits.
fn des_len(bits: usize, lengths: &[(usize, usize)]) -> Result<usize, CryptoError> {
    lengths.iter().find(|(given, _)| *given == bits).map(|(_, len)| *len).ok_or(WRONG_LENGTH)
}

/// Whether two neighbouring DES keys are the same, which makes 3DES as weak as DES.
fn weak_or_repeated(key: &[u8]) -> bool {
    let same = |pair: &[&[u8]]| match pair {
        [left, right] => left.iter().zip(right.iter()).all(|(l, r)| (l ^ r) & 0xFE == 0),
        _ => false,
    };
    key.chunks(8).collect::<Vec<_>>().windows(2).any(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRng;

    #[test]
    fn lengths() {
        use CryptographicAlgorithm as A;
        for (algorithm, bits, len) in [
            (A::AES, 128, 16),
            (A::AES, 192, 24),
            (A::AES, 256, 32),
            (A::DES3, 168, 24),
            (A::DES3, 112, 16),
            (A::HMAC_SHA256, 256, 32),
            (A::CHACHA20, 256, 32),
            (A::SKIPJACK, 80, 10),
        ] {
            let key = symmetric(algorithm, bits, &SystemRng::new()).unwrap();
            assert_eq!(key.len(), len);
            assert_eq!(cryptographic_length(algorithm, len), bits);
        }
        for (algorithm, bits) in
            [(A::AES, 0), (A::AES, 129), (A::AES, 512), (A::DES3, 100), (A::HMAC_SHA256, 257)]
        {
            assert!(matches!(
                symmetric(algorithm, bits, &SystemRng::new()),
                Err(CryptoError::BadParameters(_))
            ));
        }
        assert!(matches!(
            symmetric(A::RSA, 2048, &SystemRng::new()),
            Err(CryptoError::UnsupportedCombination(_))
        ));
    }

    #[test]
    fn des_keys_have_odd_parity() {
        let key = symmetric(CryptographicAlgorithm::DES3, 168, &SystemRng::new()).unwrap();
        assert!(key.expose().iter().all(|byte| byte.count_ones() % 2 == 1));
    }

    #[test]
    fn two_keys_are_not_the_same() {
        let rng = SystemRng::new();
        let make = || symmetric(CryptographicAlgorithm::AES, 256, &rng).unwrap();
        assert_ne!(make(), make());
    }
}
