//! RSA gaps: moduli below 2048 bits, SHA-1 and the lesser digests, OAEP with two hashes, PSS with any salt,
//! and completing a private key of which only a part is known.
//!
//! Every private operation is blinded. OAEP and PSS are generic over their digests in the
//! crate; the two macros below turn that into KMIP's run-time choice.

use claviger_kmip::enums::HashingAlgorithm;
use rsa::rand_core::{Infallible, TryCryptoRng, TryRng};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BoxedUint, Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, Pss};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::error::CryptoError;
use crate::format::big_integer::{bits, trim};
use crate::format::{RsaPrivateKey, RsaPublicKey};
use crate::random::Rng;
use crate::secret::Secret;

const FAILED: CryptoError = CryptoError::Internal("RSA");
const WRONG: CryptoError = CryptoError::AuthenticationFailed;
const BAD_KEY: CryptoError = CryptoError::BadKey("RSA numbers do not belong together");
const DIGEST: CryptoError = CryptoError::UnsupportedCombination("this hashing algorithm with RSA");

/// The largest modulus worked with, in bits: more is a way to keep a server busy.
const MODULUS_BITS: core::ops::RangeInclusive<usize> = 1024..=8192;

macro_rules! by_digest {
    ($algorithm:expr, $digest:ident => $body:expr) => {
        match $algorithm {
            HashingAlgorithm::SHA_1 => {
                type $digest = Sha1;
                $body
            }
            HashingAlgorithm::SHA_224 => {
                type $digest = Sha224;
                $body
            }
            HashingAlgorithm::SHA_256 => {
                type $digest = Sha256;
                $body
            }
            HashingAlgorithm::SHA_384 => {
                type $digest = Sha384;
                $body
            }
            HashingAlgorithm::SHA_512 => {
                type $digest = Sha512;
                $body
            }
            _ => Err(DIGEST),
        }
    };
}

/// The crate wants a generator that cannot fail: a failure is noted, and the result thrown away.
struct Noting<'a> {
    rng: &'a dyn Rng,
    failed: bool,
}

impl<'a> Noting<'a> {
    fn new(rng: &'a dyn Rng) -> Self {
        Self { rng, failed: false }
    }

    fn check<T>(&self, result: Result<T, CryptoError>) -> Result<T, CryptoError> {
        if self.failed { Err(CryptoError::Internal("random generator")) } else { result }
    }
}

impl TryRng for Noting<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        self.failed |= self.rng.fill(destination).is_err();
        Ok(())
    }
}

impl TryCryptoRng for Noting<'_> {}

fn number(magnitude: &[u8]) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(trim(magnitude))
}

fn public(key: &RsaPublicKey) -> Result<rsa::RsaPublicKey, CryptoError> {
    if !MODULUS_BITS.contains(&bits(&key.modulus)) {
        return Err(CryptoError::UnsupportedCombination("an RSA modulus of this length"));
    }
    rsa::RsaPublicKey::new(number(&key.modulus), number(&key.public_exponent))
        .map_err(|_| CryptoError::BadKey("RSA public key"))
}

fn private(key: &RsaPrivateKey) -> Result<rsa::RsaPrivateKey, CryptoError> {
    let checked = public(&key.public())?;
    plausible(&key.modulus, Some(&key.private_exponent), Some((&key.p, &key.q)))?;
    rsa::RsaPrivateKey::from_components(
        checked.n().as_ref().clone(),
        checked.e().clone(),
        number(&key.private_exponent),
        vec![number(&key.p), number(&key.q)],
    )
    .map_err(|_| BAD_KEY)
}

/// The sizes and parities that any key has. The crate checks that the numbers belong together, but computes with them
/// first, and its arithmetic panics on nonsense.
fn plausible(
    modulus: &[u8],
    private_exponent: Option<&[u8]>,
    primes: Option<(&[u8], &[u8])>,
) -> Result<(), CryptoError> {
    let fits = |number: &[u8], bits_max: usize| {
        number.last().is_some_and(|last| last & 1 == 1) && (2..=bits_max).contains(&bits(number))
    };
    let modulus_bits = bits(modulus);
    let half = modulus_bits.div_ceil(2);
    let exponent_fits = private_exponent.is_none_or(|d| fits(d, modulus_bits));
    let primes_fit =
        primes.is_none_or(|(p, q)| fits(p, half) && fits(q, half) && trim(p) != trim(q));
    if exponent_fits && primes_fit { Ok(()) } else { Err(BAD_KEY) }
}

