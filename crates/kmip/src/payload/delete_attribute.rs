//! Delete Attribute: take an attribute instance from an object (KMIP 2.1 §6.1.13, KMIP 1.4 §4.16).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::{ChangedAttribute, DeletedAttribute};

structure! {
    /// Request payload.
    pub struct DeleteAttributeRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// Which attribute, and which instance of it.
        attribute: DeletedAttribute =
            CURRENT_ATTRIBUTE | ATTRIBUTE_REFERENCE | ATTRIBUTE_NAME | ATTRIBUTE_INDEX,
    }

    /// Response payload.
    pub struct DeleteAttributeResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The attribute as it is now (1.x).
        attribute: ChangedAttribute = ATTRIBUTE until V1_4,
    }
}
