//! PKCS#8 PrivateKeyInfo (RFC 5208, RFC 5958) and SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
//!
//! Encrypted PKCS#8 must never be read here: KMIP has no place for its password.

use pkcs8::der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use pkcs8::der::{Decode, Encode, Tag};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};

use super::{Curve, EcPrivateKey, EcPublicKey, PrivateKey, PublicKey, RsaPrivateKey, RsaPublicKey};
use crate::error::CryptoError;
use crate::secret::Secret;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

const WRITING: CryptoError = CryptoError::Internal("writing a key");

/// What an AlgorithmIdentifier says.
enum Algorithm {
    Rsa,
    Ec(Curve),
}

fn algorithm(identifier: &AlgorithmIdentifierRef<'_>) -> Result<Algorithm, CryptoError> {
    const PARAMETERS: CryptoError = CryptoError::BadKey("algorithm parameters");
    if identifier.oid == RSA_ENCRYPTION {
        return match identifier.parameters {
            None => Ok(Algorithm::Rsa),
            Some(parameters) if parameters.is_null() => Ok(Algorithm::Rsa),
            Some(_) => Err(PARAMETERS),
        };
    }
    if identifier.oid == EC_PUBLIC_KEY {
        let curve = identifier.parameters_oid().map_err(|_| PARAMETERS)?;
        let curve = Curve::from_object_identifier(&curve)?;
        return if curve.is_edwards_or_montgomery() {
            Err(PARAMETERS)
        } else {
            Ok(Algorithm::Ec(curve))
        };
    }
    let curve = Curve::from_object_identifier(&identifier.oid)?;
    if !curve.is_edwards_or_montgomery() || identifier.parameters.is_some() {
        return Err(PARAMETERS);
    }
    Ok(Algorithm::Ec(curve))
}

/// Reads a PrivateKeyInfo.
pub(super) fn read_private(der: &[u8]) -> Result<PrivateKey, CryptoError> {
    const BAD: CryptoError = CryptoError::BadKey("PKCS#8 private key");
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| BAD)?;
    let inner = info.private_key.as_bytes();
    match algorithm(&info.algorithm)? {
        Algorithm::Rsa => RsaPrivateKey::from_pkcs1(inner).map(PrivateKey::Rsa),
        Algorithm::Ec(curve) if curve.is_edwards_or_montgomery() => {
            let seed = <&OctetStringRef>::from_der(inner).map_err(|_| BAD)?;
            EcPrivateKey::new(curve, seed.as_bytes()).map(PrivateKey::Ec)
        }
        Algorithm::Ec(curve) => EcPrivateKey::from_sec1(inner, Some(curve)).map(PrivateKey::Ec),
    }
}

/// Reads a SubjectPublicKeyInfo.
pub(super) fn read_public(der: &[u8]) -> Result<PublicKey, CryptoError> {
    let info = SubjectPublicKeyInfoRef::from_der(der)
        .map_err(|_| CryptoError::BadKey("X.509 public key"))?;
    of_info(&info)
}

/// The key inside a SubjectPublicKeyInfo.
pub(super) fn of_info(info: &SubjectPublicKeyInfoRef<'_>) -> Result<PublicKey, CryptoError> {
    let bytes = info.subject_public_key.as_bytes().ok_or(CryptoError::BadKey("public key bits"))?;
    match algorithm(&info.algorithm)? {
        Algorithm::Rsa => RsaPublicKey::from_pkcs1(bytes).map(PublicKey::Rsa),
        Algorithm::Ec(curve) => EcPublicKey::new(curve, bytes).map(PublicKey::Ec),
    }
}

/// Writes a PrivateKeyInfo (version 1).
pub(super) fn write_private(key: &PrivateKey) -> Result<Secret, CryptoError> {
    let curve;
    let (identifier, inner) = match key {
        PrivateKey::Rsa(key) => (rsa_identifier(), key.to_pkcs1()?),
        PrivateKey::Ec(key) if key.curve.is_edwards_or_montgomery() => {
            let seed = OctetStringRef::new(&key.d).map_err(|_| WRITING)?;
            let inner = seed.to_der().map(Secret::new).map_err(|_| WRITING)?;
            (
                AlgorithmIdentifierRef { oid: key.curve.object_identifier()?, parameters: None },
                inner,
            )
        }
        PrivateKey::Ec(key) => {
            curve = key.curve.object_identifier()?;
            let parameters = Some(AnyRef::from(&curve));
            (
                AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters },
                key.to_sec1_without_curve()?,
            )
        }
    };
    let inner = OctetStringRef::new(inner.expose()).map_err(|_| WRITING)?;
    PrivateKeyInfoRef::new(identifier, inner).to_der().map(Secret::new).map_err(|_| WRITING)
}

/// Writes a SubjectPublicKeyInfo.
pub(super) fn write_public(key: &PublicKey) -> Result<Vec<u8>, CryptoError> {
    let curve;
    let (algorithm, bytes) = match key {
        PublicKey::Rsa(key) => (rsa_identifier(), key.to_pkcs1()?),
        PublicKey::Ec(key) if key.curve.is_edwards_or_montgomery() => (
            AlgorithmIdentifierRef { oid: key.curve.object_identifier()?, parameters: None },
            key.q.clone(),
        ),
        PublicKey::Ec(key) => {
            curve = key.curve.object_identifier()?;
            (
                AlgorithmIdentifierRef {
                    oid: EC_PUBLIC_KEY,
                    parameters: Some(AnyRef::from(&curve)),
                },
                key.q.clone(),
            )
        }
    };
    let subject_public_key = BitStringRef::from_bytes(&bytes).map_err(|_| WRITING)?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().map_err(|_| WRITING)
}

fn rsa_identifier() -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: AnyRef::new(Tag::Null, &[]).ok() }
}
