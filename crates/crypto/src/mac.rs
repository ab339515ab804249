//! MAC and MAC Verify (KMIP 2.1 §6.1.33, §6.1.34): HMAC (RFC 2104) and CMAC (NIST SP 800-38B).
//!
//! The MAC is named by the Cryptographic Algorithm of the parameters, else of the key; an AES
//! or generic key may name it by Hashing Algorithm (HMAC) or Block Cipher Mode (CMAC). It must never compare
//! a MAC byte by byte.

use aws_lc_rs::{cmac as provider_cmac, hmac as provider};
use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm};

use crate::error::CryptoError;
use crate::gaps::GapHash;
use crate::hash::gap_digest;
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::secret::{Secret, equal};

const FAILED: CryptoError = CryptoError::Internal("MAC");

/// A MAC in progress.
pub struct MacStream(State);

#[expect(clippy::large_enum_variant, reason = "one per request, never in a collection")]
enum State {
    Hmac(provider::Context),
    Gap(GapHash),
    Cmac(provider_cmac::Context),
}

impl MacStream {
    /// Starts a MAC under `key`.
    pub fn new(key: &KeyMaterialRef<'_>, parameters: &Parameters) -> Result<Self, CryptoError> {
        let (algorithm, bytes) = match *key {
            KeyMaterialRef::Symmetric { algorithm, bytes } => (Some(algorithm), bytes),
            KeyMaterialRef::SecretData(bytes) => (None, bytes),
            _ => return Err(CryptoError::KeyMismatch("a MAC takes a symmetric key")),
        };
        match method(algorithm, parameters)? {
            Method::Hmac(hashing_algorithm) => Self::hmac(hashing_algorithm, bytes),
            Method::Cmac => Self::cmac(bytes),
        }
    }

    /// Starts an HMAC with the digest named.
    pub(crate) fn hmac(algorithm: HashingAlgorithm, key: &[u8]) -> Result<Self, CryptoError> {
        if let Some(algorithm) = provider_hmac(algorithm) {
            let key = provider::Key::new(algorithm, key);
            return Ok(Self(State::Hmac(provider::Context::with_key(&key))));
        }
        match gap_digest(algorithm) {
            Some(gap) => Ok(Self(State::Gap(gap.hmac(key)?))),
            None => Err(CryptoError::UnsupportedCombination("HMAC with this hashing algorithm")),
        }
    }

    fn cmac(key: &[u8]) -> Result<Self, CryptoError> {
        let algorithm = match key.len() {
            16 => provider_cmac::AES_128,
            24 => provider_cmac::AES_192,
            32 => provider_cmac::AES_256,
            _ => return Err(CryptoError::KeyMismatch("AES keys have 16, 24 or 32 bytes")),
        };
        let key = provider_cmac::Key::new(algorithm, key).map_err(|_| FAILED)?;
        Ok(Self(State::Cmac(provider_cmac::Context::with_key(&key))))
    }

    /// Takes a piece.
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        match &mut self.0 {
            State::Hmac(context) => context.update(data),
            State::Gap(hash) => hash.update(data),
            State::Cmac(context) => context.update(data).map_err(|_| FAILED)?,
        }
        Ok(())
    }

    /// The MAC. Secret, because HMAC also derives keys.
    pub fn finish(self) -> Result<Secret, CryptoError> {
        match self.0 {
            State::Hmac(context) => Ok(Secret::copy_of(context.sign().as_ref())),
            State::Gap(hash) => Ok(hash.finish()),
            State::Cmac(context) => {
                Ok(Secret::copy_of(context.sign().map_err(|_| FAILED)?.as_ref()))
            }
        }
    }

    /// Whether `expected` is the MAC of what was taken.
    pub fn verify(self, expected: &[u8]) -> Result<bool, CryptoError> {
        Ok(equal(self.finish()?.expose(), expected))
    }
}

impl core::fmt::Debug for MacStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MacStream(..)")
    }
}

/// The MAC of `data`.
pub fn mac(
    key: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    data: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let mut stream = MacStream::new(key, parameters)?;
    stream.update(data)?;
    Ok(stream.finish()?.expose().to_vec())
}

