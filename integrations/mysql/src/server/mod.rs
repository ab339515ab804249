//! Keys, as KMIP servers have them: all of them, a new one, one less.
//!
//! It must never know MySQL's interface, and keeps nothing: [`crate::keyring`] does.

mod objects;

use claviger_client::blocking::{Client, Session};
use claviger_client::{Error, Failover, Options};
use claviger_kmip::attributes::{AttributeId, AttributeReference};
use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{ResultReason, RevocationReasonCode, State};

pub(crate) use self::objects::Loaded;
use self::objects::{Found, are_removed, locate, read, sort_out, text};
use crate::naming::{Identity, Kind, describe, register};

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

/// One or several KMIP servers that hold the same keys. Keys are asked for when MySQL starts and when one is made or removed:
/// no connection is kept for that.
pub(crate) struct Server {
    options: Options,
    group: Option<String>,
    objects_max: usize,
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
        let found = self.client().many(Failover::Careful, |session, at_once| {
            let mut found = Vec::new();
            for kind in Kind::ALL {
                let all = |session: &mut Session| {
                    locate(session, kind, self.group.as_deref(), None, self.objects_max)
                };
                let located = all(session)?;
                if let Err(problem) = located.all_of(self.objects_max) {
                    too_many = Some(problem);
                    return Ok(Vec::new());
                }
                let gone = read(session, at_once, kind, &located.identifiers, &mut found)?;
                if !gone.is_empty() {
                    are_removed(gone, &all(session)?.identifiers)?;
                }
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
            let of_kind = client.many(Failover::Careful, |session, at_once| {
                let (group, name) = (self.group.as_deref(), Some(identity.data_id.as_str()));
                let located = locate(session, kind, group, name, self.objects_max)?;
                let unknown: Vec<_> = located
                    .identifiers
                    .into_iter()
                    .filter(|it| !known.contains(it) && made != Some(it))
                    .collect();
                let mut found = Vec::new();
                let _removed = read(session, at_once, kind, &unknown, &mut found)?;
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
            Err(error) if error.reason().is_some_and(|reason| !is_of_client(reason)) => {}
            Err(error) => return Err(error.into()),
        }
        match client.destroy(identifier) {
            Ok(_) => Ok(()),
            Err(error) if error.reason().is_some_and(is_absence) => Ok(()),
            Err(error @ Error::Lost { .. }) => match state(&client, identifier) {
                Ok(Some(State::DESTROYED | State::DESTROYED_COMPROMISED)) => Ok(()),
                Err(error) if error.reason().is_some_and(is_absence) => Ok(()),
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

fn is_absence(reason: ResultReason) -> bool {
    [ResultReason::ITEM_NOT_FOUND, ResultReason::OBJECT_NOT_FOUND, ResultReason::OBJECT_DESTROYED]
        .contains(&reason)
}

/// Whether a reason is about who asks.
pub(crate) fn is_of_client(reason: ResultReason) -> bool {
    [ResultReason::PERMISSION_DENIED, ResultReason::AUTHENTICATION_NOT_SUCCESSFUL].contains(&reason)
}
