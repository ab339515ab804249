//! Adjust Attribute: increment, decrement or negate an attribute (KMIP 2.1 §6.1.3).
//!
//! Shapes only: it must never know what the operation does.

use claviger_ttlv::Node;

use super::single_reference::SingleReference;
use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::enums::AdjustmentType;

structure! {
    /// Request payload.
    pub struct AdjustAttributeRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// Which attribute.
        attribute_reference: SingleReference = ATTRIBUTE_REFERENCE,
        /// What to do with it.
        adjustment_type: AdjustmentType = ADJUSTMENT_TYPE,
        /// By how much, in the type of the attribute; one if absent.
        adjustment_value: Option<Node> = ADJUSTMENT_VALUE,
    }

    /// Response payload.
    pub struct AdjustAttributeResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
    }
}
