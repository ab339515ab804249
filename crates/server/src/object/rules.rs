//! What may be done to an object's attributes: the rules table applied (KMIP 2.1 §4, KMIP 1.4 §3
//! and §11.13 to §11.17).

use claviger_kmip::attributes::values::Name;
use claviger_kmip::attributes::{
    Attribute, AttributeId, AttributeReference, Attributes, Change, Instance, Instances, Source,
};
use claviger_kmip::compat::TemplateAttributes;
use claviger_kmip::enums::ObjectType;
use claviger_kmip::objects::Object;

use super::lifecycle::{State, reached};
use super::locate::Query;
use super::managed::ManagedObject;
use super::size::{check_count, check_length, check_size};
use super::tx::Tx;
use crate::failure::{Failure, Reason};
use crate::limits::Limits;

/// The attributes that a client gives to a new object, checked, behind those of the templates that
/// it names (1.x).
///
/// # Errors
/// An attribute that clients cannot set or that is given too often; a template that is not there.
pub fn for_new(
    tx: &mut Tx<'_>,
    given: TemplateAttributes,
    limits: &Limits,
) -> Result<Attributes, Failure> {
    let mut own = Attributes::new();
    give(&mut own, given.attributes, limits)?;
    let mut attributes = Attributes::new();
    for name in &given.names {
        for attribute in template(tx, name)?.iter() {
            let rule = attribute.id().rule();
            let is_the_templates_own =
                attribute.id() == AttributeId::Name || rule.source == Source::Server;
            // What the request says itself goes before what its templates say.
            let is_said = rule.instances == Instances::One
                && [&own, &attributes].iter().any(|it| it.first(attribute.id()).is_some());
            if !is_the_templates_own && !is_said {
                insert_new(&mut attributes, attribute.clone())?;
            }
        }
        // After each: a request can name thousands.
        check_size(&attributes, limits)?;
    }
    if attributes.is_empty() {
        return Ok(own);
    }
    for Instance { attribute, .. } in own.0 {
        insert_new(&mut attributes, attribute)?;
    }
    check_size(&attributes, limits)?;
    Ok(attributes)
}

/// Adds attributes that a client gives to a new object.
///
/// # Errors
/// Clients cannot set one, or one is given too often or too long.
pub fn give(
    attributes: &mut Attributes,
    given: Attributes,
    limits: &Limits,
) -> Result<(), Failure> {
    // Before the work that each of them makes.
    check_count(attributes.0.len().saturating_add(given.0.len()), limits)?;
    for Instance { attribute, .. } in given.0 {
        let rule = attribute.id().rule();
        if rule.source == Source::Server {
            let message = format!("{} is set by the server alone", rule.title());
            return Err(Failure::new(Reason::ReadOnlyAttribute, message));
        }
        check_length(&attribute, limits)?;
        check_usage_limits(&attribute)?;
        insert_new(attributes, attribute)?;
    }
    check_size(attributes, limits)
}

/// Takes over an attribute that an imported object had elsewhere, whoever set it there.
///
/// # Errors
/// It is given too often or too long, or can never have that value.
pub(super) fn take_over(
    attributes: &mut Attributes,
    attribute: Attribute,
    limits: &Limits,
) -> Result<(), Failure> {
    check_count(attributes.0.len().saturating_add(1), limits)?;
    check_length(&attribute, limits)?;
    if let Attribute::UsageLimits(usage) = &attribute {
        let left = usage.usage_limits_count.unwrap_or(usage.usage_limits_total);
        if left < 0 || left > usage.usage_limits_total {
            let message = "the Count of Usage Limits lies between 0 and their Total";
            return Err(Failure::new(Reason::InvalidAttributeValue, message));
        }
    }
    insert_new(attributes, attribute)
}

/// A client grants a total; what is left of it is the server's to count (KMIP 1.4 §3.21).
fn check_usage_limits(attribute: &Attribute) -> Result<(), Failure> {
    let Attribute::UsageLimits(limits) = attribute else { return Ok(()) };
    let total = limits.usage_limits_total;
    if total < 0 || limits.usage_limits_count.is_some_and(|count| count != total) {
        let message = "Usage Limits begin with a Count that is their Total, which is not negative";
        return Err(Failure::new(Reason::InvalidAttributeValue, message));
    }
    Ok(())
}

/// Usage Limits stand once something of them has been used.
fn refuse_if_used(object: &ManagedObject, id: AttributeId) -> Result<(), Failure> {
    let Some(Attribute::UsageLimits(limits)) = object.attributes.first(id) else { return Ok(()) };
    if limits.usage_limits_count.is_some_and(|count| count != limits.usage_limits_total) {
        return Err(read_only(id));
    }
    Ok(())
}

