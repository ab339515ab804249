//! The certificate request of Certify and Re-certify, whose tag 2.0 changed (KMIP 2.1 §6.1.6,
//! KMIP 1.4 §4.7).
//!
//! It must never know what is in the request.

use claviger_ttlv::Tag;

use crate::codec::{ByteString, Decoder, Encoder, Field};
use crate::error::Error;
use crate::tags;

/// A certificate request: Certificate Request in 1.x, Certificate Request Value in 2.x.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CertificateRequestValue(pub Option<ByteString>);

impl Field for CertificateRequestValue {
    fn take(decoder: &mut Decoder<'_>, tag: Tag) -> Result<Self, Error> {
        let tag = tag_in(decoder.version().is_1x(), tag);
        Field::take(decoder, tag).map(Self)
    }

    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        let tag = tag_in(encoder.version().is_1x(), tag);
        self.0.put(encoder, tag);
    }
}

const fn tag_in(is_1x: bool, tag: Tag) -> Tag {
    if is_1x { tags::CERTIFICATE_REQUEST } else { tag }
}
