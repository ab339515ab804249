//! Get Attributes: get attributes of an object (KMIP 2.1 §6.1.20, KMIP 1.4 §4.12).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::{AttributeList, References};

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct GetAttributesRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// Which attributes; all if none is named.
        attribute_reference: References = ATTRIBUTE_REFERENCE | ATTRIBUTE_NAME,
    }

    /// Response payload.
    pub struct GetAttributesResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The attributes.
        attributes: AttributeList = ATTRIBUTES | ATTRIBUTE,
    }
}
