//! Put: give a client an object (server to client) (KMIP 2.1 §6.2.3, KMIP 1.4 §5.2).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::AttributeList;
use crate::enums::PutFunction;
use crate::objects::Object;

structure! {
    /// Request payload.
    pub struct PutRequest {
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// New, or in the place of another.
        put_function: PutFunction = PUT_FUNCTION,
        /// The object that is replaced.
        replaced_unique_identifier: Option<UniqueIdentifier> = REPLACED_UNIQUE_IDENTIFIER,
        /// The object itself.
        object: Object =
            CERTIFICATE | SYMMETRIC_KEY | PUBLIC_KEY | PRIVATE_KEY | SPLIT_KEY | TEMPLATE
            | SECRET_DATA | OPAQUE_OBJECT | PGP_KEY | CERTIFICATE_REQUEST,
        /// The attributes.
        attributes: AttributeList = ATTRIBUTES | ATTRIBUTE,
    }

    /// Response payload: empty.
    #[derive(Default)]
    pub struct PutResponse {}
}
