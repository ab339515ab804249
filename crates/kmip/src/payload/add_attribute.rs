//! Add Attribute: give an object one more attribute instance (KMIP 2.1 §6.1.2, KMIP 1.4 §4.14).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::{ChangedAttribute, NewAttribute};

structure! {
    /// Request payload.
    pub struct AddAttributeRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// The attribute with its new value.
        new_attribute: NewAttribute = NEW_ATTRIBUTE | ATTRIBUTE,
    }

    /// Response payload.
    pub struct AddAttributeResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The attribute as it is now (1.x).
        attribute: ChangedAttribute = ATTRIBUTE until V1_4,
    }
}
