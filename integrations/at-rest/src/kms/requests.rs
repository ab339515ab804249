//! Requests as the original sends them, and what it demands of the answers.
//!
//! Every message is of KMIP 1.0, which every server speaks, with one item. It must never know a
//! socket.

use claviger_client::Outgoing;
use claviger_kmip::Version;
use claviger_kmip::attributes::values::{Name, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference, Attributes, Instance};
use claviger_kmip::codec::{DateTime, Secret};
use claviger_kmip::compat::{
    AttributeList, DeletedAttribute, NewAttribute, References, TemplateAttributes,
};
use claviger_kmip::enums::{CryptographicAlgorithm, KeyFormatType, ObjectType, State};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::message::RequestHeader;
use claviger_kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::{
    ActivateRequest, AddAttributeRequest, DeleteAttributeRequest, GetAttributesRequest,
    GetAttributesResponse, GetRequest, GetResponse, LocateRequest, RegisterRequest, Request,
};

use crate::keystore::IDENTIFIER_MAX;
use crate::master_key::{KEY_LENGTH, MasterKey};

/// The largest answer that is taken, in bytes.
pub(super) const RESPONSE_SIZE_MAX: i32 = 8192;
const KEY_BITS: i32 = KEY_LENGTH as i32 * 8;

/// A message with one request.
pub(super) fn message<R: Request>(
    request: &R,
    now: DateTime,
) -> Result<Outgoing, claviger_client::Error> {
    let header = RequestHeader {
        maximum_response_size: Some(RESPONSE_SIZE_MAX),
        time_stamp: Some(now),
        ..RequestHeader::new(Version::V1_0, 1)
    };
    Outgoing::with_header(&header, request)
}

/// Register of a master key.
pub(super) fn register(key: &MasterKey, name: Option<&str>) -> RegisterRequest {
    let mut attributes = Attributes(Vec::from([
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES).into(),
        Attribute::CryptographicLength(KEY_BITS).into(),
        Attribute::CryptographicUsageMask(
            CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT,
        )
        .into(),
    ]));
    attributes.0.extend(name.map(|name| Attribute::Name(Name::text(name)).into()));
    let material = KeyMaterial::Bytes(Secret::copy_of(key.expose()));
    RegisterRequest {
        object_type: ObjectType::SYMMETRIC_KEY,
        attributes: TemplateAttributes::from(attributes),
        object: Object::SymmetricKey(Key {
            key_block: Some(KeyBlock {
                key_format_type: KeyFormatType::RAW,
                key_compression_type: None,
                key_value: Some(KeyValue::plain(material)),
                cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
                cryptographic_length: Some(KEY_BITS),
                key_wrapping_data: None,
            }),
        }),
        protection_storage_masks: None,
    }
}

/// Activate.
pub(super) fn activate(identifier: &str) -> ActivateRequest {
    ActivateRequest { unique_identifier: Some(identifier.into()) }
}

/// Get Attributes of the State.
pub(super) fn state(identifier: &str) -> GetAttributesRequest {
    attributes(identifier, AttributeId::State)
}

/// Get Attributes of the Names.
pub(super) fn names(identifier: &str) -> GetAttributesRequest {
    attributes(identifier, AttributeId::Name)
}

fn attributes(identifier: &str, id: AttributeId) -> GetAttributesRequest {
    GetAttributesRequest {
        unique_identifier: Some(identifier.into()),
        attribute_reference: References(vec![AttributeReference::Standard(id)]),
    }
}

/// Get.
pub(super) fn get(identifier: &str) -> GetRequest {
    GetRequest { unique_identifier: Some(identifier.into()), ..GetRequest::default() }
}

/// Locate of symmetric keys with a Name.
pub(super) fn locate(name: &str) -> LocateRequest {
    let attributes = Attributes(Vec::from([
        Attribute::ObjectType(ObjectType::SYMMETRIC_KEY).into(),
        Attribute::Name(Name::text(name)).into(),
    ]));
    LocateRequest { attributes: AttributeList(attributes), ..LocateRequest::default() }
}

