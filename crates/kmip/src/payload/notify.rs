//! Notify: tell a client that attributes have changed (server to client) (KMIP 2.1 §6.2.2, KMIP 1.4 §5.1).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::{AttributeList, References};

structure! {
    /// Request payload.
    pub struct NotifyRequest {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The attributes as they are now.
        attributes: AttributeList = ATTRIBUTES | ATTRIBUTE,
        /// Attributes that are gone.
        attribute_reference: References = ATTRIBUTE_REFERENCE since V2_0,
    }

    /// Response payload: empty.
    #[derive(Default)]
    pub struct NotifyResponse {}
}
