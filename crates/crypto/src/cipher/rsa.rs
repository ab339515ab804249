//! RSAES-OAEP and RSAES-PKCS1-v1_5 (RFC 8017 §7).
//!
//! The provider takes moduli of 2048 to 8192 bits and OAEP whose two hashes are the same. OAEP's hashes are SHA-1
//! where they are not named (KMIP 2.1 §4.15). A failed decryption must never say why.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey,
    Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use claviger_kmip::enums::{HashingAlgorithm, KeyFormatType, MaskGenerator, PaddingMethod};
use zeroize::Zeroizing;

use crate::error::CryptoError;
use crate::format::big_integer::bits;
use crate::format::{PrivateKey, PublicKey};
use crate::gaps;
use crate::hash::output_len;
use crate::parameters::Parameters;
use crate::random::Rng;
use crate::secret::Secret;

/// The provider's range of moduli, in bits.
const PROVIDER_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

const FAILED: CryptoError = CryptoError::Internal("RSA encryption");
const WRONG: CryptoError = CryptoError::AuthenticationFailed;
const TOO_LONG: CryptoError =
    CryptoError::BadParameters("the data is too long for this key and padding");

/// The two paddings.
enum Padding<'a> {
    Pkcs1,
    Oaep { hash: HashingAlgorithm, mask: HashingAlgorithm, label: &'a [u8] },
}

impl<'a> Padding<'a> {
    fn of(parameters: &'a Parameters) -> Result<Self, CryptoError> {
        match parameters.padding_method {
            Some(PaddingMethod::PKCS1V1_5) => Ok(Self::Pkcs1),
            Some(PaddingMethod::OAEP) => {
                if parameters.mask_generator.unwrap_or(MaskGenerator::MGF1) != MaskGenerator::MGF1 {
                    return Err(CryptoError::UnsupportedCombination("this mask generator"));
                }
                let hash = parameters.hashing_algorithm.unwrap_or(HashingAlgorithm::SHA_1);
                let mask =
                    parameters.mask_generator_hashing_algorithm.unwrap_or(HashingAlgorithm::SHA_1);
                Ok(Self::Oaep {
                    hash,
                    mask,
                    label: parameters.p_source.as_deref().unwrap_or_default(),
                })
            }
            None => Err(CryptoError::MissingParameter("padding method")),
            Some(_) => {
                Err(CryptoError::UnsupportedCombination("this padding method in RSA encryption"))
            }
        }
    }

    /// The bytes that padding takes of the modulus.
    fn overhead(&self) -> Result<usize, CryptoError> {
        match self {
            Self::Pkcs1 => Ok(11),
            Self::Oaep { hash, .. } => Ok(2 * output_len(*hash)? + 2),
        }
    }
}

fn provided(hash: HashingAlgorithm, mask: HashingAlgorithm) -> Option<&'static OaepAlgorithm> {
    match (hash, mask) {
        (HashingAlgorithm::SHA_1, HashingAlgorithm::SHA_1) => Some(&OAEP_SHA1_MGF1SHA1),
        (HashingAlgorithm::SHA_256, HashingAlgorithm::SHA_256) => Some(&OAEP_SHA256_MGF1SHA256),
        (HashingAlgorithm::SHA_384, HashingAlgorithm::SHA_384) => Some(&OAEP_SHA384_MGF1SHA384),
        (HashingAlgorithm::SHA_512, HashingAlgorithm::SHA_512) => Some(&OAEP_SHA512_MGF1SHA512),
        _ => None,
    }
}

