//! Derive Key: derive a key or secret from others (KMIP 2.1 §6.1.14, KMIP 1.4 §4.6).
//!
//! Shapes only: it must never know what the operation does.

use super::derivation::DerivationParameters;
use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::TemplateAttributes;
use crate::enums::{DerivationMethod, ObjectType};

structure! {
    /// Request payload.
    pub struct DeriveKeyRequest {
        /// The type of the object.
        object_type: ObjectType = OBJECT_TYPE,
        /// The objects to derive from.
        unique_identifier: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// How to derive.
        derivation_method: DerivationMethod = DERIVATION_METHOD,
        /// Parameters of the method.
        derivation_parameters: DerivationParameters = DERIVATION_PARAMETERS,
        /// The attributes that the object shall have.
        attributes: TemplateAttributes = TEMPLATE_ATTRIBUTE | ATTRIBUTES,
    }

    /// Response payload.
    pub struct DeriveKeyResponse {
        /// The new object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked (1.x only).
        template_attribute: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE until V1_4,
    }
}
