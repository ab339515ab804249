//! Create Key Pair: make a key pair (KMIP 2.1 §6.1.9, KMIP 1.4 §4.2).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::{ProtectionStorageMasks, UniqueIdentifier};
use crate::codec::structure::structure;
use crate::compat::TemplateAttributes;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct CreateKeyPairRequest {
        /// The attributes of both keys.
        common_attributes: TemplateAttributes = COMMON_ATTRIBUTES | COMMON_TEMPLATE_ATTRIBUTE,
        /// The attributes of the private key.
        private_key_attributes: TemplateAttributes =
            PRIVATE_KEY_ATTRIBUTES | PRIVATE_KEY_TEMPLATE_ATTRIBUTE,
        /// The attributes of the public key.
        public_key_attributes: TemplateAttributes =
            PUBLIC_KEY_ATTRIBUTES | PUBLIC_KEY_TEMPLATE_ATTRIBUTE,
        /// Where both keys may be kept.
        common_protection_storage_masks: Option<ProtectionStorageMasks> =
            COMMON_PROTECTION_STORAGE_MASKS since V2_0,
        /// Where the private key may be kept.
        private_protection_storage_masks: Option<ProtectionStorageMasks> =
            PRIVATE_PROTECTION_STORAGE_MASKS since V2_0,
        /// Where the public key may be kept.
        public_protection_storage_masks: Option<ProtectionStorageMasks> =
            PUBLIC_PROTECTION_STORAGE_MASKS since V2_0,
    }

    /// Response payload.
    pub struct CreateKeyPairResponse {
        /// The new private key.
        private_key_unique_identifier: UniqueIdentifier = PRIVATE_KEY_UNIQUE_IDENTIFIER,
        /// The new public key.
        public_key_unique_identifier: UniqueIdentifier = PUBLIC_KEY_UNIQUE_IDENTIFIER,
        /// Attributes of the private key that the server set without being asked (1.x only).
        private_key_template_attribute: TemplateAttributes =
            PRIVATE_KEY_ATTRIBUTES | PRIVATE_KEY_TEMPLATE_ATTRIBUTE until V1_4,
        /// Attributes of the public key that the server set without being asked (1.x only).
        public_key_template_attribute: TemplateAttributes =
            PUBLIC_KEY_ATTRIBUTES | PUBLIC_KEY_TEMPLATE_ATTRIBUTE until V1_4,
    }
}
