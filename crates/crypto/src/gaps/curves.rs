//! Curve gaps: P-224 altogether, key agreement on secp256k1.

use p224::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p224::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p224::elliptic_curve::sec1::ToSec1Point;

use crate::error::CryptoError;
use crate::secret::Secret;

const SCALAR: CryptoError = CryptoError::BadKey("EC private scalar");
const POINT: CryptoError = CryptoError::BadKey("EC public point");

/// The uncompressed public point of a P-224 scalar.
pub(crate) fn p224_public(d: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = p224::SecretKey::from_slice(d).map_err(|_| SCALAR)?;
    Ok(key.public_key().to_sec1_point(false).as_bytes().to_vec())
}

/// Whether an uncompressed point lies on P-224.
pub(crate) fn p224_is_point(q: &[u8]) -> bool {
    p224::PublicKey::from_sec1_bytes(q).is_ok()
}

/// A DER signature of a digest.
pub(crate) fn p224_sign(d: &[u8], digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = SigningKey::from_slice(d).map_err(|_| SCALAR)?;
    let signature: DerSignature =
        key.sign_prehash(digest).map_err(|_| CryptoError::Internal("ECDSA"))?;
    Ok(signature.as_bytes().to_vec())
}

/// Whether a DER signature of a digest fits.
pub(crate) fn p224_verify(q: &[u8], digest: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    let key = VerifyingKey::from_sec1_bytes(q).map_err(|_| POINT)?;
    let Ok(signature) = DerSignature::from_bytes(signature) else { return Ok(false) };
    Ok(key.verify_prehash(digest, &signature).is_ok())
}

macro_rules! agree {
    ($($(#[$doc:meta])* $name:ident $curve:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(d: &[u8], q: &[u8]) -> Result<Secret, CryptoError> {
            let secret = $curve::SecretKey::from_slice(d).map_err(|_| SCALAR)?;
            let public = $curve::PublicKey::from_sec1_bytes(q).map_err(|_| POINT)?;
            let shared = $curve::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
            Ok(Secret::copy_of(shared.raw_secret_bytes()))
        }
    )*};
}

agree! {
    /// The x coordinate of d·Q on P-224.
    p224_agree p224;
    /// The x coordinate of d·Q on secp256k1.
    secp256k1_agree k256;
}
