//! The services, as the server calls them: each a structure of functions.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use claviger_kmip::codec::Secret;

use super::text::{bytes, copy, copy_text, hand_out, handed_out, put, take_back, text};
use super::{FAILED, change, directory, done, guarded, keyring, load};
use crate::aes::{Cipher, Direction, Mode};
use crate::keyring::status;
use crate::naming::{Identity, Kind};
use crate::server::{Key, Problem};

/// Not so.
const NO: c_int = 0;

/// Declares services: for each a structure of functions, and one of its kind.
macro_rules! services {
    ($($type:ident $name:ident { $($function:ident($($argument:ty),*): $implementation:ident,)* })*) => {
        $(
            #[repr(C)]
            pub(super) struct $type {
                $($function: unsafe extern "C" fn($($argument),*) -> c_int,)*
            }

            pub(super) static $name: $type = $type { $($function: $implementation,)* };
        )*
    };
}

type Name = *const c_char;
type Handle = *mut c_void;
type Size = *mut usize;

services! {
    Load LOAD { load(Name, Name): load_keys, }
    Reader READER {
        init(Name, Name, *mut Handle): read_init,
        deinit(Handle): read_deinit,
        fetch_length(Handle, Size, Size): read_length,
        fetch(Handle, *mut u8, usize, Size, *mut c_char, usize, Size): read_fetch,
    }
    Writer WRITER {
        store(Name, Name, *const u8, usize, Name): store,
        remove(Name, Name): remove,
    }
    Generator GENERATOR { generate(Name, Name, Name, usize): generate, }
    Keys KEYS {
        init(*mut Handle): keys_init,
        deinit(Handle): keys_deinit,
        is_valid(Handle): keys_is_valid,
        next(Handle): keys_next,
        get_length(Handle, Size, Size): keys_length,
        get(Handle, *mut c_char, usize, *mut c_char, usize): keys_get,
    }
    Status STATUS { is_initialized(): is_initialized, }
    Metadata METADATA {
        init(*mut Handle): metadata_init,
        deinit(Handle): metadata_deinit,
        is_valid(Handle): metadata_is_valid,
        next(Handle): metadata_next,
        get_length(Handle, Size, Size): metadata_length,
        get(Handle, *mut c_char, usize, *mut c_char, usize): metadata_get,
    }
    Aes AES {
        get_size(usize, Name, usize, Size): aes_size,
        encrypt(Name, Name, Name, usize, *const u8, c_int, *const u8, usize, *mut u8, usize, Size): aes_encrypt,
        decrypt(Name, Name, Name, usize, *const u8, c_int, *const u8, usize, *mut u8, usize, Size): aes_decrypt,
    }
}

/// A list, and where in it somebody is.
struct Cursor<T> {
    items: Vec<T>,
    at: usize,
}

impl<T> Cursor<T> {
    fn current(&self) -> Option<&T> {
        self.items.get(self.at)
    }

    /// Goes on; `false` where there is nothing more.
    fn next(&mut self) -> bool {
        self.at = self.at.saturating_add(1).min(self.items.len());
        self.at < self.items.len()
    }
}

type KeyCursor = Cursor<Identity>;
type MetadataCursor = Cursor<(&'static str, String)>;

/// The name of a key and its owner.
///
/// # Errors
/// There is no name, or one of them is no UTF-8.
///
/// # Safety
/// The pointers are null or of texts that end with a zero and live as long as the answer.
unsafe fn identity<'a>(data_id: Name, auth_id: Name) -> Result<(&'a str, &'a str), Problem> {
    // SAFETY: as the caller says.
    let both = unsafe { (text(data_id), text(auth_id)) };
    match both {
        (Ok(Some(data_id)), Ok(auth_id)) if !data_id.is_empty() => {
            Ok((data_id, auth_id.unwrap_or_default()))
        }
        _ => {
            Err(Problem::Unsupported("the name of a key is empty, or it or its owner is no UTF-8"))
        }
    }
}

/// # Safety
/// As [`identity`].
unsafe fn find(data_id: Name, auth_id: Name) -> Option<Arc<Key>> {
    // SAFETY: as the caller says.
    let (data_id, auth_id) = unsafe { identity(data_id, auth_id) }.ok()?;
    keyring()?.find(data_id, auth_id)
}

unsafe extern "C" fn load_keys(component_path: Name, instance_path: Name) -> c_int {
    guarded(FAILED, || {
        // SAFETY: the server gives texts, or nothing.
        let (plugins, data) = unsafe { (directory(component_path), directory(instance_path)) };
        load(plugins, data)
    })
}

