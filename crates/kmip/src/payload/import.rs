//! Import: store an object under a given identifier, with all its attributes (KMIP 2.1 §6.1.25, KMIP 1.4 §4.41).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::AttributeList;
use crate::enums::{KeyWrapType, ObjectType};
use crate::objects::Object;

structure! {
    /// Request payload.
    pub struct ImportRequest {
        /// The identifier that the object shall have.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The type of the object.
        object_type: Option<ObjectType> = OBJECT_TYPE since V2_0,
        /// Whether an object of that identifier is replaced.
        replace_existing: Option<bool> = REPLACE_EXISTING,
        /// Whether the key comes as it was registered or not wrapped.
        key_wrap_type: Option<KeyWrapType> = KEY_WRAP_TYPE since V1_4,
        /// The attributes.
        attributes: AttributeList = ATTRIBUTES | ATTRIBUTE,
        /// The object itself.
        object: Object =
            CERTIFICATE | SYMMETRIC_KEY | PUBLIC_KEY | PRIVATE_KEY | SPLIT_KEY | TEMPLATE
            | SECRET_DATA | OPAQUE_OBJECT | PGP_KEY | CERTIFICATE_REQUEST,
    }

    /// Response payload.
    pub struct ImportResponse {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
    }
}