/// All numbers of a private key from the modulus, the public exponent and either d or the primes.
pub(crate) fn rsa_complete(
    public_key: &RsaPublicKey,
    private_exponent: Option<&[u8]>,
    primes: Option<(&[u8], &[u8])>,
) -> Result<RsaPrivateKey, CryptoError> {
    let checked = public(public_key)?;
    plausible(&public_key.modulus, private_exponent, primes)?;
    let (n, e) = (checked.n().as_ref().clone(), checked.e().clone());
    let key = match (private_exponent, primes) {
        (Some(d), Some((p, q))) => {
            rsa::RsaPrivateKey::from_components(n.clone(), e, number(d), vec![number(p), number(q)])
        }
        (Some(d), None) => rsa::RsaPrivateKey::from_components(n.clone(), e, number(d), Vec::new()),
        (None, Some((p, q))) => rsa::RsaPrivateKey::from_p_q(number(p), number(q), e),
        (None, None) => return Err(CryptoError::MissingParameter("private exponent or primes")),
    }
    .map_err(|_| BAD_KEY)?;
    let key = neutral(&key)?;
    if key.modulus == public_key.modulus { Ok(key) } else { Err(BAD_KEY) }
}

/// A new key; the provider makes those of 2048 bits and more.
pub(crate) fn rsa_generate(
    modulus_bits: usize,
    rng: &dyn Rng,
) -> Result<RsaPrivateKey, CryptoError> {
    let mut noting = Noting::new(rng);
    let key = rsa::RsaPrivateKey::new(&mut noting, modulus_bits).map_err(|_| FAILED);
    neutral(&noting.check(key)?)
}

fn neutral(key: &rsa::RsaPrivateKey) -> Result<RsaPrivateKey, CryptoError> {
    let secret = |number: &BoxedUint| {
        let bytes = Zeroizing::new(number.to_be_bytes());
        Zeroizing::new(trim(&bytes).to_vec())
    };
    let missing = || FAILED;
    let [p, q] = key.primes() else { return Err(FAILED) };
    Ok(RsaPrivateKey {
        modulus: trim(&key.n_bytes()).to_vec(),
        public_exponent: trim(&key.e_bytes()).to_vec(),
        private_exponent: secret(key.d()),
        p: secret(p),
        q: secret(q),
        prime_exponent_p: secret(key.dp().ok_or_else(missing)?),
        prime_exponent_q: secret(key.dq().ok_or_else(missing)?),
        crt_coefficient: secret(&key.crt_coefficient().ok_or_else(missing)?),
    })
}

