//! An ordered set of attributes, as messages carry it and objects keep it.

use super::{Attribute, AttributeId, AttributeReference, Instances};

/// One attribute value and, in 1.x, its index among the values of the same attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Attribute Index; `None` where a message leaves it out. 2.x has no indices.
    pub index: Option<i32>,
    /// The attribute.
    pub attribute: Attribute,
}

impl From<Attribute> for Instance {
    fn from(attribute: Attribute) -> Self {
        Self { index: None, attribute }
    }
}

/// Attributes in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<Instance>);

impl Attributes {
    /// No attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The attributes without their indices.
    pub fn iter(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter().map(|instance| &instance.attribute)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every value of one attribute.
    pub fn all(&self, id: AttributeId) -> impl Iterator<Item = &Attribute> {
        self.iter().filter(move |attribute| attribute.id() == id)
    }

    /// The first value of one attribute.
    #[must_use]
    pub fn first(&self, id: AttributeId) -> Option<&Attribute> {
        self.iter().find(|attribute| attribute.id() == id)
    }

    /// Appends a value with the next free index among its attribute's values.
    pub fn push(&mut self, attribute: Attribute) {
        let index = self.next_index(&attribute.reference());
        self.0.push(Instance { index: Some(index), attribute });
    }

    /// Replaces the only value of a single-valued attribute, or appends it.
    pub fn set(&mut self, attribute: Attribute) {
        let id = attribute.id();
        debug_assert!(id.rule().instances == Instances::One, "set() is for single values");
        match self.0.iter_mut().find(|instance| instance.attribute.id() == id) {
            Some(instance) => instance.attribute = attribute,
            None => self.push(attribute),
        }
    }

    /// Removes every value of one attribute and says whether there was one.
    pub fn remove(&mut self, id: AttributeId) -> bool {
        let before = self.0.len();
        self.0.retain(|instance| instance.attribute.id() != id);
        before != self.0.len()
    }

    /// The index that the next value of that attribute gets: one above the highest in use, so
    /// that an index never moves to another value (KMIP 1.4 §2.1.1).
    #[must_use]
    pub fn next_index(&self, reference: &AttributeReference) -> i32 {
        self.0
            .iter()
            .filter(|instance| reference.matches(&instance.attribute))
            .filter_map(|instance| instance.index)
            .max()
            .map_or(0, |highest| highest.saturating_add(1))
    }
}

impl FromIterator<Attribute> for Attributes {
    fn from_iter<I: IntoIterator<Item = Attribute>>(attributes: I) -> Self {
        let mut set = Self::new();
        for attribute in attributes {
            set.push(attribute);
        }
        set
    }
}

/// Typed access to the single-valued attributes that rules and handlers ask for.
macro_rules! single {
    ($($(#[$meta:meta])* $name:ident: $variant:ident -> $type:ty;)*) => {
        impl Attributes {
            $($(#[$meta])*
            #[must_use]
            pub fn $name(&self) -> Option<$type> {
                self.iter().find_map(|attribute| match attribute {
                    Attribute::$variant(value) => Some(*value),
                    _ => None,
                })
            })*
        }
    };
}

single! {
    /// Cryptographic Algorithm.
    cryptographic_algorithm: CryptographicAlgorithm -> crate::enums::CryptographicAlgorithm;
    /// Cryptographic Length in bits.
    cryptographic_length: CryptographicLength -> i32;
    /// Cryptographic Usage Mask.
    cryptographic_usage_mask: CryptographicUsageMask -> crate::masks::CryptographicUsageMask;
    /// Activation Date.
    activation_date: ActivationDate -> crate::codec::DateTime;
    /// Process Start Date.
    process_start_date: ProcessStartDate -> crate::codec::DateTime;
    /// Protect Stop Date.
    protect_stop_date: ProtectStopDate -> crate::codec::DateTime;
    /// Deactivation Date.
    deactivation_date: DeactivationDate -> crate::codec::DateTime;
    /// Sensitive.
    sensitive: Sensitive -> bool;
    /// Extractable.
    extractable: Extractable -> bool;
    /// Protection Level.
    protection_level: ProtectionLevel -> crate::enums::ProtectionLevel;
}
