//! What the service keyring_aes does: AES under a key of the keyring, in the modes of MySQL's own keyrings. Pure.
//!
//! The key of the cipher is the SHA-256 of the keyring's key, of whatever length that is. The modes are those of NIST SP 800-38A;
//! in CBC a message may be padded as PKCS #7 says.

use aes::Aes256;
use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::consts::U16;
use aes::cipher::{
    Array, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, Key, KeyInit, KeyIvInit,
    StreamCipher,
};
use aws_lc_rs::digest::{SHA256, digest};
use claviger_kmip::codec::Secret;
use zeroize::Zeroizing;

const BLOCK: usize = 16;
/// Bits of the cipher's key: what MySQL calls the block size.
const KEY_BITS: usize = 256;

type Block = [u8; BLOCK];

/// A mode.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Cbc,
    Cfb1,
    Cfb8,
    Cfb128,
    Ofb,
}

/// Which way the data go.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

impl Mode {
    /// As MySQL writes it, in lower case; `None` if there is no such mode with such a key.
    pub(crate) fn named(name: &str, key_bits: usize) -> Option<Self> {
        let mode = match name {
            "cbc" => Self::Cbc,
            "cfb1" => Self::Cfb1,
            "cfb8" => Self::Cfb8,
            "cfb128" => Self::Cfb128,
            "ofb" => Self::Ofb,
            _ => return None,
        };
        (key_bits == KEY_BITS).then_some(mode)
    }

    /// How many bytes so many may become.
    pub(crate) const fn encrypted_len(self, len: usize) -> Option<usize> {
        match self {
            Self::Cbc => match len.checked_div(BLOCK) {
                Some(blocks) => blocks.saturating_add(1).checked_mul(BLOCK),
                None => None,
            },
            _ => Some(len),
        }
    }
}

/// A key of the cipher.
pub(crate) struct Cipher(Zeroizing<[u8; KEY_BITS / 8]>);

impl Cipher {
    /// Under a key of the keyring.
    pub(crate) fn new(key: &Secret) -> Option<Self> {
        let digest = digest(&SHA256, key.expose());
        Some(Self(Zeroizing::new(digest.as_ref().try_into().ok()?)))
    }

    /// Encrypts or decrypts a message; `None` if its length or its padding is wrong.
    pub(crate) fn apply(
        &self,
        direction: Direction,
        mode: Mode,
        iv: Block,
        is_padded: bool,
        data: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let room = match (direction, is_padded) {
            (Direction::Encrypt, true) => mode.encrypted_len(data.len())?,
            _ => data.len(),
        };
        // A vector that grows leaves the old bytes behind.
        let mut buffer = Zeroizing::new(Vec::with_capacity(room));
        buffer.extend_from_slice(data);
        buffer.resize(room, 0);
        let (key, iv) = (self.key(), (&iv).into());
        match (mode, direction) {
            (Mode::Cbc, Direction::Encrypt) => {
                let cipher = cbc::Encryptor::<Aes256>::new(key, iv);
                if is_padded {
                    cipher.encrypt_padded::<Pkcs7>(&mut buffer, data.len()).ok()?;
                } else {
                    cipher.encrypt_padded::<NoPadding>(&mut buffer, data.len()).ok()?;
                }
            }
            (Mode::Cbc, Direction::Decrypt) => {
                let cipher = cbc::Decryptor::<Aes256>::new(key, iv);
                let plain = if is_padded {
                    cipher.decrypt_padded::<Pkcs7>(&mut buffer)
                } else {
                    cipher.decrypt_padded::<NoPadding>(&mut buffer)
                };
                let length = plain.ok()?.len();
                buffer.truncate(length);
            }
            (Mode::Cfb1, _) => self.cfb1(direction, *iv, &mut buffer),
            (Mode::Cfb8, Direction::Encrypt) => {
                cfb8::Encryptor::<Aes256>::new(key, iv).encrypt(&mut buffer);
            }
            (Mode::Cfb8, Direction::Decrypt) => {
                cfb8::Decryptor::<Aes256>::new(key, iv).decrypt(&mut buffer);
            }
            (Mode::Cfb128, Direction::Encrypt) => {
                cfb_mode::Encryptor::<Aes256>::new(key, iv).encrypt(&mut buffer);
            }
            (Mode::Cfb128, Direction::Decrypt) => {
                cfb_mode::Decryptor::<Aes256>::new(key, iv).decrypt(&mut buffer);
            }
            (Mode::Ofb, _) => ofb::Ofb::<Aes256>::new(key, iv).apply_keystream(&mut buffer),
        }
        Some(buffer)
    }