pub(crate) fn rsa_pkcs1_encrypt(
    key: &RsaPublicKey,
    data: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, CryptoError> {
    let mut noting = Noting::new(rng);
    let sealed = public(key)?.encrypt(&mut noting, Pkcs1v15Encrypt, data).map_err(|_| FAILED);
    noting.check(sealed)
}

/// A wrong padding gives a plaintext of the crate's making and no error, so that nobody learns the one from the other.
pub(crate) fn rsa_pkcs1_decrypt(
    key: &RsaPrivateKey,
    data: &[u8],
    rng: &dyn Rng,
) -> Result<Secret, CryptoError> {
    let mut noting = Noting::new(rng);
    let opened =
        private(key)?.decrypt_blinded(&mut noting, Pkcs1v15Encrypt, data).map_err(|_| WRONG);
    noting.check(opened).map(Secret::new)
}

pub(crate) fn rsa_oaep_encrypt(
    key: &RsaPublicKey,
    hash: HashingAlgorithm,
    mask: HashingAlgorithm,
    label: &[u8],
    data: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, CryptoError> {
    let key = public(key)?;
    let mut noting = Noting::new(rng);
    let sealed = by_digest!(hash, H => by_digest!(mask, M => {
        key.encrypt(&mut noting, Oaep::<H, M>::new_with_mgf_hash_and_label(label), data).map_err(|_| FAILED)
    }));
    noting.check(sealed)
}

pub(crate) fn rsa_oaep_decrypt(
    key: &RsaPrivateKey,
    hash: HashingAlgorithm,
    mask: HashingAlgorithm,
    label: &[u8],
    data: &[u8],
    rng: &dyn Rng,
) -> Result<Secret, CryptoError> {
    let key = private(key)?;
    let mut noting = Noting::new(rng);
    let opened = by_digest!(hash, H => by_digest!(mask, M => {
        key.decrypt_blinded(&mut noting, Oaep::<H, M>::new_with_mgf_hash_and_label(label), data).map_err(|_| WRONG)
    }));
    noting.check(opened).map(Secret::new)
}

pub(crate) fn rsa_pss_sign(
    key: &RsaPrivateKey,
    hash: HashingAlgorithm,
    digest: &[u8],
    salt_len: usize,
    rng: &dyn Rng,
) -> Result<Vec<u8>, CryptoError> {
    const SALT: CryptoError = CryptoError::BadParameters("salt length");
    let room = bits(&key.modulus).saturating_sub(1).div_ceil(8);
    if digest.len().saturating_add(salt_len).saturating_add(2) > room {
        return Err(SALT);
    }
    let key = private(key)?;
    let mut noting = Noting::new(rng);
    let signature = by_digest!(hash, H => {
        key.sign_with_rng(&mut noting, Pss::<H>::new_blinded_with_salt(salt_len), digest).map_err(|_| FAILED)
    });
    noting.check(signature)
}

pub(crate) fn rsa_pss_verify(
    key: &RsaPublicKey,
    hash: HashingAlgorithm,
    digest: &[u8],
    salt_len: Option<usize>,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let key = public(key)?;
    if salt_len.is_some_and(|len| len > 1024) {
        return Err(CryptoError::BadParameters("salt length"));
    }
    by_digest!(hash, H => {
        let mut scheme = Pss::<H>::new();
        scheme.salt_len = salt_len;
        Ok(key.verify(scheme, digest, signature).is_ok())
    })
}

pub(crate) fn rsa_pkcs1_sign(
    key: &RsaPrivateKey,
    hash: Option<HashingAlgorithm>,
    digest: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, CryptoError> {
    let scheme = pkcs1_scheme(hash, digest, bits(&key.modulus))?;
    let key = private(key)?;
    let mut noting = Noting::new(rng);
    let signature = key.sign_with_rng(&mut noting, scheme, digest).map_err(|_| FAILED);
    noting.check(signature)
}

pub(crate) fn rsa_pkcs1_verify(
    key: &RsaPublicKey,
    hash: Option<HashingAlgorithm>,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let scheme = pkcs1_scheme(hash, digest, bits(&key.modulus))?;
    Ok(public(key)?.verify(scheme, digest, signature).is_ok())
}

/// The padding with the digest's DigestInfo in front, or bare.
fn pkcs1_scheme(
    hash: Option<HashingAlgorithm>,
    digest: &[u8],
    modulus_bits: usize,
) -> Result<Pkcs1v15Sign, CryptoError> {
    let prefix = hash.map_or(Ok(&[][..]), digest_info)?;
    if prefix.len() + digest.len() + 11 > modulus_bits.div_ceil(8) {
        return Err(CryptoError::BadParameters("the digest is too long for this key"));
    }
    Ok(Pkcs1v15Sign { hash_len: hash.map(|_| digest.len()), prefix: prefix.into() })
}

/// The DER before the digest (RFC 8017 §9.2, note 1; the SHA-3 ones from NIST's registry).
fn digest_info(algorithm: HashingAlgorithm) -> Result<&'static [u8], CryptoError> {
    macro_rules! info {
        ($total:literal, $last:literal, $len:literal) => {
            &[
                0x30, $total, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                0x02, $last, 0x05, 0x00, 0x04, $len,
            ]
        };
    }
    Ok(match algorithm {
        HashingAlgorithm::MD5 => &[
            0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05,
            0x05, 0x00, 0x04, 0x10,
        ],
        HashingAlgorithm::SHA_1 => &[
            0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04,
            0x14,
        ],
        HashingAlgorithm::SHA_224 => info!(0x2d, 0x04, 0x1c),
        HashingAlgorithm::SHA_256 => info!(0x31, 0x01, 0x20),
        HashingAlgorithm::SHA_384 => info!(0x41, 0x02, 0x30),
        HashingAlgorithm::SHA_512 => info!(0x51, 0x03, 0x40),
        HashingAlgorithm::SHA_512_224 => info!(0x2d, 0x05, 0x1c),
        HashingAlgorithm::SHA_512_256 => info!(0x31, 0x06, 0x20),
        HashingAlgorithm::SHA3_224 => info!(0x2d, 0x07, 0x1c),
        HashingAlgorithm::SHA3_256 => info!(0x31, 0x08, 0x20),
        HashingAlgorithm::SHA3_384 => info!(0x41, 0x09, 0x30),
        HashingAlgorithm::SHA3_512 => info!(0x51, 0x0a, 0x40),
        _ => return Err(DIGEST),
    })
}
