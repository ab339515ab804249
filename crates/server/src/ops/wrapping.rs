//! Keys that leave wrapped under another key, and keys that came so (KMIP 2.1 §3.2 and §3.3, KMIP
//! 1.4 §2.1.5, §2.1.6 and §11.12).
//!
//! Only the Encrypt method. A mode that needs an initialization vector gets a random one, which is
//! told in the Key Wrapping Data; a mode that authenticates appends its tag to the wrapped bytes,
//! because the structure has no field for it.

use claviger_crypto::{Parameters, wrap};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::attributes::{AttributeId, Attributes};
use claviger_kmip::codec::{ByteString, Encoder, Secret};
use claviger_kmip::enums::{BlockCipherMode, EncodingOption, WrappingMethod};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::objects::{
    EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData,
    KeyWrappingSpecification, Object,
};
use claviger_kmip::tags;
use claviger_ttlv::{Limits, Message, Writer};

use super::Context;
use super::key::{self, Key};
use super::parameters;
use crate::failure::{Failure, Reason};
use crate::object::ManagedObject;
use crate::object::usage::{self, Cost, Processing, Protecting};

/// A Key Value after unwrapping: larger ones were never taken.
const LIMITS: Limits = Limits { size_max: 16 << 20, depth_max: 16, items_max: 4_096 };

/// The tag that authenticating modes append, unless the parameters give another length.
const TAG_LENGTH: usize = 16;

/// The object, wrapped as the client wants it. Whatever it costs of the wrapping key's Usage Limits
/// is taken off.
///
/// # Errors
/// The wrapping key is not there or may not wrap; the object cannot be wrapped so.
pub(super) fn wrapped(
    context: &mut Context<'_, '_>,
    managed: &ManagedObject,
    mut object: Object,
    specification: &KeyWrappingSpecification,
) -> Result<Object, Failure> {
    let information =
        method(specification.wrapping_method, specification.encryption_key_information.as_ref())?;
    let identifier = wrapping_key_identifier(context, information)?;
    let wrapping_key = find(context, &identifier)?;
    let usage = CryptographicUsageMask::WRAP_KEY;
    let proof = Protecting::prove(&wrapping_key, usage, context.now())?;
    let kek = wrapping_key_of(proof.object())?;
    let block = key::block_of(&object)?;
    let keeps_structure = keeps_structure(managed, proof.object());
    let plain = what_to_wrap(context, managed, block, specification)?;

    let asked = information.cryptographic_parameters.as_ref();
    let mut parameters = parameters::chosen(asked, proof.object());
    parameters.random_iv = true;
    let rng = &*context.resources.rng;
    let sealed = wrap::wrap(&kek.borrow(), &parameters, plain.expose(), None, rng)?;
    let mut bytes = sealed.data;
    bytes.extend(sealed.tag.unwrap_or_default());
    let bytes = Secret::new(bytes);

    let no_encoding = specification.encoding_option == Some(EncodingOption::NO_ENCODING);
    let value = if no_encoding && keeps_structure {
        KeyValue::plain(KeyMaterial::Bytes(bytes))
    } else {
        KeyValue::Wrapped(bytes)
    };
    if let Some(block) = object.key_block_mut() {
        block.key_value = Some(value);
        block.key_wrapping_data = Some(KeyWrappingData {
            wrapping_method: specification.wrapping_method,
            encryption_key_information: Some(EncryptionKeyInformation {
                unique_identifier: identifier.into(),
                cryptographic_parameters: information.cryptographic_parameters.clone(),
            }),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: sealed.iv.map(ByteString),
            encoding_option: specification.encoding_option,
        });
    }
    if let Some(spent) = usage::spend(&wrapping_key, Cost { bytes: plain.len() })? {
        context.tx.update(spent);
    }
    Ok(object)
}

/// Whether a key that is wrapped without encoding stays inside its Key Value structure.
///
/// The specification makes the Key Value a Byte String (KMIP 1.4 §2.1.4), and so do most published
/// cases. Two keep the structure, and then only the Key Material is replaced: an object that was
/// itself registered wrapped so, which comes back in its own shape (TC-WRAP-3); and wrapping for
/// PyKMIP, whose Key Value is always a structure. Nothing in its requests tells PyKMIP apart, but
/// its wrapping keys never have Cryptographic Parameters of their own, because it cannot set them.
fn keeps_structure(managed: &ManagedObject, wrapping_key: &ManagedObject) -> bool {
    let registered = managed.object.as_ref().and_then(Object::key_block).is_some_and(|block| {
        block.key_wrapping_data.is_some() && matches!(block.key_value, Some(KeyValue::Plain { .. }))
    });
    let id = AttributeId::CryptographicParameters;
    registered || wrapping_key.attributes.first(id).is_none()
}

