//! Attributes that new objects get unless the client says otherwise (KMIP 2.1 §7.11 and §7.22).
//!
//! Shapes only: it must never know when a default applies.

use super::groups::{ObjectGroups, ObjectTypes};
use crate::codec::structure::structure;
use crate::compat::AttributeList;
use crate::enums::ObjectType;

structure! {
    /// All defaults (KMIP 2.1 §7.11).
    #[derive(Default)]
    pub struct DefaultsInformation {
        /// The defaults of some types of objects.
        object_defaults: Vec<ObjectDefaults> = OBJECT_DEFAULTS,
    }

    /// The defaults of one or several types of objects (KMIP 2.1 §7.22).
    #[derive(Default)]
    pub struct ObjectDefaults {
        /// For one type.
        object_type: Option<ObjectType> = OBJECT_TYPE,
        /// For several types (2.1).
        object_types: Option<ObjectTypes> = OBJECT_TYPES since V2_1,
        /// The attributes.
        attributes: AttributeList = ATTRIBUTES,
        /// In which groups; all if absent (2.1).
        object_groups: Option<ObjectGroups> = OBJECT_GROUPS since V2_1,
    }
}
