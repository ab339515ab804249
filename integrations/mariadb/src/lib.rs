//! MariaDB's encryption keys on a KMIP server: `libkmip_key_management.so`, an encryption plugin, and the keys as it finds
//! them ([`Keys`]), for the command that makes new versions.
//!
//! `ffi` is what the server sees, and the only module with `unsafe`; behind it `settings` reads the options,
//! `keys` speaks of versions to a KMIP server, `cache` holds what the server asks for all the time, and `plugin`
//! puts them together. No runtime is started; one thread of the plugin's own looks for new versions.

mod advice;
mod cache;
#[allow(unsafe_code, reason = "the server's plugin interface is one of C")]
mod ffi;
mod keys;
mod naming;
mod plugin;
mod refusals;
mod settings;

pub use advice::advice;
pub use keys::{KEY_BITS, Keys, Latest, Problem};
pub use naming::{GROUP, Group};
