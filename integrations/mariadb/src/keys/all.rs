//! All keys of a group at once, many in a message. What is in doubt is left out: who asks for it by itself hears why.

use std::collections::{HashMap, HashSet};

use claviger_client::blocking::{AtOnce, Session};
use claviger_client::{Error, Failover, Refusal, requests};
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{ObjectType, State};

use super::{Keys, Problem, VERSIONS_MAX, bytes, is_absence, was_used};
use crate::naming::{Described, asked};

/// How many versions there may be of all keys together. Where there are more, each is asked for when it is needed.
const ALL_MAX: usize = 65_536;

/// The highest Active version of each key.
pub(crate) type LatestOfAll = HashMap<u32, u32>;

/// What was read.
pub(crate) struct All {
    pub(crate) latest: LatestOfAll,
    /// Of each key the highest version first.
    pub(crate) versions: Vec<ReadVersion>,
}

/// The bytes of a version.
pub(crate) struct ReadVersion {
    pub(crate) key_id: u32,
    pub(crate) version: u32,
    pub(crate) bytes: Secret,
}

/// An object that says which version it is.
struct Candidate {
    key_id: u32,
    version: u32,
    identifier: UniqueIdentifier,
    found: Described,
}

impl Keys {
    /// The highest Active version of each key. One that is in doubt is not there.
    pub(crate) fn latest_of_all(&self) -> Result<LatestOfAll, Problem> {
        let found = self.client.many(Failover::Careful, |session, at_once| {
            self.candidates(session, at_once, Some(State::ACTIVE))
        })?;
        Ok(latest_of(&found))
    }

    /// Reads the bytes of every version that is or was Active. A version that is in doubt is not there, and where it is the
    /// highest, neither is the latest of its key.
    pub(crate) fn read_all(&self) -> Result<All, Problem> {
        let (mut latest, candidates, answers) =
            self.client.many(Failover::Careful, |session, at_once| {
                let candidates = self.candidates(session, at_once, None)?;
                let latest = latest_of(&candidates);
                let candidates = only_ones(candidates);
                let get = |it: &Candidate| requests::get(it.identifier.clone());
                let answers = session.call_each(candidates.iter().map(get), at_once)?;
                refuse_where_nothing_was_answered(&answers)?;
                Ok((latest, candidates, answers))
            })?;
        let mut versions = Vec::with_capacity(candidates.len());
        for (Candidate { key_id, version, found, .. }, answer) in
            candidates.into_iter().zip(answers)
        {
            let name = self.group.name(key_id, version);
            if let Ok(Ok(bytes)) = answer.map(|it| bytes(it.object, &name, version, &found)) {
                versions.push(ReadVersion { key_id, version, bytes });
            }
        }
        let read: HashSet<_> = versions.iter().map(|it| (it.key_id, it.version)).collect();
        latest.retain(|key_id, version| read.contains(&(*key_id, *version)));
        versions.sort_unstable_by_key(|it| (it.key_id, std::cmp::Reverse(it.version)));
        Ok(All { latest, versions })
    }

    /// Every version that the server has, in any state or in one.
    fn candidates(
        &self,
        session: &mut Session,
        at_once: AtOnce,
        state: Option<State>,
    ) -> Result<Vec<Candidate>, Error> {
        let mut filter = vec![Attribute::ObjectType(ObjectType::SYMMETRIC_KEY), self.group.whole()];
        filter.extend(state.map(Attribute::State));
        let located = session.locate_all(&filter, ALL_MAX)?;
        let count = located.unique_identifiers.len();
        if count > ALL_MAX || located.said.is_some_and(|said| said > count) {
            return Ok(Vec::new());
        }
        let identifiers = located.unique_identifiers;
        let asking = identifiers.iter().map(|it| requests::get_attributes(it.clone(), asked()));
        let answers = session.call_each(asking, at_once)?;
        refuse_where_nothing_was_answered(&answers)?;
        let mut candidates = Vec::with_capacity(count);
        for (identifier, answer) in identifiers.into_iter().zip(answers) {
            let Ok(answer) = answer else { continue };
            let attributes = answer.attributes.0;
            candidates.extend(self.group.key_ids(&attributes).into_iter().filter_map(|key_id| {
                let found = self.group.describe(key_id, &attributes);
                let version = found.version?;
                Some(Candidate { key_id, version, identifier: identifier.clone(), found })
            }));
        }
        Ok(candidates)
    }
}

