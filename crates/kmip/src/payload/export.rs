//! Export: get an object with all its attributes (KMIP 2.1 §6.1.18, KMIP 1.4 §4.40).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::AttributeList;
use crate::enums::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType};
use crate::objects::{KeyWrappingSpecification, Object};

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct ExportRequest {
        /// The object; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// The format that the key shall come in.
        key_format_type: Option<KeyFormatType> = KEY_FORMAT_TYPE,
        /// Whether the key comes as it was registered or not wrapped.
        key_wrap_type: Option<KeyWrapType> = KEY_WRAP_TYPE since V1_4,
        /// The compression of a public key on a curve.
        key_compression_type: Option<KeyCompressionType> = KEY_COMPRESSION_TYPE,
        /// How the key shall be wrapped.
        key_wrapping_specification: Option<KeyWrappingSpecification> = KEY_WRAPPING_SPECIFICATION,
    }

    /// Response payload.
    pub struct ExportResponse {
        /// The type of the object.
        object_type: ObjectType = OBJECT_TYPE,
        /// The object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// The attributes.
        attributes: AttributeList = ATTRIBUTES | ATTRIBUTE,
        /// The object itself; absent if it is destroyed.
        object: Option<Object> =
            CERTIFICATE | SYMMETRIC_KEY | PUBLIC_KEY | PRIVATE_KEY | SPLIT_KEY | TEMPLATE
            | SECRET_DATA | OPAQUE_OBJECT | PGP_KEY | CERTIFICATE_REQUEST,
    }
}