    fn key(&self) -> &Key<Aes256> {
        (&*self.0).into()
    }

    /// Bit by bit, the highest of a byte first: the one mode that no library has.
    fn cfb1(&self, direction: Direction, iv: Array<u8, U16>, data: &mut [u8]) {
        let cipher = Aes256::new(self.key());
        let mut register = u128::from_be_bytes(iv.into());
        for byte in data {
            let mut out = 0;
            for bit in (0..8).rev() {
                let mut block = Array::from(register.to_be_bytes());
                cipher.encrypt_block(&mut block);
                let [first, ..] = <Block>::from(block);
                let given = (*byte >> bit) & 1;
                let made = given ^ (first >> 7);
                out |= made << bit;
                // What is fed back is the ciphertext.
                let sealed = match direction {
                    Direction::Encrypt => made,
                    Direction::Decrypt => given,
                };
                register = (register << 1) | u128::from(sealed);
            }
            *byte = out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST SP 800-38A, appendix F: AES-256.
    const KEY: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    const IV: &str = "000102030405060708090a0b0c0d0e0f";
    const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

    fn hex(text: &str) -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        digits.map(|it| u8::from_str_radix(std::str::from_utf8(it).unwrap(), 16).unwrap()).collect()
    }

    fn cipher() -> Cipher {
        Cipher(Zeroizing::new(hex(KEY).try_into().unwrap()))
    }

    #[test]
    fn the_modes_are_those_of_the_standard() {
        let iv = Block::try_from(hex(IV)).unwrap();
        for (mode, sealed) in [
            (
                Mode::Cbc,
                "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d\
                 39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
            ),
            (Mode::Cfb1, "9029"),
            (Mode::Cfb8, "dc1f1a8520a64db55fcc8ac554844e889700"),
            (
                Mode::Cfb128,
                "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b\
                 df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471",
            ),
            (
                Mode::Ofb,
                "dc7e84bfda79164b7ecd8486985d38604febdc6740d20b3ac88f6ad82a4fb08d\
                 71ab47a086e86eedf39d1c5bba97c4080126141d67f37be8538f5a8be740e484",
            ),
        ] {
            let sealed = hex(sealed);
            let plain = &hex(PLAIN)[..sealed.len()];
            let apply = |direction, data: &[u8]| cipher().apply(direction, mode, iv, false, data);
            assert_eq!(*apply(Direction::Encrypt, plain).unwrap(), sealed, "{mode:?}");
            assert_eq!(*apply(Direction::Decrypt, &sealed).unwrap(), plain, "{mode:?}");
        }
    }

    #[test]
    fn every_length_comes_back() {
        let cipher = Cipher::new(&Secret::copy_of(b"of any length")).unwrap();
        for mode in [Mode::Cbc, Mode::Cfb1, Mode::Cfb8, Mode::Cfb128, Mode::Ofb] {
            for length in 0..50 {
                let plain = vec![length; usize::from(length)];
                let apply =
                    |direction, data: &[u8]| cipher.apply(direction, mode, [9; 16], true, data);
                let sealed = apply(Direction::Encrypt, &plain).unwrap();
                assert_eq!(Some(sealed.len()), mode.encrypted_len(plain.len()));
                assert_eq!(
                    *apply(Direction::Decrypt, &sealed).unwrap(),
                    plain,
                    "{mode:?} {length}"
                );
            }
        }
    }

    #[test]
    fn wrong_lengths_paddings_and_modes_are_refused() {
        let apply = |direction, is_padded, data: &[u8]| {
            cipher().apply(direction, Mode::Cbc, [0; 16], is_padded, data)
        };
        assert!(apply(Direction::Encrypt, false, &[0; 15]).is_none());
        assert!(apply(Direction::Decrypt, true, &[0; 17]).is_none());
        assert!(apply(Direction::Decrypt, true, &[]).is_none());
        for end in [0, 17, 255] {
            let mut plain = [end; 16];
            plain[0] = 1;
            let sealed = apply(Direction::Encrypt, false, &plain).unwrap();
            assert!(apply(Direction::Decrypt, true, &sealed).is_none(), "{end}");
        }
        assert_eq!(Mode::named("cbc", 256), Some(Mode::Cbc));
        assert_eq!((Mode::named("cbc", 128), Mode::named("ecb", 256)), (None, None));
    }
}
