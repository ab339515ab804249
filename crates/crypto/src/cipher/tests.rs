//! Known answers and properties of the ciphers.

use claviger_kmip::enums::PaddingMethod;
use proptest::prelude::*;

use super::*;
use crate::random::SystemRng;
use crate::testing::{Counting, aes, hex, symmetric};

const AES_128: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const AES_192: &str = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
const AES_256: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";

/// NIST SP 800-38A, appendix F.
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                     30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

/// Mode, key, IV, ciphertext of [`PLAIN`].
#[rustfmt::skip]
const BLOCK_MODES: [(BlockCipherMode, &str, &str, &str); 15] = [
    (BlockCipherMode::ECB, AES_128, "", "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4"),
    (BlockCipherMode::ECB, AES_192, "", "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eefef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e"),
    (BlockCipherMode::ECB, AES_256, "", "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7"),
    (BlockCipherMode::CBC, AES_128, "000102030405060708090a0b0c0d0e0f", "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"),
    (BlockCipherMode::CBC, AES_192, "000102030405060708090a0b0c0d0e0f", "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd"),
    (BlockCipherMode::CBC, AES_256, "000102030405060708090a0b0c0d0e0f", "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"),
    (BlockCipherMode::CFB, AES_128, "000102030405060708090a0b0c0d0e0f", "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6"),
    (BlockCipherMode::CFB, AES_192, "000102030405060708090a0b0c0d0e0f", "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff"),
    (BlockCipherMode::CFB, AES_256, "000102030405060708090a0b0c0d0e0f", "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407bdf10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471"),
    (BlockCipherMode::OFB, AES_128, "000102030405060708090a0b0c0d0e0f", "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed8259740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e"),
    (BlockCipherMode::OFB, AES_192, "000102030405060708090a0b0c0d0e0f", "cdc80d6fddf18cab34c25909c99a4174fcc28b8d4c63837c09e81700c11004018d9a9aeac0f6596f559c6d4daf59a5f26d9f200857ca6c3e9cac524bd9acc92a"),
    (BlockCipherMode::OFB, AES_256, "000102030405060708090a0b0c0d0e0f", "dc7e84bfda79164b7ecd8486985d38604febdc6740d20b3ac88f6ad82a4fb08d71ab47a086e86eedf39d1c5bba97c4080126141d67f37be8538f5a8be740e484"),
    (BlockCipherMode::CTR, AES_128, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"),
    (BlockCipherMode::CTR, AES_192, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e941e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050"),
    (BlockCipherMode::CTR, AES_256, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"),
];

fn mode(block_cipher_mode: BlockCipherMode) -> Parameters {
    Parameters { block_cipher_mode: Some(block_cipher_mode), ..Parameters::default() }
}

fn tagged(block_cipher_mode: BlockCipherMode, tag_length: i32) -> Parameters {
    Parameters { tag_length: Some(tag_length), ..mode(block_cipher_mode) }
}

fn input<'a>(data: &'a [u8], iv: &'a [u8]) -> CipherInput<'a> {
    CipherInput { data, iv: Some(iv), ..CipherInput::default() }
}

#[test]
fn sp800_38a_block_modes() {
    for (block_cipher_mode, key, iv, cipher) in BLOCK_MODES {
        let (key, iv, plain, cipher) = (hex(key), hex(iv), hex(PLAIN), hex(cipher));
        let parameters = mode(block_cipher_mode);
        let sealed = encrypt(&aes(&key), &parameters, input(&plain, &iv), &Counting).unwrap();
        assert_eq!(
            sealed,
            Encrypted { data: cipher.clone(), iv: None, tag: None },
            "{block_cipher_mode:?}"
        );
        let opened = decrypt(&aes(&key), &parameters, input(&cipher, &iv), &Counting).unwrap();
        assert_eq!(opened.expose(), plain, "{block_cipher_mode:?}");
    }
}

/// RFC 3686, test vector 1: nonce and IV of 12 bytes, a 32-bit counter from one.
#[test]
fn ctr_with_a_nonce_and_a_counter() {
    let key = hex("ae6852f8121067cc4bf7a5765577f39e");
    let nonce = hex("000000300000000000000000");
    let parameters = Parameters {
        counter_length: Some(32),
        initial_counter_value: Some(1),
        ..mode(BlockCipherMode::CTR)
    };
    let given = input(b"Single block msg", &nonce);
    let sealed = encrypt(&aes(&key), &parameters, given, &Counting).unwrap();
    assert_eq!(sealed.data, hex("e4095d4fb7a7b3792d6175a3261311b8"));
    for wrong in [
        Parameters { counter_length: None, ..parameters.clone() },
        Parameters { counter_length: Some(64), ..parameters.clone() },
        Parameters { initial_counter_value: Some(-1), ..parameters },
    ] {
        let refused = encrypt(&aes(&key), &wrong, given, &Counting);
        assert!(matches!(refused, Err(CryptoError::BadParameters(_))));
    }
}

/// Every piece through a stream, and what came out.
fn in_pieces(
    direction: Direction,
    key: &KeyMaterialRef<'_>,
    parameters: &Parameters,
    input: CipherInput<'_>,
    step: usize,
) -> Result<(Vec<u8>, Option<Vec<u8>>), CryptoError> {
    let mut stream = CipherStream::new(direction, key, parameters, input, &Counting)?;
    let mut out = Vec::new();
    for piece in input.data.chunks(step) {
        out.extend_from_slice(stream.update(piece)?.expose());
    }
    let finished = stream.finish(&[], input.tag, &Counting)?;
    out.extend_from_slice(finished.data.expose());
    Ok((out, finished.tag))
}

#[test]
fn a_message_in_pieces_is_the_message_in_one() {
    for (block_cipher_mode, key, iv, cipher) in BLOCK_MODES {
        let (key, iv, plain, cipher) = (hex(key), hex(iv), hex(PLAIN), hex(cipher));
        let (key, parameters) = (aes(&key), mode(block_cipher_mode));
        for step in [1, 7, 16, 33] {
            let sealed = in_pieces(Direction::Encrypt, &key, &parameters, input(&plain, &iv), step);
            assert_eq!(sealed, Ok((cipher.clone(), None)), "{block_cipher_mode:?} by {step}");
            let opened =
                in_pieces(Direction::Decrypt, &key, &parameters, input(&cipher, &iv), step);
            assert_eq!(opened, Ok((plain.clone(), None)), "{block_cipher_mode:?} by {step}");
        }
    }
}

#[test]
fn gcm_in_pieces_gives_ciphertext_as_it_goes_and_plaintext_only_at_the_end() {
    let (plain, aad) = (hex(GCM_PLAIN), hex(GCM_AAD));
    for (bits, nonce, cipher, tag) in GCM {
        let (key, nonce, cipher, tag) = (hex(GCM_KEY), hex(nonce), hex(cipher), hex(tag));
        let key = aes(&key[..bits / 8]);
        let parameters = tagged(BlockCipherMode::GCM, 16);
        let given = CipherInput { data: &plain, iv: Some(&nonce), aad: &aad, tag: None };
        for step in [1, 16, 32, 59] {
            let sealed = in_pieces(Direction::Encrypt, &key, &parameters, given, step);
            assert_eq!(sealed, Ok((cipher.clone(), Some(tag.clone()))), "{bits} by {step}");
        }
        let given = CipherInput { data: &cipher, tag: Some(&tag), ..given };
        let opened = in_pieces(Direction::Decrypt, &key, &parameters, given, 16);
        assert_eq!(opened, Ok((plain.clone(), None)));
        let wrong = CipherInput { tag: Some(&[0; 16]), ..given };
        let refused = in_pieces(Direction::Decrypt, &key, &parameters, wrong, 16);
        assert_eq!(refused, Err(CryptoError::AuthenticationFailed));
        let mut stream =
            CipherStream::new(Direction::Decrypt, &key, &parameters, given, &Counting).unwrap();
        assert!(stream.update(&cipher).unwrap().is_empty());
    }
}

#[test]
fn a_stream_chooses_an_iv_and_tells_it() {
    let key = hex(AES_128);
    let parameters = Parameters { random_iv: true, ..mode(BlockCipherMode::CBC) };
    let none = CipherInput::default();
    let mut stream =
        CipherStream::new(Direction::Encrypt, &aes(&key), &parameters, none, &Counting).unwrap();
    let iv = stream.iv().unwrap().to_vec();
    let sealed = stream.update(&hex(PLAIN)).unwrap();
    let back = decrypt(&aes(&key), &parameters, input(sealed.expose(), &iv), &Counting).unwrap();
    assert_eq!(back.expose(), hex(PLAIN));
}

#[test]
fn a_padded_stream_keeps_its_last_block_until_the_end() {
    let key = hex(AES_128);
    let parameters =
        Parameters { padding_method: Some(PaddingMethod::PKCS5), ..mode(BlockCipherMode::ECB) };
    let sealed = encrypt(&aes(&key), &parameters, input(&[7; 32], &[]), &Counting).unwrap().data;
    let none = CipherInput::default();
    let mut stream =
        CipherStream::new(Direction::Decrypt, &aes(&key), &parameters, none, &Counting).unwrap();
    assert_eq!(stream.update(&sealed).unwrap().expose(), [7; 32]);
    assert!(stream.finish(&[], None, &Counting).unwrap().data.is_empty());
}

/// Key, IV, mode, ciphertext of "The qufck brown fox jump" (NIST SP 800-67's sample text).
#[test]
fn triple_des() {
    let plain = b"The qufck brown fox jump";
    let iv = hex("f69f2445df4f9b17");
    let three = hex("0123456789abcdef23456789abcdef01456789abcdef0123");
    for (block_cipher_mode, key, cipher) in [
        (BlockCipherMode::ECB, &three[..], "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900"),
        (BlockCipherMode::ECB, &three[..16], "c44862f70cf2fbdc9077d0909fa91b884cabd61fc58e0cbb"),
        (BlockCipherMode::CBC, &three[..], "a5c282bad0de3774becd2e04386b589fb5057d8552fc4336"),
        (BlockCipherMode::CBC, &three[..16], "acd5699dd6060a430dedd74525b7870297202cf5ed176718"),
    ] {
        let key = symmetric(CryptographicAlgorithm::DES3, key);
        let sealed = encrypt(&key, &mode(block_cipher_mode), input(plain, &iv), &Counting).unwrap();
        assert_eq!(sealed.data, hex(cipher));
        let opened =
            decrypt(&key, &mode(block_cipher_mode), input(&sealed.data, &iv), &Counting).unwrap();
        assert_eq!(opened.expose(), plain);
    }
}

/// IEEE 1619 vectors 2 and 15, and one of our own under a 512-bit key with a stolen block.
#[test]
fn xts() {
    let long: Vec<u8> = (0..64).collect();
    for (key, tweak, plain, cipher) in [
        (
            [[0x11; 16], [0x22; 16]].concat(),
            hex("33333333330000000000000000000000"),
            vec![0x44; 32],
            "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0",
        ),
        (
            hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0bfbebdbcbbbab9b8b7b6b5b4b3b2b1b0"),
            hex("9a785634120000000000000000000000"),
            hex("000102030405060708090a0b0c0d0e0f10"),
            "6c1625db4671522d3d7599601de7ca09ed",
        ),
        (
            long.clone(),
            long[..16].to_vec(),
            long[..40].to_vec(),
            "b82298441f93d2a0ad34668c7df66e4ce2647a08dc46de5bac5a2ca57b279dfc9ce4d6a936a41f0f",
        ),
    ] {
        let parameters = mode(BlockCipherMode::XTS);
        let sealed = encrypt(&aes(&key), &parameters, input(&plain, &tweak), &Counting).unwrap();
        assert_eq!(sealed.data, hex(cipher));
        assert_eq!(
            decrypt(&aes(&key), &parameters, input(&sealed.data, &tweak), &Counting)
                .unwrap()
                .expose(),
            plain
        );
    }
    let same = [1; 32];
    assert!(matches!(
        encrypt(&aes(&same), &mode(BlockCipherMode::XTS), input(&[0; 16], &[0; 16]), &Counting),
        Err(CryptoError::KeyMismatch(_))
    ));
}

const GCM_PLAIN: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
                         b16aedf5aa0de657ba637b39";
const GCM_AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const GCM_KEY: &str = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

/// The GCM specification's test cases 4 to 6, 10 to 12 and 16 to 18: key bits, nonce, ciphertext, tag.
#[rustfmt::skip]
const GCM: [(usize, &str, &str, &str); 9] = [
    (128, "cafebabefacedbad", "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598", "3612d2e79e3b0785561be14aaca2fccb"),
    (128, "cafebabefacedbaddecaf888", "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091", "5bc94fbc3221a5db94fae95ae7121a47"),
    (128, "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b", "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca701e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5", "619cc5aefffe0bfa462af43c1699d050"),
    (192, "cafebabefacedbad", "0f10f599ae14a154ed24b36e25324db8c566632ef2bbb34f8347280fc4507057fddc29df9a471f75c66541d4d4dad1c9e93a19a58e8b473fa0f062f7", "65dcc57fcf623a24094fcca40d3533f8"),
    (192, "cafebabefacedbaddecaf888", "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710", "2519498e80f1478f37ba55bd6d27618c"),
    (192, "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b", "d27e88681ce3243c4830165a8fdcf9ff1de9a1d8e6b447ef6ef7b79828666e4581e79012af34ddd9e2f037589b292db3e67c036745fa22e7e9b7373b", "dcf566ff291c25bbb8568fc3d376a6d9"),
    (256, "cafebabefacedbad", "c3762df1ca787d32ae47c13bf19844cbaf1ae14d0b976afac52ff7d79bba9de0feb582d33934a4f0954cc2363bc73f7862ac430e64abe499f47c9b1f", "3a337dbf46a792c45e454913fe2ea8f2"),
    (256, "cafebabefacedbaddecaf888", "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662", "76fc6ece0f4e1768cddf8853bb2d551b"),
    (256, "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b", "5a8def2f0c9e53f1f75d7853659e2a20eeb2b22aafde6419a058ab4f6f746bf40fc0c3b780f244452da3ebf1c5d82cdea2418997200ef82e44ae7e3f", "a44a8266ee1c8eb0c8b5d4cf5ae9f19a"),
];

#[test]
fn gcm_with_every_nonce_and_tag_length() {
    let (plain, aad) = (hex(GCM_PLAIN), hex(GCM_AAD));
    for (bits, nonce, cipher, tag) in GCM {
        let (key, nonce, tag) = (hex(GCM_KEY), hex(nonce), hex(tag));
        let key = aes(&key[..bits / 8]);
        for len in 12..=16 {
            let parameters = tagged(BlockCipherMode::GCM, len as i32);
            let given = CipherInput { data: &plain, iv: Some(&nonce), aad: &aad, tag: None };
            let sealed = encrypt(&key, &parameters, given, &Counting).unwrap();
            assert_eq!(sealed.data, hex(cipher));
            assert_eq!(sealed.tag.as_deref(), Some(&tag[..len]));
            let given = CipherInput { data: &sealed.data, tag: Some(&tag[..len]), ..given };
            assert_eq!(decrypt(&key, &parameters, given, &Counting).unwrap().expose(), plain);
            for wrong in [
                CipherInput { aad: b"other", ..given },
                CipherInput { iv: Some(&[9; 12]), ..given },
                CipherInput { data: &plain, ..given },
                CipherInput { tag: Some(&[0; 16][..len]), ..given },
            ] {
                assert_eq!(
                    decrypt(&key, &parameters, wrong, &Counting),
                    Err(CryptoError::AuthenticationFailed)
                );
            }
        }
    }
}

#[test]
fn tag_lengths_that_do_not_exist() {
    let key = [0; 32];
    let chacha = symmetric(CryptographicAlgorithm::CHACHA20_POLY1305, &key);
    for (key, mode) in [
        (aes(&key), BlockCipherMode::GCM),
        (aes(&key), BlockCipherMode::CCM),
        (chacha, BlockCipherMode::AEAD),
    ] {
        for len in [-1, 0, 1, 7, 17, 32] {
            let sealed = encrypt(&key, &tagged(mode, len), input(&[0; 16], &[0; 12]), &Counting);
            assert_eq!(sealed, Err(CryptoError::TagLength), "{mode:?} {len}");
        }
        let short = CipherInput { tag: Some(&[0; 12]), ..input(&[0; 16], &[0; 12]) };
        assert_eq!(decrypt(&key, &tagged(mode, 16), short, &Counting), Err(CryptoError::TagLength));
        assert!(matches!(
            decrypt(&key, &tagged(mode, 16), input(&[0; 16], &[0; 12]), &Counting),
            Err(CryptoError::MissingParameter(_))
        ));
    }
}

/// NIST SP 800-38C, examples 3 and 4.
#[test]
fn ccm() {
    let key: Vec<u8> = (0x40..0x50).collect();
    let plain: Vec<u8> = (0x20..0x40).collect();
    let long_aad: Vec<u8> = (0..65536_u32).map(|value| value as u8).collect();
    for (nonce, aad, plain, cipher, tag) in [
        (
            "101112131415161718191a1b",
            &long_aad[..20],
            &plain[..24],
            "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5",
            "484392fbc1b09951",
        ),
        (
            "101112131415161718191a1b1c",
            &long_aad[..],
            &plain[..],
            "69915dad1e84c6376a68c2967e4dab615ae0fd1faec44cc484828529463ccf72",
            "b4ac6bec93e8598e7f0dadbcea5b",
        ),
    ] {
        let (nonce, tag) = (hex(nonce), hex(tag));
        let parameters = tagged(BlockCipherMode::CCM, tag.len() as i32);
        let given = CipherInput { data: plain, iv: Some(&nonce), aad, tag: None };
        let sealed = encrypt(&aes(&key), &parameters, given, &Counting).unwrap();
        assert_eq!((sealed.data.clone(), sealed.tag), (hex(cipher), Some(tag.clone())));
        let given = CipherInput { data: &sealed.data, tag: Some(&tag), ..given };
        assert_eq!(decrypt(&aes(&key), &parameters, given, &Counting).unwrap().expose(), plain);
        let wrong = CipherInput { aad: b"", ..given };
        assert_eq!(
            decrypt(&aes(&key), &parameters, wrong, &Counting),
            Err(CryptoError::AuthenticationFailed)
        );
    }
}

/// RFC 8439 §2.4.2 and §2.8.2, and the original 64-bit nonce.
#[test]
fn chacha() {
    let key = [0; 32];
    let key = symmetric(CryptographicAlgorithm::CHACHA20, &key);
    let none = Parameters::default();
    let sealed = encrypt(&key, &none, input(&[0; 64], &[0; 8]), &Counting).unwrap();
    assert_eq!(
        sealed.data,
        hex("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
             da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586")
    );
    assert_eq!(
        decrypt(&key, &none, input(&sealed.data, &[0; 8]), &Counting).unwrap().expose(),
        [0; 64]
    );

    let bytes: Vec<u8> = (0..32).collect();
    let key = symmetric(CryptographicAlgorithm::CHACHA20, &bytes);
    let from_one = Parameters { initial_counter_value: Some(1), ..Parameters::default() };
    let nonce = hex("000000000000004a00000000");
    let sealed = encrypt(&key, &from_one, input(b"Ladies and Gentl", &nonce), &Counting).unwrap();
    assert_eq!(sealed.data, hex("6e2e359a2568f98041ba0728dd0d6981"));

    let bytes: Vec<u8> = (0x80..0xa0).collect();
    let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                  sunscreen would be it.";
    let nonce = hex("070000004041424344454647");
    let aad = hex("50515253c0c1c2c3c4c5c6c7");
    let key = symmetric(CryptographicAlgorithm::CHACHA20_POLY1305, &bytes);
    for len in [12, 16] {
        let parameters = tagged(BlockCipherMode::AEAD, len as i32);
        let given = CipherInput { data: plain, iv: Some(&nonce), aad: &aad, tag: None };
        let sealed = encrypt(&key, &parameters, given, &Counting).unwrap();
        let tag = sealed.tag.unwrap();
        assert_eq!(tag, hex("1ae10b594f09e26a7e902ecbd0600691")[..len]);
        assert_eq!(sealed.data[..16], hex("d31a8d34648e60db7b86afbc53ef7ec2"));
        let given = CipherInput { data: &sealed.data, tag: Some(&tag), ..given };
        assert_eq!(decrypt(&key, &parameters, given, &Counting).unwrap().expose(), plain);
        let wrong = CipherInput { aad: b"", ..given };
        assert_eq!(
            decrypt(&key, &parameters, wrong, &Counting),
            Err(CryptoError::AuthenticationFailed)
        );
    }
}

#[test]
fn a_random_iv_is_returned_and_a_given_one_beside_it_refused() {
    let key = hex(AES_256);
    for (block_cipher_mode, len) in
        [(BlockCipherMode::CBC, 16), (BlockCipherMode::CTR, 16), (BlockCipherMode::GCM, 12)]
    {
        let parameters = Parameters { random_iv: true, ..mode(block_cipher_mode) };
        let no_iv = CipherInput { data: &[0; 32], ..CipherInput::default() };
        let sealed = encrypt(&aes(&key), &parameters, no_iv, &Counting).unwrap();
        let iv = sealed.iv.unwrap();
        assert_eq!(iv, (1..=len).collect::<Vec<u8>>());
        let back =
            CipherInput { data: &sealed.data, iv: Some(&iv), aad: &[], tag: sealed.tag.as_deref() };
        assert_eq!(decrypt(&aes(&key), &parameters, back, &Counting).unwrap().expose(), [0; 32]);
        assert!(matches!(
            encrypt(&aes(&key), &parameters, input(&[0; 32], &iv), &Counting),
            Err(CryptoError::BadParameters(_))
        ));
        for parameters in [mode(block_cipher_mode), parameters] {
            let missing =
                CipherInput { data: &sealed.data, tag: Some(&[0; 16]), ..CipherInput::default() };
            assert!(matches!(
                decrypt(&aes(&key), &parameters, missing, &Counting),
                Err(CryptoError::MissingParameter(_))
            ));
        }
    }
    let ecb = Parameters { random_iv: true, ..mode(BlockCipherMode::ECB) };
    let no_iv = CipherInput { data: &[0; 32], ..CipherInput::default() };
    assert_eq!(encrypt(&aes(&key), &ecb, no_iv, &Counting).unwrap().iv, None);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (short, long) = ([0; 15], [0; 16]);
    let cbc = mode(BlockCipherMode::CBC);
    let given = input(&long, &long);
    assert!(matches!(
        encrypt(&aes(&short), &cbc, given, &Counting),
        Err(CryptoError::KeyMismatch(_))
    ));
    assert!(matches!(
        encrypt(&aes(&long), &Parameters::default(), given, &Counting),
        Err(CryptoError::MissingParameter(_))
    ));
    assert!(matches!(
        encrypt(&aes(&long), &mode(BlockCipherMode::PCBC), given, &Counting),
        Err(CryptoError::UnsupportedCombination(_))
    ));
    assert!(matches!(
        encrypt(&aes(&long), &cbc, input(&long, &short), &Counting),
        Err(CryptoError::BadParameters(_))
    ));
    assert!(matches!(
        encrypt(&symmetric(CryptographicAlgorithm::RC4, &long), &cbc, given, &Counting),
        Err(CryptoError::UnsupportedCombination(_))
    ));
    assert!(matches!(
        decrypt(&aes(&long), &cbc, input(&short, &long), &Counting),
        Err(CryptoError::BadParameters(_))
    ));
}

fn any_mode() -> impl Strategy<Value = (CryptographicAlgorithm, Parameters, usize, usize)> {
    let aes = CryptographicAlgorithm::AES;
    let padded = |block_cipher_mode, padding_method| Parameters {
        padding_method: Some(padding_method),
        ..mode(block_cipher_mode)
    };
    let aes_key = prop::sample::select(vec![16_usize, 24, 32]);
    let cases = prop::sample::select(vec![
        (aes, padded(BlockCipherMode::ECB, PaddingMethod::PKCS5), 0),
        (aes, padded(BlockCipherMode::CBC, PaddingMethod::PKCS5), 16),
        (aes, padded(BlockCipherMode::CBC, PaddingMethod::ANSIX9_23), 16),
        (aes, padded(BlockCipherMode::CBC, PaddingMethod::ISO10126), 16),
        (aes, mode(BlockCipherMode::CTR), 16),
        (aes, mode(BlockCipherMode::CFB), 16),
        (aes, mode(BlockCipherMode::OFB), 16),
        (aes, mode(BlockCipherMode::GCM), 12),
        (aes, tagged(BlockCipherMode::GCM, 13), 12),
        (aes, tagged(BlockCipherMode::GCM, 13), 33),
        (aes, tagged(BlockCipherMode::CCM, 10), 7),
        (CryptographicAlgorithm::DES3, padded(BlockCipherMode::CBC, PaddingMethod::PKCS5), 8),
        (CryptographicAlgorithm::DES3, padded(BlockCipherMode::ECB, PaddingMethod::PKCS5), 0),
        (CryptographicAlgorithm::CHACHA20, Parameters::default(), 12),
        (CryptographicAlgorithm::CHACHA20_POLY1305, Parameters::default(), 12),
        (aes, mode(BlockCipherMode::AES_KEY_WRAP_PADDING), 0),
    ]);
    (cases, aes_key).prop_map(|((algorithm, parameters, iv), aes_key)| {
        let key = match algorithm {
            CryptographicAlgorithm::DES3 => 24,
            CryptographicAlgorithm::AES => aes_key,
            _ => 32,
        };
        (algorithm, parameters, key, iv)
    })
}

proptest! {
    #[test]
    fn decryption_undoes_encryption(
        (algorithm, parameters, key_len, iv_len) in any_mode(),
        material in prop::array::uniform32(any::<u8>()),
        data in prop::collection::vec(any::<u8>(), 1..200),
        aad in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let rng = SystemRng::new();
        let key = symmetric(algorithm, &material[..key_len]);
        let long = [material, material].concat();
        let given = CipherInput { data: &data, iv: Some(&long[..iv_len]), aad: &aad, tag: None };
        let sealed = encrypt(&key, &parameters, given, &rng).unwrap();
        let back = CipherInput { data: &sealed.data, tag: sealed.tag.as_deref(), ..given };
        let opened = decrypt(&key, &parameters, back, &rng).unwrap();
        prop_assert_eq!(opened.expose(), &data[..]);
        let pieces = in_pieces(Direction::Decrypt, &key, &parameters, back, 7).unwrap();
        prop_assert_eq!(&pieces.0, &data);
    }

    #[test]
    fn no_ciphertext_makes_decryption_panic(
        (algorithm, parameters, key_len, iv_len) in any_mode(),
        data in prop::collection::vec(any::<u8>(), 0..200),
        tag in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
        iv_off in 0_usize..3,
    ) {
        let key = [3; 32];
        let key = symmetric(algorithm, &key[..key_len]);
        let iv = [5; 64];
        let given = CipherInput { data: &data, iv: Some(&iv[..iv_len + iv_off]), aad: b"", tag: tag.as_deref() };
        let authenticated = encrypt(&key, &parameters, CipherInput { iv: Some(&iv[..iv_len]), data: &[0; 16], ..given }, &Counting)
            .is_ok_and(|sealed| sealed.tag.is_some());
        let opened = decrypt(&key, &parameters, given, &Counting);
        prop_assert!(!(authenticated && opened.is_ok()));
    }
}