/// Who may ask for nothing hears that, and not that there is nothing.
fn refuse_where_nothing_was_answered<T>(answers: &[Result<T, Refusal>]) -> Result<(), Error> {
    let is_refusal = |refusal: &&Refusal| !refusal.reason.is_some_and(is_absence);
    match answers.iter().filter_map(|answer| answer.as_ref().err()).find(is_refusal) {
        Some(refusal) if answers.iter().all(Result::is_err) => Err(refusal.clone().into()),
        _ => Ok(()),
    }
}

/// Those that are or were Active, without those that share their version, and without keys of more versions than are looked
/// at.
fn only_ones(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut versions: HashMap<u32, HashMap<u32, usize>> = HashMap::new();
    candidates.retain(|it| it.found.state.is_some_and(was_used));
    for it in &candidates {
        let count = versions.entry(it.key_id).or_default().entry(it.version).or_default();
        *count = count.saturating_add(1);
    }
    candidates.retain(|it| {
        let of_key = versions.get(&it.key_id);
        of_key.is_some_and(|of_key| {
            of_key.len() <= VERSIONS_MAX && of_key.get(&it.version) == Some(&1)
        })
    });
    candidates
}

fn latest_of(candidates: &[Candidate]) -> LatestOfAll {
    let mut latest: HashMap<u32, (u32, bool)> = HashMap::new();
    for it in candidates.iter().filter(|it| it.found.state == Some(State::ACTIVE)) {
        let highest = latest.entry(it.key_id).or_insert((0, true));
        match it.version.cmp(&highest.0) {
            std::cmp::Ordering::Greater => *highest = (it.version, true),
            std::cmp::Ordering::Equal => highest.1 = false,
            std::cmp::Ordering::Less => {}
        }
    }
    let only = latest.into_iter().filter(|(_, (_, is_only))| *is_only);
    only.map(|(key_id, (version, _))| (key_id, version)).collect()
}

#[cfg(test)]
mod tests {
    use claviger_kmip::enums::ResultReason;

    use super::*;

    fn candidate(key_id: u32, version: u32, state: State) -> Candidate {
        let found = Described { version: Some(version), state: Some(state), is_replacement: false };
        let identifier = UniqueIdentifier::from(format!("{key_id}-{version}"));
        Candidate { key_id, version, identifier, found }
    }

    #[test]
    fn the_latest_is_the_highest_that_is_active_and_nobody_s_twice() {
        let found = [
            candidate(1, 2, State::ACTIVE),
            candidate(1, 1, State::ACTIVE),
            candidate(1, 3, State::DEACTIVATED),
            candidate(5, 1, State::ACTIVE),
            candidate(5, 2, State::ACTIVE),
            candidate(5, 2, State::ACTIVE),
            candidate(7, 1, State::PRE_ACTIVE),
        ];
        assert_eq!(latest_of(&found), HashMap::from([(1, 2)]));
    }

    #[test]
    fn what_is_in_doubt_is_left_out() {
        let mut found = vec![
            candidate(1, 1, State::DEACTIVATED),
            candidate(1, 2, State::ACTIVE),
            candidate(1, 2, State::PRE_ACTIVE),
            candidate(5, 1, State::ACTIVE),
            candidate(5, 1, State::COMPROMISED),
            candidate(5, 2, State::ACTIVE),
        ];
        let many = u32::try_from(VERSIONS_MAX).unwrap() + 1;
        found.extend((1..=many).map(|version| candidate(9, version, State::ACTIVE)));
        let only = only_ones(found);
        let left: Vec<_> = only.iter().map(|it| (it.key_id, it.version)).collect();
        assert_eq!(left, [(1, 1), (1, 2), (5, 2)]);
    }

    #[test]
    fn a_refusal_of_everything_is_one() {
        let refusal = |reason| Refusal { operation: None, reason: Some(reason), message: None };
        let (denied, absent) =
            (refusal(ResultReason::PERMISSION_DENIED), refusal(ResultReason::ITEM_NOT_FOUND));
        let is_refused =
            |answers: &[Result<(), Refusal>]| refuse_where_nothing_was_answered(answers).is_err();
        assert!(is_refused(&[Err(absent.clone()), Err(denied.clone())]));
        assert!(!is_refused(&[Ok(()), Err(denied)]));
        assert!(!is_refused(&[Err(absent)]));
        assert!(!is_refused(&[]));
    }
}
