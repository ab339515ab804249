//! Finding objects by their attributes (KMIP 2.1 §6.1.27, KMIP 1.4 §4.9).
//!
//! Candidates come from the index rows of one indexed attribute where the query has one, else
//! from the whole scope; then every condition is checked on the object itself, at the time of the
//! transaction, so that State and dates are what Get Attributes would say. The order is one:
//! newest first; but of fresh members of a group, whoever waits longest is the first to be taken.

use std::collections::BTreeSet;

use claviger_kmip::attributes::values::{
    CryptographicParameters, Digest, Link, RevocationReason, RngParameters, UsageLimits,
};
use claviger_kmip::attributes::{Attribute, AttributeId, AttributeReference};
use claviger_kmip::codec::Encoder;
use claviger_kmip::enums::ObjectGroupMember;
use claviger_kmip::masks::StorageStatusMask;
use claviger_kmip::{Version, tags};
use claviger_store::Range;
use claviger_ttlv::Writer;

use super::id::ObjectId;
use super::managed::ManagedObject;
use super::tx::{Tx, damaged, storage};
use super::{layout, record};
use crate::aside::aside;
use crate::failure::{Failure, Reason};
use crate::seal::Barrier;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Conditions; all must hold.
    pub attributes: Vec<Attribute>,
    /// Where to look; on-line objects if absent.
    pub storage_status_mask: Option<StorageStatusMask>,
    /// Fresh members of a group only.
    pub object_group_member: Option<ObjectGroupMember>,
    /// Stop after so many hits; `None` counts them all.
    pub hits_max: Option<usize>,
}

/// More conditions than any object has attributes: each costs time for every object.
const CONDITIONS_MAX: usize = 1_024;

/// How many records one page of a scan of the whole scope has.
const PAGE: usize = 512;

/// Whether the attribute has index rows.
const fn is_indexed(id: AttributeId) -> bool {
    matches!(
        id,
        AttributeId::Name
            | AttributeId::AlternativeName
            | AttributeId::ObjectGroup
            | AttributeId::ApplicationSpecificInformation
            | AttributeId::Link
            | AttributeId::Vendor
    )
}

/// The index term of a value, if it is indexed and says enough to be looked up.
pub(super) fn term(barrier: &Barrier, attribute: &Attribute) -> Option<layout::Id> {
    let id = attribute.id();
    if !is_indexed(id) {
        return None;
    }
    let mut writer = Writer::new();
    match attribute {
        Attribute::Name(name) => writer.text(tags::NAME_VALUE, &name.name_value),
        Attribute::AlternativeName(name) => {
            writer.text(tags::ALTERNATIVE_NAME_VALUE, &name.alternative_name_value);
        }
        Attribute::ApplicationSpecificInformation(information) => {
            writer.text(tags::APPLICATION_NAMESPACE, &information.application_namespace);
            writer.text(tags::APPLICATION_DATA, information.application_data.as_deref()?);
        }
        other => {
            let mut encoder = Encoder::new(&mut writer, Version::EVERY);
            other.encode_value(&mut encoder, id.rule().tag);
        }
    }
    Some(barrier.blind(&id.rule().tag.value().to_be_bytes(), writer.as_bytes()))
}

/// All index terms of an object.
pub(super) fn terms(barrier: &Barrier, object: &ManagedObject) -> BTreeSet<layout::Id> {
    object.attributes.iter().filter_map(|attribute| term(barrier, attribute)).collect()
}

impl Query {
    const fn asks_for_fresh_members(&self) -> bool {
        matches!(self.object_group_member, Some(ObjectGroupMember::GROUP_MEMBER_FRESH))
    }
}

/// The identifiers of all objects that fit, in the order of the query.
pub(super) fn run(tx: &mut Tx<'_>, query: &Query) -> Result<Vec<ObjectId>, Failure> {
    let mut search = Search { query, conditions: conditions(query)?, hits: Vec::new() };
    // What this transaction has changed is not in the store yet, or differs from it.
    let changed: Vec<_> = tx.changed().cloned().collect();
    for object in &changed {
        search.consider(tx, object)?;
    }
    // Newer ones may still come from the store, as many as are asked for.
    let mut hits = std::mem::take(&mut search.hits);
    let changed: BTreeSet<ObjectId> = changed.iter().map(|object| object.id).collect();
    match candidates(tx, query)? {
        Some(ids) => {
            for id in ids.into_iter().filter(|id| !changed.contains(id)) {
                if search.is_done() {
                    break;
                }
                if let Some(object) = tx.peek(id)? {
                    search.consider(tx, &object)?;
                }
            }
        }
        None => aside(|| scan(tx, &changed, &mut search))?,
    }
    hits.append(&mut search.hits);
    hits.sort_unstable_by(|a, b| b.cmp(a));
    if query.asks_for_fresh_members() {
        hits.reverse();
    }
    Ok(hits)
}

