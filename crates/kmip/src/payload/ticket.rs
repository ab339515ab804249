//! Tickets: what Login gives out, and what they allow (KMIP 2.1 §7.34, §7.35 and §7.39).
//!
//! Shapes only: it must never know whether a ticket is good.

use claviger_ttlv::{Item, ItemType, Tag};

use super::groups::{ObjectGroups, Objects, Operations};
use crate::Version;
use crate::attributes::values::UsageLimits;
use crate::codec::structure::structure;
use crate::codec::{DateTime, Encoder, Interval, Secret, Wire};
use crate::enums::TicketType;
use crate::error::Error;

structure! {
    /// A ticket; who has its value is who it was given to.
    pub struct Ticket {
        /// The kind.
        ticket_type: TicketType = TICKET_TYPE,
        /// The value.
        ticket_value: Secret = TICKET_VALUE,
    }

    /// What a ticket allows: all that any of the rights allows.
    #[derive(Default)]
    pub struct Rights {
        /// The rights.
        right: Vec<Right> = RIGHT,
    }

    /// One right.
    #[derive(Default)]
    pub struct Right {
        /// How much may be done with it.
        usage_limits: Option<UsageLimits> = USAGE_LIMITS,
        /// Which operations; all if absent.
        operations: Option<Operations> = OPERATIONS,
        /// On which objects; all if absent.
        objects: Option<Objects> = OBJECTS,
        /// In which groups; all if absent.
        object_groups: Option<ObjectGroups> = OBJECT_GROUPS since V2_1,
    }
}

/// How long a ticket lives.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LeaseTime {
    /// For so long from now.
    For(Interval),
    /// Until then.
    Until(DateTime),
}

impl Wire for LeaseTime {
    fn decode(item: &Item<'_>, version: Version) -> Result<Self, Error> {
        if item.item_type == ItemType::DateTime {
            return DateTime::decode(item, version).map(Self::Until);
        }
        Interval::decode(item, version).map(Self::For)
    }

    fn encode(&self, encoder: &mut Encoder<'_>, tag: Tag) {
        match self {
            Self::For(interval) => interval.encode(encoder, tag),
            Self::Until(date) => date.encode(encoder, tag),
        }
    }
}
