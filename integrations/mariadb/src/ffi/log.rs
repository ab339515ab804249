//! Lines of the server's error log, by the service that the server offers for it.

use std::ffi::{CString, c_char, c_uint, c_ulong};

use crate::plugin::Severity;

/// `ME_ERROR_LOG`, `ME_ERROR_LOG_ONLY`, `ME_NOTE`, `ME_WARNING`.
const LOG_AND_CALLER: c_ulong = 64;
const LOG_ONLY: c_ulong = 128;
const NOTE: c_ulong = 1024;
const WARNING: c_ulong = 2048;
/// `ER_UNKNOWN_ERROR`.
const NUMBER: c_uint = 1105;
/// Bytes of a line: the server cuts longer ones off.
const LINE_MAX: usize = 480;
/// `VERSION_my_print_error`.
const SERVICE_VERSION: usize = 0x0100;

/// `my_print_error_service_st`, as far as it is used.
#[repr(C)]
struct Service {
    error: *const std::ffi::c_void,
    printf: Option<unsafe extern "C" fn(c_uint, *const c_char, c_ulong, ...)>,
}

/// Holds the version of the service that is wanted, until the server puts the service's address
/// there, before it calls anything of the plugin.
#[unsafe(no_mangle)]
static mut my_print_error_service: *const Service = std::ptr::without_provenance(SERVICE_VERSION);

/// Writes a line.
pub(super) fn write(severity: Severity, text: &str) {
    let flags = match severity {
        Severity::Note => LOG_ONLY | NOTE,
        Severity::Warning => LOG_ONLY | WARNING,
        Severity::Error => LOG_ONLY,
    };
    write_with(flags, text);
}

/// Says why the plugin does not start: to whoever loads it, too. It is all that mariadb-backup
/// shows, which has no error log.
pub(super) fn refuse(text: &str) {
    write_with(LOG_AND_CALLER, text);
}

/// Characters that would end the line become spaces.
fn write_with(flags: c_ulong, text: &str) {
    let mut line = String::from("kmip_key_management: ");
    for character in text.chars() {
        let shown = if character.is_control() { ' ' } else { character };
        if line.len().saturating_add(shown.len_utf8()) > LINE_MAX {
            break;
        }
        line.push(shown);
    }
    // There is no control character in it, so no zero.
    let Ok(line) = CString::new(line) else { return };
    // SAFETY: read whole; the server wrote it before it called anything of the plugin.
    let service = unsafe { (&raw const my_print_error_service).read() };
    if service.addr() == SERVICE_VERSION || service.is_null() {
        return;
    }
    // SAFETY: the server put the address of its service there, which lives as long as it does.
    if let Some(printf) = unsafe { (*service).printf } {
        // SAFETY: the format takes one text, which ends with a zero.
        unsafe { printf(NUMBER, c"%s".as_ptr(), flags, line.as_ptr()) };
    }
}