/// Finds a key. That there is none is done, too: with no handle.
unsafe extern "C" fn read_init(data_id: Name, auth_id: Name, handle: *mut Handle) -> c_int {
    guarded(FAILED, || {
        // SAFETY: the server gives texts, or nothing, and a place for the handle.
        unsafe {
            if keyring().is_none() || !put(handle, std::ptr::null_mut()) {
                return FAILED;
            }
            match find(data_id, auth_id) {
                Some(key) => done(hand_out::<Arc<Key>>(handle, key)),
                None => done(true),
            }
        }
    })
}

unsafe extern "C" fn read_deinit(handle: Handle) -> c_int {
    // SAFETY: a handle of `read_init`, which the server gives back.
    guarded(FAILED, || done(unsafe { take_back::<Arc<Key>>(handle) }))
}

unsafe extern "C" fn read_length(handle: Handle, length: Size, type_length: Size) -> c_int {
    guarded(FAILED, || {
        // SAFETY: a handle of `read_init`, and places for both.
        unsafe {
            let Some(key) = handed_out::<Arc<Key>>(handle) else { return FAILED };
            done(put(length, key.bytes.len()) && put(type_length, key.kind.name().len()))
        }
    })
}

unsafe extern "C" fn read_fetch(
    handle: Handle,
    data: *mut u8,
    room: usize,
    length: Size,
    kind: *mut c_char,
    kind_room: usize,
    kind_length: Size,
) -> c_int {
    guarded(FAILED, || {
        // SAFETY: a handle of `read_init`, buffers with so much room, and places for the lengths.
        unsafe {
            let Some(key) = handed_out::<Arc<Key>>(handle) else { return FAILED };
            let name = key.kind.name();
            // The server may count the room without the zero.
            let is_named = copy_text(name, kind, kind_room)
                || (kind_room == name.len() && copy(name.as_bytes(), kind.cast(), kind_room));
            done(
                is_named
                    && copy(key.bytes.expose(), data, room)
                    && put(length, key.bytes.len())
                    && put(kind_length, name.len()),
            )
        }
    })
}

unsafe extern "C" fn store(
    data_id: Name,
    auth_id: Name,
    data: *const u8,
    length: usize,
    kind: Name,
) -> c_int {
    guarded(FAILED, || {
        change(|keyring| {
            // SAFETY: the server gives texts, or nothing, and so many bytes.
            let ((data_id, auth_id), kind, data) =
                unsafe { (identity(data_id, auth_id)?, text(kind), bytes(data, length)) };
            let (Ok(Some(kind)), Some(data)) = (kind, data) else {
                return Err(Problem::Unsupported("a key without a type or without bytes"));
            };
            let identity = Identity { data_id: data_id.to_owned(), auth_id: auth_id.to_owned() };
            keyring.store(identity, kind, Secret::copy_of(data))
        })
    })
}

unsafe extern "C" fn generate(data_id: Name, auth_id: Name, kind: Name, length: usize) -> c_int {
    guarded(FAILED, || {
        change(|keyring| {
            // SAFETY: the server gives texts, or nothing.
            let ((data_id, auth_id), kind) = unsafe { (identity(data_id, auth_id)?, text(kind)) };
            let Ok(Some(kind)) = kind else {
                return Err(Problem::Unsupported("a key without a type"));
            };
            let identity = Identity { data_id: data_id.to_owned(), auth_id: auth_id.to_owned() };
            keyring.generate(identity, kind, length)
        })
    })
}

unsafe extern "C" fn remove(data_id: Name, auth_id: Name) -> c_int {
    guarded(FAILED, || {
        change(|keyring| {
            // SAFETY: the server gives texts, or nothing.
            let (data_id, auth_id) = unsafe { identity(data_id, auth_id)? };
            keyring.remove(data_id, auth_id)
        })
    })
}

unsafe extern "C" fn keys_init(handle: *mut Handle) -> c_int {
    guarded(FAILED, || {
        let Some(keyring) = keyring() else { return FAILED };
        // SAFETY: the server gives a place for the handle.
        done(unsafe { hand_out(handle, KeyCursor { items: keyring.list(), at: 0 }) })
    })
}

unsafe extern "C" fn keys_deinit(handle: Handle) -> c_int {
    // SAFETY: a handle of `keys_init`, which the server gives back.
    guarded(FAILED, || done(unsafe { take_back::<KeyCursor>(handle) }))
}

unsafe extern "C" fn keys_is_valid(handle: Handle) -> c_int {
    guarded(NO, || {
        // SAFETY: a handle of `keys_init`.
        let cursor = unsafe { handed_out::<KeyCursor>(handle) };
        c_int::from(cursor.is_some_and(|cursor| cursor.current().is_some()))
    })
}

