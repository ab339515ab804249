//! Any bytes as a key or a certificate; a key that is accepted can be written and read again.

#![no_main]

use claviger_crypto::format::{Curve, PrivateKey, PublicKey, big_integer, certificate};
use claviger_kmip::enums::KeyFormatType;
use libfuzzer_sys::fuzz_target;

const FORMATS: [KeyFormatType; 5] = [
    KeyFormatType::PKCS_1,
    KeyFormatType::PKCS_8,
    KeyFormatType::X_509,
    KeyFormatType::EC_PRIVATE_KEY,
    KeyFormatType::RAW,
];

fuzz_target!(|input: &[u8]| {
    let curves = Curve::ALL.map(Some).into_iter().chain([None]);
    for (curve, format) in curves.flat_map(|curve| FORMATS.map(|format| (curve, format))) {
        if let Ok(key) = PrivateKey::parse(format, input, curve) {
            private(&key);
        }
        if let Ok(key) = PublicKey::parse(format, input, curve) {
            public(&key);
        }
    }
    if let Ok(magnitude) = big_integer::to_magnitude(input) {
        let wire = big_integer::from_magnitude(&magnitude);
        let read = big_integer::to_magnitude(&wire).expect("what is written can be read");
        assert!(read == magnitude, "a Big Integer is another when read again");
    }
    if let Ok(inspected) = certificate::inspect(input)
        && let Some(key) = &inspected.public_key
    {
        public(key);
    }
});

fn private(key: &PrivateKey) {
    assert!(key.cryptographic_length() > 0, "a private key of no bits");
    for format in FORMATS {
        let Ok(written) = key.write(format) else { continue };
        let read = PrivateKey::parse(format, written.expose(), key.curve())
            .expect("a private key that is written can be read");
        let again = read.write(format).expect("and written again");
        assert!(again.expose() == written.expose(), "{format}: a private key is another");
    }
    if let Ok(half) = key.public() {
        public(&half);
    }
}

fn public(key: &PublicKey) {
    assert!(key.cryptographic_length() > 0, "a public key of no bits");
    for format in FORMATS {
        let Ok(written) = key.write(format) else { continue };
        let read = PublicKey::parse(format, &written, key.curve())
            .expect("a public key that is written can be read");
        assert!(read == *key, "{format}: a public key is another when read again");
    }
}