/// Add Attribute of a Name.
pub(super) fn add_name(identifier: &str, name: &str) -> AddAttributeRequest {
    AddAttributeRequest {
        unique_identifier: Some(identifier.into()),
        new_attribute: NewAttribute(Attribute::Name(Name::text(name)).into()),
    }
}

/// Delete Attribute of the Name with that index.
pub(super) fn delete_name(identifier: &str, index: i32) -> DeleteAttributeRequest {
    DeleteAttributeRequest {
        unique_identifier: Some(identifier.into()),
        attribute: DeletedAttribute {
            current: None,
            reference: Some(AttributeReference::Standard(AttributeId::Name)),
            index: Some(index),
        },
    }
}

/// What is wrong with an answer.
pub(super) type Garbage = &'static str;

/// An identifier that the server gave an object.
pub(super) fn identifier(answered: &UniqueIdentifier) -> Result<String, Garbage> {
    match answered {
        UniqueIdentifier::Text(text)
            if !text.is_empty()
                && text.len() <= IDENTIFIER_MAX
                && !text.contains(char::is_control) =>
        {
            Ok(text.clone())
        }
        _ => Err("the server's identifier of the key is no text of moderate length"),
    }
}

/// An answer is about the object that was asked about.
pub(super) fn is_about(answered: &UniqueIdentifier, asked: &str) -> Result<(), Garbage> {
    match answered {
        UniqueIdentifier::Text(text) if text == asked => Ok(()),
        _ => Err("the server answers about another object"),
    }
}

/// The State, which is all that was asked for.
pub(super) fn state_of(answer: &GetAttributesResponse, asked: &str) -> Result<State, Garbage> {
    is_about(&answer.unique_identifier, asked)?;
    match answer.attributes.0.0.as_slice() {
        [Instance { attribute: Attribute::State(state), .. }] => Ok(*state),
        _ => Err("the server answers with other attributes than the State"),
    }
}

/// The Names with their indices.
pub(super) fn names_of(
    answer: &GetAttributesResponse,
    asked: &str,
) -> Result<Vec<(String, i32)>, Garbage> {
    is_about(&answer.unique_identifier, asked)?;
    let instances = answer.attributes.0.0.iter();
    Ok(instances
        .filter_map(|instance| match &instance.attribute {
            Attribute::Name(name) => {
                Some((name.name_value.clone(), instance.index.unwrap_or_default()))
            }
            _ => None,
        })
        .collect())
}

/// What Get answered.
#[derive(Debug)]
pub(super) enum Got {
    /// A master key.
    Key(MasterKey),
    /// Something else; what, for people.
    Other(String),
}

/// The key, if it is one.
pub(super) fn key_of(answer: &GetResponse, asked: &str) -> Result<Got, Garbage> {
    is_about(&answer.unique_identifier, asked)?;
    let Object::SymmetricKey(key) = &answer.object else {
        return Ok(Got::Other(format!("no symmetric key, but {:?}", answer.object_type)));
    };
    let block = key.key_block.as_ref().ok_or("the key has no Key Block")?;
    if block.key_wrapping_data.is_some() {
        return Ok(Got::Other(String::from("a wrapped key")));
    }
    if block.key_format_type != KeyFormatType::RAW {
        let problem = format!("a key in the format {:?}, not Raw", block.key_format_type);
        return Ok(Got::Other(problem));
    }
    if block.cryptographic_algorithm.is_some_and(|it| it != CryptographicAlgorithm::AES) {
        let algorithm = block.cryptographic_algorithm.unwrap_or(CryptographicAlgorithm::AES);
        return Ok(Got::Other(format!("a key for {algorithm:?}, not AES")));
    }
    match &block.key_value {
        Some(KeyValue::Plain { key_material: KeyMaterial::Bytes(bytes), .. }) => {
            Ok(MasterKey::parse(bytes.expose()).map_or_else(Got::Other, Got::Key))
        }
        _ => Err("the key has no bytes"),
    }
}

#[cfg(test)]
#[path = "requests_tests.rs"]
mod tests;
