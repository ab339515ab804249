//! Locate: find objects by their attributes (KMIP 2.1 §6.1.28, KMIP 1.4 §4.9).
//!
//! Shapes only: it must never know what the operation does.

use crate::attributes::values::UniqueIdentifier;
use crate::codec::structure::structure;
use crate::compat::AttributeList;
use crate::enums::ObjectGroupMember;
use crate::masks::StorageStatusMask;

structure! {
    /// Request payload.
    #[derive(Default)]
    pub struct LocateRequest {
        /// How many identifiers to return at most.
        maximum_items: Option<i32> = MAXIMUM_ITEMS,
        /// How many hits to skip.
        offset_items: Option<i32> = OFFSET_ITEMS since V1_3,
        /// Where to look: on-line, in the archive, among the destroyed.
        storage_status_mask: Option<StorageStatusMask> = STORAGE_STATUS_MASK,
        /// Fresh or default members of an object group.
        object_group_member: Option<ObjectGroupMember> = OBJECT_GROUP_MEMBER since V1_1,
        /// What the objects must have, all of it.
        attributes: AttributeList = ATTRIBUTES | ATTRIBUTE,
    }

    /// Response payload.
    #[derive(Default)]
    pub struct LocateResponse {
        /// How many hits there are.
        located_items: Option<i32> = LOCATED_ITEMS since V1_3,
        /// The hits.
        unique_identifier: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER,
    }
}
