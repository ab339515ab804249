//! Exactly one Attribute Reference (KMIP 2.1 §5.5).
//!
//! It must never know what is done to the attribute.

use claviger_ttlv::Tag;

use crate::attributes::AttributeReference;
use crate::codec::{Decoder, Encoder, Field};
use crate::compat::References;
use crate::error::{Error, Problem};

/// One reference, neither none nor several.
#[derive(Clone, Debug, PartialEq)]
pub struct SingleReference(pub AttributeReference);

impl Field for SingleReference {
    fn take(decoder: &mut Decoder<'_>, tag: Tag) -> Result<Self, Error> {
        let References(references) = Field::take(decoder, tag)?;
        let mut references = references.into_iter();
        match (references.next(), references.next()) {
            (Some(reference), None) => Ok(Self(reference)),
            (None, _) => Err(decoder.missing(tag)),
            (Some(_), Some(_)) => {
                Err(Error::new(Problem::OutOfOrder, tag).within(decoder.structure()))
            }
        }
    }

    fn put(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        References(vec![self.0.clone()]).put(encoder, tag);
    }
}