fn insert_new(attributes: &mut Attributes, attribute: Attribute) -> Result<(), Failure> {
    let rule = attribute.id().rule();
    if rule.instances == Instances::One && attributes.first(attribute.id()).is_some() {
        let message = format!("{} is given more than once", rule.title());
        return Err(Failure::new(Reason::RepeatedAttribute, message));
    }
    refuse_second_name(attributes, &attribute)?;
    attributes.push(complete(attribute));
    Ok(())
}

/// The attributes that a template of that name has.
fn template(tx: &mut Tx<'_>, name: &Name) -> Result<Attributes, Failure> {
    let query = Query {
        attributes: vec![
            Attribute::Name(name.clone()),
            Attribute::ObjectType(ObjectType::TEMPLATE),
        ],
        hits_max: Some(1),
        ..Query::default()
    };
    let missing = || Failure::new(Reason::ObjectNotFound, "no template has that Name");
    let id = tx.locate(&query)?.first().copied().ok_or_else(missing)?;
    let found = tx.find(id)?.ok_or_else(missing)?;
    match &found.object {
        Some(Object::Template(template)) => Ok(template.attributes.clone()),
        _ => Err(missing()),
    }
}

/// Add Attribute: a value more.
///
/// # Errors
/// The attribute is read-only, or has a value already and can have but one.
pub fn add(
    object: &mut ManagedObject,
    new: Instance,
    now: i64,
    limits: &Limits,
) -> Result<Instance, Failure> {
    let rule = new.attribute.id().rule();
    if rule.source == Source::Server || rule.change == Change::No {
        return Err(read_only(new.attribute.id()));
    }
    if new.index.is_some_and(|index| index != 0) {
        let message = "the server chooses the Attribute Index of a new value";
        return Err(Failure::new(Reason::InvalidField, message));
    }
    if rule.instances == Instances::One && object.attributes.first(new.attribute.id()).is_some() {
        let message = format!("{} has a value already; modify it instead", rule.title());
        return Err(Failure::new(Reason::AttributeSingleValued, message));
    }
    check_length(&new.attribute, limits)?;
    check_usage_limits(&new.attribute)?;
    refuse_second_name(&object.attributes, &new.attribute)?;
    check_state(object, &new.attribute, now)?;
    let index = object.attributes.next_index(&new.attribute.reference());
    let instance = Instance { index: Some(index), attribute: complete(new.attribute) };
    object.attributes.0.push(instance.clone());
    check_size(&object.attributes, limits)?;
    Ok(instance)
}

/// Modify Attribute: another value in the place of one. In 1.x the index says which; in 2.x the
/// current value does.
///
/// # Errors
/// The attribute is read-only now, or has no such value.
pub fn modify(
    object: &mut ManagedObject,
    current: Option<&Attribute>,
    new: Instance,
    now: i64,
    limits: &Limits,
) -> Result<Instance, Failure> {
    let id = new.attribute.id();
    if id.rule().source == Source::Server || id.rule().change == Change::No {
        return Err(read_only(id));
    }
    let reference = new.attribute.reference();
    let index = match current {
        Some(value) => index_of_value(object, value)?,
        None => index_to_change(object, &reference, new.index, Reason::AttributeMissing)?,
    };
    check_length(&new.attribute, limits)?;
    check_usage_limits(&new.attribute)?;
    refuse_if_used(object, id)?;
    check_state(object, &new.attribute, now)?;
    let mut others = object.attributes.clone();
    others.0.retain(|it| !(reference.matches(&it.attribute) && it.index == Some(index)));
    refuse_second_name(&others, &new.attribute)?;
    let instance = Instance { index: Some(index), attribute: complete(new.attribute) };
    for place in &mut object.attributes.0 {
        if reference.matches(&place.attribute) && place.index == Some(index) {
            *place = instance.clone();
        }
    }
    follow(object, &instance.attribute);
    check_size(&object.attributes, limits)?;
    Ok(instance)
}

/// Set Attribute (KMIP 2.0 and later): the only value of a single-valued attribute.
///
/// # Errors
/// The attribute is read-only now, or can have several values.
pub fn set(
    object: &mut ManagedObject,
    attribute: Attribute,
    now: i64,
    limits: &Limits,
) -> Result<(), Failure> {
    let rule = attribute.id().rule();
    if rule.instances == Instances::Many {
        let message = format!("{} can have several values; add or modify one", rule.title());
        return Err(Failure::new(Reason::MultiValued, message));
    }
    if object.attributes.first(attribute.id()).is_some() {
        modify(object, None, attribute.into(), now, limits).map(|_| ())
    } else {
        add(object, attribute.into(), now, limits).map(|_| ())
    }
}

