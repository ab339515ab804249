//! The probe key: requests in the shape of the product's own, and whether the answers are what it demands.
//!
//! It must never know a socket. The key is made for this and used for nothing else; whatever is done is done to the
//! identifier that the server gave it.

use claviger_client::requests;
use claviger_kmip::attributes::values::{
    CryptographicParameters, Name, UniqueIdentifier, VendorAttribute,
};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference, Attributes, Instance};
use claviger_kmip::codec::{ByteString, DateTime, Secret};
use claviger_kmip::compat::{AttributeList, References, TemplateAttributes, reference_of};
use claviger_kmip::enums::{
    BlockCipherMode, CryptographicAlgorithm, ObjectType, PaddingMethod, RevocationReasonCode, State,
};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::objects::{Key, KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::{
    CreateRequest, DecryptRequest, EncryptRequest, GetAttributesRequest, GetAttributesResponse,
    GetRequest, GetResponse, LocateRequest, RegisterRequest, RevokeRequest,
};
use claviger_kmip::tags;
use claviger_ttlv::{Node, Value};

use super::report::Fault;
use super::target::{Habit, MasterKey};
use crate::failure::{FAILED, Failure, Kind, Outcome};

const KEY_BYTES: usize = 32;
const KEY_BITS: i32 = KEY_BYTES as i32 * 8;
/// How many keys a page of Locate holds, as MySQL's component asks.
pub(super) const PAGE: i32 = 256;
/// Longer than any server's identifiers.
const IDENTIFIER_MAX: usize = 1024;

/// A key that is about to be made.
pub(super) struct Probe {
    /// A name that no key has.
    pub(super) name: String,
    /// Its bytes where the product makes them itself, else data to encrypt.
    pub(super) bytes: Secret,
}

fn odd(problem: &str) -> Fault {
    Fault::new(Kind::Otherwise, problem)
}

impl Probe {
    /// Makes up a name and bytes.
    pub(super) fn new() -> Outcome<Self> {
        let (mut suffix, mut bytes) = ([0_u8; 16], vec![0_u8; KEY_BYTES]);
        let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
        random
            .fill(&mut suffix)
            .and_then(|()| random.fill(&mut bytes))
            .map_err(|_| Failure { code: FAILED, ..Failure::new("there is no randomness") })?;
        let suffix: String = suffix.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name: format!("claviger-doctor-{suffix}"), bytes: Secret::new(bytes) })
    }

    /// The name, if the product gives its keys names.
    pub(super) fn name_in(&self, habit: &Habit) -> Option<String> {
        let is_named = match habit {
            Habit::Mongod { key, .. } => matches!(key, Some(MasterKey::Name(_))),
            Habit::Mysql { .. } => true,
            Habit::Zenko { bucket_attribute, .. } => bucket_attribute.is_some(),
        };
        is_named.then(|| self.name.clone())
    }

    /// Register, as mongod and mysqld do.
    pub(super) fn register(&self, group: Option<Option<&str>>) -> RegisterRequest {
        let mut request = requests::register_symmetric_key(
            CryptographicAlgorithm::AES,
            Secret::copy_of(self.bytes.expose()),
            usage(),
            [],
        );
        if let Some(group) = group {
            let group = group.map(|group| Attribute::ObjectGroup(group.to_owned()));
            let first = [Some(Attribute::Name(Name::text(&self.name))), group];
            let first = first.into_iter().flatten().map(Instance::from);
            request.attributes.attributes.0.splice(0..0, first);
        }
        request
    }

    /// Create, as CloudServer does.
    pub(super) fn create(&self, compound: bool, bucket_attribute: Option<&str>) -> CreateRequest {
        let bucket = bucket_attribute.map(reference_of).and_then(|reference| match reference {
            AttributeReference::Vendor { vendor_identification, attribute_name } => {
                let attribute_value =
                    Node::new(tags::ATTRIBUTE_VALUE, Value::TextString(self.name.clone()));
                let vendor =
                    VendorAttribute { vendor_identification, attribute_name, attribute_value };
                Some(Attribute::Vendor(vendor))
            }
            _ => None,
        });
        // The original means the present, and sends 1970: any server takes that for the past.
        let activation = compound.then_some(Attribute::ActivationDate(DateTime(0)));
        let standard = [
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            Attribute::CryptographicLength(KEY_BITS),
            Attribute::CryptographicUsageMask(usage()),
        ];
        let all = bucket.into_iter().chain(standard).chain(activation).map(Instance::from);
        CreateRequest {
            object_type: ObjectType::SYMMETRIC_KEY,
            attributes: TemplateAttributes::from(Attributes(all.collect())),
            protection_storage_masks: None,
        }
    }

    /// Encrypt, as CloudServer seals a data key.
    pub(super) fn encrypt(&self, id: &str) -> EncryptRequest {
        let data = Secret::copy_of(self.bytes.expose());
        requests::encrypt(id, Some(parameters()), Some(ByteString(vec![0; 16])), data)
    }

    /// Decrypt, as CloudServer opens a data key.
    pub(super) fn decrypt(id: &str, sealed: Vec<u8>) -> DecryptRequest {
        requests::decrypt(id, Some(parameters()), Some(ByteString(vec![0; 16])), sealed)
    }

    /// Whether Get brought back what was registered.
    pub(super) fn is_same(&self, answer: &GetResponse, id: &str) -> Result<(), Fault> {
        is_about(&answer.unique_identifier, id)?;
        let Object::SymmetricKey(Key { key_block: Some(block) }) = &answer.object else {
            return Err(odd("what comes back is no symmetric key"));
        };
        if block.key_wrapping_data.is_some() {
            return Err(odd("the key comes back wrapped"));
        }
        match &block.key_value {
            Some(KeyValue::Plain { key_material: KeyMaterial::Bytes(bytes), .. })
                if *bytes == self.bytes =>
            {
                Ok(())
            }
            _ => Err(odd("another key comes back than was registered")),
        }
    }
}

