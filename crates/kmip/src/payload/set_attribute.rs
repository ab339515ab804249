//! Set Attribute: set a single-instance attribute, there or not (KMIP 2.1 §6.1.51).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::NewAttribute;

structure! {
    /// Request payload.
    pub struct SetAttributeRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// The attribute with its new value.
        new_attribute: NewAttribute = NEW_ATTRIBUTE,
    }

    /// Response payload.
    pub struct SetAttributeResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
    }
}
