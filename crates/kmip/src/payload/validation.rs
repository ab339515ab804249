//! Validation Information: a formal validation of a server (KMIP 2.1 §7.41).
//!
//! Shapes only: it must never know what this server has been validated for.

use crate::codec::structure::structure;
use crate::enums::{ValidationAuthorityType, ValidationType};

structure! {
    /// A formal validation.
    pub struct ValidationInformation {
        /// Who validated.
        validation_authority_type: ValidationAuthorityType = VALIDATION_AUTHORITY_TYPE,
        /// In which country.
        validation_authority_country: Option<String> = VALIDATION_AUTHORITY_COUNTRY,
        /// Where the authority is found.
        validation_authority_uri: Option<String> = VALIDATION_AUTHORITY_URI,
        /// Major version of the standard.
        validation_version_major: i32 = VALIDATION_VERSION_MAJOR,
        /// Minor version of the standard.
        validation_version_minor: Option<i32> = VALIDATION_VERSION_MINOR,
        /// What was validated.
        validation_type: ValidationType = VALIDATION_TYPE,
        /// To which level.
        validation_level: i32 = VALIDATION_LEVEL,
        /// The certificate of validation.
        validation_certificate_identifier: Option<String> = VALIDATION_CERTIFICATE_IDENTIFIER,
        /// Where the certificate is found.
        validation_certificate_uri: Option<String> = VALIDATION_CERTIFICATE_URI,
        /// Where the vendor is found.
        validation_vendor_uri: Option<String> = VALIDATION_VENDOR_URI,
        /// Profiles of the validation.
        validation_profile: Vec<String> = VALIDATION_PROFILE,
    }
}
