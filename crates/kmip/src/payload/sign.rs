//! Sign: sign data (KMIP 2.1 §6.1.55, KMIP 1.4 §4.31).
//!
//! Shapes only: it must never know what the operation does.

use super::data::Data;
use crate::attributes::values::{CryptographicParameters, UniqueIdentifier};
use crate::codec::ByteString;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct SignRequest {
        /// The key; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// How; the key's own parameters if absent.
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS,
        /// The data.
        data: Option<Data> = DATA,
        /// The hash of the data, in place of the data.
        digested_data: Option<ByteString> = DIGESTED_DATA since V1_4,
        /// The stream that this is a part of.
        correlation_value: Option<ByteString> = CORRELATION_VALUE since V1_3,
        /// Whether this is the first part of a stream.
        init_indicator: Option<bool> = INIT_INDICATOR since V1_3,
        /// Whether this is the last part of a stream.
        final_indicator: Option<bool> = FINAL_INDICATOR since V1_3,
    }

    /// Response payload.
    pub struct SignResponse {
        /// The key that was used.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The signature.
        signature_data: Option<ByteString> = SIGNATURE_DATA,
        /// The stream that this is a part of.
        correlation_value: Option<ByteString> = CORRELATION_VALUE since V1_3,
    }
}
