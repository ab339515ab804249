//! Finding objects and reading them, many at once, and what keys they are.

use std::collections::{HashMap, HashSet};

use claviger_client::blocking::Session;
use claviger_client::{Depth, Error, Slot, requests};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{BatchErrorContinuationOption, State};
use claviger_kmip::payload::{GetAttributesRequest, GetRequest, LocateRequest};

use super::{Key, Problem, is_absence};
use crate::naming::{Described, Identity, Kind, asked, describe, filter, material};

/// How many identifiers are asked for at once: a page costs a server about as much as all of them, and so many fit into an
/// answer of 1 MiB.
const PAGE: usize = 8192;
/// How many keys are asked for in one message, with two items for each: servers bound both.
const KEYS_PER_MESSAGE: usize = 32;

/// All keys of a server, and what an operator should know of it.
pub(crate) struct Loaded {
    pub(crate) keys: Vec<Key>,
    pub(crate) warnings: Vec<String>,
}

/// What came for one object.
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) identifier: String,
    pub(super) described: Described,
    pub(super) bytes: Result<Secret, &'static str>,
}

/// What Locate found.
pub(super) struct Located {
    pub(super) identifiers: Vec<String>,
    /// What the server says that there are, if it does.
    pub(super) said: Option<usize>,
}

impl Located {
    pub(super) fn all_of(&self, most: usize) -> Result<(), Problem> {
        let named = self.identifiers.len();
        if named > most {
            return Err(Problem::TooMany(most));
        }
        match self.said {
            Some(said) if said > named => Err(Problem::Incomplete { said, named }),
            _ => Ok(()),
        }
    }
}

/// The objects of a kind, page by page where the version has that; one more than `most`, if there are so many.
pub(super) fn locate(
    session: &mut Session,
    kind: Kind,
    group: Option<&str>,
    data_id: Option<&str>,
    most: usize,
) -> Result<Located, Error> {
    let has_pages = session.version() >= Version::V1_3;
    let beyond = most.saturating_add(1);
    let mut seen = HashSet::new();
    let mut located = Located { identifiers: Vec::new(), said: None };
    loop {
        let page = if has_pages { PAGE.min(beyond) } else { beyond };
        let offset = integer(located.identifiers.len());
        let request = LocateRequest {
            maximum_items: Some(integer(page)),
            offset_items: (has_pages && offset > 0).then_some(offset),
            ..requests::locate(filter(kind, group, data_id))
        };
        let answer = session.call(&request)?;
        located.said = answer.located_items.and_then(|said| usize::try_from(said).ok());
        let before = located.identifiers.len();
        for identifier in answer.unique_identifier.into_iter().map(text) {
            if seen.insert(identifier.clone()) {
                located.identifiers.push(identifier);
            }
        }
        let count = located.identifiers.len();
        let is_last = count == before || located.said.is_some_and(|said| count >= said);
        if !has_pages || is_last || count >= beyond {
            return Ok(located);
        }
    }
}

/// An object that was asked for, and where the two answers will be.
type Asked = (String, Slot<GetRequest>, Slot<GetAttributesRequest>);

/// Reads objects, many in one message, and several messages under way.
pub(super) fn read(
    session: &mut Session,
    kind: Kind,
    identifiers: &[String],
    found: &mut Vec<Found>,
) -> Result<(), Error> {
    let mut outgoing = Vec::new();
    let mut expected: Vec<Vec<Asked>> = Vec::new();
    for chunk in identifiers.chunks(KEYS_PER_MESSAGE) {
        let mut batch = session.batch();
        batch.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::CONTINUE);
        let mut slots = Vec::with_capacity(chunk.len());
        for identifier in chunk {
            let get = batch.add(&requests::get(identifier.as_str()))?;
            let attributes = batch.add(&requests::get_attributes(identifier.as_str(), asked()))?;
            slots.push((identifier.clone(), get, attributes));
        }
        outgoing.push(batch.finish()?);
        expected.push(slots);
    }
    let mut expected = expected.into_iter();
    session.pipeline(outgoing, Depth::default(), |answer| {
        let replies = answer.replies()?;
        for (identifier, get, attributes) in expected.next().unwrap_or_default() {
            let read = replies.take(get).and_then(|got| Ok((got, replies.take(attributes)?)));
            let (got, attributes) = match read {
                Ok(read) => read,
                // Removed in between.
                Err(error) if is_absence(&error) => continue,
                Err(error) => return Err(error),
            };
            let described = describe(&attributes.attributes.0);
            found.push(Found { kind, identifier, described, bytes: material(kind, got.object) });
        }
        Ok(())
    })
}

/// Makes keys of what was found.
pub(super) fn sort_out(found: Vec<Found>) -> Result<Loaded, Problem> {
    let mut loaded = Loaded { keys: Vec::new(), warnings: Vec::new() };
    let mut by_identity: HashMap<Identity, Vec<Found>> = HashMap::new();
    let (mut nameless, mut ended) = (0_usize, 0_usize);
    for object in found {
        match &object.described.identity {
            Some(identity) => by_identity.entry(identity.clone()).or_default().push(object),
            None => nameless = nameless.saturating_add(1),
        }
    }
    for (identity, mut objects) in by_identity {
        // One that was never put to use is what remains of a failure, if there is another.
        let is_used = |it: &Found| it.described.state != Some(State::PRE_ACTIVE);
        if objects.iter().any(is_used) {
            objects.retain(is_used);
        }
        let count = objects.len();
        let mut keys = Vec::with_capacity(count);
        for object in objects {
            let name = identity.data_id.clone();
            let Found { kind, identifier, described, bytes } = object;
            let bytes = bytes.map_err(|problem| Problem::Wrong {
                identifier: identifier.clone(),
                name,
                problem,
            })?;
            if matches!(described.state, Some(State::DEACTIVATED | State::COMPROMISED)) {
                ended = ended.saturating_add(1);
            }
            keys.push(Key { identity: identity.clone(), kind, bytes, identifier });
        }
        let is_one = keys.windows(2).all(|pair| match pair {
            [one, other] => one.kind == other.kind && one.bytes.expose() == other.bytes.expose(),
            _ => true,
        });
        if !is_one {
            return Err(Problem::Ambiguous { name: identity.data_id, count });
        }
        if count > 1 {
            let name = &identity.data_id;
            loaded.warnings.push(format!("{count} keys on the KMIP server are named {name} and are the same: destroy all but one"));
        }
        loaded.keys.extend(keys.into_iter().next());
    }
    if nameless > 0 {
        loaded.warnings.push(format!(
            "{nameless} objects without a Name are not read: give MySQL an object_group of its own"
        ));
    }
    if ended > 0 {
        loaded.warnings.push(format!("{ended} keys are Deactivated or Compromised, and still read: rotate what is encrypted with them"));
    }
    Ok(loaded)
}

pub(super) fn text(identifier: UniqueIdentifier) -> String {
    match identifier {
        UniqueIdentifier::Text(text) => text,
        // No answer has one of the others.
        _ => String::new(),
    }
}

fn integer(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
