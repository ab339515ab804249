//! Known answers and properties of signatures.

use super::*;
use crate::format::{EcPublicKey, RsaPrivateKey};
use crate::random::SystemRng;
use crate::testing::foreign::{
    BARE_SIGNATURE_DIGEST, CURVE_KEYS, PKCS1_SIGNATURES, PSS_SALT_222, PSS_SHA1_1024, RSA_1024,
    RSA_2048,
};
use crate::testing::hex;

const SAMPLE: Message<'static> = Message::Data(b"sample");

fn rsa_key(pkcs1: &str) -> PrivateKey {
    PrivateKey::Rsa(RsaPrivateKey::from_pkcs1(&hex(pkcs1)).unwrap())
}

fn pss(hashing_algorithm: HashingAlgorithm, salt_length: Option<i32>) -> Parameters {
    Parameters {
        padding_method: Some(PaddingMethod::PSS),
        hashing_algorithm: Some(hashing_algorithm),
        salt_length,
        ..Parameters::default()
    }
}

fn hashed(hashing_algorithm: HashingAlgorithm) -> Parameters {
    Parameters { hashing_algorithm: Some(hashing_algorithm), ..Parameters::default() }
}

/// The answer must be yes to the message, no to another message and to a damaged signature.
fn assert_fits(private: &PrivateKey, parameters: &Parameters, signature: &[u8]) {
    let public = private.public().unwrap();
    let key = KeyMaterialRef::Public(&public);
    assert_eq!(verify(&key, parameters, SAMPLE, signature), Ok(true));
    assert_eq!(verify(&key, parameters, Message::Data(b"simple"), signature), Ok(false));
    let mut damaged = signature.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    for wrong in [&damaged[..], &signature[1..], b"", b"\x30\x00", &[0xFF; 256]] {
        assert_eq!(verify(&key, parameters, SAMPLE, wrong), Ok(false));
    }
}

#[test]
fn rsa_pkcs1_over_every_digest_from_provider_and_fallback() {
    for (pkcs1, hashing_algorithm, expected) in PKCS1_SIGNATURES {
        let private = rsa_key(pkcs1);
        let parameters = hashed(hashing_algorithm);
        let key = KeyMaterialRef::Private(&private);
        let signature = sign(&key, &parameters, SAMPLE, &SystemRng::new()).unwrap();
        let digest = hash::hash(HashingAlgorithm::SHA_256, &signature).unwrap();
        assert_eq!(digest, hex(expected), "{hashing_algorithm:?}");
        assert_fits(&private, &parameters, &signature);
        let finished = hash::hash(hashing_algorithm, b"sample").unwrap();
        let again = sign(&key, &parameters, Message::Digest(&finished), &SystemRng::new()).unwrap();
        assert_eq!(again, signature);
    }
}

#[test]
fn a_digest_without_a_name_is_signed_bare() {
    let private = rsa_key(RSA_2048);
    let public = private.public().unwrap();
    let digest = hex("01020304050607080910111213141516");
    let message = Message::Digest(&digest);
    let none = Parameters::default();
    let signature =
        sign(&KeyMaterialRef::Private(&private), &none, message, &SystemRng::new()).unwrap();
    assert_eq!(
        hash::hash(HashingAlgorithm::SHA_256, &signature).unwrap(),
        hex(BARE_SIGNATURE_DIGEST)
    );
    let key = KeyMaterialRef::Public(&public);
    assert_eq!(verify(&key, &none, message, &signature), Ok(true));
    let other = pss(HashingAlgorithm::SHA_1, None);
    assert_eq!(verify(&key, &other, Message::Data(&digest), &signature), Ok(false));
}

#[test]
fn pss_of_others() {
    let signature = hex(PSS_SALT_222);
    let private = rsa_key(RSA_2048);
    assert_fits(&private, &pss(HashingAlgorithm::SHA_256, None), &signature);
    assert_fits(&private, &pss(HashingAlgorithm::SHA_256, Some(222)), &signature);
    let public = private.public().unwrap();
    for wrong in [
        pss(HashingAlgorithm::SHA_256, Some(32)),
        pss(HashingAlgorithm::SHA_256, Some(221)),
        pss(HashingAlgorithm::SHA_1, None),
    ] {
        assert_eq!(verify(&KeyMaterialRef::Public(&public), &wrong, SAMPLE, &signature), Ok(false));
    }
    assert_fits(&rsa_key(RSA_1024), &pss(HashingAlgorithm::SHA_1, None), &hex(PSS_SHA1_1024));
}