/// One condition of a query, as every object is held against it.
struct Condition<'q> {
    attribute: &'q Attribute,
    reference: AttributeReference,
    /// For a date that is given twice: from the earlier to the later.
    range: Option<(i64, i64)>,
}

/// The conditions of a query.
fn conditions(query: &Query) -> Result<Vec<Condition<'_>>, Failure> {
    let attributes = &query.attributes;
    if attributes.len() > CONDITIONS_MAX {
        let message = format!("a Locate can have {CONDITIONS_MAX} conditions");
        return Err(Failure::new(Reason::InvalidField, message));
    }
    let found = attributes.iter().enumerate().map(|(position, attribute)| {
        let range = date(attribute).and_then(|one| {
            let others = attributes.iter().enumerate();
            let mut same = others
                .filter(|(other, it)| *other != position && it.id() == attribute.id())
                .filter_map(|(_, it)| date(it));
            same.next().map(|other| (one.min(other), one.max(other)))
        });
        Condition { attribute, reference: attribute.reference(), range }
    });
    Ok(found.collect())
}

/// The objects that an index names, in the order of the query; `None` if no condition is indexed.
fn candidates(tx: &Tx<'_>, query: &Query) -> Result<Option<Vec<ObjectId>>, Failure> {
    let barrier = &tx.objects.barrier;
    for attribute in &query.attributes {
        if let Attribute::UniqueIdentifier(identifier) = attribute {
            let id = match identifier {
                claviger_kmip::attributes::values::UniqueIdentifier::Text(text) => {
                    ObjectId::parse(text)
                }
                _ => None,
            };
            return Ok(Some(id.into_iter().collect()));
        }
    }
    let mut best = None;
    for attribute in &query.attributes {
        let Some(term) = term(barrier, attribute) else { continue };
        // Names tell objects apart best; groups have many members.
        let rank = u8::from(attribute.id() != AttributeId::Name)
            + u8::from(attribute.id() == AttributeId::ObjectGroup);
        if best.as_ref().is_none_or(|(best_rank, _)| rank < *best_rank) {
            best = Some((rank, term));
        }
    }
    let Some((_, term)) = best else { return Ok(None) };
    let candidates = tx.objects.candidates(&tx.partition, &term).map_err(storage)?;
    let mut candidates = candidates.as_slice().to_vec();
    if query.asks_for_fresh_members() {
        candidates.reverse();
    }
    Ok(Some(candidates))
}

/// Looks at every object of the scope.
fn scan(tx: &Tx<'_>, changed: &BTreeSet<ObjectId>, search: &mut Search<'_>) -> Result<(), Failure> {
    let all = layout::objects(&tx.partition.mount, &tx.partition.scope).limit(PAGE);
    let mut range: Range = if search.query.asks_for_fresh_members() { all } else { all.reversed() };
    loop {
        let page = tx.objects.barrier.scan(&range).map_err(storage)?;
        for (key, opened) in &page {
            if search.is_done() {
                return Ok(());
            }
            let Some(id) = layout::id_of(key).map(ObjectId::from_bytes) else { continue };
            if !changed.contains(&id) {
                let object = record::decode(id, &opened.bytes).map_err(damaged)?;
                search.consider(tx, &object)?;
            }
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => range = range.after(key),
            _ => return Ok(()),
        }
    }
}

struct Search<'q> {
    query: &'q Query,
    conditions: Vec<Condition<'q>>,
    hits: Vec<ObjectId>,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.query.hits_max.is_some_and(|max| self.hits.len() >= max)
    }

    fn consider(&mut self, tx: &Tx<'_>, object: &ManagedObject) -> Result<(), Failure> {
        if fits(tx, self.query, &self.conditions, object)? {
            self.hits.push(object.id);
        }
        Ok(())
    }
}

