//! Create: make a symmetric key (KMIP 2.1 §6.1.8, KMIP 1.4 §4.1).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::{ProtectionStorageMasks, UniqueIdentifier};
use crate::codec::structure::structure;
use crate::compat::TemplateAttributes;
use crate::enums::ObjectType;

structure! {
    /// Request payload.
    pub struct CreateRequest {
        /// The type of the object.
        object_type: ObjectType = OBJECT_TYPE,
        /// The attributes that the object shall have.
        attributes: TemplateAttributes = TEMPLATE_ATTRIBUTE | ATTRIBUTES,
        /// Where the object may be kept.
        protection_storage_masks: Option<ProtectionStorageMasks> =
            PROTECTION_STORAGE_MASKS since V2_0,
    }

    /// Response payload.
    pub struct CreateResponse {
        /// The type of the object.
        object_type: ObjectType = OBJECT_TYPE,
        /// The new object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked (1.x only).
        template_attribute: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE until V1_4,
    }
}
