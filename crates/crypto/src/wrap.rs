//! Wrapping key bytes under a key-encryption key (KMIP 2.1 §3.2 and §3.3, Key Wrapping Data and Specification).
//!
//! `NISTKeyWrap` is RFC 3394 (NIST SP 800-38F KW), `AESKeyWrapPadding` RFC 5649 (KWP); any
//! other block cipher mode wraps by plain encryption. An RSA key wraps with its own padding.
//! This module must never know KMIP's encodings: the bytes to wrap come ready.

use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap, KeyWrapPadded};
use claviger_kmip::enums::{BlockCipherMode, CryptographicAlgorithm};
use zeroize::Zeroizing;

use crate::cipher::{self, CipherInput, Encrypted};
use crate::error::CryptoError;
use crate::gaps;
use crate::key::KeyMaterialRef;
use crate::parameters::Parameters;
use crate::random::Rng;
use crate::secret::Secret;

/// Wraps `plain`. `iv` is for the modes that take one; with Random IV it is returned.
pub fn wrap(
    kek: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    plain: &[u8],
    iv: Option<&[u8]>,
    rng: &dyn Rng,
) -> Result<Encrypted, CryptoError> {
    let parameters = with_default_mode(kek, parameters);
    cipher::encrypt(
        kek,
        &parameters,
        CipherInput { data: plain, iv, ..CipherInput::default() },
        rng,
    )
}

/// Undoes [`wrap`]. `tag` is for the modes that authenticate with one.
pub fn unwrap(
    kek: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    wrapped: &[u8],
    iv: Option<&[u8]>,
    tag: Option<&[u8]>,
    rng: &dyn Rng,
) -> Result<Secret, CryptoError> {
    let parameters = with_default_mode(kek, parameters);
    cipher::decrypt(
        kek,
        &parameters,
        CipherInput { data: wrapped, iv, tag, ..CipherInput::default() },
        rng,
    )
}

/// An AES key wraps by RFC 3394 unless a mode is named.
fn with_default_mode(kek: &KeyMaterialRef<'_>, parameters: &Parameters) -> Parameters {
    let mut parameters = parameters.clone();
    if let KeyMaterialRef::Symmetric { algorithm: CryptographicAlgorithm::AES, .. } = kek {
        parameters.block_cipher_mode.get_or_insert(BlockCipherMode::NIST_KEY_WRAP);
    }
    parameters
}

/// RFC 3394 or 5649 by mode.
pub(crate) fn rfc_wrap(
    mode: BlockCipherMode,
    kek: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let padded = mode == BlockCipherMode::AES_KEY_WRAP_PADDING;
    if plain.is_empty() {
        return Err(CryptoError::BadParameters("nothing to wrap"));
    }
    if !padded && (plain.len() < 16 || !plain.len().is_multiple_of(8)) {
        return Err(CryptoError::BadParameters(
            "key wrap takes at least 16 bytes and a multiple of 8",
        ));
    }
    let mut room = vec![0; plain.len().next_multiple_of(8) + 16];
    let len = match (kek.len(), padded) {
        (24, false) => gaps::kw_wrap_192(kek, plain, &mut room)?,
        (24, true) => gaps::kwp_wrap_192(kek, plain, &mut room)?,
        (_, false) => provider_kek(kek)?.wrap(plain, &mut room).map_err(|_| REFUSED)?.len(),
        (_, true) => {
            provider_kek(kek)?.wrap_with_padding(plain, &mut room).map_err(|_| REFUSED)?.len()
        }
    };
    room.truncate(len);
    Ok(room)
}

/// Undoes [`rfc_wrap`].
pub(crate) fn rfc_unwrap(
    mode: BlockCipherMode,
    kek: &[u8],
    wrapped: &[u8],
) -> Result<Secret, CryptoError> {
    const WRONG: CryptoError = CryptoError::AuthenticationFailed;
    let padded = mode == BlockCipherMode::AES_KEY_WRAP_PADDING;
    let least = if padded { 16 } else { 24 };
    if wrapped.len() < least || !wrapped.len().is_multiple_of(8) {
        return Err(CryptoError::BadParameters("length of the wrapped data"));
    }
    let mut room = Zeroizing::new(vec![0; wrapped.len() + 16]);
    let len = match (kek.len(), padded) {
        (24, false) => gaps::kw_unwrap_192(kek, wrapped, &mut room)?,
        (24, true) => gaps::kwp_unwrap_192(kek, wrapped, &mut room)?,
        (_, false) => provider_kek(kek)?.unwrap(wrapped, &mut room).map_err(|_| WRONG)?.len(),
        (_, true) => {
            provider_kek(kek)?.unwrap_with_padding(wrapped, &mut room).map_err(|_| WRONG)?.len()
        }
    };
    room.truncate(len);
    Ok(room.into())
}

