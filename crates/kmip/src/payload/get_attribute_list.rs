//! Get Attribute List: list the attributes that an object has (KMIP 2.1 §6.1.21, KMIP 1.4 §4.13).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::References;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct GetAttributeListRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
    }

    /// Response payload.
    pub struct GetAttributeListResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The attributes.
        attribute_reference: References = ATTRIBUTE_REFERENCE | ATTRIBUTE_NAME,
    }
}
