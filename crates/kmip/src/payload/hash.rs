//! Hash: hash data (KMIP 2.1 §6.1.24, KMIP 1.4 §4.37).
//!
//! Shapes only: it must never know what the operation does.

use super::data::Data;
use crate::attributes::values::CryptographicParameters;
use crate::codec::ByteString;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    pub struct HashRequest {
        /// Which hash.
        cryptographic_parameters: CryptographicParameters = CRYPTOGRAPHIC_PARAMETERS,
        /// The data.
        data: Option<Data> = DATA,
        /// The stream that this is a part of.
        correlation_value: Option<ByteString> = CORRELATION_VALUE since V1_3,
        /// Whether this is the first part of a stream.
        init_indicator: Option<bool> = INIT_INDICATOR since V1_3,
        /// Whether this is the last part of a stream.
        final_indicator: Option<bool> = FINAL_INDICATOR since V1_3,
    }

    /// Response payload.
    #[derive(Default)]
    pub struct HashResponse {
        /// The hash.
        data: Option<ByteString> = DATA,
        /// The stream that this is a part of.
        correlation_value: Option<ByteString> = CORRELATION_VALUE since V1_3,
    }
}