fn fits(
    tx: &Tx<'_>,
    query: &Query,
    conditions: &[Condition<'_>],
    object: &ManagedObject,
) -> Result<bool, Failure> {
    let mask = query.storage_status_mask.unwrap_or(StorageStatusMask::ON_LINE_STORAGE);
    let place = if object.state(tx.now).is_destroyed() {
        StorageStatusMask::DESTROYED_STORAGE
    } else {
        StorageStatusMask::ON_LINE_STORAGE
    };
    if !mask.intersects(place) {
        return Ok(false);
    }
    if query.asks_for_fresh_members() && !tx.is_fresh(object)? {
        return Ok(false);
    }
    for Condition { attribute: condition, reference, range } in conditions {
        if let Attribute::Fresh(wanted) = condition {
            if tx.is_fresh(object)? != *wanted {
                return Ok(false);
            }
            continue;
        }
        let values = object.attribute(reference, tx.now);
        let hit = values.iter().any(|value| match (range, date(&value.attribute)) {
            (Some((first, last)), Some(date)) => (*first..=*last).contains(&date),
            _ => matches(condition, &value.attribute),
        });
        if !hit {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The value of a Date-Time attribute.
const fn date(attribute: &Attribute) -> Option<i64> {
    match attribute {
        Attribute::InitialDate(date)
        | Attribute::ActivationDate(date)
        | Attribute::ProcessStartDate(date)
        | Attribute::ProtectStopDate(date)
        | Attribute::DeactivationDate(date)
        | Attribute::DestroyDate(date)
        | Attribute::CompromiseOccurrenceDate(date)
        | Attribute::CompromiseDate(date)
        | Attribute::ArchiveDate(date)
        | Attribute::LastChangeDate(date)
        | Attribute::OriginalCreationDate(date)
        | Attribute::RotateDate(date) => Some(date.0),
        _ => None,
    }
}

/// Whether a value is what the condition asks for. Structures may be given in part.
fn matches(condition: &Attribute, value: &Attribute) -> bool {
    match (condition, value) {
        (Attribute::CryptographicUsageMask(wanted), Attribute::CryptographicUsageMask(mask)) => {
            mask.contains(*wanted)
        }
        (Attribute::CryptographicParameters(wanted), Attribute::CryptographicParameters(it)) => {
            parameters_match(wanted, it)
        }
        (
            Attribute::ApplicationSpecificInformation(wanted),
            Attribute::ApplicationSpecificInformation(it),
        ) => {
            wanted.application_namespace == it.application_namespace
                && part(wanted.application_data.as_ref(), it.application_data.as_ref())
        }
        (Attribute::Digest(wanted), Attribute::Digest(it)) => digests_match(wanted, it),
        (Attribute::UsageLimits(wanted), Attribute::UsageLimits(it)) => limits_match(wanted, it),
        (Attribute::RevocationReason(wanted), Attribute::RevocationReason(it)) => {
            reasons_match(wanted, it)
        }
        (Attribute::Link(wanted), Attribute::Link(it)) => links_match(wanted, it),
        (Attribute::RandomNumberGenerator(wanted), Attribute::RandomNumberGenerator(it)) => {
            generators_match(wanted, it)
        }
        _ => condition == value,
    }
}

/// An optional part of a structure: what is not asked for does not matter.
fn part<T: PartialEq>(wanted: Option<&T>, value: Option<&T>) -> bool {
    wanted.is_none() || wanted == value
}

fn digests_match(wanted: &Digest, it: &Digest) -> bool {
    wanted.hashing_algorithm == it.hashing_algorithm
        && part(wanted.digest_value.as_ref(), it.digest_value.as_ref())
        && part(wanted.key_format_type.as_ref(), it.key_format_type.as_ref())
}

fn limits_match(wanted: &UsageLimits, it: &UsageLimits) -> bool {
    wanted.usage_limits_total == it.usage_limits_total
        && wanted.usage_limits_unit == it.usage_limits_unit
        && part(wanted.usage_limits_count.as_ref(), it.usage_limits_count.as_ref())
}

fn reasons_match(wanted: &RevocationReason, it: &RevocationReason) -> bool {
    wanted.revocation_reason_code == it.revocation_reason_code
        && part(wanted.revocation_message.as_ref(), it.revocation_message.as_ref())
}

fn links_match(wanted: &Link, it: &Link) -> bool {
    wanted.link_type == it.link_type
        && wanted.linked_object_identifier == it.linked_object_identifier
}

fn generators_match(wanted: &RngParameters, it: &RngParameters) -> bool {
    wanted.rng_algorithm == it.rng_algorithm
        && part(wanted.cryptographic_algorithm.as_ref(), it.cryptographic_algorithm.as_ref())
        && part(wanted.cryptographic_length.as_ref(), it.cryptographic_length.as_ref())
        && part(wanted.hashing_algorithm.as_ref(), it.hashing_algorithm.as_ref())
        && part(wanted.drbg_algorithm.as_ref(), it.drbg_algorithm.as_ref())
}

fn parameters_match(wanted: &CryptographicParameters, it: &CryptographicParameters) -> bool {
    part(wanted.block_cipher_mode.as_ref(), it.block_cipher_mode.as_ref())
        && part(wanted.padding_method.as_ref(), it.padding_method.as_ref())
        && part(wanted.hashing_algorithm.as_ref(), it.hashing_algorithm.as_ref())
        && part(wanted.key_role_type.as_ref(), it.key_role_type.as_ref())
        && part(
            wanted.digital_signature_algorithm.as_ref(),
            it.digital_signature_algorithm.as_ref(),
        )
        && part(wanted.cryptographic_algorithm.as_ref(), it.cryptographic_algorithm.as_ref())
        && part(wanted.random_iv.as_ref(), it.random_iv.as_ref())
        && part(wanted.iv_length.as_ref(), it.iv_length.as_ref())
        && part(wanted.tag_length.as_ref(), it.tag_length.as_ref())
        && part(wanted.mask_generator.as_ref(), it.mask_generator.as_ref())
}
