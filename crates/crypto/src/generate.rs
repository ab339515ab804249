//! New keys (KMIP 2.1 §6.1.8 Create, §6.1.9 Create Key Pair): random bytes of the right length and form.
//!
//! It must never make a key of a length that the algorithm does not have: a Cryptographic
//! Length is checked here, not by the caller.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use claviger_kmip::enums::{CryptographicAlgorithm, KeyFormatType, RecommendedCurve};

use crate::error::CryptoError;
use crate::format::{Curve, EcPrivateKey, PrivateKey, PublicKey};
use crate::gaps;
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

/// A new key pair. RSA takes `bits` (2048 if not given); an elliptic-curve key takes a Recommended Curve, or `bits`
/// that name a NIST curve (P-256 if neither is given). RSA of 2048 bits and more draws from the provider's own generator.
pub fn pair(
    algorithm: CryptographicAlgorithm,
    bits: Option<usize>,
    recommended_curve: Option<RecommendedCurve>,
    rng: &dyn Rng,
) -> Result<(PrivateKey, PublicKey), CryptoError> {
    use CryptographicAlgorithm as A;
    let private = match algorithm {
        A::RSA => rsa(bits.unwrap_or(2048), rng)?,
        A::EC | A::ECDSA | A::ECDH | A::ED25519 => {
            let curve = match recommended_curve.map(Curve::from_recommended).transpose()? {
                None | Some(Curve::X25519) if algorithm == A::ED25519 => Curve::Ed25519,
                None => curve_of_bits(bits.unwrap_or(256))?,
                Some(curve) => curve,
            };
            let unfit = match algorithm {
                A::ED25519 => curve != Curve::Ed25519,
                A::ECDSA => curve == Curve::X25519,
                _ => false,
            };
            if unfit || bits.is_some_and(|bits| bits != curve.bits()) {
                return Err(CryptoError::BadParameters("curve, algorithm and length do not agree"));
            }
            PrivateKey::Ec(scalar(curve, rng)?)
        }
        _ => return Err(CryptoError::UnsupportedCombination("a key pair of this algorithm")),
    };
    let public = private.public()?;
    Ok((private, public))
}

fn curve_of_bits(bits: usize) -> Result<Curve, CryptoError> {
    match bits {
        224 => Ok(Curve::P224),
        256 => Ok(Curve::P256),
        384 => Ok(Curve::P384),
        521 => Ok(Curve::P521),
        _ => Err(WRONG_LENGTH),
    }
}

fn rsa(bits: usize, rng: &dyn Rng) -> Result<PrivateKey, CryptoError> {
    const FAILED: CryptoError = CryptoError::Internal("RSA key generation");
    let size = match bits {
        1024 => return gaps::rsa_generate(bits, rng).map(PrivateKey::Rsa),
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => return Err(WRONG_LENGTH),
    };
    let pair = KeyPair::generate(size).map_err(|_| FAILED)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| FAILED)?;
    PrivateKey::parse(KeyFormatType::PKCS_8, der.as_ref(), None)
}

/// A scalar below the curve's order, by drawing until one fits (FIPS 186-5 §A.2.2).
fn scalar(curve: Curve, rng: &dyn Rng) -> Result<EcPrivateKey, CryptoError> {
    // The least lucky curve refuses one draw in 2^32; P-521 is cut to its bits first.
    const DRAWS_MAX: usize = 8;
    for _ in 0..DRAWS_MAX {
        let mut d = random::bytes(rng, curve.byte_len())?;
        if let (Curve::P521, Some(first)) = (curve, d.first_mut()) {
            *first &= 1;
        }
        let key = EcPrivateKey::new(curve, &d)?;
        if key.public().is_ok() {
            return Ok(key);
        }
    }
    Err(CryptoError::Internal("the random generator gives no scalar"))
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
    fn pairs_by_curve_and_length() {
        use CryptographicAlgorithm as A;
        let rng = SystemRng::new();
        for (algorithm, bits, curve, expected) in [
            (A::EC, Some(224), None, Curve::P224),
            (A::ECDSA, Some(256), None, Curve::P256),
            (A::ECDH, None, Some(RecommendedCurve::P_384), Curve::P384),
            (A::EC, Some(521), Some(RecommendedCurve::P_521), Curve::P521),
            (A::EC, None, Some(RecommendedCurve::SECP256K1), Curve::Secp256k1),
            (A::ECDH, None, Some(RecommendedCurve::CURVE25519), Curve::X25519),
            (A::ED25519, None, None, Curve::Ed25519),
            (A::EC, None, None, Curve::P256),
        ] {
            let (private, public) = pair(algorithm, bits, curve, &rng).unwrap();
            assert_eq!((private.curve(), public.curve()), (Some(expected), Some(expected)));
            assert_eq!(private.public().unwrap(), public);
        }
        for (algorithm, bits, curve) in [
            (A::EC, Some(256), Some(RecommendedCurve::P_384)),
            (A::EC, Some(255), None),
            (A::ECDSA, None, Some(RecommendedCurve::CURVE25519)),
            (A::RSA, Some(2047), None),
        ] {
            assert!(matches!(
                pair(algorithm, bits, curve, &rng),
                Err(CryptoError::BadParameters(_))
            ));
        }
        for algorithm in [A::DSA, A::AES] {
            let refused = pair(algorithm, None, None, &rng);
            assert!(matches!(refused, Err(CryptoError::UnsupportedCombination(_))));
        }
    }

    #[test]
    fn rsa_pairs() {
        for bits in [1024, 2048] {
            let (private, public) =
                pair(CryptographicAlgorithm::RSA, Some(bits), None, &SystemRng::new()).unwrap();
            assert_eq!(private.cryptographic_length(), bits);
            assert_eq!(private.public().unwrap(), public);
        }
    }

    #[test]
    fn the_same_draws_make_the_same_curve_key() {
        let make = || {
            pair(CryptographicAlgorithm::EC, Some(256), None, &crate::testing::Counting).unwrap()
        };
        assert_eq!(make().1, make().1);
    }

    #[test]
    fn two_keys_are_not_the_same() {
        let rng = SystemRng::new();
        let make = || symmetric(CryptographicAlgorithm::AES, 256, &rng).unwrap();
        assert_ne!(make(), make());
    }
}
