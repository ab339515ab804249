//! Re-certify: renew a certificate (KMIP 2.1 §6.1.45, KMIP 1.4 §4.8).
//!
//! Shapes only: it must never know what the operation does.

use super::certificate_request::CertificateRequestValue;
use crate::attributes::values::{ProtectionStorageMasks, UniqueIdentifier};
use crate::codec::Interval;
use crate::codec::structure::structure;
use crate::compat::TemplateAttributes;
use crate::enums::CertificateRequestType;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct ReCertifyRequest {
        /// The certificate; the ID Placeholder if absent.
        unique_identifier: Option<UniqueIdentifier> = UNIQUE_IDENTIFIER,
        /// A managed certificate request.
        certificate_request_unique_identifier: Option<UniqueIdentifier> =
            CERTIFICATE_REQUEST_UNIQUE_IDENTIFIER since V2_0,
        /// The kind of certificate request.
        certificate_request_type: Option<CertificateRequestType> = CERTIFICATE_REQUEST_TYPE,
        /// The certificate request.
        certificate_request_value: CertificateRequestValue =
            CERTIFICATE_REQUEST_VALUE | CERTIFICATE_REQUEST,
        /// From the Initial Date of the new object to its Activation Date.
        offset: Option<Interval> = OFFSET,
        /// The attributes that the object shall have.
        attributes: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE,
        /// Where the object may be kept.
        protection_storage_masks: Option<ProtectionStorageMasks> =
            PROTECTION_STORAGE_MASKS since V2_0,
    }

    /// Response payload.
    pub struct ReCertifyResponse {
        /// The new object.
        unique_identifier: UniqueIdentifier = UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked (1.x only).
        template_attribute: TemplateAttributes = ATTRIBUTES | TEMPLATE_ATTRIBUTE until V1_4,
    }
}
