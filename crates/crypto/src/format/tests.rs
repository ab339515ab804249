//! Known answers and properties of key formats.

use claviger_kmip::enums::{DigitalSignatureAlgorithm, HashingAlgorithm, PaddingMethod};
use proptest::prelude::*;

use super::*;
use crate::cipher::{self, CipherInput};
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::random::SystemRng;
use crate::signature::{self, Message};
use crate::testing::foreign::{
    CERTIFICATE, CURVE_KEYS, RSA_1024, RSA_2048, RSA_2048_PKCS8, RSA_2048_PUBLIC,
};
use crate::testing::hex;

const PKCS_1: KeyFormatType = KeyFormatType::PKCS_1;
const PKCS_8: KeyFormatType = KeyFormatType::PKCS_8;
const X_509: KeyFormatType = KeyFormatType::X_509;
const SEC_1: KeyFormatType = KeyFormatType::EC_PRIVATE_KEY;

#[test]
fn rsa_among_its_formats() {
    let (pkcs1, pkcs8, public) = (hex(RSA_2048), hex(RSA_2048_PKCS8), hex(RSA_2048_PUBLIC));
    for (format, bytes) in [(PKCS_1, &pkcs1), (PKCS_8, &pkcs8)] {
        let key = PrivateKey::parse(format, bytes, None).unwrap();
        assert_eq!(key.cryptographic_algorithm(), CryptographicAlgorithm::RSA);
        assert_eq!(key.cryptographic_length(), 2048);
        assert_eq!(key.write(PKCS_1).unwrap().expose(), pkcs1);
        assert_eq!(key.write(PKCS_8).unwrap().expose(), pkcs8);
        assert_eq!(key.public().unwrap().write(X_509).unwrap(), public);
        assert!(key.write(SEC_1).is_err());
    }
    let key = PublicKey::parse(X_509, &public, None).unwrap();
    let short = key.write(PKCS_1).unwrap();
    assert_eq!(PublicKey::parse(PKCS_1, &short, None).unwrap(), key);
    assert_eq!(key.cryptographic_length(), 2048);
}

#[test]
fn a_transparent_rsa_key_is_completed_from_its_exponent_or_its_primes() {
    for pkcs1 in [RSA_2048, RSA_1024] {
        let key = RsaPrivateKey::from_pkcs1(&hex(pkcs1)).unwrap();
        let modulus = key.modulus.clone();
        let exponent = Some(key.private_exponent.clone());
        let primes = (Some(key.p.clone()), Some(key.q.clone()));
        let written = key.to_pkcs1().unwrap();
        for transparent in [
            TransparentRsaPrivateKey {
                modulus: modulus.clone(),
                private_exponent: exponent.clone(),
                ..TransparentRsaPrivateKey::default()
            },
            TransparentRsaPrivateKey {
                modulus: modulus.clone(),
                public_exponent: Some(key.public_exponent.clone()),
                private_exponent: exponent.clone(),
                p: primes.0.clone(),
                q: primes.1.clone(),
            },
        ] {
            let complete = RsaPrivateKey::from_transparent(&transparent).unwrap();
            assert_eq!(complete.to_pkcs1().unwrap(), written);
        }
        let from_primes = TransparentRsaPrivateKey {
            modulus: modulus.clone(),
            p: primes.0.clone(),
            q: primes.1,
            ..TransparentRsaPrivateKey::default()
        };
        let complete = RsaPrivateKey::from_transparent(&from_primes).unwrap();
        assert_eq!(complete.public(), key.public());
        assert_eq!(complete.prime_exponent_p, key.prime_exponent_p);

        let mut other = modulus;
        *other.last_mut().unwrap() ^= 2;
        for wrong in [
            TransparentRsaPrivateKey {
                modulus: other,
                private_exponent: exponent,
                ..Default::default()
            },
            TransparentRsaPrivateKey { p: primes.0.clone(), q: primes.0, ..from_primes },
            TransparentRsaPrivateKey { modulus: key.modulus.clone(), ..Default::default() },
        ] {
            assert!(RsaPrivateKey::from_transparent(&wrong).is_err());
        }
    }
}

