//! The service keyring_aes: encryption under a key that does not leave the component.

use std::ffi::c_int;

use super::services::{Name, Size, find};
use super::text::{bytes, copy, put, text};
use super::{FAILED, done, guarded, keyring};
use crate::aes::{Cipher, Direction, Mode};
use crate::naming::Kind;
use crate::server::Key;

/// # Safety
/// The name is null or a text that ends with a zero.
unsafe fn mode(name: Name, key_bits: usize) -> Option<Mode> {
    // SAFETY: as the caller says.
    Mode::named(unsafe { text(name) }.ok()??, key_bits)
}

pub(super) unsafe extern "C" fn aes_size(
    length: usize,
    name: Name,
    key_bits: usize,
    size: Size,
) -> c_int {
    guarded(FAILED, || {
        // SAFETY: the server gives a text, or nothing, and a place for the size.
        unsafe {
            let needed = mode(name, key_bits).and_then(|mode| mode.encrypted_len(length));
            done(needed.is_some_and(|needed| put(size, needed)))
        }
    })
}

/// The two directions, which take the same.
macro_rules! aes {
    ($($function:ident: $direction:ident;)*) => {$(
        pub(super) unsafe extern "C" fn $function(
            data_id: Name,
            auth_id: Name,
            name: Name,
            key_bits: usize,
            iv: *const u8,
            padding: c_int,
            data: *const u8,
            length: usize,
            out: *mut u8,
            room: usize,
            out_length: Size,
        ) -> c_int {
            guarded(FAILED, || {
                let Some(keyring) = keyring() else { return FAILED };
                // SAFETY: the server gives texts, or nothing, an IV of a block, so many bytes, and a buffer with so
                // much room.
                unsafe {
                    let found = (find(&keyring, data_id, auth_id), mode(name, key_bits));
                    let (Some(key), Some(mode)) = found else { return FAILED };
                    let message = Message { iv, is_padded: padding != 0, data, length };
                    let made = message.apply(Direction::$direction, &key, mode);
                    done(made.is_some_and(|made| {
                        copy(&made, out, room) && put(out_length, made.len())
                    }))
                }
            })
        }
    )*};
}

aes! {
    aes_encrypt: Encrypt;
    aes_decrypt: Decrypt;
}

/// What is to be encrypted or decrypted.
struct Message {
    iv: *const u8,
    is_padded: bool,
    data: *const u8,
    length: usize,
}

impl Message {
    /// # Safety
    /// The IV is null or of 16 bytes, the data null or of so many.
    unsafe fn apply(
        &self,
        direction: Direction,
        key: &Key,
        mode: Mode,
    ) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        if key.kind != Kind::Aes {
            return None;
        }
        // SAFETY: as the caller says.
        let (iv, data) = unsafe { (bytes(self.iv, 16)?, bytes(self.data, self.length)?) };
        Cipher::new(&key.bytes)?.apply(direction, mode, iv.try_into().ok()?, self.is_padded, data)
    }
}
