//! What crosses the border: texts in, bytes and handles out.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

/// A text of the server's, none where there is no pointer.
///
/// # Errors
/// It is no UTF-8.
///
/// # Safety
/// The pointer is null or of a text that ends with a zero and lives as long as the answer.
pub(super) unsafe fn text<'a>(pointer: *const c_char) -> Result<Option<&'a str>, ()> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, so it ends with a zero and lives long enough.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map(Some).map_err(drop)
}

/// The bytes of the server's.
///
/// # Safety
/// The pointer is null or of so many bytes that live as long as the answer.
pub(super) unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> Option<&'a [u8]> {
    if length == 0 {
        return Some(&[]);
    }
    // No allocation is larger.
    if pointer.is_null() || isize::try_from(length).is_err() {
        return None;
    }
    // SAFETY: not null, so there are so many, which live long enough.
    Some(unsafe { std::slice::from_raw_parts(pointer, length) })
}

/// Copies bytes into a buffer with room for `room`; `false` if that is too little.
///
/// # Safety
/// The buffer is null or of so many bytes, none of them ours.
pub(super) unsafe fn copy(bytes: &[u8], to: *mut u8, room: usize) -> bool {
    if bytes.len() > room || (to.is_null() && !bytes.is_empty()) {
        return false;
    }
    if !bytes.is_empty() {
        // SAFETY: not null, with room enough, and not ours.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }
    true
}

/// Copies a text and a zero after it.
///
/// # Safety
/// As [`copy`].
pub(super) unsafe fn copy_text(text: &str, to: *mut c_char, room: usize) -> bool {
    let length = text.len();
    if to.is_null() || length >= room {
        return false;
    }
    // SAFETY: not null, with room enough, and not ours.
    unsafe { copy(text.as_bytes(), to.cast(), length) && put(to.wrapping_add(length), 0) }
}

/// Writes a value; `false` if there is no place for it.
///
/// # Safety
/// The place is null or one of the server's for such a value.
pub(super) unsafe fn put<T>(place: *mut T, value: T) -> bool {
    if place.is_null() {
        return false;
    }
    // SAFETY: not null, so it is a place for it.
    unsafe { place.write(value) };
    true
}

/// Hands a value over as a handle, which the server gives back with [`take_back`].
///
/// # Safety
/// As [`put`].
pub(super) unsafe fn hand_out<T>(place: *mut *mut c_void, value: T) -> bool {
    if place.is_null() {
        return false;
    }
    let handle = Box::into_raw(Box::new(value));
    // SAFETY: not null, so it is a place for it.
    unsafe { put(place, handle.cast()) }
}

/// What a handle stands for.
///
/// # Safety
/// The handle is null or was handed out with that type, not taken back, and is in no other use.
pub(super) unsafe fn handed_out<'a, T>(handle: *mut c_void) -> Option<&'a mut T> {
    // SAFETY: null, or a value of that type that nobody else uses now.
    unsafe { handle.cast::<T>().as_mut() }
}

/// Ends a handle; `false` if there is none.
///
/// # Safety
/// As [`handed_out`], and it is not used again.
pub(super) unsafe fn take_back<T>(handle: *mut c_void) -> bool {
    if handle.is_null() {
        return false;
    }
    // SAFETY: handed out from a box of that type, and not used again.
    drop(unsafe { Box::from_raw(handle.cast::<T>()) });
    true
}
