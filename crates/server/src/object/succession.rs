//! What passes from a key to the one that replaces it: attributes, dates, names and links (KMIP 2.1
//! §6.1.46 and §6.1.47, KMIP 1.4 §4.4, §4.5, §11.5 and §11.6).
//!
//! Pure: the new key material comes from elsewhere, and nothing of the old one passes.

use claviger_kmip::attributes::{Attribute, AttributeId, Attributes, Instances};
use claviger_kmip::codec::{DateTime, Interval};
use claviger_kmip::enums::LinkType;

use super::id::ObjectId;
use super::managed::{ManagedObject, link};
use super::size;
use crate::failure::{Failure, Reason};
use crate::limits::Limits;

/// Attributes of the one object only: its history, and what the server finds out of the object
/// itself. The dates of its life are in [`DATES`].
const NOT_INHERITED: [AttributeId; 21] = [
    AttributeId::Digest,
    AttributeId::LeaseTime,
    AttributeId::InitialDate,
    AttributeId::DestroyDate,
    AttributeId::CompromiseOccurrenceDate,
    AttributeId::CompromiseDate,
    AttributeId::RevocationReason,
    AttributeId::ArchiveDate,
    AttributeId::Fresh,
    AttributeId::Link,
    AttributeId::LastChangeDate,
    AttributeId::KeyValueLocation,
    AttributeId::OriginalCreationDate,
    AttributeId::RandomNumberGenerator,
    AttributeId::AlwaysSensitive,
    AttributeId::NeverExtractable,
    AttributeId::KeyFormatType,
    AttributeId::ProtectionStorageMask,
    AttributeId::RotateDate,
    AttributeId::RotateGeneration,
    AttributeId::RotateLatest,
];

/// The dates of a life, which an Offset moves; the first is the one that it says.
const DATES: [AttributeId; 4] = [
    AttributeId::ActivationDate,
    AttributeId::ProcessStartDate,
    AttributeId::ProtectStopDate,
    AttributeId::DeactivationDate,
];

/// The attributes of the replacement: those of the existing key, and over them those that the
/// client asks for. Values are added to an attribute that can have several.
///
/// The specification says to set the Count of Usage Limits "in the existing key" to the Total; the
/// replacement's is meant, or every Re-key would grant the existing key its uses anew.
///
/// # Errors
/// The Offset contradicts the dates asked for or has no Activation Date to move; too many values.
pub fn inherit(
    existing: &ManagedObject,
    asked: Attributes,
    offset: Option<Interval>,
    now: i64,
    limits: &Limits,
) -> Result<Attributes, Failure> {
    let dates = dates(&existing.attributes, &asked, offset, now)?;
    let is_asked =
        |id: AttributeId| id.rule().instances == Instances::One && asked.first(id).is_some();
    let mut attributes = Attributes::new();
    let stays = |id: AttributeId| NOT_INHERITED.contains(&id) || DATES.contains(&id);
    let passes = existing.attributes.iter().filter(|attribute| !stays(attribute.id()));
    for attribute in passes.cloned().chain(dates).filter(|attribute| !is_asked(attribute.id())) {
        attributes.push(unspent(attribute));
    }
    for attribute in asked.iter() {
        if !attributes.iter().any(|it| it == attribute) {
            attributes.push(attribute.clone());
        }
    }
    attributes.push(Attribute::RotateGeneration(generation(existing).saturating_add(1)));
    size::check_size(&attributes, limits)?;
    Ok(attributes)
}

/// The existing key once it is replaced: its names are the replacement's, and it says which that
/// is. Its state stays.
///
/// # Errors
/// It has no room for the link.
pub fn replaced(
    existing: &ManagedObject,
    replacement: ObjectId,
    limits: &Limits,
) -> Result<ManagedObject, Failure> {
    let mut existing = existing.clone();
    existing.attributes.remove(AttributeId::Name);
    existing.attributes.push(link(LinkType::REPLACEMENT_OBJECT_LINK, replacement));
    size::check_size(&existing.attributes, limits)?;
    Ok(existing)
}

/// The dates of the replacement's life (KMIP 2.1 tables 303 and 308).
fn dates(
    existing: &Attributes,
    asked: &Attributes,
    offset: Option<Interval>,
    now: i64,
) -> Result<Vec<Attribute>, Failure> {
    let existing_dates = existing.iter().filter(|attribute| DATES.contains(&attribute.id()));
    let Some(offset) = offset else { return Ok(existing_dates.cloned().collect()) };
    if DATES.iter().any(|id| asked.first(*id).is_some()) {
        let message = "an Offset and dates cannot both be given";
        return Err(Failure::new(Reason::InvalidMessage, message));
    }
    let activation = now.saturating_add(i64::from(offset.0));
    let mut moved = vec![Attribute::ActivationDate(DateTime(activation))];
    for attribute in existing_dates.filter(|it| it.id() != AttributeId::ActivationDate) {
        let Some(activation_of_existing) = existing.activation_date() else {
            let message = "the existing key has no Activation Date that its other dates could be \
                           moved with";
            return Err(Failure::new(Reason::NoActivationDate, message));
        };
        let by = activation.saturating_sub(activation_of_existing.0);
        let later = |date: &DateTime| DateTime(date.0.saturating_add(by));
        moved.extend(match attribute {
            Attribute::ProcessStartDate(date) => Some(Attribute::ProcessStartDate(later(date))),
            Attribute::ProtectStopDate(date) => Some(Attribute::ProtectStopDate(later(date))),
            Attribute::DeactivationDate(date) => Some(Attribute::DeactivationDate(later(date))),
            _ => None,
        });
    }
    Ok(moved)
}