unsafe extern "C" fn keys_next(handle: Handle) -> c_int {
    // SAFETY: a handle of `keys_init`.
    guarded(FAILED, || done(unsafe { handed_out::<KeyCursor>(handle) }.is_some_and(Cursor::next)))
}

/// Without the zeros at their ends.
unsafe extern "C" fn keys_length(handle: Handle, data_id: Size, auth_id: Size) -> c_int {
    guarded(FAILED, || {
        // SAFETY: a handle of `keys_init`, and places for both.
        unsafe {
            let cursor = handed_out::<KeyCursor>(handle);
            let Some(key) = cursor.as_ref().and_then(|it| it.current()) else { return FAILED };
            done(put(data_id, key.data_id.len()) && put(auth_id, key.auth_id.len()))
        }
    })
}

unsafe extern "C" fn keys_get(
    handle: Handle,
    data_id: *mut c_char,
    data_id_room: usize,
    auth_id: *mut c_char,
    auth_id_room: usize,
) -> c_int {
    guarded(FAILED, || {
        // SAFETY: a handle of `keys_init`, and buffers with so much room.
        unsafe {
            let cursor = handed_out::<KeyCursor>(handle);
            let Some(key) = cursor.as_ref().and_then(|it| it.current()) else { return FAILED };
            done(
                copy_text(&key.data_id, data_id, data_id_room)
                    && copy_text(&key.auth_id, auth_id, auth_id_room),
            )
        }
    })
}

unsafe extern "C" fn is_initialized() -> c_int {
    guarded(NO, || c_int::from(keyring().is_some()))
}

unsafe extern "C" fn metadata_init(handle: *mut Handle) -> c_int {
    guarded(FAILED, || {
        let items = status(keyring().as_deref());
        // SAFETY: the server gives a place for the handle.
        done(unsafe { hand_out(handle, MetadataCursor { items, at: 0 }) })
    })
}

unsafe extern "C" fn metadata_deinit(handle: Handle) -> c_int {
    // SAFETY: a handle of `metadata_init`, which the server gives back.
    guarded(FAILED, || done(unsafe { take_back::<MetadataCursor>(handle) }))
}

unsafe extern "C" fn metadata_is_valid(handle: Handle) -> c_int {
    guarded(NO, || {
        // SAFETY: a handle of `metadata_init`.
        let cursor = unsafe { handed_out::<MetadataCursor>(handle) };
        c_int::from(cursor.is_some_and(|cursor| cursor.current().is_some()))
    })
}

unsafe extern "C" fn metadata_next(handle: Handle) -> c_int {
    guarded(FAILED, || {
        // SAFETY: a handle of `metadata_init`.
        let cursor = unsafe { handed_out::<MetadataCursor>(handle) };
        // Behind the last is a place to go to, where nothing is valid any more.
        done(cursor.is_some_and(|cursor| {
            let was_somewhere = cursor.current().is_some();
            cursor.next();
            was_somewhere
        }))
    })
}

/// With the zeros at their ends.
unsafe extern "C" fn metadata_length(handle: Handle, key: Size, value: Size) -> c_int {
    guarded(FAILED, || {
        // SAFETY: a handle of `metadata_init`, and places for both.
        unsafe {
            let cursor = handed_out::<MetadataCursor>(handle);
            let Some((name, shown)) = cursor.as_ref().and_then(|it| it.current()) else {
                return FAILED;
            };
            let with_zero = |text: &str| text.len().saturating_add(1);
            done(put(key, with_zero(name)) && put(value, with_zero(shown)))
        }
    })
}

unsafe extern "C" fn metadata_get(
    handle: Handle,
    key: *mut c_char,
    key_room: usize,
    value: *mut c_char,
    value_room: usize,
) -> c_int {
    guarded(FAILED, || {
        // SAFETY: a handle of `metadata_init`, and buffers with so much room.
        unsafe {
            let cursor = handed_out::<MetadataCursor>(handle);
            let Some((name, shown)) = cursor.as_ref().and_then(|it| it.current()) else {
                return FAILED;
            };
            done(copy_text(name, key, key_room) && copy_text(shown, value, value_room))
        }
    })
}

/// # Safety
/// The name is null or a text that ends with a zero.
unsafe fn mode(name: Name, key_bits: usize) -> Option<Mode> {
    // SAFETY: as the caller says.
    Mode::named(unsafe { text(name) }.ok()??, key_bits)
}

unsafe extern "C" fn aes_size(length: usize, name: Name, key_bits: usize, size: Size) -> c_int {
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
        unsafe extern "C" fn $function(
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
                // SAFETY: the server gives texts, or nothing, an IV of a block, so many bytes, and a buffer with so
                // much room.
                unsafe {
                    let found = (find(data_id, auth_id), mode(name, key_bits));
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