/// Whether `expected` is the MAC of `data`; compared in constant time.
pub fn verify(
    key: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    data: &[u8],
    expected: &[u8],
) -> Result<bool, CryptoError> {
    let mut stream = MacStream::new(key, parameters)?;
    stream.update(data)?;
    stream.verify(expected)
}

/// HMAC of `data` in one call.
pub(crate) fn hmac(
    algorithm: HashingAlgorithm,
    key: &[u8],
    data: &[u8],
) -> Result<Secret, CryptoError> {
    let mut stream = MacStream::hmac(algorithm, key)?;
    stream.update(data)?;
    stream.finish()
}

enum Method {
    Hmac(HashingAlgorithm),
    Cmac,
}

/// Which MAC parameters and key name together.
fn method(
    key_algorithm: Option<CryptographicAlgorithm>,
    parameters: &Parameters,
) -> Result<Method, CryptoError> {
    if let Some(hashing_algorithm) = parameters.cryptographic_algorithm.and_then(hmac_digest) {
        return Ok(Method::Hmac(hashing_algorithm));
    }
    let cmac = parameters.block_cipher_mode == Some(BlockCipherMode::CMAC);
    if cmac && key_algorithm == Some(CryptographicAlgorithm::AES) {
        return Ok(Method::Cmac);
    }
    if let Some(hashing_algorithm) = key_algorithm.and_then(hmac_digest) {
        return Ok(Method::Hmac(hashing_algorithm));
    }
    match parameters.hashing_algorithm {
        Some(hashing_algorithm) if !cmac => Ok(Method::Hmac(hashing_algorithm)),
        _ if cmac => Err(CryptoError::UnsupportedCombination("CMAC under this algorithm")),
        _ => Err(CryptoError::MissingParameter("the MAC's algorithm")),
    }
}

/// The digest inside an HMAC algorithm.
pub fn hmac_digest(algorithm: CryptographicAlgorithm) -> Option<HashingAlgorithm> {
    Some(match algorithm {
        CryptographicAlgorithm::HMAC_MD5 => HashingAlgorithm::MD5,
        CryptographicAlgorithm::HMAC_SHA1 => HashingAlgorithm::SHA_1,
        CryptographicAlgorithm::HMAC_SHA224 => HashingAlgorithm::SHA_224,
        CryptographicAlgorithm::HMAC_SHA256 => HashingAlgorithm::SHA_256,
        CryptographicAlgorithm::HMAC_SHA384 => HashingAlgorithm::SHA_384,
        CryptographicAlgorithm::HMAC_SHA512 => HashingAlgorithm::SHA_512,
        CryptographicAlgorithm::HMAC_SHA3_224 => HashingAlgorithm::SHA3_224,
        CryptographicAlgorithm::HMAC_SHA3_256 => HashingAlgorithm::SHA3_256,
        CryptographicAlgorithm::HMAC_SHA3_384 => HashingAlgorithm::SHA3_384,
        CryptographicAlgorithm::HMAC_SHA3_512 => HashingAlgorithm::SHA3_512,
        _ => return None,
    })
}

