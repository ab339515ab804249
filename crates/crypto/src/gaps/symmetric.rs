//! Symmetric gaps: 3DES, bare ChaCha20, AES-XTS, key wrap under AES-192.

use aes::cipher::consts::U16;
use aes::cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt,
    BlockSizeUser, KeyInit, KeyIvInit, StreamCipher, StreamCipherSeek,
};
use aes::{Aes128, Aes256};
use aes_kw::{KwAes192, KwpAes192};
use chacha20::{ChaCha20, ChaCha20Legacy};
use claviger_kmip::enums::BlockCipherMode;
use des::TdesEde3;
use xts_mode::Xts128;
use zeroize::Zeroizing;

use crate::cipher::Direction;
use crate::error::CryptoError;
use crate::secret::{Secret, equal};

const FAILED: CryptoError = CryptoError::Internal("cipher");

/// 3DES in ECB or CBC, with the chain kept between calls.
pub(crate) enum TripleDes {
    Ecb(Box<TdesEde3>, Direction),
    CbcEncrypt(Box<cbc::Encryptor<TdesEde3>>),
    CbcDecrypt(Box<cbc::Decryptor<TdesEde3>>),
}

impl TripleDes {
    /// A key of 24 bytes, or of 16 with the first eight used again (two-key 3DES).
    pub(crate) fn new(
        direction: Direction,
        mode: BlockCipherMode,
        key: &[u8],
        iv: Option<&[u8]>,
    ) -> Result<Self, CryptoError> {
        let key = three_keys(key)?;
        let key = Array::from(*key);
        match (mode, iv) {
            (BlockCipherMode::ECB, _) => Ok(Self::Ecb(Box::new(TdesEde3::new(&key)), direction)),
            (BlockCipherMode::CBC, Some(iv)) => {
                let iv: [u8; 8] = iv
                    .try_into()
                    .map_err(|_| CryptoError::BadParameters("the IV has 8 bytes in 3DES"))?;
                let iv = Array::from(iv);
                Ok(match direction {
                    Direction::Encrypt => {
                        Self::CbcEncrypt(Box::new(cbc::Encryptor::new(&key, &iv)))
                    }
                    Direction::Decrypt => {
                        Self::CbcDecrypt(Box::new(cbc::Decryptor::new(&key, &iv)))
                    }
                })
            }
            (BlockCipherMode::CBC, None) => Err(CryptoError::MissingParameter("IV/Counter/Nonce")),
            _ => Err(CryptoError::UnsupportedCombination("3DES in this block cipher mode")),
        }
    }

    /// Whole blocks of eight bytes, in place.
    pub(crate) fn blocks(&mut self, data: &mut [u8]) -> Result<(), CryptoError> {
        let (blocks, rest) = Array::slice_as_chunks_mut(data);
        if !rest.is_empty() {
            return Err(FAILED);
        }
        match self {
            Self::Ecb(cipher, Direction::Encrypt) => cipher.encrypt_blocks(blocks),
            Self::Ecb(cipher, Direction::Decrypt) => cipher.decrypt_blocks(blocks),
            Self::CbcEncrypt(cipher) => cipher.encrypt_blocks(blocks),
            Self::CbcDecrypt(cipher) => cipher.decrypt_blocks(blocks),
        }
        Ok(())
    }
}

fn three_keys(key: &[u8]) -> Result<Zeroizing<[u8; 24]>, CryptoError> {
    let mut out = Zeroizing::new([0_u8; 24]);
    match key.len() {
        24 => out.copy_from_slice(key),
        16 => {
            let (pair, again) = out.split_at_mut(16);
            pair.copy_from_slice(key);
            again.copy_from_slice(key.get(..8).ok_or(FAILED)?);
        }
        _ => return Err(CryptoError::KeyMismatch("3DES keys have 16 or 24 bytes")),
    }
    Ok(out)
}