/// The bytes that are wrapped: the key material, or its Key Value with the attributes asked for.
fn what_to_wrap(
    context: &Context<'_, '_>,
    managed: &ManagedObject,
    block: &KeyBlock,
    specification: &KeyWrappingSpecification,
) -> Result<Secret, Failure> {
    let key_material = key::material(block)?;
    let mut inside = match &block.key_value {
        Some(KeyValue::Plain { attributes, .. }) => attributes.clone(),
        _ => Attributes::new(),
    };
    for reference in &specification.attribute_name.0 {
        let values = managed.attribute(reference, context.now());
        inside.0.retain(|instance| !reference.matches(&instance.attribute));
        inside.0.extend(values);
    }
    match specification.encoding_option {
        Some(EncodingOption::NO_ENCODING) => {
            if !specification.attribute_name.0.is_empty() || !inside.is_empty() {
                let message = "attributes can only be wrapped with TTLV Encoding";
                return Err(Failure::new(Reason::EncodingOption, message));
            }
            match key_material {
                KeyMaterial::Bytes(bytes) => Ok(bytes.clone()),
                _ => {
                    let message = "a key in a transparent format needs TTLV Encoding";
                    Err(Failure::new(Reason::EncodingOption, message))
                }
            }
        }
        None | Some(EncodingOption::TTLV_ENCODING) => {
            let value = KeyValue::Plain { key_material: key_material.clone(), attributes: inside };
            encode(&value, context.version)
        }
        Some(_) => Err(Failure::new(Reason::EncodingOption, "the Encoding Option is not known")),
    }
}

fn encode(value: &KeyValue, version: Version) -> Result<Secret, Failure> {
    // Reserved, so that a growing buffer leaves no copy of the key behind.
    let mut writer = Writer::with_buffer(Vec::with_capacity(1 << 16));
    let mut encoder = Encoder::new(&mut writer, version);
    value.encode(&mut encoder);
    let fits = encoder.finish().is_ok();
    let bytes = Secret::copy_of(writer.as_bytes());
    writer.truncate(0);
    if fits {
        return Ok(bytes);
    }
    let message = "the key cannot be said in this protocol version";
    Err(Failure::new(Reason::KeyFormatTypeNotSupported, message))
}

/// The object with its value unwrapped; as it is, if it is not wrapped.
///
/// # Errors
/// Its wrapping key is not in this scope, may not be used, or does not fit.
pub(super) fn plain(
    context: &mut Context<'_, '_>,
    managed: &ManagedObject,
) -> Result<Object, Failure> {
    let gone = || Failure::new(Reason::ObjectDestroyed, "the object has been destroyed");
    let mut object = managed.object.clone().ok_or_else(gone)?;
    let Some(block) = object.key_block_mut() else { return Ok(object) };
    let Some(data) = block.key_wrapping_data.take() else { return Ok(object) };
    let wrapped = match &block.key_value {
        Some(
            KeyValue::Wrapped(bytes)
            | KeyValue::Plain { key_material: KeyMaterial::Bytes(bytes), .. },
        ) => bytes.clone(),
        Some(KeyValue::Plain { .. }) => {
            let message = "the wrapped key is not a Byte String";
            return Err(Failure::new(Reason::KeyWrapTypeNotSupported, message));
        }
        None => {
            let message = "the object was registered without its value";
            return Err(Failure::new(Reason::KeyValueNotPresent, message));
        }
    };
    let bytes = unwrap(context, &data, &wrapped)?;
    block.key_value = Some(match data.encoding_option {
        Some(EncodingOption::NO_ENCODING) => KeyValue::plain(KeyMaterial::Bytes(bytes)),
        _ => decode(&bytes, block)?,
    });
    Ok(object)
}