#[test]
fn curves_among_their_formats() {
    for case in &CURVE_KEYS {
        let key = PrivateKey::parse(KeyFormatType::RAW, &hex(case.d), Some(case.curve)).unwrap();
        assert_eq!(key.curve(), Some(case.curve));
        assert_eq!(key.cryptographic_length(), case.curve.bits());
        assert_eq!(key.write(PKCS_8).unwrap().expose(), hex(case.pkcs8), "{:?}", case.curve);
        let again = PrivateKey::parse(PKCS_8, &hex(case.pkcs8), None).unwrap();
        assert_eq!(again.write(KeyFormatType::RAW).unwrap().expose(), hex(case.d));
        let public = key.public().unwrap();
        assert_eq!(public.write(X_509).unwrap(), hex(case.public), "{:?}", case.curve);
        assert_eq!(PublicKey::parse(X_509, &hex(case.public), None).unwrap(), public);
        let point = public.write(KeyFormatType::RAW).unwrap();
        assert_eq!(PublicKey::parse(KeyFormatType::RAW, &point, Some(case.curve)).unwrap(), public);
        if case.sec1.is_empty() {
            assert!(key.write(SEC_1).is_err());
            continue;
        }
        assert_eq!(key.write(SEC_1).unwrap().expose(), hex(case.sec1), "{:?}", case.curve);
        let again = PrivateKey::parse(SEC_1, &hex(case.sec1), None).unwrap();
        assert_eq!(again.curve(), Some(case.curve));
        assert!(PrivateKey::parse(SEC_1, &hex(case.sec1), Some(Curve::X25519)).is_err());
    }
}

#[test]
fn recommended_curves_map_both_ways() {
    for curve in Curve::ALL {
        let back = Curve::from_recommended(curve.recommended()).unwrap();
        let expected = if curve == Curve::Ed25519 { Curve::X25519 } else { curve };
        assert_eq!(back, expected);
    }
}

#[test]
fn points_off_the_curve_and_scalars_out_of_range_are_refused() {
    for case in &CURVE_KEYS {
        if case.curve.is_edwards_or_montgomery() {
            continue;
        }
        let private = EcPrivateKey::new(case.curve, &hex(case.d)).unwrap();
        let mut q = private.public().unwrap().q;
        *q.last_mut().unwrap() ^= 1;
        assert!(EcPublicKey::new(case.curve, &q).is_err(), "{:?}", case.curve);
        assert!(EcPublicKey::new(case.curve, &q[1..]).is_err());
        for d in [vec![0; case.curve.byte_len()], vec![0xFF; case.curve.byte_len()]] {
            assert!(EcPrivateKey::new(case.curve, &d).unwrap().public().is_err());
        }
        assert!(EcPrivateKey::new(case.curve, &[1; 67]).is_err());
    }
}

#[test]
fn der_is_read_to_the_letter() {
    let good = hex(RSA_2048_PUBLIC);
    let trailing = [&good[..], &[0]].concat();
    assert!(PublicKey::parse(X_509, &trailing, None).is_err());
    assert!(PublicKey::parse(X_509, &good[..good.len() - 1], None).is_err());
    let key = hex(RSA_2048);
    assert!(PrivateKey::parse(PKCS_1, &[&key[..], &[0]].concat(), None).is_err());
    // A length in more bytes than it needs is BER, not DER.
    let point = hex(CURVE_KEYS[1].public);
    let long_form = [&[0x30, 0x81], &point[1..]].concat();
    assert!(PublicKey::parse(X_509, &point, None).is_ok());
    assert!(PublicKey::parse(X_509, &long_form, None).is_err());
}

#[test]
fn certificates() {
    let der = hex(CERTIFICATE);
    let inspected = certificate::inspect(&der).unwrap();
    assert_eq!(inspected.certificate_length, der.len());
    assert_eq!(
        inspected.digital_signature_algorithm,
        Some(DigitalSignatureAlgorithm::ECDSA_WITH_SHA256)
    );
    assert_eq!(
        inspected.public_key,
        PublicKey::parse(X_509, &hex(CURVE_KEYS[1].public), None).ok()
    );
    assert!(certificate::inspect(&der[..der.len() - 1]).is_err());
    assert!(certificate::inspect(&[&der[..], &[0]].concat()).is_err());
    assert!(certificate::inspect(&hex(RSA_2048)).is_err());
}

