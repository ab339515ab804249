//! MySQL's keys on a KMIP server: `libcomponent_claviger_kmip.so`, a keyring component.
//!
//! `ffi` is what the server sees, and the only module with `unsafe`; behind it `settings` reads the configuration, `keyring`
//! answers from memory, `server` speaks to KMIP servers, `naming` says what a key is called there, `aes` encrypts for the
//! service keyring_aes. No runtime and no thread is started.

mod advice;
mod aes;
#[allow(unsafe_code, reason = "the server's component interface is one of C")]
mod ffi;
mod keyring;
mod naming;
mod server;
mod settings;