fn unwrap(
    context: &mut Context<'_, '_>,
    data: &KeyWrappingData,
    wrapped: &Secret,
) -> Result<Secret, Failure> {
    let information = method(data.wrapping_method, data.encryption_key_information.as_ref())?;
    let identifier = wrapping_key_identifier(context, information)?;
    let wrapping_key = find(context, &identifier)?;
    let now = context.now();
    // A key that may wrap may undo that here, where the result stays with the server's rules.
    let proof = Processing::prove(&wrapping_key, CryptographicUsageMask::UNWRAP_KEY, now)
        .or_else(|_| Processing::prove(&wrapping_key, CryptographicUsageMask::WRAP_KEY, now))?;
    let kek = wrapping_key_of(proof.object())?;
    let asked = information.cryptographic_parameters.as_ref();
    let parameters = parameters::chosen(asked, proof.object());
    let (bytes, tag) = split_tag(&parameters, wrapped.expose());
    let iv = data.iv_counter_nonce.as_ref().map(|iv| iv.0.as_slice());
    let rng = &*context.resources.rng;
    Ok(wrap::unwrap(&kek.borrow(), &parameters, bytes, iv, tag, rng)?)
}

/// The wrapped bytes, and the tag of a mode that authenticates.
fn split_tag<'b>(parameters: &Parameters, bytes: &'b [u8]) -> (&'b [u8], Option<&'b [u8]>) {
    let authenticates = matches!(
        parameters.block_cipher_mode,
        Some(BlockCipherMode::GCM | BlockCipherMode::CCM | BlockCipherMode::AEAD)
    );
    if !authenticates {
        return (bytes, None);
    }
    let asked = parameters.tag_length.and_then(|length| usize::try_from(length).ok());
    let at = bytes.len().saturating_sub(asked.unwrap_or(TAG_LENGTH));
    bytes.split_at_checked(at).map_or((bytes, None), |(bytes, tag)| (bytes, Some(tag)))
}

/// An unwrapped Key Value. In which version its attributes are written shows only inside.
fn decode(bytes: &Secret, block: &KeyBlock) -> Result<KeyValue, Failure> {
    let damaged = |_| {
        let message = "the unwrapped bytes are no TTLV-encoded Key Value";
        Failure::new(Reason::CryptographicFailure, message)
    };
    let message = Message::parse(bytes.expose(), &LIMITS)
        .map_err(|error| damaged(claviger_kmip::Error::from(error)))?;
    let item = message.root();
    if item.tag != tags::KEY_VALUE {
        return Err(damaged(claviger_kmip::Error::new(
            claviger_kmip::Problem::UnknownField,
            item.tag,
        )));
    }
    KeyValue::decode(&item, block.key_format_type, Version::V1_4)
        .or_else(|_| KeyValue::decode(&item, block.key_format_type, Version::V2_1))
        .map_err(damaged)
}

/// The wrapping key that a specification names, if its method is one that is built.
fn method(
    method: WrappingMethod,
    information: Option<&EncryptionKeyInformation>,
) -> Result<&EncryptionKeyInformation, Failure> {
    if method != WrappingMethod::ENCRYPT {
        let message = "keys are wrapped by the method Encrypt only";
        return Err(Failure::new(Reason::KeyWrapTypeNotSupported, message));
    }
    information.ok_or_else(|| {
        Failure::new(Reason::InvalidMessage, "Encryption Key Information is missing")
    })
}

fn wrapping_key_identifier(
    context: &mut Context<'_, '_>,
    information: &EncryptionKeyInformation,
) -> Result<String, Failure> {
    // What the item is about stays the wrapped object.
    let about = context.about.clone();
    let identifier = match &information.unique_identifier {
        UniqueIdentifier::Text(text) => Ok(text.clone()),
        other => context.identifier(Some(other)),
    };
    context.about = about;
    identifier
}

fn find(
    context: &mut Context<'_, '_>,
    identifier: &str,
) -> Result<std::sync::Arc<ManagedObject>, Failure> {
    context.tx.live(identifier).map_err(|failure| match failure.reason {
        Reason::ObjectNotFound => {
            Failure::new(Reason::WrappingObjectNotFound, "no such wrapping key")
        }
        Reason::ObjectDestroyed => {
            Failure::new(Reason::WrappingObjectDestroyed, "the wrapping key has been destroyed")
        }
        _ => failure,
    })
}

/// A wrapping key is not itself wrapped: there is no chain to follow.
fn wrapping_key_of(managed: &ManagedObject) -> Result<Key, Failure> {
    let no_key = || Failure::new(Reason::IllegalOperation, "the wrapping object is not a key");
    match &managed.object {
        Some(object @ (Object::SymmetricKey(_) | Object::PublicKey(_) | Object::PrivateKey(_))) => {
            Key::of(object, &managed.attributes)
        }
        _ => Err(no_key()),
    }
}