pub(super) fn encrypt(
    key: &PublicKey,
    parameters: &Parameters,
    data: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, CryptoError> {
    let PublicKey::Rsa(rsa) = key else {
        return Err(CryptoError::KeyMismatch("encryption with a public key takes RSA"));
    };
    let padding = Padding::of(parameters)?;
    let modulus_len = bits(&rsa.modulus).div_ceil(8);
    if data.len() + padding.overhead()? > modulus_len {
        return Err(TOO_LONG);
    }
    let in_provider = PROVIDER_BITS.contains(&bits(&rsa.modulus));
    let provider = || {
        PublicEncryptingKey::from_der(&key.write(KeyFormatType::X_509)?)
            .map_err(|_| CryptoError::BadKey("RSA public key"))
    };
    let mut room = vec![0; modulus_len];
    match padding {
        Padding::Pkcs1 if in_provider => {
            let key = Pkcs1PublicEncryptingKey::new(provider()?).map_err(|_| FAILED)?;
            key.encrypt(data, &mut room).map_err(|_| FAILED)?;
            Ok(room)
        }
        Padding::Pkcs1 => gaps::rsa_pkcs1_encrypt(rsa, data, rng),
        Padding::Oaep { hash, mask, label } => {
            let Some(algorithm) = provided(hash, mask).filter(|_| in_provider) else {
                return gaps::rsa_oaep_encrypt(rsa, hash, mask, label, data, rng);
            };
            let key = OaepPublicEncryptingKey::new(provider()?).map_err(|_| FAILED)?;
            key.encrypt(algorithm, data, &mut room, Some(label)).map_err(|_| FAILED)?;
            Ok(room)
        }
    }
}

pub(super) fn decrypt(
    key: &PrivateKey,
    parameters: &Parameters,
    data: &[u8],
    rng: &dyn Rng,
) -> Result<Secret, CryptoError> {
    let PrivateKey::Rsa(rsa) = key else {
        return Err(CryptoError::KeyMismatch("decryption with a private key takes RSA"));
    };
    let padding = Padding::of(parameters)?;
    padding.overhead()?;
    if data.len() != bits(&rsa.modulus).div_ceil(8) {
        return Err(WRONG);
    }
    let in_provider = PROVIDER_BITS.contains(&bits(&rsa.modulus));
    let provider = || {
        PrivateDecryptingKey::from_pkcs8(key.write(KeyFormatType::PKCS_8)?.expose())
            .map_err(|_| CryptoError::BadKey("RSA private key"))
    };
    let mut room = Zeroizing::new(vec![0; data.len()]);
    let len = match padding {
        Padding::Pkcs1 if in_provider => {
            let key = Pkcs1PrivateDecryptingKey::new(provider()?).map_err(|_| FAILED)?;
            key.decrypt(data, &mut room).map_err(|_| WRONG)?.len()
        }
        Padding::Pkcs1 => return gaps::rsa_pkcs1_decrypt(rsa, data, rng),
        Padding::Oaep { hash, mask, label } => {
            let Some(algorithm) = provided(hash, mask).filter(|_| in_provider) else {
                return gaps::rsa_oaep_decrypt(rsa, hash, mask, label, data, rng);
            };
            let key = OaepPrivateDecryptingKey::new(provider()?).map_err(|_| FAILED)?;
            key.decrypt(algorithm, data, &mut room, Some(label)).map_err(|_| WRONG)?.len()
        }
    };
    room.truncate(len);
    Ok(room.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cipher::{self, CipherInput};
    use crate::format::RsaPrivateKey;
    use crate::key::KeyMaterialRef;
    use crate::random::SystemRng;
    use crate::testing::foreign::{
        OAEP_SHA1_1024, OAEP_SHA256, OAEP_SHA384_MGF256_LABEL, PKCS1_ENCRYPTED, RSA_1024, RSA_2048,
    };
    use crate::testing::hex;

    fn key(pkcs1: &str) -> PrivateKey {
        PrivateKey::Rsa(RsaPrivateKey::from_pkcs1(&hex(pkcs1)).unwrap())
    }

    fn oaep(hash: HashingAlgorithm, mask: HashingAlgorithm, label: &[u8]) -> Parameters {
        Parameters {
            padding_method: Some(PaddingMethod::OAEP),
            hashing_algorithm: Some(hash),
            mask_generator: Some(MaskGenerator::MGF1),
            mask_generator_hashing_algorithm: Some(mask),
            p_source: Some(label.to_vec()),
            ..Parameters::default()
        }
    }

    fn pkcs1() -> Parameters {
        Parameters { padding_method: Some(PaddingMethod::PKCS1V1_5), ..Parameters::default() }
    }

    fn open(key: &PrivateKey, parameters: &Parameters, data: &[u8]) -> Result<Secret, CryptoError> {
        let input = CipherInput { data, ..CipherInput::default() };
        cipher::decrypt(&KeyMaterialRef::Private(key), parameters, input, &SystemRng::new())
    }

    #[test]
    fn what_others_encrypted() {
        use HashingAlgorithm as H;
        for (pkcs1, parameters, sealed) in [
            (RSA_2048, oaep(H::SHA_256, H::SHA_256, b""), OAEP_SHA256),
            (RSA_2048, oaep(H::SHA_384, H::SHA_256, b"label"), OAEP_SHA384_MGF256_LABEL),
            (
                RSA_1024,
                Parameters { padding_method: Some(PaddingMethod::OAEP), ..Parameters::default() },
                OAEP_SHA1_1024,
            ),
            (RSA_2048, pkcs1(), PKCS1_ENCRYPTED),
        ] {
            let key = key(pkcs1);
            let mut sealed = hex(sealed);
            assert_eq!(open(&key, &parameters, &sealed).unwrap().expose(), b"sample");
            assert_eq!(open(&key, &parameters, &sealed[1..]), Err(WRONG));
            sealed[5] ^= 1;
            assert_eq!(open(&key, &parameters, &sealed), Err(WRONG));
        }
        let wrong = oaep(H::SHA_384, H::SHA_256, b"other");
        assert_eq!(open(&key(RSA_2048), &wrong, &hex(OAEP_SHA384_MGF256_LABEL)), Err(WRONG));
    }

    #[test]
    fn what_we_encrypt() {
        use HashingAlgorithm as H;
        let hashes = [H::SHA_1, H::SHA_224, H::SHA_256, H::SHA_384, H::SHA_512];
        let every = hashes.iter().flat_map(|hash| hashes.map(|mask| oaep(*hash, mask, b"p")));
        let cases = every.map(|parameters| (RSA_2048, parameters)).chain([
            (RSA_2048, pkcs1()),
            (RSA_1024, pkcs1()),
            (RSA_1024, oaep(H::SHA_256, H::SHA_1, b"")),
        ]);
        for (pkcs1, parameters) in cases {
            let key = key(pkcs1);
            let public = key.public().unwrap();
            let seal = |data: &[u8]| {
                let input = CipherInput { data, ..CipherInput::default() };
                cipher::encrypt(
                    &KeyMaterialRef::Public(&public),
                    &parameters,
                    input,
                    &SystemRng::new(),
                )
            };
            let sealed = seal(b"sample").unwrap();
            assert_eq!((sealed.iv, sealed.tag), (None, None));
            assert_eq!(open(&key, &parameters, &sealed.data).unwrap().expose(), b"sample");
            assert_eq!(seal(&[0; 256]), Err(TOO_LONG));
        }
    }

    #[test]
    fn the_wrong_half_and_no_padding_are_refused() {
        let private = key(RSA_1024);
        let public = private.public().unwrap();
        let input = CipherInput { data: &[0; 128], ..CipherInput::default() };
        let rng = SystemRng::new();
        assert!(matches!(
            cipher::encrypt(&KeyMaterialRef::Private(&private), &pkcs1(), input, &rng),
            Err(CryptoError::KeyMismatch(_))
        ));
        assert!(matches!(
            cipher::decrypt(&KeyMaterialRef::Public(&public), &pkcs1(), input, &rng),
            Err(CryptoError::KeyMismatch(_))
        ));
        assert!(matches!(
            cipher::encrypt(&KeyMaterialRef::Public(&public), &Parameters::default(), input, &rng),
            Err(CryptoError::MissingParameter(_))
        ));
    }
}
