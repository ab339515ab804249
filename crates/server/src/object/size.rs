//! How much the attributes of an object may take.

use claviger_kmip::Version;
use claviger_kmip::attributes::{Attribute, Attributes};
use claviger_kmip::codec::Encoder;
use claviger_ttlv::Writer;

use crate::failure::{Failure, Reason};
use crate::limits::Limits;

/// What one attribute takes at most.
///
/// # Errors
/// It takes more.
pub(super) fn check_length(attribute: &Attribute, limits: &Limits) -> Result<(), Failure> {
    if encoded_length(attribute) > limits.attribute_bytes_max {
        let title = attribute.id().rule().title();
        let message = format!("{title} is longer than {} bytes", limits.attribute_bytes_max);
        return Err(Failure::new(Reason::InvalidAttributeValue, message));
    }
    Ok(())
}

/// What an object's attributes take at most.
///
/// # Errors
/// They take more.
pub(super) fn check_size(attributes: &Attributes, limits: &Limits) -> Result<(), Failure> {
    check_count(attributes.0.len(), limits)?;
    let bytes: usize = attributes.iter().map(encoded_length).sum();
    if bytes > limits.object_attributes_bytes_max {
        let message = format!(
            "the attributes of an object can take {} bytes",
            limits.object_attributes_bytes_max
        );
        return Err(Failure::new(Reason::TooManyValues, message));
    }
    Ok(())
}

/// How many values an object's attributes have at most.
///
/// # Errors
/// There are more.
pub(super) fn check_count(values: usize, limits: &Limits) -> Result<(), Failure> {
    if values <= limits.attributes_max {
        return Ok(());
    }
    let message = format!("an object can have {} attribute values", limits.attributes_max);
    Err(Failure::new(Reason::TooManyValues, message))
}

fn encoded_length(attribute: &Attribute) -> usize {
    let mut writer = Writer::new();
    let tag = attribute.id().rule().tag;
    attribute.encode_value(&mut Encoder::new(&mut writer, Version::EVERY), tag);
    writer.len()
}
