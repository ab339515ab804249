//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 §8).
//!
//! The provider takes what it can: SHA-2 of 256 bits and more, moduli of 2048 to 8192 bits, a PSS salt as long
//! as the digest. PSS masks with the digest's own hash: KMIP's default of SHA-1 for the mask is not what clients
//! that name a Hashing Algorithm mean. Without a Salt Length, signing takes the digest's length and verifying
//! finds it out.

use aws_lc_rs::digest::Digest;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaParameters, UnparsedPublicKey,
};
use claviger_kmip::enums::{HashingAlgorithm, MaskGenerator, PaddingMethod};

use super::{Message, Scheme};
use crate::error::CryptoError;
use crate::format::big_integer::bits;
use crate::format::{RsaPrivateKey, RsaPublicKey};
use crate::gaps;
use crate::hash::{output_len, provider_digest};
use crate::parameters::Parameters;
use crate::random::Rng;

/// The provider's range of moduli, in bits.
const PROVIDER_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

const FAILED: CryptoError = CryptoError::Internal("RSA signature");

pub(super) fn sign(
    key: &RsaPrivateKey,
    scheme: &Scheme,
    parameters: &Parameters,
    message: Message<'_>,
    rng: &dyn Rng,
) -> Result<Vec<u8>, CryptoError> {
    let plan = Plan::of(scheme, parameters, message)?;
    let digest = scheme.digest(message)?;
    if PROVIDER_BITS.contains(&bits(&key.modulus))
        && let Some((encoding, _)) = plan.provided()
        && let Some(hashing_algorithm) = plan.hashing_algorithm().and_then(provider_digest)
    {
        let pair = KeyPair::from_der(key.to_pkcs1()?.expose())
            .map_err(|_| CryptoError::BadKey("RSA private key"))?;
        let digest = Digest::import_less_safe(&digest, hashing_algorithm).map_err(|_| FAILED)?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign_digest(encoding, &digest, &mut signature).map_err(|_| FAILED)?;
        return Ok(signature);
    }
    match plan {
        Plan::Pkcs1(hashing_algorithm) => {
            gaps::rsa_pkcs1_sign(key, hashing_algorithm, &digest, rng)
        }
        Plan::Pss(hashing_algorithm, salt_len) => {
            let salt_len = salt_len.map_or_else(|| output_len(hashing_algorithm), Ok)?;
            gaps::rsa_pss_sign(key, hashing_algorithm, &digest, salt_len, rng)
        }
    }
}

pub(super) fn verify(
    key: &RsaPublicKey,
    scheme: &Scheme,
    parameters: &Parameters,
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let plan = Plan::of(scheme, parameters, message)?;
    let digest = scheme.digest(message)?;
    let any_salt = matches!(plan, Plan::Pss(_, None));
    if PROVIDER_BITS.contains(&bits(&key.modulus))
        && let Some((_, verification)) = plan.provided()
        && let Some(hashing_algorithm) = plan.hashing_algorithm().and_then(provider_digest)
    {
        let imported = Digest::import_less_safe(&digest, hashing_algorithm).map_err(|_| FAILED)?;
        let public = key.to_pkcs1()?;
        let valid = UnparsedPublicKey::new(verification, &public)
            .verify_digest(&imported, signature)
            .is_ok();
        if valid || !any_salt {
            return Ok(valid);
        }
    }
    match plan {
        Plan::Pkcs1(hashing_algorithm) => {
            gaps::rsa_pkcs1_verify(key, hashing_algorithm, &digest, signature)
        }
        Plan::Pss(hashing_algorithm, salt_len) => {
            gaps::rsa_pss_verify(key, hashing_algorithm, &digest, salt_len, signature)
        }
    }
}

/// What exactly is to be done.
enum Plan {
    /// With the digest's name in front, or (a finished digest of no named kind) without.
    Pkcs1(Option<HashingAlgorithm>),
    /// Digest and mask, salt length.
    Pss(HashingAlgorithm, Option<usize>),
}

impl Plan {
    fn of(
        scheme: &Scheme,
        parameters: &Parameters,
        message: Message<'_>,
    ) -> Result<Self, CryptoError> {
        let hashing_algorithm = match (scheme.hashing_algorithm, message) {
            (None, Message::Data(_)) => Some(HashingAlgorithm::SHA_256),
            (named, _) => named,
        };
        match scheme.padding_method {
            PaddingMethod::PKCS1V1_5 => Ok(Self::Pkcs1(hashing_algorithm)),
            PaddingMethod::PSS => {
                let hashing_algorithm =
                    hashing_algorithm.ok_or(CryptoError::MissingParameter("hashing algorithm"))?;
                let mask = parameters.mask_generator_hashing_algorithm.unwrap_or(hashing_algorithm);
                let generator = parameters.mask_generator.unwrap_or(MaskGenerator::MGF1);
                if mask != hashing_algorithm || generator != MaskGenerator::MGF1 {
                    return Err(CryptoError::UnsupportedCombination(
                        "PSS with another hash in the mask",
                    ));
                }
                if parameters.trailer_field.unwrap_or(1) != 1 {
                    return Err(CryptoError::BadParameters("trailer field"));
                }
                let salt_len = parameters
                    .salt_length
                    .map(|len| {
                        usize::try_from(len).map_err(|_| CryptoError::BadParameters("salt length"))
                    })
                    .transpose()?;
                Ok(Self::Pss(hashing_algorithm, salt_len))
            }
            _ => {
                Err(CryptoError::UnsupportedCombination("this padding method in an RSA signature"))
            }
        }
    }

    fn hashing_algorithm(&self) -> Option<HashingAlgorithm> {
        match self {
            Self::Pkcs1(hashing_algorithm) => *hashing_algorithm,
            Self::Pss(hashing_algorithm, _) => Some(*hashing_algorithm),
        }
    }

    /// The provider's way to sign and to verify, if it has one.
    fn provided(&self) -> Option<(&'static dyn RsaEncoding, &'static RsaParameters)> {
        use HashingAlgorithm as H;
        match self {
            Self::Pkcs1(Some(H::SHA_256)) => Some((&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256)),
            Self::Pkcs1(Some(H::SHA_384)) => Some((&RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384)),
            Self::Pkcs1(Some(H::SHA_512)) => Some((&RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512)),
            Self::Pss(H::SHA_256, None | Some(32)) => {
                Some((&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256))
            }
            Self::Pss(H::SHA_384, None | Some(48)) => {
                Some((&RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384))
            }
            Self::Pss(H::SHA_512, None | Some(64)) => {
                Some((&RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512))
            }
            _ => None,
        }
    }
}
