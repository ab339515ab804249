//! Known answers of key derivation.

use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm, PaddingMethod};

use super::*;
use crate::testing::foreign::CURVE_KEYS;
use crate::testing::{Counting, aes, hex};

const KEY: &str = "00112233445566778899aabbccddeeff";

fn given(parameters: &Parameters) -> DerivationParameters<'_> {
    DerivationParameters {
        cryptographic_parameters: parameters,
        initialization_vector: None,
        derivation_data: None,
        salt: None,
        iteration_count: None,
    }
}

fn hashed(hashing_algorithm: HashingAlgorithm) -> Parameters {
    Parameters { hashing_algorithm: Some(hashing_algorithm), ..Parameters::default() }
}

/// RFC 6070, RFC 7914 §11 and one for SHA-512.
#[test]
fn pbkdf2() {
    let none = Parameters::default();
    let by_mac = Parameters {
        cryptographic_algorithm: Some(CryptographicAlgorithm::HMAC_SHA256),
        ..Parameters::default()
    };
    for (parameters, password, count, expected) in [
        (&none, &b"password"[..], 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
        (&none, b"password", 4096, "4b007901b765489abead49d926f721d065a429c1"),
        (
            &hashed(HashingAlgorithm::SHA_256),
            b"password",
            4096,
            "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a",
        ),
        (
            &by_mac,
            b"passwd",
            1,
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
             49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
        ),
        (&hashed(HashingAlgorithm::SHA_512), b"passwd", 1, "c74319d99499fc3e9013acff597c23c5"),
    ] {
        let parameters = DerivationParameters {
            salt: Some(b"salt"),
            iteration_count: Some(count),
            ..given(parameters)
        };
        let base = KeyMaterialRef::SecretData(password);
        let expected = hex(expected);
        let key = derive(DerivationMethod::PBKDF2, &[base], &parameters, expected.len(), &Counting)
            .unwrap();
        assert_eq!(key.expose(), expected);
    }
    for (salt, count) in [(None, Some(1)), (Some(&b"salt"[..]), None)] {
        let parameters = DerivationParameters { salt, iteration_count: count, ..given(&none) };
        let refused =
            derive(DerivationMethod::PBKDF2, &[aes(&[0; 16])], &parameters, 16, &Counting);
        assert!(matches!(refused, Err(CryptoError::MissingParameter(_))));
    }
    for count in [0, -1, i32::MAX] {
        let parameters =
            DerivationParameters { salt: Some(b""), iteration_count: Some(count), ..given(&none) };
        let refused =
            derive(DerivationMethod::PBKDF2, &[aes(&[0; 16])], &parameters, 16, &Counting);
        assert!(matches!(refused, Err(CryptoError::BadParameters(_))));
    }
}

/// FIPS 180-4, RFC 2104 and the SP 800-108 modes, computed by another implementation.
#[test]
fn hash_hmac_and_nist800_108() {
    let key = hex(KEY);
    let sha_256 = hashed(HashingAlgorithm::SHA_256);
    let zeros = [0; 16];
    let two = &[1, 2][..];
    let five = &[1, 2, 3, 4, 5][..];
    #[rustfmt::skip]
    let cases = [
        (DerivationMethod::HASH, None, None, "a8faed6abbf35c12a4b26e40f6feb19d"),
        (DerivationMethod::HMAC, Some(two), None, "1e15c1f1da233629f770fb0a04a5020e"),
        (DerivationMethod::NIST800_108_C, Some(five), None, "96be34b2cd40fe64d99a827d27a332f3f1a64c497896480e81dd8d6bebb3bb08ade11db09a138b3f104974a8db78380913442d12e4773e31dd9fb8ef66a28f4ef8d104ef85e77c1a"),
        (DerivationMethod::NIST800_108_F, Some(five), Some(&zeros[..]), "c5d5cd47a8c0d81c5566f39dda2a28049417b875eaad2e69545ed91e634fb8491638d17b2dd8393e4da597f29e1575c282574a74733a1287f21817d3763317efc6eaaf1b1cefeadd"),
        (DerivationMethod::NIST800_108_F, Some(five), None, "96be34b2cd40fe64d99a827d27a332f3f1a64c497896480e81dd8d6bebb3bb0899d112e39f56dd0fb99acb451429941a4c7b109e714e3db214ab79877e1c733ef85ea9cdee669f07"),
        (DerivationMethod::NIST800_108_DPI, Some(five), None, "db4f77f5d983a920ddfcde0887a1e7bbe07e39d7161c8d26e1700f40f4092745c825d8cc746522d659cf8c8086dfb7c2063a7e33a3e13d8c0b0e7ec96d356f6094564cc7b67d066d"),
    ];
    for (method, derivation_data, initialization_vector, expected) in cases {
        let parameters =
            DerivationParameters { derivation_data, initialization_vector, ..given(&sha_256) };
        let expected = hex(expected);
        let derived = derive(method, &[aes(&key)], &parameters, expected.len(), &Counting).unwrap();
        assert_eq!(derived.expose(), expected, "{method:?}");
    }
}

/// RFC 5869, test cases 1 and 3.
#[test]
fn hkdf() {
    let key = [0x0b; 22];
    let sha_256 = hashed(HashingAlgorithm::SHA_256);
    let (salt, info) = (hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"));
    for (salt, info, expected) in [
        (
            Some(&salt[..]),
            Some(&info[..]),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            None,
            None,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ] {
        let parameters = DerivationParameters { salt, derivation_data: info, ..given(&sha_256) };
        let base = KeyMaterialRef::SecretData(&key);
        let derived = derive(DerivationMethod::HKDF, &[base], &parameters, 42, &Counting).unwrap();
        assert_eq!(derived.expose(), hex(expected));
    }
}

/// The derived key is the ciphertext: SP 800-38A's first CBC block.
#[test]
fn encrypt() {
    let key = hex("2b7e151628aed2a6abf7158809cf4f3c");
    let cbc = Parameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        ..Parameters::default()
    };
    let parameters = DerivationParameters {
        initialization_vector: Some(&hex("000102030405060708090a0b0c0d0e0f")),
        derivation_data: Some(&hex("6bc1bee22e409f96e93d7e117393172a")),
        ..given(&cbc)
    };
    let derived =
        derive(DerivationMethod::ENCRYPT, &[aes(&key)], &parameters, 16, &Counting).unwrap();
    assert_eq!(derived.expose(), hex("7649abac8119b246cee98e9b12e9197d"));
    let secret = KeyMaterialRef::SecretData(&key);
    assert!(derive(DerivationMethod::ENCRYPT, &[secret], &parameters, 16, &Counting).is_err());
}

/// Agreement with the key whose scalar is one higher, on every curve, both ways.
#[test]
fn agreement_on_every_curve() {
    for case in &CURVE_KEYS {
        let d = hex(case.d);
        let mut next = d.clone();
        *next.last_mut().unwrap() += 1;
        let first = PrivateKey::Ec(EcPrivateKey::new(case.curve, &d).unwrap());
        let second = PrivateKey::Ec(EcPrivateKey::new(case.curve, &next).unwrap());
        let (public, other) = (first.public().unwrap(), second.public().unwrap());
        if case.agreed.is_empty() {
            assert!(agree(&first, &other).is_err());
            continue;
        }
        assert_eq!(agree(&first, &other).unwrap().expose(), hex(case.agreed), "{:?}", case.curve);
        assert_eq!(agree(&second, &public).unwrap().expose(), hex(case.agreed));
        let none = Parameters::default();
        let bases = [KeyMaterialRef::Private(&first), KeyMaterialRef::Public(&other)];
        let derived =
            derive(DerivationMethod::ASYMMETRIC_KEY, &bases, &given(&none), 16, &Counting).unwrap();
        assert_eq!(derived.expose(), &hex(case.agreed)[..16]);
    }
    let p256 = PrivateKey::Ec(EcPrivateKey::new(Curve::P256, &[7; 32]).unwrap());
    let k256 = PrivateKey::Ec(EcPrivateKey::new(Curve::Secp256k1, &[7; 32]).unwrap());
    assert!(matches!(agree(&p256, &k256.public().unwrap()), Err(CryptoError::KeyMismatch(_))));
}

#[test]
fn too_long_too_short_and_too_many_are_refused() {
    let key = hex(KEY);
    let sha_256 = hashed(HashingAlgorithm::SHA_256);
    let parameters = DerivationParameters { derivation_data: Some(b"x"), ..given(&sha_256) };
    for (method, len) in [
        (DerivationMethod::HMAC, 33),
        (DerivationMethod::HKDF, 255 * 32 + 1),
        (DerivationMethod::NIST800_108_C, DERIVED_LEN_MAX + 1),
        (DerivationMethod::NIST800_108_C, 0),
        (DerivationMethod::HASH, 16),
    ] {
        let refused = derive(method, &[aes(&key)], &parameters, len, &Counting);
        assert!(matches!(refused, Err(CryptoError::BadParameters(_))), "{method:?}");
    }
    let two = derive(DerivationMethod::HMAC, &[aes(&key), aes(&key)], &parameters, 16, &Counting);
    assert!(matches!(two, Err(CryptoError::KeyMismatch(_))));
    let unknown =
        derive(DerivationMethod::AWS_SIGNATURE_VERSION4, &[aes(&key)], &parameters, 16, &Counting);
    assert!(matches!(unknown, Err(CryptoError::UnsupportedCombination(_))));
}
