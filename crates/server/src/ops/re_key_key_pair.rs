//! Re-key Key Pair: a new pair in the place of another (KMIP 2.1 §6.1.47, KMIP 1.4 §4.5).

use std::sync::Arc;

use claviger_crypto::format::PublicKey;
use claviger_kmip::attributes::values::{CryptographicDomainParameters, Link, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::{
    CryptographicAlgorithm, LinkType, ObjectType, UniqueIdentifier as Producer,
};
use claviger_kmip::objects::{Key, Object};
use claviger_kmip::payload::{ReKeyKeyPairRequest, ReKeyKeyPairResponse};

use super::Context;
use super::create_key_pair::{generate_pair, merge};
use super::key;
use super::new_object::{Origin, check_storage, new_object};
use super::re_key::check_replaceable;
use crate::failure::{Failure, Reason};
use crate::object::{ManagedObject, link, rules, succession};

/// Carries out Re-key Key Pair. The ID Placeholder becomes the new private key.
///
/// # Errors
/// There is no such private key, its public key is not here, one of them is destroyed, or the
/// attributes and the Offset ask for keys that cannot be made.
pub fn re_key_key_pair(
    context: &mut Context<'_, '_>,
    request: ReKeyKeyPairRequest,
) -> Result<ReKeyKeyPairResponse, Failure> {
    let identifier = context.identifier(request.private_key_unique_identifier.as_ref())?;
    let private = context.tx.live(&identifier)?;
    context.concerns(&private);
    check_replaceable(&private, ObjectType::PRIVATE_KEY)?;
    let public = public_key_of(context, &private)?;
    check_replaceable(&public, ObjectType::PUBLIC_KEY)?;
    check_storage(request.common_protection_storage_masks.as_ref())?;
    check_storage(request.private_protection_storage_masks.as_ref())?;
    check_storage(request.public_protection_storage_masks.as_ref())?;
    let limits = &context.resources.limits;
    let common = rules::for_new(context.tx, request.common_attributes, limits)?;
    let of_private = rules::for_new(context.tx, request.private_key_attributes, limits)?;
    let of_public = rules::for_new(context.tx, request.public_key_attributes, limits)?;
    let (now, offset) = (context.now(), request.offset);
    let inherit = |existing: &ManagedObject, asked| {
        succession::inherit(existing, merge(asked, &common), offset, now, limits)
    };
    let of_private = inherit(&private, of_private)?;
    let mut of_public = inherit(&public, of_public)?;
    name_curve(&of_private, &mut of_public, &public)?;

    let (private_block, public_block) = generate_pair(context, &of_private, &of_public)?;
    let new_private = Object::PrivateKey(Key { key_block: Some(private_block) });
    let new_public = Object::PublicKey(Key { key_block: Some(public_block) });
    let mut new_private = new_object(context, new_private, of_private, Origin::Server)?;
    let mut new_public = new_object(context, new_public, of_public, Origin::Server)?;
    let (private_id, public_id) = (new_private.id, new_public.id);
    new_private.attributes.push(link(LinkType::PUBLIC_KEY_LINK, public_id));
    new_private.attributes.push(link(LinkType::REPLACED_OBJECT_LINK, private.id));
    new_public.attributes.push(link(LinkType::PRIVATE_KEY_LINK, private_id));
    new_public.attributes.push(link(LinkType::REPLACED_OBJECT_LINK, public.id));
    context.tx.update(succession::replaced(&private, private_id, limits)?);
    context.tx.update(succession::replaced(&public, public_id, limits)?);
    context.tx.insert(new_private);
    context.tx.insert(new_public);
    context.about.unique_identifier = None;
    context.produced(Producer::RE_KEY_KEY_PAIR_PRIVATE_KEY, private_id);
    context.batch.also_produce(Producer::RE_KEY_KEY_PAIR, private_id.to_string());
    context.batch.also_produce(Producer::RE_KEY_KEY_PAIR_PUBLIC_KEY, public_id.to_string());
    Ok(ReKeyKeyPairResponse {
        private_key_unique_identifier: private_id.to_string().into(),
        public_key_unique_identifier: public_id.to_string().into(),
        private_key_template_attribute: TemplateAttributes::default(),
        public_key_template_attribute: TemplateAttributes::default(),
    })
}

/// The other half, which the private key's link names.
fn public_key_of(
    context: &mut Context<'_, '_>,
    private: &ManagedObject,
) -> Result<Arc<ManagedObject>, Failure> {
    let linked = private.attributes.iter().find_map(|attribute| match attribute {
        Attribute::Link(Link {
            link_type: LinkType::PUBLIC_KEY_LINK,
            linked_object_identifier: UniqueIdentifier::Text(identifier),
        }) => Some(identifier),
        _ => None,
    });
    let Some(identifier) = linked else {
        let message = "the private key has no Link to its public key";
        return Err(Failure::new(Reason::ObjectNotFound, message));
    };
    context.tx.live(identifier)
}

/// A pair that was registered need not say in its attributes which curve it is on. Its replacement
/// is on the same, and not on another of the same length.
fn name_curve(
    of_private: &Attributes,
    of_public: &mut Attributes,
    existing: &ManagedObject,
) -> Result<(), Failure> {
    let id = AttributeId::CryptographicDomainParameters;
    let algorithm = of_private.cryptographic_algorithm().or(of_public.cryptographic_algorithm());
    if algorithm == Some(CryptographicAlgorithm::RSA)
        || of_private.first(id).is_some()
        || of_public.first(id).is_some()
    {
        return Ok(());
    }
    let Some(block) = existing.object.as_ref().and_then(Object::key_block) else { return Ok(()) };
    if let PublicKey::Ec(key) = key::public(block, &existing.attributes)? {
        of_public.push(Attribute::CryptographicDomainParameters(CryptographicDomainParameters {
            qlength: None,
            recommended_curve: Some(key.curve.recommended()),
        }));
    }
    Ok(())
}