fn provider_hmac(algorithm: HashingAlgorithm) -> Option<provider::Algorithm> {
    Some(match algorithm {
        HashingAlgorithm::SHA_1 => provider::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        HashingAlgorithm::SHA_224 => provider::HMAC_SHA224,
        HashingAlgorithm::SHA_256 => provider::HMAC_SHA256,
        HashingAlgorithm::SHA_384 => provider::HMAC_SHA384,
        HashingAlgorithm::SHA_512 => provider::HMAC_SHA512,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{aes, hex, symmetric};

    /// RFC 4231 and RFC 2202 test case 1: twenty times 0x0b, "Hi There".
    #[rustfmt::skip]
    const HMAC: [(CryptographicAlgorithm, &str); 10] = [
        (CryptographicAlgorithm::HMAC_MD5, "5ccec34ea9656392457fa1ac27f08fbc"),
        (CryptographicAlgorithm::HMAC_SHA1, "b617318655057264e28bc0b6fb378c8ef146be00"),
        (CryptographicAlgorithm::HMAC_SHA224, "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22"),
        (CryptographicAlgorithm::HMAC_SHA256, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (CryptographicAlgorithm::HMAC_SHA384, "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6"),
        (CryptographicAlgorithm::HMAC_SHA512, "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"),
        (CryptographicAlgorithm::HMAC_SHA3_224, "3b16546bbc7be2706a031dcafd56373d9884367641d8c59af3c860f7"),
        (CryptographicAlgorithm::HMAC_SHA3_256, "ba85192310dffa96e2a3a40e69774351140bb7185e1202cdcc917589f95e16bb"),
        (CryptographicAlgorithm::HMAC_SHA3_384, "68d2dcf7fd4ddd0a2240c8a437305f61fb7334cfb5d0226e1bc27dc10a2e723a20d370b47743130e26ac7e3d532886bd"),
        (CryptographicAlgorithm::HMAC_SHA3_512, "eb3fbd4b2eaab8f5c504bd3a41465aacec15770a7cabac531e482f860b5ec7ba47ccb2c6f2afce8f88d22b6dc61380f23a668fd3888bb80537c0a0b86407689e"),
    ];

    #[test]
    fn hmac_by_key_and_by_parameters() {
        let bytes = [0x0b; 20];
        for (algorithm, expected) in HMAC {
            let expected = hex(expected);
            let named =
                Parameters { cryptographic_algorithm: Some(algorithm), ..Parameters::default() };
            let hashed =
                Parameters { hashing_algorithm: hmac_digest(algorithm), ..Parameters::default() };
            for (key, parameters) in [
                (symmetric(algorithm, &bytes), &Parameters::default()),
                (aes(&bytes), &named),
                (aes(&bytes), &hashed),
            ] {
                assert_eq!(mac(&key, parameters, b"Hi There").unwrap(), expected, "{algorithm:?}");
                assert_eq!(verify(&key, parameters, b"Hi There", &expected), Ok(true));
                assert_eq!(verify(&key, parameters, b"Hi there", &expected), Ok(false));
                assert_eq!(verify(&key, parameters, b"Hi There", &expected[1..]), Ok(false));
            }
        }
    }

    /// NIST SP 800-38B, appendix D.
    #[test]
    fn cmac() {
        let data =
            hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411");
        let parameters =
            Parameters { block_cipher_mode: Some(BlockCipherMode::CMAC), ..Parameters::default() };
        #[rustfmt::skip]
        let cases = [
            ("2b7e151628aed2a6abf7158809cf4f3c", 0, "bb1d6929e95937287fa37d129b756746"),
            ("2b7e151628aed2a6abf7158809cf4f3c", 40, "dfa66747de9ae63030ca32611497c827"),
            ("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", 0, "d17ddf46adaacde531cac483de7a9367"),
            ("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", 40, "8a1de5be2eb31aad089a82e6ee908b0e"),
            ("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 0, "028962f61b7bf89efc6b551f4667d983"),
            ("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 40, "aaf3d8f1de5640c232f5b169b9c911e6"),
        ];
        for (key, len, expected) in cases {
            let key = hex(key);
            assert_eq!(mac(&aes(&key), &parameters, &data[..len]).unwrap(), hex(expected));
            let mut stream = MacStream::new(&aes(&key), &parameters).unwrap();
            for piece in data[..len].chunks(7) {
                stream.update(piece).unwrap();
            }
            assert_eq!(stream.verify(&hex(expected)), Ok(true));
        }
    }

    #[test]
    fn no_algorithm_and_wrong_keys_are_refused() {
        let none = Parameters::default();
        assert!(matches!(mac(&aes(&[0; 16]), &none, b""), Err(CryptoError::MissingParameter(_))));
        let cmac =
            Parameters { block_cipher_mode: Some(BlockCipherMode::CMAC), ..Parameters::default() };
        assert!(matches!(mac(&aes(&[0; 15]), &cmac, b""), Err(CryptoError::KeyMismatch(_))));
        let des = symmetric(CryptographicAlgorithm::DES3, &[0; 24]);
        assert!(matches!(mac(&des, &cmac, b""), Err(CryptoError::UnsupportedCombination(_))));
    }
}
