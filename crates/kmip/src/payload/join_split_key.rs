//! Join Split Key: make a key from its parts (KMIP 2.1 §6.1.27, KMIP 1.4 §4.39).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::{ProtectionStorageMasks, UniqueIdentifier};
use crate::codec::structure::structure;
use crate::compat::TemplateAttributes;
use crate::enums::{ObjectType, SecretDataType};

structure! {
    /// Request payload.
    pub struct JoinSplitKeyRequest {
        /// The type of the object.
        object_type: ObjectType = OBJECT_TYPE,
        /// The parts.
        unique_identifier: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// The kind of secret that the parts make.
        secret_data_type: Option<SecretDataType> = SECRET_DATA_TYPE,
        /// The attributes that the object shall have.
        attributes: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE,
        /// Where the object may be kept.
        protection_storage_masks: Option<ProtectionStorageMasks> =
            PROTECTION_STORAGE_MASKS since V2_0,
    }

    /// Response payload.
    pub struct JoinSplitKeyResponse {
        /// The type of the new object (1.2 only).
        object_type: Option<ObjectType> = OBJECT_TYPE until V1_2,
        /// The new object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked (1.x only).
        template_attribute: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE until V1_4,
    }
}