#[test]
fn pss_of_ours() {
    for (pkcs1, hashing_algorithm, salt_length) in [
        (RSA_2048, HashingAlgorithm::SHA_256, None),
        (RSA_2048, HashingAlgorithm::SHA_384, Some(48)),
        (RSA_2048, HashingAlgorithm::SHA_512, Some(0)),
        (RSA_2048, HashingAlgorithm::SHA_256, Some(222)),
        (RSA_2048, HashingAlgorithm::SHA_1, None),
        (RSA_1024, HashingAlgorithm::SHA_224, Some(10)),
    ] {
        let private = rsa_key(pkcs1);
        let parameters = pss(hashing_algorithm, salt_length);
        let signature =
            sign(&KeyMaterialRef::Private(&private), &parameters, SAMPLE, &SystemRng::new())
                .unwrap();
        assert_fits(&private, &parameters, &signature);
        assert_fits(&private, &pss(hashing_algorithm, None), &signature);
    }
    let private = rsa_key(RSA_2048);
    for salt_length in [-1, 223, i32::MAX] {
        let parameters = pss(HashingAlgorithm::SHA_256, Some(salt_length));
        let refused =
            sign(&KeyMaterialRef::Private(&private), &parameters, SAMPLE, &SystemRng::new());
        assert!(matches!(refused, Err(CryptoError::BadParameters(_))), "{salt_length}");
    }
}

#[test]
fn ecdsa_of_others_and_ours_on_every_curve() {
    for key in &CURVE_KEYS {
        if key.signatures.is_empty() {
            continue;
        }
        let private = PrivateKey::Ec(EcPrivateKey::new(key.curve, &hex(key.d)).unwrap());
        for (hashing_algorithm, theirs) in key.signatures {
            let parameters = hashed(*hashing_algorithm);
            assert_fits(&private, &parameters, &hex(theirs));
            let ours =
                sign(&KeyMaterialRef::Private(&private), &parameters, SAMPLE, &SystemRng::new())
                    .unwrap();
            assert_fits(&private, &parameters, &ours);
        }
        let short = Message::Digest(&[7; 16]);
        let none = Parameters::default();
        let signature =
            sign(&KeyMaterialRef::Private(&private), &none, short, &SystemRng::new()).unwrap();
        let public = private.public().unwrap();
        assert_eq!(verify(&KeyMaterialRef::Public(&public), &none, short, &signature), Ok(true));
    }
}

/// RFC 8032 §7.1, test 3.
#[test]
fn ed25519() {
    let seed = hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
    let private = PrivateKey::Ec(EcPrivateKey::new(Curve::Ed25519, &seed).unwrap());
    let public = private.public().unwrap();
    let q = hex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    assert_eq!(public, PublicKey::Ec(EcPublicKey::new(Curve::Ed25519, &q).unwrap()));
    let message = Message::Data(&[0xAF, 0x82]);
    let none = Parameters::default();
    let signature =
        sign(&KeyMaterialRef::Private(&private), &none, message, &SystemRng::new()).unwrap();
    assert_eq!(
        signature,
        hex("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")
    );
    let key = KeyMaterialRef::Public(&public);
    assert_eq!(verify(&key, &none, message, &signature), Ok(true));
    assert_eq!(verify(&key, &none, SAMPLE, &signature), Ok(false));
    assert!(verify(&key, &none, Message::Digest(&[0; 32]), &signature).is_err());
}

#[test]
fn what_contradicts_itself_is_refused() {
    use DigitalSignatureAlgorithm as D;
    let rsa = rsa_key(RSA_2048);
    let ec = PrivateKey::Ec(EcPrivateKey::new(Curve::P256, &[7; 32]).unwrap());
    let named = |algorithm| Parameters {
        digital_signature_algorithm: Some(algorithm),
        ..Parameters::default()
    };
    let (rsa, ec) = (KeyMaterialRef::Private(&rsa), KeyMaterialRef::Private(&ec));
    let attempt = |key, parameters: &Parameters| sign(key, parameters, SAMPLE, &SystemRng::new());

    assert!(attempt(&rsa, &named(D::SHA_1_WITH_RSA_ENCRYPTION)).is_ok());
    assert!(attempt(&ec, &named(D::ECDSA_WITH_SHA384)).is_ok());
    assert!(matches!(
        attempt(&rsa, &named(D::ECDSA_WITH_SHA256)),
        Err(CryptoError::KeyMismatch(_))
    ));
    assert!(matches!(
        attempt(&ec, &named(D::SHA_256_WITH_RSA_ENCRYPTION)),
        Err(CryptoError::KeyMismatch(_))
    ));
    let two = Parameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA_512),
        ..named(D::SHA_256_WITH_RSA_ENCRYPTION)
    };
    assert!(matches!(attempt(&rsa, &two), Err(CryptoError::BadParameters(_))));
    assert!(matches!(
        attempt(&rsa, &named(D::DSA_WITH_SHA256)),
        Err(CryptoError::UnsupportedCombination(_))
    ));
    let short = sign(
        &rsa,
        &hashed(HashingAlgorithm::SHA_256),
        Message::Digest(&[0; 20]),
        &SystemRng::new(),
    );
    assert!(matches!(short, Err(CryptoError::BadParameters(_))));
    let symmetric = crate::testing::aes(&[0; 16]);
    assert!(matches!(
        attempt(&symmetric, &Parameters::default()),
        Err(CryptoError::KeyMismatch(_))
    ));
}
