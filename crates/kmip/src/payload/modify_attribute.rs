//! Modify Attribute: change an attribute instance of an object (KMIP 2.1 §6.1.34, KMIP 1.4 §4.15).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::{ChangedAttribute, CurrentAttribute, NewAttribute};

structure! {
    /// Request payload.
    pub struct ModifyAttributeRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// Which instance, by its value (2.x).
        current_attribute: CurrentAttribute = CURRENT_ATTRIBUTE since V2_0,
        /// The attribute with its new value.
        new_attribute: NewAttribute = NEW_ATTRIBUTE | ATTRIBUTE,
    }

    /// Response payload.
    pub struct ModifyAttributeResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The attribute as it is now (1.x).
        attribute: ChangedAttribute = ATTRIBUTE until V1_4,
    }
}
