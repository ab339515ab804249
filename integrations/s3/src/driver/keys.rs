//! Making and destroying keys so that a lost answer leaves neither a key that nobody knows nor one that should
//! be gone: every step looks first whether it was done already, once an answer was lost.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use aws_lc_rs::rand;
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::{ObjectType, Operation, State};
use claviger_kmip::payload::{
    ActivateRequest, CreateRequest, DestroyRequest, GetAttributesRequest, LocateRequest, Request,
    RevokeRequest,
};

use super::{Driver, DriverError, KeyId, expect_key, requests};

/// How many keys of which nobody knows whether they were made are remembered.
const UNFINISHED_MAX: usize = 1000;
/// The longest name of a bucket, in bytes: longer than any of S3.
const BUCKET_LENGTH_MAX: usize = 255;

/// Names of keys that may have been made, with their buckets, oldest first.
#[derive(Debug, Default)]
pub(super) struct Unfinished(VecDeque<(String, String)>);

impl Unfinished {
    fn put(&mut self, bucket: &str, name: String) {
        if self.0.len() >= UNFINISHED_MAX {
            self.0.pop_front();
        }
        self.0.push_back((bucket.to_owned(), name));
    }

    fn take(&mut self, bucket: &str) -> Option<String> {
        let at = self.0.iter().position(|(other, _)| other == bucket)?;
        self.0.remove(at).map(|(_, name)| name)
    }
}

/// A key that is being made.
struct Making<'a> {
    bucket: &'a str,
    /// The Name that it has and no other.
    name: String,
    /// Whether it may be there already.
    may_exist: bool,
    /// Whether an answer about it was lost, so that there may be two of it.
    was_lost: bool,
}

/// How far the destruction of a key has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Doomed {
    /// It may still be in use.
    Usable,
    /// It is out of use.
    Revoked,
    /// It is gone.
    Gone,
}

impl Driver {
    pub(super) async fn create(&self, bucket: &str) -> Result<KeyId, DriverError> {
        if bucket.is_empty() || bucket.len() > BUCKET_LENGTH_MAX {
            return Err(DriverError::Bucket);
        }
        let left_over = self.unfinished().take(bucket);
        let (may_exist, was_lost) = (left_over.is_some(), left_over.is_some());
        let name = left_over.map_or_else(|| name_of(bucket), Ok)?;
        let mut making = Making { bucket, name, may_exist, was_lost };
        let made = self.make(&mut making).await;
        match &made {
            Ok(key) if making.was_lost => self.destroy_twins(key, &making.name).await,
            Err(_) if making.may_exist => self.unfinished().put(bucket, making.name),
            _ => {}
        }
        made
    }

    async fn make(&self, making: &mut Making<'_>) -> Result<KeyId, DriverError> {
        let mut attempts = self.attempts;
        loop {
            attempts = attempts.saturating_sub(1);
            match self.try_to_make(making).await {
                Err(error) if error.is_lost() => {
                    making.may_exist = true;
                    making.was_lost = true;
                    if attempts == 0 {
                        return Err(error);
                    }
                }
                other => return other,
            }
        }
    }

    async fn try_to_make(&self, making: &mut Making<'_>) -> Result<KeyId, DriverError> {
        let found = match making.may_exist {
            true => self.find(&making.name).await?.into_iter().next(),
            false => None,
        };
        if let Some(key) = found {
            if self.state(&key).await? == State::PRE_ACTIVE {
                self.activate(&key).await?;
            }
            return Ok(key);
        }
        let key = self.ask_to_create(making).await?;
        if !self.compound_create {
            making.may_exist = true;
            if let Err(error) = self.activate(&key).await {
                // Nobody will use a key that is not Active.
                if matches!(error, DriverError::Refused { .. }) && self.destroy(&key).await.is_ok()
                {
                    making.may_exist = false;
                }
                return Err(error);
            }
        }
        Ok(key)
    }

    async fn ask_to_create(&self, making: &Making<'_>) -> Result<KeyId, DriverError> {
        let attribute = self.bucket_attribute_name.as_deref().map(|name| (name, making.bucket));
        let request = requests::create(&making.name, attribute, self.compound_create);
        let answer = self.call(None, &request).await?;
        if answer.object_type != ObjectType::SYMMETRIC_KEY {
            let problem = "it is about another type of object";
            return Err(DriverError::answer(CreateRequest::OPERATION, None, problem));
        }
        self.key_id(CreateRequest::OPERATION, &answer.unique_identifier)
    }

    async fn activate(&self, key: &KeyId) -> Result<(), DriverError> {
        let answer = self.call(Some(key), &requests::activate(key)).await?;
        expect_key(ActivateRequest::OPERATION, key, &answer.unique_identifier)
    }

    /// The keys with that Name that are not destroyed.
    async fn find(&self, name: &str) -> Result<Vec<KeyId>, DriverError> {
        let answer = self.call(None, &requests::locate(name)).await?;
        let found = answer.unique_identifier.iter();
        found.map(|identifier| self.key_id(LocateRequest::OPERATION, identifier)).collect()
    }

