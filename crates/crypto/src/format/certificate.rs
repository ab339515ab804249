//! What a Certificate object's attributes need to know of an X.509 certificate (KMIP 2.1 §4.6 to §4.9).
//!
//! Only the outer structure is read: the key inside and how it was signed. Names, dates and
//! extensions are the certificate library's, and trust is nobody's here.

use claviger_kmip::enums::DigitalSignatureAlgorithm;
use pkcs8::der::asn1::{AnyRef, BitStringRef, ContextSpecific, IntRef, SequenceRef};
use pkcs8::der::{Decode, Reader, SliceReader, TagNumber};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::{PublicKey, pkcs8 as keys};
use crate::error::CryptoError;

/// The facts of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Certificate Length: the bytes of its DER encoding.
    pub certificate_length: usize,
    /// How it is signed, if KMIP has a name for it.
    pub digital_signature_algorithm: Option<DigitalSignatureAlgorithm>,
    /// The key it certifies, if it is one that this crate works with.
    pub public_key: Option<PublicKey>,
}

/// Reads a DER certificate.
pub fn inspect(der: &[u8]) -> Result<Inspected, CryptoError> {
    const BAD: CryptoError = CryptoError::BadKey("X.509 certificate");
    let (signature, info) = outer(der).map_err(|_| BAD)?;
    let info = SubjectPublicKeyInfoRef::from_der(info).map_err(|_| BAD)?;
    Ok(Inspected {
        certificate_length: der.len(),
        digital_signature_algorithm: signature_algorithm(&signature.oid.to_string()),
        public_key: keys::of_info(&info).ok(),
    })
}

/// The signature algorithm and the SubjectPublicKeyInfo (RFC 5280 §4.1).
fn outer(der: &[u8]) -> Result<(AlgorithmIdentifierRef<'_>, &[u8]), pkcs8::der::Error> {
    let mut reader = SliceReader::new(der)?;
    let (to_be_signed, signature) = reader.sequence(|reader| {
        let to_be_signed: &SequenceRef = reader.decode()?;
        let signature: AlgorithmIdentifierRef<'_> = reader.decode()?;
        let _value: BitStringRef<'_> = reader.decode()?;
        Ok::<_, pkcs8::der::Error>((to_be_signed, signature))
    })?;
    reader.finish()?;
    let mut reader = SliceReader::new(to_be_signed.as_bytes())?;
    let _version = ContextSpecific::<IntRef<'_>>::decode_explicit(&mut reader, TagNumber(0))?;
    let _serial: IntRef<'_> = reader.decode()?;
    let _algorithm: AlgorithmIdentifierRef<'_> = reader.decode()?;
    for _issuer_validity_subject in 0..3 {
        let _: AnyRef<'_> = reader.decode()?;
    }
    let info = reader.tlv_bytes()?;
    Ok((signature, info))
}

/// KMIP's name of a signature algorithm's object identifier.
fn signature_algorithm(identifier: &str) -> Option<DigitalSignatureAlgorithm> {
    use DigitalSignatureAlgorithm as D;
    Some(match identifier {
        "1.2.840.113549.1.1.2" => D::MD2_WITH_RSA_ENCRYPTION,
        "1.2.840.113549.1.1.4" => D::MD5_WITH_RSA_ENCRYPTION,
        "1.2.840.113549.1.1.5" => D::SHA_1_WITH_RSA_ENCRYPTION,
        "1.2.840.113549.1.1.14" => D::SHA_224_WITH_RSA_ENCRYPTION,
        "1.2.840.113549.1.1.11" => D::SHA_256_WITH_RSA_ENCRYPTION,
        "1.2.840.113549.1.1.12" => D::SHA_384_WITH_RSA_ENCRYPTION,
        "1.2.840.113549.1.1.13" => D::SHA_512_WITH_RSA_ENCRYPTION,
        "1.2.840.113549.1.1.10" => D::RSASSA_PSS,
        "1.2.840.10040.4.3" => D::DSA_WITH_SHA_1,
        "2.16.840.1.101.3.4.3.1" => D::DSA_WITH_SHA224,
        "2.16.840.1.101.3.4.3.2" => D::DSA_WITH_SHA256,
        "1.2.840.10045.4.1" => D::ECDSA_WITH_SHA_1,
        "1.2.840.10045.4.3.1" => D::ECDSA_WITH_SHA224,
        "1.2.840.10045.4.3.2" => D::ECDSA_WITH_SHA256,
        "1.2.840.10045.4.3.3" => D::ECDSA_WITH_SHA384,
        "1.2.840.10045.4.3.4" => D::ECDSA_WITH_SHA512,
        "2.16.840.1.101.3.4.3.14" => D::SHA3_256_WITH_RSA_ENCRYPTION,
        "2.16.840.1.101.3.4.3.15" => D::SHA3_384_WITH_RSA_ENCRYPTION,
        "2.16.840.1.101.3.4.3.16" => D::SHA3_512_WITH_RSA_ENCRYPTION,
        _ => return None,
    })
}
