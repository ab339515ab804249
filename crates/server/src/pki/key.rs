//! Key pairs of authorities, servers and clients: which kinds exist, making, reading and printing
//! them.
//!
//! Private keys are kept in the form clients expect to find in a PEM file: SEC 1 (RFC 5915) for
//! elliptic curves, PKCS#1 (RFC 8017) for RSA. Nothing here prints a private key in Debug.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RsaKeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

use super::{PkiError, pem};

/// The two families of keys that the API names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// Elliptic curve, `ec`.
    Ec,
    /// RSA, `rsa`.
    Rsa,
}

impl KeyType {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ec => "ec",
            Self::Rsa => "rsa",
        }
    }

    /// From the name in the API.
    ///
    /// # Errors
    /// When it is neither `ec` nor `rsa`.
    pub fn from_name(name: &str) -> Result<Self, PkiError> {
        match name {
            "ec" => Ok(Self::Ec),
            "rsa" => Ok(Self::Rsa),
            _ => Err(PkiError::UnsupportedKey(
                "unsupported key type: use \"ec\" or \"rsa\"".to_owned(),
            )),
        }
    }

    /// The size used when only the family is given.
    pub fn default_bits(self) -> u32 {
        match self {
            Self::Ec => 256,
            Self::Rsa => 2048,
        }
    }
}

/// A kind of key that this server can make and sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySpec {
    /// NIST P-256, the default.
    Ec256,
    /// NIST P-384.
    Ec384,
    /// NIST P-521.
    Ec521,
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
}

