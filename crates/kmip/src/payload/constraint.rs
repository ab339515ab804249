//! Constraints on new objects (KMIP 2.1 §7.6 and §7.7).
//!
//! Shapes only: it must never know how a constraint is applied.

use super::groups::{ObjectGroups, ObjectTypes};
use crate::codec::structure::structure;
use crate::compat::TemplateAttributes;

structure! {
    /// Constraints that are applied together (KMIP 2.1 §7.7).
    #[derive(Default)]
    pub struct Constraints {
        /// The constraints.
        constraint: Vec<Constraint> = CONSTRAINT,
    }

    /// What objects of some types and groups must be like (KMIP 2.1 §7.6).
    #[derive(Default)]
    pub struct Constraint {
        /// For which types; all if absent.
        object_types: Option<ObjectTypes> = OBJECT_TYPES,
        /// For which groups; all if absent.
        object_groups: Option<ObjectGroups> = OBJECT_GROUPS,
        /// The attributes that are allowed.
        attributes: TemplateAttributes = ATTRIBUTES,
    }
}
