//! Create Split Key: make a key, or take one, and split it (KMIP 2.1 §6.1.10, KMIP 1.4 §4.38).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::{ProtectionStorageMasks, UniqueIdentifier};
use crate::codec::BigInteger;
use crate::codec::structure::structure;
use crate::compat::TemplateAttributes;
use crate::enums::{ObjectType, SplitKeyMethod};

structure! {
    /// Request payload.
    pub struct CreateSplitKeyRequest {
        /// The type of the object.
        object_type: ObjectType = OBJECT_TYPE,
        /// The key to split; a new one if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// How many parts.
        split_key_parts: i32 = SPLIT_KEY_PARTS,
        /// How many of them make the key.
        split_key_threshold: i32 = SPLIT_KEY_THRESHOLD,
        /// How to split.
        split_key_method: SplitKeyMethod = SPLIT_KEY_METHOD,
        /// The prime, for sharing over a prime field.
        prime_field_size: Option<BigInteger> = PRIME_FIELD_SIZE,
        /// The attributes that the object shall have.
        attributes: TemplateAttributes = TEMPLATE_ATTRIBUTE | ATTRIBUTES,
        /// Where the object may be kept.
        protection_storage_masks: Option<ProtectionStorageMasks> =
            PROTECTION_STORAGE_MASKS since V2_0,
    }

    /// Response payload.
    #[derive(Default)]
    pub struct CreateSplitKeyResponse {
        /// The type of the parts (1.2 only).
        object_type: Option<ObjectType> = OBJECT_TYPE until V1_2,
        /// The parts.
        unique_identifier: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked (1.x only).
        template_attribute: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE until V1_4,
    }
}
