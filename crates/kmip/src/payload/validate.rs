//! Validate: check a certificate chain (KMIP 2.1 §6.1.57, KMIP 1.4 §4.24).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::DateTime;
use crate::codec::structure::structure;
use crate::enums::ValidityIndicator;
use crate::objects::Certificate;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct ValidateRequest {
        /// Certificates of the chain.
        certificate: Vec<Certificate> = CERTIFICATE,
        /// Certificates of the chain that the server holds.
        unique_identifier: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// The date to check for; now if absent.
        validity_date: Option<DateTime> = VALIDITY_DATE,
    }

    /// Response payload.
    pub struct ValidateResponse {
        /// Whether the chain is good.
        validity_indicator: ValidityIndicator = VALIDITY_INDICATOR,
    }
}
