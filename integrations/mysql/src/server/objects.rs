//! Finding objects and reading them, many at once, and what keys they are.

use std::collections::{HashMap, HashSet};

use claviger_client::blocking::{AtOnce, Session};
use claviger_client::{Error, Refusal, requests};
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::State;

use super::{Key, Problem, is_absence};
use crate::naming::{Described, Identity, Kind, asked, describe, filter, material};

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

/// The objects of a kind, or those of a name; one more than `most`, if there are so many.
pub(super) fn locate(
    session: &mut Session,
    kind: Kind,
    group: Option<&str>,
    data_id: Option<&str>,
    most: usize,
) -> Result<Located, Error> {
    let located = session.locate_all(&filter(kind, group, data_id), most)?;
    let identifiers = located.unique_identifiers.into_iter().map(text).collect();
    Ok(Located { identifiers, said: located.said })
}

/// An object that was named, and was not there when it was to be read; with what the server says of it.
pub(super) type Gone = (String, Refusal);

/// Reads objects; which of them are not there.
pub(super) fn read(
    session: &mut Session,
    at_once: AtOnce,
    kind: Kind,
    identifiers: &[String],
    found: &mut Vec<Found>,
) -> Result<Vec<Gone>, Error> {
    let each = || identifiers.iter().map(String::as_str);
    let attributes =
        session.call_each(each().map(|it| requests::get_attributes(it, asked())), at_once)?;
    let objects = session.call_each(each().map(requests::get), at_once)?;
    let mut gone = Vec::new();
    for ((identifier, attributes), got) in identifiers.iter().zip(attributes).zip(objects) {
        let identifier = identifier.clone();
        match attributes.and_then(|it| Ok((it, got?))) {
            Ok((attributes, got)) => {
                let described = describe(&attributes.attributes.0);
                let bytes = material(kind, got.object);
                found.push(Found { kind, identifier, described, bytes });
            }
            Err(refusal) if refusal.reason.is_some_and(is_absence) => {
                gone.push((identifier, refusal));
            }
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(gone)
}

/// Makes sure that what was not there was removed in between, and is not named any more: else a key would be missing.
pub(super) fn are_removed(gone: Vec<Gone>, named_now: &[String]) -> Result<(), Error> {
    let named_now: HashSet<_> = named_now.iter().collect();
    match gone.into_iter().find(|(identifier, _)| named_now.contains(identifier)) {
        Some((_, refusal)) => Err(refusal.into()),
        None => Ok(()),
    }
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
