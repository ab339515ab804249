//! Re-key: make the successor of a symmetric key (KMIP 2.1 §6.1.46, KMIP 1.4 §4.4).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::{ProtectionStorageMasks, UniqueIdentifier};
use crate::codec::Interval;
use crate::codec::structure::structure;
use crate::compat::TemplateAttributes;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct ReKeyRequest {
        /// The key to replace; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// From the Initial Date of the new object to its Activation Date.
        offset: Option<Interval> = OFFSET,
        /// The attributes that the object shall have.
        attributes: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE,
        /// Where the object may be kept.
        protection_storage_masks: Option<ProtectionStorageMasks> =
            PROTECTION_STORAGE_MASKS since V2_0,
    }

    /// Response payload.
    pub struct ReKeyResponse {
        /// The new object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked (1.x only).
        template_attribute: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE until V1_4,
    }
}
