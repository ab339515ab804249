//! Keys, as KMIP servers have them: all of them, a new one, one less.
//!
//! It must never know MySQL's interface, and keeps nothing: [`crate::keyring`] does.

use std::collections::{HashMap, HashSet};

use claviger_client::blocking::{Client, Session};
use claviger_client::{Depth, Error, Failover, Options, Slot, requests};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::attributes::{AttributeId, AttributeReference};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{
    BatchErrorContinuationOption, ResultReason, RevocationReasonCode, State,
};
use claviger_kmip::payload::{GetAttributesRequest, GetRequest, LocateRequest};

use crate::naming::{Described, Identity, Kind, asked, describe, filter, material, register};

/// How many identifiers are asked for at once.
const PAGE: usize = 1000;
/// How many keys are asked for in one message, with two items for each: servers bound both.
const KEYS_PER_MESSAGE: usize = 32;

/// Why there is no key, or not the one that was wanted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// No answer, or a refusal.
    #[error(transparent)]
    Client(#[from] Error),
    /// Nobody can say which of them the data are encrypted with.
    #[error("{count} keys on the KMIP server are named {name} and have different bytes")]
    Ambiguous { name: String, count: usize },
    /// The keyring does not know it; it may be a left-over, or another server's.
    #[error("the KMIP server has a key {0} that is not in the keyring")]
    Unknown(String),
    /// The object has the Name of a key, but is none.
    #[error("object {identifier}, named {name}: {problem}")]
    Wrong { identifier: String, name: String, problem: &'static str },
    /// Half of the keys would be worse than none.
    #[error("the KMIP server has more than {0} keys of one type")]
    TooMany(usize),
    /// Half of the keys would be worse than none.
    #[error("the KMIP server says that there are {said} keys, and names {named}")]
    Incomplete { said: usize, named: usize },
    /// It was not made, as far as anybody knows.
    #[error("the answer to Register was lost, and the KMIP server does not have the key {0}")]
    Lost(String),
    /// It is in the keyring.
    #[error("there is a key {0} already")]
    Exists(String),
    /// No key of that kind can be made.
    #[error("{0}")]
    Unsupported(&'static str),
}

/// A key.
pub(crate) struct Key {
    pub(crate) identity: Identity,
    pub(crate) kind: Kind,
    pub(crate) bytes: Secret,
    /// The object's Unique Identifier.
    pub(crate) identifier: String,
}

/// All keys of a server, and what an operator should know of it.
pub(crate) struct Loaded {
    pub(crate) keys: Vec<Key>,
    pub(crate) warnings: Vec<String>,
}

/// One or several KMIP servers that hold the same keys. Keys are asked for when MySQL starts and when one is made or removed:
/// no connection is kept for that.
pub(crate) struct Server {
    options: Options,
    group: Option<String>,
    objects_max: usize,
}

/// What came for one object.
struct Found {
    kind: Kind,
    identifier: String,
    described: Described,
    bytes: Result<Secret, &'static str>,
}

impl Server {
    /// Connects when it is asked for something.
    pub(crate) const fn new(options: Options, group: Option<String>, objects_max: usize) -> Self {
        Self { options, group, objects_max }
    }

    /// For one action, with connections that end with it.
    fn client(&self) -> Client {
        Client::new(self.options.clone())
    }

    /// Reads every key: all of them, or none.
    pub(crate) fn load(&self) -> Result<Loaded, Problem> {
        let mut too_many = None;
        let found = self.client().session(Failover::Careful, |session| {
            let mut found = Vec::new();
            for kind in Kind::ALL {
                let located = locate(session, kind, self.group.as_deref(), None, self.objects_max)?;
                if let Err(problem) = located.all_of(self.objects_max) {
                    too_many = Some(problem);
                    return Ok(Vec::new());
                }
                read(session, kind, &located.identifiers, &mut found)?;
            }
            Ok(found)
        })?;
        match too_many {
            Some(problem) => Err(problem),
            None => sort_out(found),
        }
    }

    /// Registers a key, makes sure that it is the only one of its name, and puts it to use; says which object it is.
    /// `known` says which objects of that name the keyring has.
    pub(crate) fn store(
        &self,
        identity: &Identity,
        kind: Kind,
        bytes: &Secret,
        known: &[String],
    ) -> Result<String, Problem> {
        let (client, group) = (self.client(), self.group.as_deref());
        let request = register(identity, kind, group, Secret::copy_of(bytes.expose()));
        let made = match client.call(&request) {
            Ok(made) => Some(text(made.unique_identifier)),
            // It may be there: then it is among those of that name.
            Err(Error::Lost { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        match self.only(&client, identity, kind, bytes, known, made.as_deref()) {
            Ok(identifier) => match activate(&client, &identifier) {
                Ok(()) => Ok(identifier),
                Err(error) => {
                    // Nobody uses it yet.
                    let _best_effort = client.destroy(identifier);
                    Err(error.into())
                }
            },
            Err(problem) => {
                if let Some(identifier) = made {
                    let _best_effort = client.destroy(identifier);
                }
                Err(problem)
            }
        }
    }

    /// Which object was made, if there is no other of that name and owner.
    fn only(
        &self,
        client: &Client,
        identity: &Identity,
        kind: Kind,
        bytes: &Secret,
        known: &[String],
        made: Option<&str>,
    ) -> Result<String, Problem> {
        let mut named = Vec::new();
        for kind in Kind::ALL {
            let of_kind = client.session(Failover::Careful, |session| {
                let (group, name) = (self.group.as_deref(), Some(identity.data_id.as_str()));
                let located = locate(session, kind, group, name, self.objects_max)?;
                let unknown: Vec<_> = located
                    .identifiers
                    .into_iter()
                    .filter(|it| !known.contains(it) && made != Some(it))
                    .collect();
                let mut found = Vec::new();
                read(session, kind, &unknown, &mut found)?;
                Ok(found)
            })?;
            named.extend(of_kind);
        }
        named.retain(|found| found.described.identity.as_ref() == Some(identity));
        let is_ours = |found: &&Found| {
            let has_bytes = found.bytes.as_ref().is_ok_and(|it| it.expose() == bytes.expose());
            found.kind == kind && has_bytes
        };
        match (made, named.as_slice()) {
            (Some(made), []) => Ok(made.to_owned()),
            (None, [only]) if is_ours(&only) => Ok(only.identifier.clone()),
            (None, []) => Err(Problem::Lost(identity.data_id.clone())),
            _ => Err(Problem::Unknown(identity.data_id.clone())),
        }
    }

    /// Revokes and destroys a key. That it is gone already is as good.
    pub(crate) fn remove(&self, identifier: &str) -> Result<(), Problem> {
        let client = self.client();
        let reason = RevocationReasonCode::UNSPECIFIED;
        match client.revoke(identifier, reason, Some(String::from("Removed from MySQL's keyring")))
        {
            Ok(_) | Err(Error::Lost { .. }) => {}
            // In a state that is destroyed without; if not, Destroy says so.
            Err(error) if error.reason().is_some() && !is_forbidden(&error) => {}
            Err(error) => return Err(error.into()),
        }
        match client.destroy(identifier) {
            Ok(_) => Ok(()),
            Err(error) if is_absence(&error) => Ok(()),
            Err(error @ Error::Lost { .. }) => match state(&client, identifier) {
                Ok(Some(State::DESTROYED | State::DESTROYED_COMPROMISED)) => Ok(()),
                Err(error) if is_absence(&error) => Ok(()),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}

fn activate(client: &Client, identifier: &str) -> Result<(), Error> {
    match client.activate(identifier) {
        Ok(_) => Ok(()),
        Err(error @ Error::Lost { .. }) => match state(client, identifier)? {
            Some(State::ACTIVE) => Ok(()),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}

fn state(client: &Client, identifier: &str) -> Result<Option<State>, Error> {
    let asked = [AttributeReference::Standard(AttributeId::State)];
    let answer = client.get_attributes(identifier, asked)?;
    Ok(describe(&answer.attributes.0).state)
}

/// What Locate found.
struct Located {
    identifiers: Vec<String>,
    /// What the server says that there are, if it does.
    said: Option<usize>,
}

impl Located {
    fn all_of(&self, most: usize) -> Result<(), Problem> {
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
fn locate(
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
fn read(
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
fn sort_out(found: Vec<Found>) -> Result<Loaded, Problem> {
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

fn text(identifier: UniqueIdentifier) -> String {
    match identifier {
        UniqueIdentifier::Text(text) => text,
        // No answer has one of the others.
        _ => String::new(),
    }
}

fn integer(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn is_absence(error: &Error) -> bool {
    error.reason().is_some_and(|reason| {
        [
            ResultReason::ITEM_NOT_FOUND,
            ResultReason::OBJECT_NOT_FOUND,
            ResultReason::OBJECT_DESTROYED,
        ]
        .contains(&reason)
    })
}

fn is_forbidden(error: &Error) -> bool {
    error.reason().is_some_and(|reason| {
        [ResultReason::PERMISSION_DENIED, ResultReason::AUTHENTICATION_NOT_SUCCESSFUL]
            .contains(&reason)
    })
}
