//! The attributes of an object that comes from elsewhere with its history (KMIP 2.1 §6.1.25, KMIP 1.4
//! §4.41).
//!
//! Pure. Who may set an attribute does not matter here: all are taken as they are given. What the
//! server computes must not contradict them.

use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::attributes::{Attribute, AttributeId, Attributes};
use claviger_kmip::codec::DateTime;
use claviger_kmip::enums::{self, ObjectType};

use super::id::ObjectId;
use super::lifecycle::State;
use super::managed::ManagedObject;
use super::{rules, size};
use crate::failure::{Failure, Reason};
use crate::limits::Limits;

/// The attributes that the imported object has here.
///
/// State follows from dates. Where the date is not given that the given State follows from, it is
/// the time of the import.
///
/// # Errors
/// An attribute is given too often, or contradicts the object or another; the object is destroyed.
pub fn adopt(
    id: ObjectId,
    object_type: ObjectType,
    given: Attributes,
    now: i64,
    limits: &Limits,
) -> Result<Attributes, Failure> {
    let mut object = ManagedObject { id, object_type, object: None, attributes: Attributes::new() };
    let mut state = None;
    for instance in given.0 {
        match instance.attribute {
            Attribute::UniqueIdentifier(it) => {
                let same = it == UniqueIdentifier::Text(id.to_string());
                agree(same, "the attribute Unique Identifier is not that of the object")?;
            }
            Attribute::ObjectType(it) => {
                agree(it == object_type, "the attribute Object Type is not that of the object")?;
            }
            Attribute::State(it) => {
                agree(state.is_none_or(|state| state == it), "State is given more than once")?;
                state = Some(it);
            }
            // They say how the object was kept elsewhere; the digest is computed of what is kept here.
            Attribute::ShortUniqueIdentifier(_)
            | Attribute::Digest(_)
            | Attribute::KeyValuePresent(_)
            | Attribute::ProtectionStorageMask(_) => {}
            other => rules::take_over(&mut object.attributes, other, limits)?,
        }
    }
    if let Some(state) = state {
        date_state(&mut object, state, now)?;
    }
    let alive = object.attributes.first(AttributeId::DestroyDate).is_none();
    agree(alive, "a destroyed object cannot be imported")?;
    size::check_size(&object.attributes, limits)?;
    Ok(object.attributes)
}

fn agree(agrees: bool, message: &'static str) -> Result<(), Failure> {
    if agrees { Ok(()) } else { Err(Failure::new(Reason::InvalidAttributeValue, message)) }
}

/// Gives the object the dates that its state needs. Dates may have passed since somebody noted the
/// state, so a later one is no contradiction; an earlier one is.
fn date_state(object: &mut ManagedObject, state: enums::State, now: i64) -> Result<(), Failure> {
    let attributes = &mut object.attributes;
    let mut begin = |attribute: Attribute| {
        if attributes.first(attribute.id()).is_none() {
            attributes.push(attribute);
        }
    };
    match state {
        enums::State::PRE_ACTIVE => {}
        enums::State::ACTIVE => begin(Attribute::ActivationDate(DateTime(now))),
        enums::State::DEACTIVATED => {
            begin(Attribute::ActivationDate(DateTime(now)));
            begin(Attribute::DeactivationDate(DateTime(now)));
        }
        enums::State::COMPROMISED => begin(Attribute::CompromiseDate(DateTime(now))),
        enums::State::DESTROYED | enums::State::DESTROYED_COMPROMISED => {
            return agree(false, "a destroyed object cannot be imported");
        }
        _ => return agree(false, "the State is not known"),
    }
    let reached = stage(object.state(now)) >= stage_of(state);
    agree(reached, "the State does not follow from the dates")
}

/// How far a life has come.
const fn stage(state: State) -> u8 {
    match state {
        State::PreActive => 0,
        State::Active => 1,
        State::Deactivated => 2,
        State::Compromised => 3,
        State::Destroyed | State::DestroyedCompromised => 4,
    }
}

fn stage_of(given: enums::State) -> u8 {
    let known = State::ALL.into_iter().find(|state| enums::State::from(*state) == given);
    known.map_or(u8::MAX, stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000;

    fn adopted(given: &[Attribute]) -> Result<ManagedObject, Reason> {
        let (id, object_type) = (ObjectId::from_bytes([1; 16]), ObjectType::SYMMETRIC_KEY);
        let given = given.iter().cloned().collect();
        let attributes = adopt(id, object_type, given, NOW, &Limits::default())
            .map_err(|failure| failure.reason)?;
        Ok(ManagedObject { id, object_type, object: None, attributes })
    }

    #[test]
    fn the_state_that_is_given_is_the_state_that_it_has() {
        for state in [State::PreActive, State::Active, State::Deactivated, State::Compromised] {
            let object = adopted(&[Attribute::State(state.into())]).unwrap();
            assert_eq!(object.state(NOW), state);
        }
    }

    #[test]
    fn dates_that_passed_since_are_no_contradiction_and_dates_to_come_are() {
        let (active, deactivated) = (enums::State::ACTIVE, enums::State::DEACTIVATED);
        let ends = |at| Attribute::DeactivationDate(DateTime(at));
        let begins = |at| Attribute::ActivationDate(DateTime(at));
        let passed = [begins(1), ends(999), Attribute::State(active)];
        assert_eq!(adopted(&passed).unwrap().state(NOW), State::Deactivated);
        for to_come in [
            [begins(1), ends(1_001), Attribute::State(deactivated)],
            [begins(1_001), ends(2_000), Attribute::State(active)],
        ] {
            assert_eq!(adopted(&to_come), Err(Reason::InvalidAttributeValue), "{to_come:?}");
        }
    }

    #[test]
    fn what_is_compromised_or_destroyed_does_not_come_to_life() {
        for state in [State::Destroyed, State::DestroyedCompromised] {
            let given = [Attribute::State(state.into())];
            assert_eq!(adopted(&given), Err(Reason::InvalidAttributeValue));
        }
        let destroyed = [Attribute::DestroyDate(DateTime(1))];
        assert_eq!(adopted(&destroyed), Err(Reason::InvalidAttributeValue));
        let compromised =
            [Attribute::CompromiseDate(DateTime(1)), Attribute::State(enums::State::ACTIVE)];
        assert_eq!(adopted(&compromised).unwrap().state(NOW), State::Compromised);
    }

    #[test]
    fn what_the_object_is_cannot_be_contradicted() {
        let other = ObjectId::from_bytes([2; 16]).to_string();
        for wrong in [
            vec![Attribute::UniqueIdentifier(other.into())],
            vec![Attribute::ObjectType(ObjectType::SECRET_DATA)],
            vec![
                Attribute::State(enums::State::ACTIVE),
                Attribute::State(enums::State::COMPROMISED),
            ],
        ] {
            assert_eq!(adopted(&wrong), Err(Reason::InvalidAttributeValue), "{wrong:?}");
        }
        let twice = [Attribute::InitialDate(DateTime(1)), Attribute::InitialDate(DateTime(2))];
        assert_eq!(adopted(&twice), Err(Reason::RepeatedAttribute));
        let kept = adopted(&[Attribute::InitialDate(DateTime(1))]).unwrap();
        let initial = kept.attributes.first(AttributeId::InitialDate);
        assert_eq!(initial, Some(&Attribute::InitialDate(DateTime(1))), "whoever sets it");
    }
}
