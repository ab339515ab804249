//! What every new object gets, whoever makes it (KMIP 2.1 §4, "Initially set by").

use claviger_crypto::hash;
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{Digest, ProtectionStorageMasks, RngParameters};
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::codec::{ByteString, DateTime, Encoder, Interval};
use claviger_kmip::enums::{
    CryptographicAlgorithm, DrbgAlgorithm, HashingAlgorithm, KeyFormatType, RngAlgorithm,
};
use claviger_kmip::masks::ProtectionStorageMask;
use claviger_kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object};
use claviger_ttlv::Writer;

use super::Context;
use crate::failure::{Failure, Reason};
use crate::object::ManagedObject;

/// How long a client may use a copy of an object before it asks again, in seconds.
const LEASE_TIME: u32 = 3_600;

/// How the object came to be.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The server made the key.
    Server,
    /// The server computed it from other objects.
    Derived,
    /// The client brought it.
    Client,
}

/// A new object with the attributes that the client gave it and those that follow.
pub(super) fn new_object(
    context: &Context<'_, '_>,
    object: Object,
    mut attributes: Attributes,
    origin: Origin,
) -> Result<ManagedObject, Failure> {
    let now = DateTime(context.now());
    take_from_key_block(&object, &mut attributes)?;
    if let Some(digest) = digest(&object)? {
        begin(&mut attributes, Attribute::Digest(digest));
    }
    begin(&mut attributes, Attribute::LeaseTime(Interval(LEASE_TIME)));
    begin(&mut attributes, Attribute::InitialDate(now));
    begin(&mut attributes, Attribute::LastChangeDate(now));
    let is_template = matches!(object, Object::Template(_));
    if !is_template {
        begin(&mut attributes, Attribute::Fresh(true));
        attributes.set(Attribute::ProtectionStorageMask(ProtectionStorageMask::SOFTWARE));
        protect(&mut attributes);
    }
    if let Some(block) = object.key_block() {
        attributes.set(Attribute::KeyFormatType(block.key_format_type));
    }
    if origin == Origin::Server {
        attributes.set(Attribute::OriginalCreationDate(now));
        attributes.set(Attribute::RandomNumberGenerator(Box::new(generator())));
    }
    Ok(ManagedObject {
        id: context.next_id()?,
        object_type: object.object_type(),
        object: Some(object),
        attributes,
    })
}

/// Sets what the server sets first, unless an imported object brings it.
fn begin(attributes: &mut Attributes, attribute: Attribute) {
    if attributes.first(attribute.id()).is_none() {
        attributes.push(attribute);
    }
}

/// Objects are kept in software; a client that asks for something else only is told so.
pub(super) fn check_storage(asked: Option<&ProtectionStorageMasks>) -> Result<(), Failure> {
    let Some(asked) = asked else { return Ok(()) };
    let software = ProtectionStorageMask::SOFTWARE;
    if asked.protection_storage_mask.iter().any(|mask| mask.contains(software)) {
        return Ok(());
    }
    Err(Failure::new(
        Reason::ProtectionStorageUnavailable,
        "objects are kept in software, which no Protection Storage Mask of the request allows",
    ))
}

/// Cryptographic Algorithm and Length stand in the key block too; they must not contradict the
/// attributes.
fn take_from_key_block(object: &Object, attributes: &mut Attributes) -> Result<(), Failure> {
    let Some(block) = object.key_block() else { return Ok(()) };
    let contradiction = |what: &str| {
        let message = format!("{what} of the key block and of the attributes differ");
        Failure::new(Reason::InvalidAttributeValue, message)
    };
    if let Some(algorithm) = block.cryptographic_algorithm {
        match attributes.cryptographic_algorithm() {
            None => attributes.push(Attribute::CryptographicAlgorithm(algorithm)),
            Some(other) if other == algorithm => {}
            Some(_) => return Err(contradiction("Cryptographic Algorithm")),
        }
    }
    if let Some(length) = block.cryptographic_length {
        match attributes.cryptographic_length() {
            None => attributes.push(Attribute::CryptographicLength(length)),
            Some(other) if other == length => {}
            Some(_) => return Err(contradiction("Cryptographic Length")),
        }
    }
    Ok(())
}

/// SHA-256 of the object's value in the form in which it is stored.
fn digest(object: &Object) -> Result<Option<Digest>, Failure> {
    let (bytes, format) = match object {
        Object::Certificate(certificate) => {
            (certificate.certificate_value.0.clone(), KeyFormatType::X_509)
        }
        Object::OpaqueObject(opaque) => {
            (opaque.opaque_data_value.expose().to_vec(), KeyFormatType::OPAQUE)
        }
        other => match other.key_block() {
            Some(KeyBlock { key_value: Some(value), key_format_type, .. }) => {
                (value_bytes(value), *key_format_type)
            }
            _ => return Ok(None),
        },
    };
    let bytes = zeroize::Zeroizing::new(bytes);
    let value = hash::hash(HashingAlgorithm::SHA_256, &bytes)
        .map_err(|_| Failure::new(Reason::GeneralFailure, "the digest cannot be computed"))?;
    Ok(Some(Digest {
        hashing_algorithm: HashingAlgorithm::SHA_256,
        digest_value: Some(ByteString(value)),
        key_format_type: Some(format),
    }))
}

fn value_bytes(value: &KeyValue) -> Vec<u8> {
    match value {
        KeyValue::Wrapped(bytes)
        | KeyValue::Plain { key_material: KeyMaterial::Bytes(bytes), .. } => {
            bytes.expose().to_vec()
        }
        KeyValue::Plain { key_material: KeyMaterial::TransparentSymmetricKey(key), .. } => {
            key.key.expose().to_vec()
        }
        transparent @ KeyValue::Plain { .. } => {
            let mut writer = Writer::with_buffer(Vec::with_capacity(8192));
            transparent.encode(&mut Encoder::new(&mut writer, Version::EVERY));
            let bytes = writer.as_bytes().to_vec();
            writer.truncate(0);
            bytes
        }
    }
}

fn protect(attributes: &mut Attributes) {
    let sensitive = attributes.sensitive().unwrap_or(false);
    let extractable = attributes.extractable().unwrap_or(true);
    // What an imported object says of its past cannot be more than what holds now.
    let never = |past: &Attribute| {
        matches!(past, Attribute::AlwaysSensitive(false) | Attribute::NeverExtractable(false))
    };
    let was = |id| !attributes.all(id).any(never);
    let always_sensitive = sensitive && was(AttributeId::AlwaysSensitive);
    let never_extractable = !extractable && was(AttributeId::NeverExtractable);
    attributes.set(Attribute::Sensitive(sensitive));
    attributes.set(Attribute::AlwaysSensitive(always_sensitive));
    attributes.set(Attribute::Extractable(extractable));
    attributes.set(Attribute::NeverExtractable(never_extractable));
}

/// What the cryptographic library's generator is: CTR_DRBG over AES-256.
pub(super) const fn generator() -> RngParameters {
    RngParameters {
        rng_algorithm: RngAlgorithm::DRBG,
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(256),
        hashing_algorithm: None,
        drbg_algorithm: Some(DrbgAlgorithm::CTR),
        recommended_curve: None,
        fips186_variation: None,
        prediction_resistance: None,
    }
}
