//! What a key is called on the KMIP server, as Percona's component calls it, and how its attributes are read. Pure.
//!
//! The key `k` has the Name `k`, the Object Group of the configuration, and, if a user owns it, the attribute `x-mysql-owner`,
//! a Text String. AES keys are symmetric keys, secrets are Secret Data of the type Password in the format Opaque.

use claviger_client::requests;
use claviger_kmip::attributes::values::{Name, VendorAttribute};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference, Attributes};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, SecretDataType, State,
};
use claviger_kmip::masks::CryptographicUsageMask;
use claviger_kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object, SecretData};
use claviger_kmip::payload::RegisterRequest;
use claviger_kmip::tags;
use claviger_ttlv::{Node, Value};

const VENDOR: &str = "x";
const OWNER: &str = "mysql-owner";
/// Bytes of an AES key that is made. What is there already may have any length.
const AES_BYTES: [usize; 3] = [16, 24, 32];
/// Bytes of any key: as many as MySQL's other keyrings take.
const BYTES_MAX: usize = 16_384;

/// What a key is to MySQL.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Aes,
    Secret,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Aes, Self::Secret];

    /// As MySQL writes it; `None` for a type that there is not.
    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text))
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Aes => "AES",
            Self::Secret => "SECRET",
        }
    }

    pub(crate) const fn object_type(self) -> ObjectType {
        match self {
            Self::Aes => ObjectType::SYMMETRIC_KEY,
            Self::Secret => ObjectType::SECRET_DATA,
        }
    }

    /// Whether a key of so many bytes may be made.
    pub(crate) fn takes(self, bytes: usize) -> bool {
        match self {
            Self::Aes => AES_BYTES.contains(&bytes),
            Self::Secret => (1..=BYTES_MAX).contains(&bytes),
        }
    }
}

/// Who a key is: its name, and whose it is; nobody's if it is the server's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) data_id: String,
    pub(crate) auth_id: String,
}

/// What is known of an object besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// `None` without a Name: no key of MySQL's.
    pub(crate) identity: Option<Identity>,
    pub(crate) state: Option<State>,
}

/// The attributes that [`describe`] reads.
pub(crate) fn asked() -> [AttributeReference; 3] {
    [
        AttributeReference::Standard(AttributeId::Name),
        AttributeReference::Standard(AttributeId::State),
        AttributeReference::Vendor {
            vendor_identification: VENDOR.to_owned(),
            attribute_name: OWNER.to_owned(),
        },
    ]
}

/// Reads what [`asked`] asks for.
pub(crate) fn describe(attributes: &Attributes) -> Described {
    let mut found = Described { identity: None, state: None };
    let (mut data_id, mut auth_id) = (None, String::new());
    for attribute in attributes.iter() {
        match attribute {
            Attribute::Name(name) if data_id.is_none() && !name.name_value.is_empty() => {
                data_id = Some(name.name_value.clone());
            }
            Attribute::State(state) => found.state = Some(*state),
            Attribute::Vendor(vendor)
                if vendor.vendor_identification == VENDOR && vendor.attribute_name == OWNER =>
            {
                if let Value::TextString(owner) = &vendor.attribute_value.value {
                    auth_id.clone_from(owner);
                }
            }
            _ => {}
        }
    }
    found.identity = data_id.map(|data_id| Identity { data_id, auth_id });
    found
}

/// What finds all keys of a kind, or those with a name.
pub(crate) fn filter(kind: Kind, group: Option<&str>, data_id: Option<&str>) -> Vec<Attribute> {
    let mut filter = vec![Attribute::ObjectType(kind.object_type())];
    filter.extend(group.map(|group| Attribute::ObjectGroup(group.to_owned())));
    filter.extend(data_id.map(|data_id| Attribute::Name(Name::text(data_id))));
    filter
}