const REFUSED: CryptoError = CryptoError::BadParameters("length of the data to wrap");

fn provider_kek(kek: &[u8]) -> Result<AesKek, CryptoError> {
    let algorithm = match kek.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(CryptoError::KeyMismatch("AES keys have 16, 24 or 32 bytes")),
    };
    AesKek::new(algorithm, kek).map_err(|_| CryptoError::Internal("key wrap"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Counting, aes, hex};

    const KEK: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const KEY: &str = "00112233445566778899aabbccddeeff0001020304050607";
    const KW: BlockCipherMode = BlockCipherMode::NIST_KEY_WRAP;
    const KWP: BlockCipherMode = BlockCipherMode::AES_KEY_WRAP_PADDING;

    /// RFC 3394 §4 and RFC 5649 §6, the latter under other keys too: mode, bytes of KEK, bytes of key, result.
    #[rustfmt::skip]
    const CASES: [(BlockCipherMode, usize, usize, &str); 9] = [
        (KW, 16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (KW, 24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
        (KW, 24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"),
        (KW, 32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
        (KW, 32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"),
        (KWP, 16, 20, "8464eef50633e85287dbac88b75128321370db3601c246010f23c72f3e061ab8"),
        (KWP, 24, 7, "87ce2c5c2d7196e09381056b319d91e9"),
        (KWP, 24, 20, "a8258b5b9fb1bfe815a6a2407a687a5572ebaf8d562b63a2480b3567f9c555e7"),
        (KWP, 32, 20, "2ec848c1a77981da003e3ce3b028c5e46ba5bebc032dce29eb892a57092d5c09"),
    ];

    fn mode(mode: BlockCipherMode) -> Parameters {
        Parameters { block_cipher_mode: Some(mode), ..Parameters::default() }
    }

    #[test]
    fn known_answers() {
        for (block_cipher_mode, kek_len, key_len, expected) in CASES {
            let (kek, key) = (hex(KEK), hex(KEY));
            let (kek, key) = (aes(&kek[..kek_len]), &key[..key_len]);
            let wrapped = wrap(&kek, &mode(block_cipher_mode), key, None, &Counting).unwrap().data;
            assert_eq!(wrapped, hex(expected), "{block_cipher_mode:?} {kek_len} {key_len}");
            let back =
                unwrap(&kek, &mode(block_cipher_mode), &wrapped, None, None, &Counting).unwrap();
            assert_eq!(back.expose(), key);
            for position in 0..wrapped.len() {
                let mut wrong = wrapped.clone();
                wrong[position] ^= 1;
                assert_eq!(
                    unwrap(&kek, &mode(block_cipher_mode), &wrong, None, None, &Counting),
                    Err(CryptoError::AuthenticationFailed)
                );
            }
        }
        let kek = hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
        for (key, expected) in [
            (
                "c37b7e6492584340bed12207808941155068f738",
                "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
            ),
            ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
        ] {
            assert_eq!(
                wrap(&aes(&kek), &mode(KWP), &hex(key), None, &Counting).unwrap().data,
                hex(expected)
            );
        }
    }

    #[test]
    fn key_wrap_is_the_default_and_other_modes_wrap_too() {
        let (kek, key) = (hex(KEK), hex(KEY));
        let wrapped = wrap(&aes(&kek), &Parameters::default(), &key, None, &Counting).unwrap().data;
        assert_eq!(wrapped, hex(CASES[4].3));
        let gcm = Parameters { random_iv: true, ..mode(BlockCipherMode::GCM) };
        let sealed = wrap(&aes(&kek), &gcm, &key, None, &Counting).unwrap();
        let back = unwrap(
            &aes(&kek),
            &gcm,
            &sealed.data,
            sealed.iv.as_deref(),
            sealed.tag.as_deref(),
            &Counting,
        )
        .unwrap();
        assert_eq!(back.expose(), key);
        let ecb = wrap(&aes(&kek), &mode(BlockCipherMode::ECB), &key[..16], None, &Counting)
            .unwrap()
            .data;
        assert_eq!(ecb, hex("8ea2b7ca516745bfeafc49904b496089"));
    }

    #[test]
    fn lengths_that_cannot_be_wrapped() {
        let kek = hex(KEK);
        for len in [0, 8, 15, 17, 20] {
            let wrapped = wrap(&aes(&kek), &mode(KW), &vec![0; len], None, &Counting);
            assert!(matches!(wrapped, Err(CryptoError::BadParameters(_))), "{len}");
        }
        for (block_cipher_mode, len) in [(KW, 0), (KW, 16), (KW, 25), (KWP, 8), (KWP, 17)] {
            let opened =
                unwrap(&aes(&kek), &mode(block_cipher_mode), &vec![0; len], None, None, &Counting);
            assert!(matches!(opened, Err(CryptoError::BadParameters(_))), "{len}");
        }
    }
}