/// ChaCha20: a 12-byte nonce is RFC 8439's, an 8-byte one the original's with its 64-bit counter.
pub(crate) fn chacha20(
    key: &[u8],
    nonce: &[u8],
    counter: u32,
    data: &[u8],
) -> Result<Secret, CryptoError> {
    let key: &[u8; 32] =
        key.try_into().map_err(|_| CryptoError::KeyMismatch("ChaCha20 keys have 32 bytes"))?;
    let mut out = Zeroizing::new(data.to_vec());
    let position = u64::from(counter) * 64;
    let done = if let Ok(nonce) = <&[u8; 12]>::try_from(nonce) {
        let mut cipher = ChaCha20::new(&Array::from(*key), &Array::from(*nonce));
        cipher.try_seek(position).is_ok() && cipher.try_apply_keystream(&mut out).is_ok()
    } else if let Ok(nonce) = <&[u8; 8]>::try_from(nonce) {
        let mut cipher = ChaCha20Legacy::new(&Array::from(*key), &Array::from(*nonce));
        cipher.try_seek(position).is_ok() && cipher.try_apply_keystream(&mut out).is_ok()
    } else {
        return Err(CryptoError::BadParameters("the nonce has 8 or 12 bytes in ChaCha20"));
    };
    if done {
        Ok(out.into())
    } else {
        Err(CryptoError::BadParameters("the message is too long for its counter"))
    }
}

/// AES-XTS (IEEE 1619) over one data unit; the key is both halves, the IV the 16-byte tweak.
pub(crate) fn xts(
    key: &[u8],
    tweak: &[u8],
    data: &[u8],
    direction: Direction,
) -> Result<Secret, CryptoError> {
    let tweak: [u8; 16] = tweak
        .try_into()
        .map_err(|_| CryptoError::BadParameters("the tweak has 16 bytes in XTS"))?;
    if data.len() < 16 {
        return Err(CryptoError::BadParameters("XTS needs at least 16 bytes"));
    }
    let (first, second) = key.split_at_checked(key.len() / 2).ok_or(FAILED)?;
    if direction == Direction::Encrypt && equal(first, second) {
        return Err(CryptoError::KeyMismatch("the two halves of an XTS key must differ"));
    }
    let mut out = Zeroizing::new(data.to_vec());
    match (<&[u8; 16]>::try_from(first), <&[u8; 32]>::try_from(first)) {
        (Ok(_), _) if key.len() == 32 => {
            xts_unit(&xts_of::<Aes128>(first, second)?, &mut out, tweak, direction);
        }
        (_, Ok(_)) if key.len() == 64 => {
            xts_unit(&xts_of::<Aes256>(first, second)?, &mut out, tweak, direction);
        }
        _ => return Err(CryptoError::KeyMismatch("XTS keys have 32 or 64 bytes")),
    }
    Ok(out.into())
}

fn xts_of<C>(first: &[u8], second: &[u8]) -> Result<Xts128<C>, CryptoError>
where
    C: KeyInit + BlockSizeUser<BlockSize = U16>,
{
    let one = C::new_from_slice(first).map_err(|_| FAILED)?;
    let two = C::new_from_slice(second).map_err(|_| FAILED)?;
    Ok(Xts128::new(one, two))
}

fn xts_unit<C>(cipher: &Xts128<C>, data: &mut [u8], tweak: [u8; 16], direction: Direction)
where
    C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16>,
{
    match direction {
        Direction::Encrypt => cipher.encrypt_sector(data, Array::from(tweak)),
        Direction::Decrypt => cipher.decrypt_sector(data, Array::from(tweak)),
    }
}

macro_rules! wrap_192 {
    ($($(#[$doc:meta])* $name:ident $cipher:ident $method:ident $error:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(kek: &[u8], data: &[u8], room: &mut [u8]) -> Result<usize, CryptoError> {
            let cipher = $cipher::new_from_slice(kek).map_err(|_| FAILED)?;
            cipher.$method(data, room).map(<[u8]>::len).map_err(|_| $error)
        }
    )*};
}

wrap_192! {
    /// RFC 3394 under a 24-byte key.
    kw_wrap_192 KwAes192 wrap_key CryptoError::BadParameters("key wrap takes a multiple of 8 bytes");
    /// RFC 3394 undone under a 24-byte key.
    kw_unwrap_192 KwAes192 unwrap_key CryptoError::AuthenticationFailed;
    /// RFC 5649 under a 24-byte key.
    kwp_wrap_192 KwpAes192 wrap_key CryptoError::BadParameters("length of the data to wrap");
    /// RFC 5649 undone under a 24-byte key.
    kwp_unwrap_192 KwpAes192 unwrap_key CryptoError::AuthenticationFailed;
}
