//! What the service keyring_aes does: AES under a key of the keyring, in the modes of MySQL's own keyrings. Pure.
//!
//! The key of the cipher is the SHA-256 of the keyring's key, of whatever length that is. The modes are those of NIST SP 800-38A;
//! in CBC a message may be padded as PKCS #7 says.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
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

/// A cipher with its key.
pub(crate) struct Cipher(Aes256);

impl Cipher {
    /// Under a key of the keyring.
    pub(crate) fn new(key: &Secret) -> Option<Self> {
        let digest = digest(&SHA256, key.expose());
        let key = Zeroizing::new(<[u8; 32]>::try_from(digest.as_ref()).ok()?);
        Some(Self(Aes256::new(&Array::from(*key))))
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
        let mut data = Zeroizing::new(data.to_vec());
        match (mode, direction) {
            (Mode::Cbc, Direction::Encrypt) => {
                if is_padded {
                    pad(&mut data)?;
                }
                self.cbc_encrypt(iv, &mut data)?;
            }
            (Mode::Cbc, Direction::Decrypt) => {
                self.cbc_decrypt(iv, &mut data)?;
                if is_padded {
                    unpad(&mut data)?;
                }
            }
            (Mode::Cfb1, _) => self.cfb1(direction, iv, &mut data),
            (Mode::Cfb8, _) => self.cfb8(direction, iv, &mut data),
            (Mode::Cfb128, _) => self.cfb128(direction, iv, &mut data),
            (Mode::Ofb, _) => self.ofb(iv, &mut data),
        }
        Some(data)
    }

    fn encrypt_block(&self, block: Block) -> Block {
        let mut block = Array::from(block);
        self.0.encrypt_block(&mut block);
        block.into()
    }

    fn decrypt_block(&self, block: Block) -> Block {
        let mut block = Array::from(block);
        self.0.decrypt_block(&mut block);
        block.into()
    }

    fn cbc_encrypt(&self, iv: Block, data: &mut [u8]) -> Option<()> {
        let mut chain = iv;
        for block in whole_blocks(data)? {
            xor(&mut chain, block);
            chain = self.encrypt_block(chain);
            block.copy_from_slice(&chain);
        }
        Some(())
    }

    fn cbc_decrypt(&self, iv: Block, data: &mut [u8]) -> Option<()> {
        let mut chain = iv;
        for block in whole_blocks(data)? {
            let sealed = Block::try_from(&*block).ok()?;
            block.copy_from_slice(&self.decrypt_block(sealed));
            xor(block, &chain);
            chain = sealed;
        }
        Some(())
    }

    /// Bit by bit, the highest of a byte first.
    fn cfb1(&self, direction: Direction, iv: Block, data: &mut [u8]) {
        let mut register = u128::from_be_bytes(iv);
        for byte in data {
            let mut out = 0;
            for bit in (0..8).rev() {
                let [first, ..] = self.encrypt_block(register.to_be_bytes());
                let given = (*byte >> bit) & 1;
                let made = given ^ (first >> 7);
                out |= made << bit;
                register = (register << 1) | u128::from(sealed(direction, given, made));
            }
            *byte = out;
        }
    }

    fn cfb8(&self, direction: Direction, iv: Block, data: &mut [u8]) {
        let mut register = u128::from_be_bytes(iv);
        for byte in data {
            let [first, ..] = self.encrypt_block(register.to_be_bytes());
            let given = *byte;
            *byte = given ^ first;
            register = (register << 8) | u128::from(sealed(direction, given, *byte));
        }
    }

    fn cfb128(&self, direction: Direction, iv: Block, data: &mut [u8]) {
        let mut chain = iv;
        for block in data.chunks_mut(BLOCK) {
            let stream = self.encrypt_block(chain);
            for ((byte, stream), chain) in block.iter_mut().zip(stream).zip(&mut chain) {
                let given = *byte;
                *byte = given ^ stream;
                *chain = sealed(direction, given, *byte);
            }
        }
    }

    fn ofb(&self, iv: Block, data: &mut [u8]) {
        let mut chain = iv;
        for block in data.chunks_mut(BLOCK) {
            chain = self.encrypt_block(chain);
            xor(block, &chain);
        }
    }
}

/// What is fed back: always the ciphertext.
const fn sealed(direction: Direction, given: u8, made: u8) -> u8 {
    match direction {
        Direction::Encrypt => made,
        Direction::Decrypt => given,
    }
}

fn whole_blocks(data: &mut [u8]) -> Option<impl Iterator<Item = &mut [u8]>> {
    data.len().is_multiple_of(BLOCK).then(|| data.chunks_exact_mut(BLOCK))
}

fn xor(to: &mut [u8], with: &[u8]) {
    to.iter_mut().zip(with).for_each(|(to, with)| *to ^= with);
}

fn pad(data: &mut Zeroizing<Vec<u8>>) -> Option<()> {
    let length = Mode::Cbc.encrypted_len(data.len())?;
    let fill = u8::try_from(length.checked_sub(data.len())?).ok()?;
    // A vector that grows leaves the old bytes behind.
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    padded.extend_from_slice(data);
    padded.resize(length, fill);
    *data = padded;
    Some(())
}

fn unpad(data: &mut Vec<u8>) -> Option<()> {
    let fill = *data.last()?;
    let kept = data.len().checked_sub(usize::from(fill))?;
    let is_right = (1..=16).contains(&fill) && data.get(kept..)?.iter().all(|byte| *byte == fill);
    is_right.then(|| data.truncate(kept))
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
        Cipher(Aes256::new(&Array::from(<[u8; 32]>::try_from(hex(KEY)).unwrap())))
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
