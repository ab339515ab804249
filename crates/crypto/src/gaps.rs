//! What the provider lacks, from RustCrypto crates (`Cargo.toml` has each one's reason).
//!
//! Everything here is a last resort: a caller first asks whether aws-lc-rs can do it. No
//! RustCrypto type may leave this module.

mod digest;
mod symmetric;

pub(crate) use digest::{GapDigest, GapHash};
pub(crate) use symmetric::{
    TripleDes, chacha20, gcm_key_stream, gcm_seal, kw_unwrap_192, kw_wrap_192, kwp_unwrap_192,
    kwp_wrap_192, xts,
};
