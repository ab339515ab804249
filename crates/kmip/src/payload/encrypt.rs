//! Encrypt: encrypt data (KMIP 2.1 §6.1.17, KMIP 1.4 §4.29).
//!
//! Shapes only: it must never know what the operation does.

use super::data::Data;
use crate::attributes::values::{CryptographicParameters, UniqueIdentifier};
use crate::codec::ByteString;
use crate::codec::structure::structure;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct EncryptRequest {
        /// The key; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// How; the key's own parameters if absent.
        cryptographic_parameters: Option<CryptographicParameters> = CRYPTOGRAPHIC_PARAMETERS,
        /// The data.
        data: Option<Data> = DATA,
        /// Initialization vector, counter or nonce.
        iv_counter_nonce: Option<ByteString> = IV_COUNTER_NONCE,
        /// The stream that this is a part of.
        correlation_value: Option<ByteString> = CORRELATION_VALUE since V1_3,
        /// Whether this is the first part of a stream.
        init_indicator: Option<bool> = INIT_INDICATOR since V1_3,
        /// Whether this is the last part of a stream.
        final_indicator: Option<bool> = FINAL_INDICATOR since V1_3,
        /// Data that is authenticated but not encrypted.
        authenticated_encryption_additional_data: Option<ByteString> =
            AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA since V1_4,
    }

    /// Response payload.
    pub struct EncryptResponse {
        /// The key that was used.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The cipher text.
        data: Option<ByteString> = DATA,
        /// The initialization vector, if the server made it.
        iv_counter_nonce: Option<ByteString> = IV_COUNTER_NONCE,
        /// The stream that this is a part of.
        correlation_value: Option<ByteString> = CORRELATION_VALUE since V1_3,
        /// The authentication tag.
        authenticated_encryption_tag: Option<ByteString> = AUTHENTICATED_ENCRYPTION_TAG since V1_4,
    }
}