/// What a key is registered with.
pub(crate) fn register(
    identity: &Identity,
    kind: Kind,
    group: Option<&str>,
    bytes: Secret,
) -> RegisterRequest {
    let mut attributes = vec![Attribute::Name(Name::text(identity.data_id.clone()))];
    attributes.extend(group.map(|group| Attribute::ObjectGroup(group.to_owned())));
    if !identity.auth_id.is_empty() {
        attributes.push(Attribute::Vendor(VendorAttribute {
            vendor_identification: VENDOR.to_owned(),
            attribute_name: OWNER.to_owned(),
            attribute_value: Node {
                tag: tags::ATTRIBUTE_VALUE,
                value: Value::TextString(identity.auth_id.clone()),
            },
        }));
    }
    match kind {
        Kind::Aes => {
            let usage = CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT;
            let algorithm = CryptographicAlgorithm::AES;
            requests::register_symmetric_key(algorithm, bytes, usage, attributes)
        }
        Kind::Secret => {
            let usage = CryptographicUsageMask::DERIVE_KEY | CryptographicUsageMask::EXPORT;
            attributes.push(Attribute::CryptographicUsageMask(usage));
            let block = KeyBlock {
                key_format_type: KeyFormatType::OPAQUE,
                key_compression_type: None,
                key_value: Some(KeyValue::plain(KeyMaterial::Bytes(bytes))),
                cryptographic_algorithm: None,
                cryptographic_length: None,
                key_wrapping_data: None,
            };
            let secret =
                SecretData { secret_data_type: SecretDataType::PASSWORD, key_block: Some(block) };
            requests::register(Object::SecretData(secret), attributes)
        }
    }
}

/// The bytes of a key, of whatever length.
///
/// # Errors
/// It is no key of MySQL's: why, for people.
pub(crate) fn material(kind: Kind, object: Object) -> Result<Secret, &'static str> {
    let block = match (kind, object) {
        (Kind::Aes, Object::SymmetricKey(key)) => key.key_block,
        (Kind::Secret, Object::SecretData(secret)) => secret.key_block,
        _ => return Err("it is of another type than the server said"),
    };
    let block = block.ok_or("it has no Key Block")?;
    if block.key_wrapping_data.is_some() {
        return Err("it is wrapped");
    }
    if kind == Kind::Aes
        && block.cryptographic_algorithm.is_some_and(|it| it != CryptographicAlgorithm::AES)
    {
        return Err("it is no key for AES");
    }
    match block.key_value {
        Some(KeyValue::Plain { key_material: KeyMaterial::Bytes(bytes), .. })
            if (1..=BYTES_MAX).contains(&bytes.len()) =>
        {
            Ok(bytes)
        }
        _ => Err("its bytes are not in the format Raw or Opaque, none, or more than 16384"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(auth_id: &str) -> Identity {
        Identity { data_id: String::from("INNODBKey-1"), auth_id: auth_id.to_owned() }
    }

    #[test]
    fn what_is_registered_is_what_is_read() {
        for kind in Kind::ALL {
            for owner in ["", "root@localhost", "ü@%"] {
                let bytes = Secret::copy_of(&[7; 16]);
                let made = register(&identity(owner), kind, Some("g"), bytes);
                let described = describe(&made.attributes.attributes);
                assert_eq!(described.identity, Some(identity(owner)));
                assert_eq!(made.object_type, kind.object_type());
                assert_eq!(material(kind, made.object).unwrap().expose(), &[7; 16]);
            }
        }
    }

    #[test]
    fn keys_that_are_made_have_lengths_and_types() {
        let takes = |name: &str, bytes| Kind::named(name).is_some_and(|kind| kind.takes(bytes));
        for (name, bytes) in
            [("AES", 16), ("aes", 24), ("AES", 32), ("SECRET", 1), ("SECRET", 16_384)]
        {
            assert!(takes(name, bytes), "{name} {bytes}");
        }
        for (name, bytes) in [
            ("AES", 0),
            ("AES", 29),
            ("AES", 64),
            ("SECRET", 0),
            ("SECRET", 16_385),
            ("RSA", 16),
            ("", 16),
        ] {
            assert!(!takes(name, bytes), "{name} {bytes}");
        }
    }

    #[test]
    fn what_is_no_key_says_why() {
        let made = |kind| register(&identity(""), kind, None, Secret::copy_of(&[7; 16])).object;
        assert!(material(Kind::Aes, made(Kind::Secret)).is_err());
        let empty = register(&identity(""), Kind::Secret, None, Secret::copy_of(&[])).object;
        assert!(material(Kind::Secret, empty).is_err());
        assert_eq!(describe(&Attributes::default()).identity, None);
    }
}