/// Delete Attribute: the value with the index, the value given, or all values.
///
/// # Errors
/// The attribute cannot be deleted, or has no such value.
pub fn delete(
    object: &mut ManagedObject,
    reference: &AttributeReference,
    current: Option<&Attribute>,
    index: Option<i32>,
    is_1x: bool,
) -> Result<Option<Instance>, Failure> {
    if let AttributeReference::Standard(id) = reference
        && id.rule().change != Change::ModifyDelete
    {
        return Err(read_only(*id));
    }
    if let AttributeReference::Standard(id) = reference {
        refuse_if_used(object, *id)?;
    }
    let index = match current {
        Some(value) => Some(index_of_value(object, value)?),
        None if is_1x => {
            Some(index_to_change(object, reference, index, Reason::AttributeNotFound)?)
        }
        None => None,
    };
    let mut deleted = None;
    object.attributes.0.retain(|it| {
        let goes = reference.matches(&it.attribute) && (index.is_none() || it.index == index);
        if goes {
            deleted = Some(it.clone());
        }
        !goes
    });
    if deleted.is_none() {
        return Err(Failure::new(Reason::AttributeNotFound, "the object has no such attribute"));
    }
    Ok(deleted)
}

/// The index of the value that 1.x's index means, 0 if it is left out.
fn index_to_change(
    object: &ManagedObject,
    reference: &AttributeReference,
    index: Option<i32>,
    missing: Reason,
) -> Result<i32, Failure> {
    let mut indices = object
        .attributes
        .0
        .iter()
        .filter(|instance| reference.matches(&instance.attribute))
        .filter_map(|instance| instance.index);
    let Some(first) = indices.next() else {
        return Err(Failure::new(missing, "the object has no such attribute"));
    };
    let wanted = index.unwrap_or(first);
    if wanted == first || indices.any(|index| index == wanted) {
        return Ok(wanted);
    }
    Err(Failure::new(
        Reason::AttributeInstanceNotFound,
        "the attribute has no value with that Attribute Index",
    ))
}

fn index_of_value(object: &ManagedObject, value: &Attribute) -> Result<i32, Failure> {
    let found = object.attributes.0.iter().find(|instance| instance.attribute == *value);
    found.and_then(|instance| instance.index).ok_or_else(|| {
        Failure::new(Reason::AttributeInstanceNotFound, "the attribute does not have that value")
    })
}

fn read_only(id: AttributeId) -> Failure {
    let message = format!("{} cannot be changed by a client", id.rule().title());
    Failure::new(Reason::AttributeReadOnly, message)
}

fn refuse_second_name(attributes: &Attributes, new: &Attribute) -> Result<(), Failure> {
    if new.id() == AttributeId::Name && attributes.iter().any(|it| it == new) {
        return Err(Failure::new(Reason::NonUniqueName, "the object has that Name already"));
    }
    Ok(())
}

/// Dates can be changed until they have taken effect (KMIP 1.4 §3.24 to §3.27).
fn check_state(object: &ManagedObject, new: &Attribute, now: i64) -> Result<(), Failure> {
    let state = object.state(now);
    let may = match new {
        Attribute::ActivationDate(_) => state == State::PreActive,
        Attribute::ProcessStartDate(_) => {
            let date = object.attributes.process_start_date().map(|date| date.0);
            matches!(state, State::PreActive | State::Active) && !reached(date, now)
        }
        Attribute::ProtectStopDate(_) => {
            let date = object.attributes.protect_stop_date().map(|date| date.0);
            matches!(state, State::PreActive | State::Active) && !reached(date, now)
        }
        Attribute::DeactivationDate(_) => matches!(state, State::PreActive | State::Active),
        _ => true,
    };
    if may {
        return Ok(());
    }
    let message = format!("{} cannot be changed any more", new.id().rule().title());
    Err(Failure::new(Reason::WrongState, message))
}

/// What may still be used begins as what was granted.
fn complete(mut attribute: Attribute) -> Attribute {
    if let Attribute::UsageLimits(limits) = &mut attribute {
        limits.usage_limits_count.get_or_insert(limits.usage_limits_total);
    }
    attribute
}

/// Attributes that follow from the history of another.
fn follow(object: &mut ManagedObject, changed: &Attribute) {
    match changed {
        Attribute::Sensitive(false) => {
            object.attributes.set(Attribute::AlwaysSensitive(false));
        }
        Attribute::Extractable(true) => {
            object.attributes.set(Attribute::NeverExtractable(false));
        }
        _ => {}
    }
}
