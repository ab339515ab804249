//! Create Key Pair: the server makes a private and a public key (KMIP 2.1 §6.1.9, KMIP 1.4 §4.2).

use claviger_crypto::generate;
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes, Instances};
use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::{
    CryptographicAlgorithm, KeyFormatType, LinkType, UniqueIdentifier as Producer,
};
use claviger_kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::{CreateKeyPairRequest, CreateKeyPairResponse};

use super::Context;
use super::new_object::{Origin, check_storage, new_object};
use crate::failure::{Failure, Reason};
use crate::object::{link, rules};

/// Carries out Create Key Pair. The ID Placeholder becomes the private key.
///
/// # Errors
/// Attributes are missing, contradict each other, or ask for keys that cannot be made.
pub fn create_key_pair(
    context: &mut Context<'_, '_>,
    request: CreateKeyPairRequest,
) -> Result<CreateKeyPairResponse, Failure> {
    let limits = &context.resources.limits;
    let common = rules::for_new(context.tx, request.common_attributes, limits)?;
    let private = rules::for_new(context.tx, request.private_key_attributes, limits)?;
    let public = rules::for_new(context.tx, request.public_key_attributes, limits)?;
    let private = merge(private, &common);
    let public = merge(public, &common);
    check_storage(request.common_protection_storage_masks.as_ref())?;
    check_storage(request.private_protection_storage_masks.as_ref())?;
    check_storage(request.public_protection_storage_masks.as_ref())?;

    let (private_block, public_block) = generate_pair(context, &private, &public)?;
    let private_key = Object::PrivateKey(Key { key_block: Some(private_block) });
    let public_key = Object::PublicKey(Key { key_block: Some(public_block) });
    let mut private_key = new_object(context, private_key, private, Origin::Server)?;
    let mut public_key = new_object(context, public_key, public, Origin::Server)?;
    let (private_id, public_id) = (private_key.id, public_key.id);
    private_key.attributes.push(link(LinkType::PUBLIC_KEY_LINK, public_id));
    public_key.attributes.push(link(LinkType::PRIVATE_KEY_LINK, private_id));
    context.concerns(&private_key);
    context.tx.insert(private_key);
    context.tx.insert(public_key);
    context.produced(Producer::CREATE_KEY_PAIR_PRIVATE_KEY, private_id);
    context.batch.also_produce(Producer::CREATE_KEY_PAIR, private_id.to_string());
    context.batch.also_produce(Producer::CREATE_KEY_PAIR_PUBLIC_KEY, public_id.to_string());
    Ok(CreateKeyPairResponse {
        private_key_unique_identifier: private_id.to_string().into(),
        public_key_unique_identifier: public_id.to_string().into(),
        private_key_template_attribute: TemplateAttributes::default(),
        public_key_template_attribute: TemplateAttributes::default(),
    })
}

/// The attributes of one key: its own, and the common ones that it does not have itself.
pub(super) fn merge(mut own: Attributes, common: &Attributes) -> Attributes {
    for attribute in common.iter() {
        let single = attribute.id().rule().instances == Instances::One;
        if !(single && own.first(attribute.id()).is_some()) {
            own.push(attribute.clone());
        }
    }
    own
}

/// A new pair of the algorithm, length and curve that the attributes of either key ask for.
///
/// # Errors
/// Attributes are missing or contradict each other.
pub(super) fn generate_pair(
    context: &Context<'_, '_>,
    private: &Attributes,
    public: &Attributes,
) -> Result<(KeyBlock, KeyBlock), Failure> {
    let missing =
        |name: &str| Failure::new(Reason::InvalidMessage, format!("attribute {name} is missing"));
    let either = |first: Option<_>, second: Option<_>| first.or(second);
    let algorithm = either(private.cryptographic_algorithm(), public.cryptographic_algorithm())
        .ok_or_else(|| missing("Cryptographic Algorithm"))?;
    for attributes in [private, public] {
        if attributes.cryptographic_usage_mask().is_none() {
            return Err(missing("Cryptographic Usage Mask"));
        }
    }
    let length = private.cryptographic_length().or(public.cryptographic_length());
    let bits = length.and_then(|length| usize::try_from(length).ok());
    let domain = private
        .first(AttributeId::CryptographicDomainParameters)
        .or_else(|| public.first(AttributeId::CryptographicDomainParameters));
    let curve = match domain {
        Some(Attribute::CryptographicDomainParameters(parameters)) => parameters.recommended_curve,
        _ => None,
    };
    let refused = |error: claviger_crypto::CryptoError| {
        Failure::new(Reason::InvalidAttributeValue, error.to_string())
    };
    let (private_key, public_key) =
        generate::pair(algorithm, bits, curve, &*context.resources.rng).map_err(refused)?;
    let bits = i32::try_from(private_key.cryptographic_length()).ok();
    let rsa = algorithm == CryptographicAlgorithm::RSA;
    let private_format = if rsa { KeyFormatType::PKCS_1 } else { KeyFormatType::PKCS_8 };
    let public_format = if rsa { KeyFormatType::PKCS_1 } else { KeyFormatType::X_509 };
    let private_bytes = private_key.write(private_format).map_err(refused)?;
    let public_bytes = public_key.write(public_format).map_err(refused)?;
    let block = |key_format_type, bytes: Vec<u8>| KeyBlock {
        key_format_type,
        key_compression_type: None,
        key_value: Some(KeyValue::plain(KeyMaterial::Bytes(bytes.into()))),
        cryptographic_algorithm: Some(algorithm),
        cryptographic_length: bits,
        key_wrapping_data: None,
    };
    Ok((block(private_format, private_bytes.expose().to_vec()), block(public_format, public_bytes)))
}