/// Reads with everything that reads, and uses what came out.
fn read_all(bytes: &[u8]) {
    for curve in [None, Some(Curve::P256), Some(Curve::P224), Some(Curve::Ed25519)] {
        for format in [PKCS_1, PKCS_8, SEC_1, X_509, KeyFormatType::RAW] {
            if let Ok(key) = PrivateKey::parse(format, bytes, curve) {
                let _either = key.write(PKCS_8);
                let _either = key.public();
            }
            if let Ok(key) = PublicKey::parse(format, bytes, curve) {
                assert!(key.write(X_509).is_ok());
            }
        }
    }
    let _either = certificate::inspect(bytes);
}

/// Works with an RSA key by provider and fallback, whatever its numbers are.
fn use_rsa(key: RsaPrivateKey) {
    let transparent = TransparentRsaPrivateKey {
        modulus: key.modulus.clone(),
        public_exponent: Some(key.public_exponent.clone()),
        private_exponent: Some(key.private_exponent.clone()),
        ..TransparentRsaPrivateKey::default()
    };
    let _either = RsaPrivateKey::from_transparent(&transparent);
    let primes = TransparentRsaPrivateKey {
        private_exponent: None,
        p: Some(key.p.clone()),
        q: Some(key.q.clone()),
        ..transparent
    };
    let _either = RsaPrivateKey::from_transparent(&primes);
    let key = PrivateKey::Rsa(key);
    let public = key.public().unwrap();
    let rng = SystemRng::new();
    for hashing_algorithm in [HashingAlgorithm::SHA_1, HashingAlgorithm::SHA_256] {
        let pss = Parameters {
            padding_method: Some(PaddingMethod::PSS),
            hashing_algorithm: Some(hashing_algorithm),
            ..Parameters::default()
        };
        let oaep = Parameters { padding_method: Some(PaddingMethod::OAEP), ..pss.clone() };
        let message = Message::Data(b"sample");
        let _either = signature::sign(&KeyMaterialRef::Private(&key), &pss, message, &rng);
        let _either = signature::verify(&KeyMaterialRef::Public(&public), &pss, message, &[1; 128]);
        let input = CipherInput { data: &[1; 128], ..CipherInput::default() };
        let _either = cipher::decrypt(&KeyMaterialRef::Private(&key), &oaep, input, &rng);
        let input = CipherInput { data: b"sample", ..CipherInput::default() };
        let _either = cipher::encrypt(&KeyMaterialRef::Public(&public), &oaep, input, &rng);
    }
}

#[test]
fn rsa_keys_of_nonsense_numbers_fail_and_do_not_panic() {
    let good = || RsaPrivateKey::from_pkcs1(&hex(RSA_1024)).unwrap();
    for nonsense in [vec![], vec![1], vec![2], vec![0xFF; 64], vec![0xFF; 300], vec![3; 64]] {
        let secret = || zeroize::Zeroizing::new(nonsense.clone());
        use_rsa(RsaPrivateKey { private_exponent: secret(), ..good() });
        use_rsa(RsaPrivateKey { p: secret(), ..good() });
        use_rsa(RsaPrivateKey { p: secret(), q: secret(), ..good() });
        use_rsa(RsaPrivateKey { modulus: nonsense.clone(), ..good() });
        use_rsa(RsaPrivateKey { public_exponent: nonsense.clone(), ..good() });
        use_rsa(RsaPrivateKey { prime_exponent_p: secret(), crt_coefficient: secret(), ..good() });
    }
}

#[test]
fn an_rsa_modulus_has_a_most_of_bits() {
    assert!(RsaPublicKey::new(&[0xff; 1024], &[1, 0, 1]).is_ok());
    let longer = RsaPublicKey::new(&[0xff; 1025], &[1, 0, 1]);
    assert!(matches!(longer, Err(CryptoError::BadKey(_))), "{longer:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_damage_to_an_rsa_key_makes_its_use_panic(at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut bytes = hex(RSA_1024);
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(key) = RsaPrivateKey::from_pkcs1(&bytes) {
            use_rsa(key);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..150)) {
        read_all(&bytes);
    }

    #[test]
    fn no_damage_makes_a_reader_panic(which in 0_usize..9, at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut bytes = match which {
            0 => hex(RSA_1024),
            1 => hex(RSA_2048_PKCS8),
            2 => hex(RSA_2048_PUBLIC),
            3 => hex(CERTIFICATE),
            4 => hex(CURVE_KEYS[1].sec1),
            _ => hex(CURVE_KEYS[which - 4].pkcs8),
        };
        let at = at.index(bytes.len());
        bytes[at] = value;
        read_all(&bytes);
        read_all(&bytes[..at]);
    }
}
