//! What the provider lacks, from RustCrypto crates (`Cargo.toml` has each one's reason).
//!
//! Everything here is a last resort: a caller first asks whether aws-lc-rs can do it. No
//! RustCrypto type may leave this module.

mod curves;
mod digest;
mod gcm;
mod rsa;
mod symmetric;

pub(crate) use curves::{
    p224_agree, p224_is_point, p224_public, p224_sign, p224_verify, secp256k1_agree,
};
pub(crate) use digest::{GapDigest, GapHash};
pub(crate) use gcm::{GcmEncryption, gcm_key_stream, gcm_seal};
pub(crate) use rsa::{
    rsa_complete, rsa_generate, rsa_oaep_decrypt, rsa_oaep_encrypt, rsa_pkcs1_decrypt,
    rsa_pkcs1_encrypt, rsa_pkcs1_sign, rsa_pkcs1_verify, rsa_pss_sign, rsa_pss_verify,
};
pub(crate) use symmetric::{
    TripleDes, chacha20, kw_unwrap_192, kw_wrap_192, kwp_unwrap_192, kwp_wrap_192, xts,
};
