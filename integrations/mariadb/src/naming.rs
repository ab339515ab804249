//! What a version of a key is called on the KMIP server, and how its attributes are read. Pure.
//!
//! Version 3 of key 5 in the group `mariadb` has the Name `mariadb/5/3`, the Object Groups `mariadb` and `mariadb/5`, and
//! the attribute `x-mariadb-version`, an Integer.

use std::collections::BTreeSet;
use std::str::FromStr;

use claviger_kmip::attributes::values::{Name, VendorAttribute};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference, Attributes};
use claviger_kmip::enums::{LinkType, State};
use claviger_kmip::tags;
use claviger_ttlv::{Node, Value};

/// The group where nothing else is said.
pub const GROUP: &str = "mariadb";
/// Bytes of a group's name.
const GROUP_MAX: usize = 200;
const VENDOR: &str = "x";
const VERSION: &str = "mariadb-version";

/// The keys of one server, or of several that share tables: the first part of all their Names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group(String);

impl FromStr for Group {
    type Err = &'static str;

    /// 1 to 200 printable characters of ASCII, no slash.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
        if text.is_empty() || text.len() > GROUP_MAX || !text.bytes().all(is_plain) {
            return Err("a group has 1 to 200 printable characters of ASCII, no space and no /");
        }
        Ok(Self(text.to_owned()))
    }
}

/// What is known of an object that says it is a version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// The version of its Name, if that is one of the key's and the attribute says the same.
    pub(crate) version: Option<u32>,
    pub(crate) state: Option<State>,
    /// It replaced another object, by Re-key, and took its Name.
    pub(crate) is_replacement: bool,
}

impl Group {
    /// The Object Group of all versions of all keys.
    pub(crate) fn whole(&self) -> Attribute {
        Attribute::ObjectGroup(self.0.clone())
    }

    /// The Object Group of all versions of a key.
    pub(crate) fn of_key(&self, key_id: u32) -> Attribute {
        Attribute::ObjectGroup(format!("{}/{key_id}", self.0))
    }

    /// The Name of a version.
    pub(crate) fn name(&self, key_id: u32, version: u32) -> String {
        format!("{}/{key_id}/{version}", self.0)
    }

    /// What a new version is made with.
    pub(crate) fn attributes(&self, key_id: u32, version: u32) -> [Attribute; 4] {
        [
            Attribute::Name(Name::text(self.name(key_id, version))),
            self.whole(),
            self.of_key(key_id),
            Attribute::Vendor(VendorAttribute {
                vendor_identification: VENDOR.to_owned(),
                attribute_name: VERSION.to_owned(),
                attribute_value: Node {
                    tag: tags::ATTRIBUTE_VALUE,
                    value: Value::Integer(i32::try_from(version).unwrap_or(i32::MAX)),
                },
            }),
        ]
    }

    /// The keys that an object has the Name of a version of, each once.
    pub(crate) fn key_ids(&self, attributes: &Attributes) -> BTreeSet<u32> {
        let key_id = |attribute: &Attribute| match attribute {
            Attribute::Name(name) => {
                let rest = name.name_value.strip_prefix(&self.0)?.strip_prefix('/')?;
                number(rest.split_once('/')?.0)
            }
            _ => None,
        };
        attributes.all(AttributeId::Name).filter_map(key_id).collect()
    }

    /// Reads what [`asked`] asks for.
    pub(crate) fn describe(&self, key_id: u32, attributes: &Attributes) -> Described {
        let prefix = format!("{}/{key_id}/", self.0);
        let named = attributes.all(AttributeId::Name).find_map(|attribute| match attribute {
            Attribute::Name(name) => version(name.name_value.strip_prefix(&prefix)?),
            _ => None,
        });
        let numbered = attributes.iter().find_map(|attribute| match attribute {
            Attribute::Vendor(vendor)
                if vendor.vendor_identification == VENDOR && vendor.attribute_name == VERSION =>
            {
                match vendor.attribute_value.value {
                    Value::Integer(number) => u32::try_from(number).ok(),
                    _ => None,
                }
            }
            _ => None,
        });
        let state = attributes.iter().find_map(|attribute| match attribute {
            Attribute::State(state) => Some(*state),
            _ => None,
        });
        let is_replacement = attributes.iter().any(|attribute| {
            matches!(attribute, Attribute::Link(link) if link.link_type == LinkType::REPLACED_OBJECT_LINK)
        });
        Described { version: named.filter(|_| named == numbered), state, is_replacement }
    }
}

/// The attributes that [`Group::describe`] reads.
pub(crate) fn asked() -> [AttributeReference; 4] {
    [
        AttributeReference::Standard(AttributeId::Name),
        AttributeReference::Standard(AttributeId::State),
        AttributeReference::Standard(AttributeId::Link),
        AttributeReference::Vendor {
            vendor_identification: VENDOR.to_owned(),
            attribute_name: VERSION.to_owned(),
        },
    ]
}

/// A version as a Name has it: from 1.
fn version(text: &str) -> Option<u32> {
    number(text).filter(|version| *version > 0)
}

/// A number as a Name has it: no leading zero.
fn number(text: &str) -> Option<u32> {
    let number = text.parse::<u32>().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_what_is_read() {
        let group: Group = "db1".parse().unwrap();
        let made: Attributes = group.attributes(5, 12).into_iter().collect();
        let described = group.describe(5, &made);
        assert_eq!(described, Described { version: Some(12), state: None, is_replacement: false });
        assert_eq!(group.describe(50, &made).version, None);
        assert_eq!("db".parse::<Group>().unwrap().describe(5, &made).version, None);
    }

    #[test]
    fn name_and_attribute_must_agree() {
        let group: Group = "db1".parse().unwrap();
        let mut made = group.attributes(5, 12);
        made[0] = Attribute::Name(Name::text("db1/5/13"));
        assert_eq!(group.describe(5, &made.into_iter().collect()).version, None);
        let mut made = group.attributes(5, 12);
        made[0] = Attribute::Name(Name::text("db1/5/012"));
        assert_eq!(group.describe(5, &made.into_iter().collect()).version, None);
    }

    #[test]
    fn the_keys_of_an_object_are_those_of_its_names() {
        let group: Group = "db1".parse().unwrap();
        let named = |names: &[&str]| -> Vec<u32> {
            let names = names.iter().map(|name| Attribute::Name(Name::text(*name)));
            group.key_ids(&names.collect()).into_iter().collect()
        };
        let highest = format!("db1/{}/1", u32::MAX);
        assert_eq!(named(&["db1/5/1", "db1/5/2", &highest, "db1/0/1"]), [0, 5, u32::MAX]);
        let none = ["db1/05/1", "db1/4294967296/1", "db1/-5/1", "db1/5", "db1//1", "db11/5/1", ""];
        assert_eq!(named(&none), [0; 0]);
    }

    #[test]
    fn a_group_is_one_part_of_a_name() {
        for bad in ["", "a/b", "a b", "ä", "a\n", &"x".repeat(201)] {
            assert!(bad.parse::<Group>().is_err(), "{bad:?}");
        }
    }
}
