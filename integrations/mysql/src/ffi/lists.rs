//! Lists that the server goes through: the keys, and what the status shows.

use std::ffi::{c_char, c_int};

use super::services::{Handle, NO, Size};
use super::text::{copy_text, hand_out, handed_out, put, take_back};
use super::{FAILED, done, guarded, keyring};
use crate::keyring::status;
use crate::naming::Identity;

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

pub(super) unsafe extern "C" fn keys_init(handle: *mut Handle) -> c_int {
    guarded(FAILED, || {
        let Some(keyring) = keyring() else { return FAILED };
        // SAFETY: the server gives a place for the handle.
        done(unsafe { hand_out(handle, KeyCursor { items: keyring.list(), at: 0 }) })
    })
}

pub(super) unsafe extern "C" fn keys_deinit(handle: Handle) -> c_int {
    // SAFETY: a handle of `keys_init`, which the server gives back.
    guarded(FAILED, || done(unsafe { take_back::<KeyCursor>(handle) }))
}

pub(super) unsafe extern "C" fn keys_is_valid(handle: Handle) -> c_int {
    guarded(NO, || {
        // SAFETY: a handle of `keys_init`.
        let cursor = unsafe { handed_out::<KeyCursor>(handle) };
        c_int::from(cursor.is_some_and(|cursor| cursor.current().is_some()))
    })
}

pub(super) unsafe extern "C" fn keys_next(handle: Handle) -> c_int {
    // SAFETY: a handle of `keys_init`.
    guarded(FAILED, || done(unsafe { handed_out::<KeyCursor>(handle) }.is_some_and(Cursor::next)))
}

/// Without the zeros at their ends.
pub(super) unsafe extern "C" fn keys_length(handle: Handle, data_id: Size, auth_id: Size) -> c_int {
    guarded(FAILED, || {
        // SAFETY: a handle of `keys_init`, and places for both.
        unsafe {
            let cursor = handed_out::<KeyCursor>(handle);
            let Some(key) = cursor.as_ref().and_then(|it| it.current()) else { return FAILED };
            done(put(data_id, key.data_id.len()) && put(auth_id, key.auth_id.len()))
        }
    })
}

pub(super) unsafe extern "C" fn keys_get(
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

pub(super) unsafe extern "C" fn metadata_init(handle: *mut Handle) -> c_int {
    guarded(FAILED, || {
        let items = status(keyring().as_deref());
        // SAFETY: the server gives a place for the handle.
        done(unsafe { hand_out(handle, MetadataCursor { items, at: 0 }) })
    })
}

pub(super) unsafe extern "C" fn metadata_deinit(handle: Handle) -> c_int {
    // SAFETY: a handle of `metadata_init`, which the server gives back.
    guarded(FAILED, || done(unsafe { take_back::<MetadataCursor>(handle) }))
}

pub(super) unsafe extern "C" fn metadata_is_valid(handle: Handle) -> c_int {
    guarded(NO, || {
        // SAFETY: a handle of `metadata_init`.
        let cursor = unsafe { handed_out::<MetadataCursor>(handle) };
        c_int::from(cursor.is_some_and(|cursor| cursor.current().is_some()))
    })
}

pub(super) unsafe extern "C" fn metadata_next(handle: Handle) -> c_int {
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
pub(super) unsafe extern "C" fn metadata_length(handle: Handle, key: Size, value: Size) -> c_int {
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

pub(super) unsafe extern "C" fn metadata_get(
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
