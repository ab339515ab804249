//! The options: one table, from which come what the server is told of them and how they are read.
//!
//! The shapes are those of `MYSQL_SYSVAR_STR`, `MYSQL_SYSVAR_ULONG` and `MYSQL_SYSVAR_BOOL`. The server writes into them
//! (it replaces the names), so all of them are `static mut`.

use std::env::VarError;
use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::ptr;

use zeroize::Zeroizing;

use crate::settings::{Given, Wrong};

const BOOL: c_int = 0x0001;
const LONG: c_int = 0x0003;
const STRING: c_int = 0x0005;
const UNSIGNED: c_int = 0x0080;
const READ_ONLY: c_int = 0x0200;
/// Not shown by SHOW VARIABLES.
const HIDDEN: c_int = 0x0400;

/// Where a password is taken from when the option is not set.
const PASSWORD_VARIABLE: &str = "KMIP_KEY_MANAGEMENT_KEY_PASSWORD";

#[repr(C)]
struct Text {
    flags: c_int,
    name: *const c_char,
    comment: *const c_char,
    check: *const c_void,
    update: *const c_void,
    value: *mut *mut c_char,
    default: *const c_char,
}

#[repr(C)]
struct Number {
    flags: c_int,
    name: *const c_char,
    comment: *const c_char,
    check: *const c_void,
    update: *const c_void,
    value: *mut c_ulong,
    default: c_ulong,
    least: c_ulong,
    most: c_ulong,
    step: c_ulong,
}

#[repr(C)]
struct Switch {
    flags: c_int,
    name: *const c_char,
    comment: *const c_char,
    check: *const c_void,
    update: *const c_void,
    value: *mut c_char,
    default: c_char,
}

/// A row is `kind(flags, default…) name: "what it is";`.
macro_rules! variables {
    ($($kind:ident($($setting:expr),*) $name:ident: $comment:literal;)*) => {
        $(variables!(@$kind $name, $comment, $($setting),*);)*

        static mut LIST: [*mut c_void; COUNT + 1] =
            [$((&raw mut $name::DECLARATION).cast(),)* ptr::null_mut()];
        const COUNT: usize = [$(stringify!($name)),*].len();
    };
    (@text $name:ident, $comment:literal, $flags:expr, $default:expr) => {
        mod $name {
            use super::*;
            pub(super) static mut VALUE: *mut c_char = ptr::null_mut();
            pub(super) static mut DECLARATION: Text = Text {
                flags: STRING | READ_ONLY | $flags,
                name: name(concat!(stringify!($name), "\0")),
                comment: name(concat!($comment, "\0")),
                check: ptr::null(),
                update: ptr::null(),
                value: &raw mut VALUE,
                default: $default,
            };
        }
    };
    (@number $name:ident, $comment:literal, $default:expr, $least:expr, $most:expr) => {
        mod $name {
            use super::*;
            pub(super) static mut VALUE: c_ulong = $default;
            pub(super) static mut DECLARATION: Number = Number {
                flags: LONG | UNSIGNED | READ_ONLY,
                name: name(concat!(stringify!($name), "\0")),
                comment: name(concat!($comment, "\0")),
                check: ptr::null(),
                update: ptr::null(),
                value: &raw mut VALUE,
                default: $default,
                least: $least,
                most: $most,
                step: 0,
            };
        }
    };
    (@switch $name:ident, $comment:literal, $default:expr) => {
        mod $name {
            use super::*;
            pub(super) static mut VALUE: c_char = $default;
            pub(super) static mut DECLARATION: Switch = Switch {
                flags: BOOL | READ_ONLY,
                name: name(concat!(stringify!($name), "\0")),
                comment: name(concat!($comment, "\0")),
                check: ptr::null(),
                update: ptr::null(),
                value: &raw mut VALUE,
                default: $default,
            };
        }
    };
}

/// A text that ends with a zero.
const fn name(text: &'static str) -> *const c_char {
    text.as_ptr().cast()
}

/// A day.
const MOST_MS: c_ulong = 86_400_000;

variables! {
    text(0, ptr::null()) servers: "KMIP servers, tried in this order: HOST[:PORT],HOST[:PORT]";
    number(5696, 1, 65_535) port: "Port of the servers that are listed without one";
    text(0, ptr::null()) ca: "PEM file: the authorities that the servers' certificates may come from";
    text(0, ptr::null()) certificate: "PEM file: the client's certificate, followed by its chain";
    text(0, ptr::null()) key: "PEM file: the client's private key, if it is not in the certificate's file";
    text(HIDDEN, ptr::null()) key_password: "Password of the private key, if it is encrypted";
    number(5_000, 1, MOST_MS) connect_timeout_ms: "How long each step of connecting to one server may take, in milliseconds";
    number(15_000, 1, MOST_MS) request_timeout_ms: "How long one request may take, in milliseconds";
    number(1, 0, 100) retries: "How often all servers are asked again after none of them answered";
    number(0, 0, 31_536_000_000) cache_timeout_ms: "How long a key is used before it is read again, in milliseconds; 0 is for ever";
    number(60_000, 10, MOST_MS) cache_version_timeout_ms: "How often the latest versions are read again, in milliseconds";
    switch(1) use_cache_on_timeout: "Use known keys while no KMIP server answers";
    text(0, name("mariadb\0")) key_group: "First part of the Names of the keys, and their Object Group";
    switch(0) create_missing: "Make version 1 of a key that the KMIP server does not have";
}

/// The table for the server.
pub(super) const fn list() -> *mut *mut c_void {
    (&raw mut LIST).cast()
}

/// What the options are set to.
///
/// # Safety
/// The server has set them, and does not change them now.
pub(super) unsafe fn read() -> Result<Given, Wrong> {
    let password = match std::env::var(PASSWORD_VARIABLE) {
        Ok(password) => Some(Zeroizing::new(password)),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => {
            let problem = format!("{PASSWORD_VARIABLE} in the environment is no UTF-8");
            return Err(Wrong { option: "key-password", problem });
        }
    };
    // SAFETY: nobody writes to the values now, and a text is null or ends with a zero.
    unsafe {
        Ok(Given {
            servers: text("servers", servers::VALUE)?,
            port: port::VALUE,
            ca: text("ca", ca::VALUE)?,
            certificate: text("certificate", certificate::VALUE)?,
            key: text("key", key::VALUE)?,
            key_password: text("key-password", key_password::VALUE)?
                .map(Zeroizing::new)
                .or(password),
            connect_timeout_ms: connect_timeout_ms::VALUE,
            request_timeout_ms: request_timeout_ms::VALUE,
            retries: retries::VALUE,
            cache_timeout_ms: cache_timeout_ms::VALUE,
            cache_version_timeout_ms: cache_version_timeout_ms::VALUE,
            use_cache_on_timeout: use_cache_on_timeout::VALUE != 0,
            key_group: text("key-group", key_group::VALUE)?,
            create_missing: create_missing::VALUE != 0,
        })
    }
}

/// # Safety
/// The value is null or ends with a zero.
unsafe fn text(option: &'static str, value: *const c_char) -> Result<Option<String>, Wrong> {
    if value.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, so it ends with a zero.
    let value = unsafe { CStr::from_ptr(value) };
    let text =
        value.to_str().map_err(|_| Wrong { option, problem: String::from("is no UTF-8") })?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