/// Usage Limits begin anew.
fn unspent(mut attribute: Attribute) -> Attribute {
    if let Attribute::UsageLimits(limits) = &mut attribute {
        limits.usage_limits_count = Some(limits.usage_limits_total);
    }
    attribute
}

/// How many replacements led to this object (KMIP 2.1 §4.50).
fn generation(object: &ManagedObject) -> i32 {
    let generations = object.attributes.iter().filter_map(|attribute| match attribute {
        Attribute::RotateGeneration(generation) => Some(*generation),
        _ => None,
    });
    generations.last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use claviger_kmip::attributes::values::{Name, UsageLimits};
    use claviger_kmip::enums::{ObjectType, UsageLimitsUnit};

    use super::*;
    use crate::object::lifecycle::State;

    const NOW: i64 = 1_000;

    fn existing(attributes: impl IntoIterator<Item = Attribute>) -> ManagedObject {
        ManagedObject {
            id: ObjectId::from_bytes([1; 16]),
            object_type: ObjectType::SYMMETRIC_KEY,
            object: None,
            attributes: attributes.into_iter().collect(),
        }
    }

    fn life() -> [Attribute; 4] {
        [
            Attribute::ActivationDate(DateTime(100)),
            Attribute::ProcessStartDate(DateTime(110)),
            Attribute::ProtectStopDate(DateTime(120)),
            Attribute::DeactivationDate(DateTime(130)),
        ]
    }

    fn inherited(
        existing: &ManagedObject,
        asked: &[Attribute],
        offset: Option<u32>,
    ) -> Result<Attributes, Reason> {
        let asked = asked.iter().cloned().collect();
        inherit(existing, asked, offset.map(Interval), NOW, &Limits::default())
            .map_err(|failure| failure.reason)
    }

    fn dates_of(attributes: &Attributes) -> Vec<i64> {
        let dates = [
            attributes.activation_date(),
            attributes.process_start_date(),
            attributes.protect_stop_date(),
            attributes.deactivation_date(),
        ];
        dates.into_iter().map(|date| date.map_or(-1, |date| date.0)).collect()
    }

    #[test]
    fn without_an_offset_the_dates_stay_and_with_one_they_move_together() {
        let key = existing(life());
        for (offset, expected) in [
            (None, [100, 110, 120, 130]),
            (Some(0), [1000, 1010, 1020, 1030]),
            (Some(50), [1050, 1060, 1070, 1080]),
        ] {
            let attributes = inherited(&key, &[], offset).unwrap();
            assert_eq!(dates_of(&attributes), expected, "{offset:?}");
        }
    }

    #[test]
    fn an_offset_needs_an_activation_date_only_if_there_are_others_to_move() {
        let [activation, .., deactivation] = life();
        let late = Attribute::DeactivationDate(DateTime(i64::MAX));
        assert_eq!(dates_of(&inherited(&existing([]), &[], Some(5)).unwrap())[0], NOW + 5);
        assert_eq!(
            inherited(&existing([deactivation]), &[], Some(5)),
            Err(Reason::NoActivationDate)
        );
        let attributes = inherited(&existing([activation, late]), &[], Some(5)).unwrap();
        assert_eq!(dates_of(&attributes)[3], i64::MAX, "no date wraps around");
    }

    #[test]
    fn an_offset_and_a_date_contradict_each_other() {
        for date in life() {
            let refused = inherited(&existing(life()), std::slice::from_ref(&date), Some(1));
            assert_eq!(refused, Err(Reason::InvalidMessage), "{date:?}");
            let attributes = inherited(&existing([]), std::slice::from_ref(&date), None).unwrap();
            assert_eq!(attributes.first(date.id()), Some(&date));
        }
    }

    #[test]
    fn what_is_the_existing_keys_own_stays_there() {
        let usage_limits = |count| {
            Attribute::UsageLimits(UsageLimits {
                usage_limits_total: 10,
                usage_limits_count: Some(count),
                usage_limits_unit: UsageLimitsUnit::BYTE,
            })
        };
        let key = existing([
            Attribute::Name(Name::text("a")),
            Attribute::InitialDate(DateTime(1)),
            Attribute::CompromiseDate(DateTime(2)),
            Attribute::CompromiseOccurrenceDate(DateTime(2)),
            Attribute::ActivationDate(DateTime(3)),
            Attribute::Fresh(false),
            usage_limits(4),
            link(LinkType::DERIVED_KEY_LINK, ObjectId::from_bytes([2; 16])),
            Attribute::Description(String::from("of both")),
        ]);
        assert_eq!(key.state(NOW), State::Compromised);
        let more = [Attribute::Name(Name::text("b")), Attribute::Name(Name::text("a"))];
        let attributes = inherited(&key, &more, None).unwrap();
        let expected: Attributes = [
            Attribute::Name(Name::text("a")),
            usage_limits(10),
            Attribute::Description(String::from("of both")),
            Attribute::ActivationDate(DateTime(3)),
            Attribute::Name(Name::text("b")),
            Attribute::RotateGeneration(1),
        ]
        .into_iter()
        .collect();
        assert_eq!(attributes, expected);

        let replacement = ObjectId::from_bytes([3; 16]);
        let after = replaced(&key, replacement, &Limits::default()).unwrap();
        assert_eq!(after.attributes.first(AttributeId::Name), None);
        assert!(after.attributes.iter().any(|it| *it == usage_limits(4)), "its uses stay used");
        assert!(
            after
                .attributes
                .iter()
                .any(|it| *it == link(LinkType::REPLACEMENT_OBJECT_LINK, replacement))
        );
        assert_eq!(after.state(NOW), State::Compromised);
    }
}
