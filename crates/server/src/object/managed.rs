//! One managed object: its stored facts, and the attributes that follow from them.

use claviger_kmip::attributes::values::{Link, UniqueIdentifier};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference, Attributes, Instance};
use claviger_kmip::codec::{ByteString, DateTime};
use claviger_kmip::enums::{LinkType, ObjectType};
use claviger_kmip::objects::Object;

use super::id::ObjectId;
use super::lifecycle::{Facts, State};

/// A managed object, or what is left of a destroyed one.
#[derive(Clone, Debug, PartialEq)]
pub struct ManagedObject {
    /// Its Unique Identifier.
    pub id: ObjectId,
    /// Its Object Type, which outlives its destruction.
    pub object_type: ObjectType,
    /// The object itself; `None` once it is destroyed.
    pub object: Option<Object>,
    /// The stored attributes. What follows from them is in [`ManagedObject::attribute`].
    pub attributes: Attributes,
}

/// What has to be known of an object to hand it out as it is: all of it but most attributes. A Get
/// needs no more, and reading every attribute would be half of its work.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Its Object Type.
    pub object_type: ObjectType,
    /// The object itself; `None` once it is destroyed.
    pub object: Option<Object>,
    /// Its attribute Sensitive.
    pub sensitive: Option<bool>,
    /// Its attribute Extractable.
    pub extractable: Option<bool>,
    /// Its attribute Fresh as it is stored; see `served`.
    pub fresh: Option<bool>,
}

impl From<&ManagedObject> for Outline {
    fn from(managed: &ManagedObject) -> Self {
        let fresh = managed.attributes.iter().filter_map(|attribute| match attribute {
            Attribute::Fresh(fresh) => Some(*fresh),
            _ => None,
        });
        Self {
            object_type: managed.object_type,
            object: managed.object.clone(),
            sensitive: managed.attributes.sensitive(),
            extractable: managed.attributes.extractable(),
            fresh: fresh.last(),
        }
    }
}

/// A link to another object of the scope.
#[must_use]
pub fn link(link_type: LinkType, id: ObjectId) -> Attribute {
    let linked_object_identifier = UniqueIdentifier::Text(id.to_string());
    Attribute::Link(Link { link_type, linked_object_identifier })
}

/// Attributes that are computed whenever they are asked for, never stored.
const COMPUTED: [AttributeId; 5] = [
    AttributeId::UniqueIdentifier,
    AttributeId::ShortUniqueIdentifier,
    AttributeId::ObjectType,
    AttributeId::State,
    AttributeId::KeyValuePresent,
];

impl ManagedObject {
    /// What the state follows from.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        for attribute in self.attributes.iter() {
            match attribute {
                Attribute::ActivationDate(date) => facts.activation_date = Some(date.0),
                Attribute::DeactivationDate(date) => facts.deactivation_date = Some(date.0),
                Attribute::CompromiseDate(date) => facts.compromise_date = Some(date.0),
                Attribute::DestroyDate(date) => facts.destroy_date = Some(date.0),
                _ => {}
            }
        }
        facts
    }

    /// The state at a time in POSIX seconds.
    #[must_use]
    pub fn state(&self, now: i64) -> State {
        self.facts().state(now)
    }

    /// The values of one attribute at a time, computed ones included.
    #[must_use]
    pub fn attribute(&self, reference: &AttributeReference, now: i64) -> Vec<Instance> {
        if let AttributeReference::Standard(id) = reference
            && COMPUTED.contains(id)
        {
            return self.computed(*id, now).map(Instance::from).into_iter().collect();
        }
        let stored = self.attributes.0.iter();
        stored.filter(|instance| reference.matches(&instance.attribute)).cloned().collect()
    }

    /// All attributes at a time, computed ones included, in the order of the table.
    #[must_use]
    pub fn all_attributes(&self, now: i64) -> Vec<Instance> {
        let computed = COMPUTED.into_iter().filter_map(|id| self.computed(id, now));
        let mut all: Vec<Instance> = computed.map(Instance::from).collect();
        all.extend(self.attributes.0.iter().cloned());
        all.sort_by_key(|instance| instance.attribute.id());
        all
    }

    fn computed(&self, id: AttributeId, now: i64) -> Option<Attribute> {
        match id {
            AttributeId::UniqueIdentifier => {
                Some(Attribute::UniqueIdentifier(UniqueIdentifier::Text(self.id.to_string())))
            }
            AttributeId::ShortUniqueIdentifier => {
                Some(Attribute::ShortUniqueIdentifier(ByteString(self.id.as_bytes().to_vec())))
            }
            AttributeId::ObjectType => Some(Attribute::ObjectType(self.object_type)),
            AttributeId::State => Some(Attribute::State(self.state(now).into())),
            AttributeId::KeyValuePresent => {
                let block = self.object.as_ref()?.key_block()?;
                Some(Attribute::KeyValuePresent(block.key_value.is_some()))
            }
            _ => None,
        }
    }

    /// Notes that something about the object changed.
    pub fn touch(&mut self, now: i64) {
        self.attributes.set(Attribute::LastChangeDate(DateTime(now)));
    }
}