    async fn state(&self, key: &KeyId) -> Result<State, DriverError> {
        let answer = self.call(Some(key), &requests::state(key)).await?;
        let operation = GetAttributesRequest::OPERATION;
        expect_key(operation, key, &answer.unique_identifier)?;
        let mut states = answer.attributes.0.iter().filter_map(|attribute| match attribute {
            Attribute::State(state) => Some(*state),
            _ => None,
        });
        let missing = || DriverError::answer(operation, Some(key), "it has no State");
        states.next().ok_or_else(missing)
    }

    /// The same key was made twice: the answer to the first request was lost, and its server carried it out only
    /// after another one had been asked whether it had.
    async fn destroy_twins(&self, key: &KeyId, name: &str) {
        let twins = match self.find(name).await {
            Ok(found) => found.into_iter().filter(|other| other != key).collect(),
            Err(error) => {
                tracing::warn!(%error, name, "whether a bucket's key was made twice is not known");
                Vec::new()
            }
        };
        for twin in twins {
            match self.destroy(&twin).await {
                Ok(()) => tracing::info!(%twin, name, "a key that was made twice is destroyed"),
                Err(error) => {
                    tracing::warn!(%error, %twin, name, "a key that nobody will use is left over");
                }
            }
        }
    }

    pub(super) async fn destroy(&self, key: &KeyId) -> Result<(), DriverError> {
        let mut doomed = Doomed::Usable;
        let mut attempts = self.attempts.saturating_mul(2);
        loop {
            let done = match doomed {
                Doomed::Usable => self.ask_to_revoke(key).await,
                Doomed::Revoked => self.ask_to_destroy(key).await,
                Doomed::Gone => return Ok(()),
            };
            doomed = match done {
                Ok(next) => next,
                Err(error) if error.is_lost() && attempts > 0 => self.doomed(key).await?,
                // A key that is out of use already, or never was in use, cannot be revoked.
                Err(error) if doomed == Doomed::Usable && error.is_refusal_of_state() => {
                    match self.doomed(key).await? {
                        Doomed::Usable => return Err(error),
                        next => next,
                    }
                }
                Err(error) => return Err(error),
            };
            attempts = attempts.saturating_sub(1);
        }
    }

    async fn ask_to_revoke(&self, key: &KeyId) -> Result<Doomed, DriverError> {
        let answer = self.call(Some(key), &requests::revoke(key)).await?;
        expect_key(RevokeRequest::OPERATION, key, &answer.unique_identifier)?;
        Ok(Doomed::Revoked)
    }

    async fn ask_to_destroy(&self, key: &KeyId) -> Result<Doomed, DriverError> {
        let answer = self.call(Some(key), &requests::destroy(key)).await?;
        expect_key(DestroyRequest::OPERATION, key, &answer.unique_identifier)?;
        Ok(Doomed::Gone)
    }

    /// How far the destruction of a key has come, by its State.
    async fn doomed(&self, key: &KeyId) -> Result<Doomed, DriverError> {
        match self.state(key).await {
            Ok(State::DESTROYED | State::DESTROYED_COMPROMISED) => Ok(Doomed::Gone),
            Ok(State::ACTIVE) => Ok(Doomed::Usable),
            Ok(_) => Ok(Doomed::Revoked),
            Err(error) if error.is_absent() => Ok(Doomed::Gone),
            Err(error) => Err(error),
        }
    }

    fn key_id(
        &self,
        operation: Operation,
        identifier: &UniqueIdentifier,
    ) -> Result<KeyId, DriverError> {
        let bad = || DriverError::answer(operation, None, "its Unique Identifier is unusable");
        let UniqueIdentifier::Text(identifier) = identifier else { return Err(bad()) };
        KeyId::of(identifier, self.provider.as_deref()).map_err(|_| bad())
    }

    fn unfinished(&self) -> MutexGuard<'_, Unfinished> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A Name for a key: the bucket, for people, and something that no other key has.
fn name_of(bucket: &str) -> Result<String, DriverError> {
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| DriverError::Randomness)?;
    Ok(format!("s3/{bucket}/{:016x}", u64::from_be_bytes(random)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_is_taken_up_once_and_bounded() {
        let mut unfinished = Unfinished::default();
        unfinished.put("a", String::from("1"));
        unfinished.put("b", String::from("2"));
        unfinished.put("a", String::from("3"));
        assert_eq!(unfinished.take("a").as_deref(), Some("1"));
        assert_eq!(unfinished.take("a").as_deref(), Some("3"));
        assert_eq!(unfinished.take("a"), None);
        for number in 0..UNFINISHED_MAX {
            unfinished.put("c", number.to_string());
        }
        assert_eq!(unfinished.0.len(), UNFINISHED_MAX);
        assert_eq!(unfinished.take("b"), None, "the oldest makes room");
    }

    #[test]
    fn names_differ() {
        let names = [name_of("b").unwrap(), name_of("b").unwrap()];
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.starts_with("s3/b/") && name.len() == 21));
    }
}