fn usage() -> CryptographicUsageMask {
    CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT
}

fn parameters() -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        ..CryptographicParameters::none()
    }
}

/// Get Attributes of the State; of everything, where the product asks so.
pub(super) fn attributes(id: &str, all: bool) -> GetAttributesRequest {
    let state = AttributeReference::Standard(AttributeId::State);
    GetAttributesRequest {
        unique_identifier: Some(id.into()),
        attribute_reference: References(if all { Vec::new() } else { vec![state] }),
    }
}

/// Get Attributes as our component for MySQL asks: what it needs to know of a key.
pub(super) fn described(id: &str) -> GetAttributesRequest {
    let standard = [AttributeId::Name, AttributeId::State].map(AttributeReference::Standard);
    let owner = AttributeReference::Vendor {
        vendor_identification: String::from("x"),
        attribute_name: String::from("mysql-owner"),
    };
    requests::get_attributes(id, standard.into_iter().chain([owner]))
}

/// Locate of the keys with a Name.
pub(super) fn locate_name(name: &str) -> LocateRequest {
    requests::locate([
        Attribute::ObjectType(ObjectType::SYMMETRIC_KEY),
        Attribute::Name(Name::text(name)),
    ])
}

/// Get.
pub(super) fn get(id: &str) -> GetRequest {
    requests::get(id)
}

/// Locate of the first page of the keys of a group.
pub(super) fn locate(group: Option<&str>) -> LocateRequest {
    let group = group.map(|group| Attribute::ObjectGroup(group.to_owned()));
    let wanted = [Some(Attribute::ObjectType(ObjectType::SYMMETRIC_KEY)), group];
    let wanted = wanted.into_iter().flatten().map(Instance::from).collect();
    LocateRequest {
        maximum_items: Some(PAGE),
        attributes: AttributeList(Attributes(wanted)),
        ..LocateRequest::default()
    }
}

/// Revoke, with the reason of the product.
pub(super) fn revoke(habit: &Habit, id: &str) -> RevokeRequest {
    let (reason, message) = match habit {
        Habit::Mysql { .. } => (RevocationReasonCode::UNSPECIFIED, "Deleting the key"),
        Habit::Zenko { .. } => {
            (RevocationReasonCode::CESSATION_OF_OPERATION, "About to be deleted")
        }
        Habit::Mongod { .. } => (RevocationReasonCode::CESSATION_OF_OPERATION, "claviger doctor"),
    };
    requests::revoke(id, reason, Some(message.to_owned()))
}

/// The identifier that the server gave the key.
pub(super) fn identifier(answered: &UniqueIdentifier) -> Result<String, Fault> {
    match answered {
        UniqueIdentifier::Text(text)
            if !text.is_empty()
                && text.len() <= IDENTIFIER_MAX
                && !text.contains(char::is_control) =>
        {
            Ok(text.clone())
        }
        _ => Err(odd("the server's identifier of the key is no text of moderate length")),
    }
}

/// An answer is about the key that was asked about.
pub(super) fn is_about(answered: &UniqueIdentifier, id: &str) -> Result<(), Fault> {
    match answered {
        UniqueIdentifier::Text(text) if text == id => Ok(()),
        _ => Err(odd("the server answers about another object")),
    }
}

/// The State in an answer. `alone` is what mongod demands, a Name what mysqld does.
pub(super) fn state(
    answer: &GetAttributesResponse,
    id: &str,
    name: Option<&str>,
) -> Result<State, Fault> {
    is_about(&answer.unique_identifier, id)?;
    let attributes = &answer.attributes.0;
    let state = match (attributes.first(AttributeId::State), attributes.0.len()) {
        (Some(Attribute::State(state)), count) if count == 1 || name.is_some() => *state,
        (Some(_), _) => return Err(odd("the server answers more than the State, asked for that")),
        (None, _) => return Err(odd("the server does not answer the State")),
    };
    let is_named = |name: &str| {
        let mut names = attributes.all(AttributeId::Name);
        names.any(|it| matches!(it, Attribute::Name(it) if it.name_value == name))
    };
    match name {
        Some(name) if !is_named(name) => Err(odd("the key has lost its Name")),
        _ => Ok(state),
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
