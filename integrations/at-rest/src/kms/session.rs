//! What is asked over one connection.

use std::time::{SystemTime, UNIX_EPOCH};

use claviger_client::blocking::Connection;
use claviger_client::{Endpoint, Expected};
use claviger_kmip::codec::DateTime;
use claviger_kmip::enums::{ResultReason, State};
use claviger_kmip::payload::Request;

use super::failure::Stop;
use super::requests::{self, Got, RESPONSE_SIZE_MAX};
use crate::Error;
use crate::master_key::MasterKey;

/// A connection to one server.
pub(super) struct Session<'a> {
    endpoint: &'a Endpoint,
    pub(super) connection: Connection,
}

impl<'a> Session<'a> {
    pub(super) const fn new(endpoint: &'a Endpoint, connection: Connection) -> Self {
        Self { endpoint, connection }
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        self.endpoint
    }

    fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, Stop> {
        let answer = self.connection.exchange(requests::message(request, now())?)?;
        if usize::try_from(RESPONSE_SIZE_MAX).is_ok_and(|most| answer.bytes().len() > most) {
            return Err(Stop::garbage("the answer is larger than was allowed"));
        }
        let replies = answer.replies()?;
        if replies.header().batch_count != 1 {
            return Err(Stop::garbage("the answer has not one item"));
        }
        Ok(replies.take(Expected::only::<R>())?)
    }

    /// Asks about a key that may be absent.
    fn call_on<R: Request>(&mut self, identifier: &str, request: &R) -> Result<R::Response, Stop> {
        self.call(request).map_err(|stop| match stop {
            Stop::Client(error) if error.reason().is_some_and(is_absent) => {
                Stop::Final(Error::Absent { identifier: identifier.to_owned() })
            }
            stop => stop,
        })
    }

    pub(super) fn state(&mut self, identifier: &str) -> Result<State, Stop> {
        let answer = self.call_on(identifier, &requests::state(identifier))?;
        requests::state_of(&answer, identifier).map_err(Stop::garbage)
    }

    pub(super) fn key(&mut self, identifier: &str) -> Result<MasterKey, Stop> {
        let answer = self.call_on(identifier, &requests::get(identifier))?;
        match requests::key_of(&answer, identifier).map_err(Stop::garbage)? {
            Got::Key(key) => Ok(key),
            Got::Other(problem) => {
                let identifier = identifier.to_owned();
                Err(Stop::Final(Error::WrongKey { identifier, problem }))
            }
        }
    }

    pub(super) fn register(&mut self, key: &MasterKey, name: Option<&str>) -> Result<String, Stop> {
        let answer = self.call(&requests::register(key, name))?;
        requests::identifier(&answer.unique_identifier).map_err(Stop::garbage)
    }

    pub(super) fn activate(&mut self, identifier: &str) -> Result<(), Stop> {
        let answer = self.call_on(identifier, &requests::activate(identifier))?;
        requests::is_about(&answer.unique_identifier, identifier).map_err(Stop::garbage)
    }

    /// Activates a key unless it is Active; says whether it did.
    pub(super) fn make_active(&mut self, identifier: &str) -> Result<bool, Stop> {
        match self.state(identifier)? {
            State::ACTIVE => Ok(false),
            State::PRE_ACTIVE => self.activate(identifier).map(|()| true),
            state => {
                let identifier = identifier.to_owned();
                Err(Stop::Final(Error::NotActive { identifier, state }))
            }
        }
    }

    pub(super) fn find(&mut self, name: &str) -> Result<Option<String>, Stop> {
        let answer = self.call(&requests::locate(name))?;
        match answer.unique_identifier.as_slice() {
            [] => Ok(None),
            [one] => requests::identifier(one).map(Some).map_err(Stop::garbage),
            several => {
                let (name, count) = (name.to_owned(), several.len());
                Err(Stop::Final(Error::AmbiguousName { name, count }))
            }
        }
    }

    pub(super) fn names(&mut self, identifier: &str) -> Result<Vec<(String, i32)>, Stop> {
        let answer = self.call_on(identifier, &requests::names(identifier))?;
        requests::names_of(&answer, identifier).map_err(Stop::garbage)
    }

    pub(super) fn add_name(&mut self, identifier: &str, name: &str) -> Result<(), Stop> {
        self.call_on(identifier, &requests::add_name(identifier, name))?;
        Ok(())
    }

    pub(super) fn delete_name(&mut self, identifier: &str, index: i32) -> Result<(), Stop> {
        self.call_on(identifier, &requests::delete_name(identifier, index))?;
        Ok(())
    }

    /// A key is on the server, and nobody will use it.
    pub(super) fn warn_of_abandoned(&self, identifier: &str) {
        tracing::warn!(
            server_host = %self.endpoint,
            time = now().0,
            kmip_key_identifier = identifier,
            "a key was registered and not activated; it will not be used"
        );
    }
}

fn is_absent(reason: ResultReason) -> bool {
    [ResultReason::ITEM_NOT_FOUND, ResultReason::OBJECT_NOT_FOUND, ResultReason::OBJECT_DESTROYED]
        .contains(&reason)
}

/// Now, in seconds since 1970.
pub(super) fn now() -> DateTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    DateTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
