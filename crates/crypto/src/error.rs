//! Why a cryptographic request failed, by who is to blame.
//!
//! An error never holds a byte of a key, of data or of a caller's parameter: its texts are
//! fixed at compile time, so that it may be logged and sent as it is. It must never know
//! KMIP's result reasons; the server maps the branches (KMIP 2.1 §11.52).

use core::fmt;

/// The failures of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptoError {
    /// The request lacks what the operation cannot go without, such as the IV of a decryption.
    MissingParameter(&'static str),
    /// A parameter or the data has a value that the algorithm does not take.
    BadParameters(&'static str),
    /// The tag length asked for is not one that the mode can give.
    TagLength,
    /// Every parameter is understood, but this combination is not offered.
    UnsupportedCombination(&'static str),
    /// The key is not one that this operation can use: another algorithm, length or half.
    KeyMismatch(&'static str),
    /// The key's encoding is malformed or not what its format says.
    BadKey(&'static str),
    /// A tag, padding or integrity check failed. Deliberately without detail.
    AuthenticationFailed,
    /// The provider failed where it must not. Nothing the caller did.
    Internal(&'static str),
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingParameter(what) => write!(f, "missing parameter: {what}"),
            Self::BadParameters(why) => write!(f, "bad parameters: {why}"),
            Self::TagLength => f.write_str("tag length not possible in this mode"),
            Self::UnsupportedCombination(what) => write!(f, "not supported: {what}"),
            Self::KeyMismatch(why) => write!(f, "key does not fit: {why}"),
            Self::BadKey(why) => write!(f, "key encoding: {why}"),
            Self::AuthenticationFailed => f.write_str("decryption or integrity check failed"),
            Self::Internal(what) => write!(f, "internal cryptographic failure: {what}"),
        }
    }
}

impl core::error::Error for CryptoError {}