impl KeySpec {
    /// Every kind, for tests and help texts.
    pub const ALL: [Self; 6] =
        [Self::Ec256, Self::Ec384, Self::Ec521, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// From family and size.
    ///
    /// # Errors
    /// [`PkiError::UnsupportedKey`] for any other size. P-224 is refused on purpose: no TLS 1.3
    /// implementation accepts it, so a certificate with it could not connect.
    pub fn new(key_type: KeyType, bits: u32) -> Result<Self, PkiError> {
        let refused = |text: String| Err(PkiError::UnsupportedKey(text));
        match (key_type, bits) {
            (KeyType::Ec, 256) => Ok(Self::Ec256),
            (KeyType::Ec, 384) => Ok(Self::Ec384),
            (KeyType::Ec, 521) => Ok(Self::Ec521),
            (KeyType::Rsa, 2048) => Ok(Self::Rsa2048),
            (KeyType::Rsa, 3072) => Ok(Self::Rsa3072),
            (KeyType::Rsa, 4096) => Ok(Self::Rsa4096),
            (KeyType::Ec, 224) => refused(
                "ec keys of 224 bits are not supported by this server's TLS library: use 256, 384 or 521".to_owned(),
            ),
            (KeyType::Ec, _) => refused(format!("unsupported ec key size {bits}: use 256, 384 or 521")),
            (KeyType::Rsa, _) => {
                refused(format!("unsupported rsa key size {bits}: use 2048, 3072 or 4096"))
            }
        }
    }

    /// Its family.
    pub fn key_type(self) -> KeyType {
        match self {
            Self::Ec256 | Self::Ec384 | Self::Ec521 => KeyType::Ec,
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => KeyType::Rsa,
        }
    }

    /// Its size in bits, as the API counts them.
    pub fn bits(self) -> u32 {
        match self {
            Self::Ec256 => 256,
            Self::Ec384 => 384,
            Self::Ec521 => 521,
            Self::Rsa2048 => 2048,
            Self::Rsa3072 => 3072,
            Self::Rsa4096 => 4096,
        }
    }

    fn mechanism(self) -> Mechanism {
        match self {
            Self::Ec256 => Mechanism::Ec(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::Ec384 => Mechanism::Ec(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::Ec521 => Mechanism::Ec(&signature::ECDSA_P521_SHA512_ASN1_SIGNING),
            Self::Rsa2048 => Mechanism::Rsa(KeySize::Rsa2048),
            Self::Rsa3072 => Mechanism::Rsa(KeySize::Rsa3072),
            Self::Rsa4096 => Mechanism::Rsa(KeySize::Rsa4096),
        }
    }

    /// The signature algorithm of certificates that such a key signs. The hash grows with the
    /// curve: TLS 1.3 has no code point for P-521 with SHA-256, and OpenSSL clients then withhold
    /// their certificate.
    pub(super) fn signature_algorithm(self) -> &'static rcgen::SignatureAlgorithm {
        match self {
            Self::Ec256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Self::Ec384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Self::Ec521 => &rcgen::PKCS_ECDSA_P521_SHA512,
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

enum Mechanism {
    Ec(&'static EcdsaSigningAlgorithm),
    Rsa(KeySize),
}

/// A private key as bytes, wiped when dropped.
pub struct PrivateKey {
    spec: KeySpec,
    der: Zeroizing<Vec<u8>>,
}

impl PrivateKey {
    /// Makes a new key. RSA takes up to seconds: call it where blocking is allowed.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn generate(spec: KeySpec) -> Result<Self, PkiError> {
        let der = match spec.mechanism() {
            Mechanism::Ec(algorithm) => {
                let pair = EcdsaKeyPair::generate(algorithm)?;
                let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der()?;
                Zeroizing::new(der.as_ref().to_vec())
            }
            Mechanism::Rsa(size) => {
                let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(
                    &RsaKeyPair::generate(size)?,
                )?;
                pkcs1_within_pkcs8(pkcs8.as_ref())
                    .ok_or(PkiError::Corrupt("a new RSA key is not PKCS#8"))?
            }
        };
        Ok(Self { spec, der })
    }

    /// From stored bytes: SEC 1 for elliptic curves, PKCS#1 for RSA.
    pub fn from_der(spec: KeySpec, der: Zeroizing<Vec<u8>>) -> Self {
        Self { spec, der }
    }

    /// Its kind.
    pub fn spec(&self) -> KeySpec {
        self.spec
    }

    /// SEC 1 or PKCS#1 bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// `EC PRIVATE KEY` or `RSA PRIVATE KEY`, without a newline at the end.
    pub fn pem(&self) -> Zeroizing<String> {
        let label = match self.spec.key_type() {
            KeyType::Ec => "EC PRIVATE KEY",
            KeyType::Rsa => "RSA PRIVATE KEY",
        };
        pem::encode_secret(label, &self.der)
    }

    /// For the TLS library. It keeps its own copy.
    pub(super) fn for_tls(&self) -> PrivateKeyDer<'static> {
        match self.spec.key_type() {
            KeyType::Ec => PrivateSec1KeyDer::from(self.der.to_vec()).into(),
            KeyType::Rsa => PrivatePkcs1KeyDer::from(self.der.to_vec()).into(),
        }
    }

    /// Makes it ready to sign.
    pub(super) fn signer(&self) -> Result<Signer, PkiError> {
        let pair = match self.spec.mechanism() {
            Mechanism::Ec(algorithm) => {
                EcdsaKeyPair::from_private_key_der(algorithm, &self.der).map(Pair::Ec)
            }
            Mechanism::Rsa(_) => RsaKeyPair::from_der(&self.der).map(Pair::Rsa),
        };
        Ok(Signer { spec: self.spec, pair: pair.map_err(|_| PkiError::Corrupt("a private key"))? })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// RFC 5958: `SEQUENCE { version, algorithm, OCTET STRING privateKey, … }`.
fn pkcs1_within_pkcs8(pkcs8: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (_, outer) = x509_parser::der_parser::parse_der(pkcs8).ok()?;
    let inner = outer.as_sequence().ok()?.get(2)?.as_slice().ok()?;
    Some(Zeroizing::new(inner.to_vec()))
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// A key ready to sign certificates.
pub(super) struct Signer {
    spec: KeySpec,
    pair: Pair,
}

impl rcgen::PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        match &self.pair {
            Pair::Ec(pair) => pair.public_key().as_ref(),
            Pair::Rsa(pair) => pair.public_key().as_ref(),
        }
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.spec.signature_algorithm()
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map(|()| signature)
            }
        }
        .map_err(|_| rcgen::Error::RingUnspecified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_family_and_size() {
        for spec in KeySpec::ALL {
            assert_eq!(KeySpec::new(spec.key_type(), spec.bits()).unwrap(), spec);
        }
    }

    #[test]
    fn sizes_that_cannot_be_made_are_refused_in_words() {
        let error = KeySpec::new(KeyType::Ec, 224).unwrap_err();
        assert!(error.to_string().contains("224 bits are not supported"));
        for (key_type, bits) in [(KeyType::Ec, 2048), (KeyType::Rsa, 1024), (KeyType::Rsa, 0)] {
            assert!(KeySpec::new(key_type, bits).unwrap_err().is_callers());
        }
        assert!(KeyType::from_name("EC").is_err());
    }

    #[test]
    fn private_keys_print_in_their_traditional_form() {
        for (spec, label) in [
            (KeySpec::Ec256, "EC PRIVATE KEY"),
            (KeySpec::Ec521, "EC PRIVATE KEY"),
            (KeySpec::Rsa2048, "RSA PRIVATE KEY"),
        ] {
            let key = PrivateKey::generate(spec).unwrap();
            let text = key.pem();
            assert!(text.starts_with(&format!("-----BEGIN {label}-----\n")));
            let der = pem::decode(&[label], &text).unwrap();
            let again = PrivateKey::from_der(spec, Zeroizing::new(der));
            assert_eq!(
                rcgen::PublicKeyData::der_bytes(&again.signer().unwrap()),
                rcgen::PublicKeyData::der_bytes(&key.signer().unwrap()),
            );
            assert!(!format!("{key:?}").contains("der"));
        }
    }
}
