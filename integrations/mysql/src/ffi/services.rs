//! The services, as the server calls them: each a structure of functions.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use claviger_kmip::codec::Secret;

use super::encryption::{aes_decrypt, aes_encrypt, aes_size};
use super::lists::{
    keys_deinit, keys_get, keys_init, keys_is_valid, keys_length, keys_next, metadata_deinit,
    metadata_get, metadata_init, metadata_is_valid, metadata_length, metadata_next,
};
use super::text::{bytes, copy, copy_text, hand_out, handed_out, put, take_back, text};
use super::{FAILED, change, directory, done, guarded, keyring, load};
use crate::keyring::Keyring;
use crate::naming::Identity;
use crate::server::{Key, Problem};

/// Not so.
pub(super) const NO: c_int = 0;

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

pub(super) type Name = *const c_char;
pub(super) type Handle = *mut c_void;
pub(super) type Size = *mut usize;

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

/// A key of the keyring.
///
/// # Safety
/// As [`identity`].
pub(super) unsafe fn find(keyring: &Keyring, data_id: Name, auth_id: Name) -> Option<Arc<Key>> {
    // SAFETY: as the caller says.
    let (data_id, auth_id) = unsafe { identity(data_id, auth_id) }.ok()?;
    keyring.find(data_id, auth_id)
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
        let Some(keyring) = keyring() else { return FAILED };
        // SAFETY: the server gives texts, or nothing, and a place for the handle.
        unsafe {
            if !put(handle, std::ptr::null_mut()) {
                return FAILED;
            }
            match find(&keyring, data_id, auth_id) {
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

unsafe extern "C" fn is_initialized() -> c_int {
    guarded(NO, || c_int::from(keyring().is_some()))
}
