//! What a handler is given: its request's surroundings, and what all requests share.

use std::sync::Arc;

use claviger_crypto::Rng;
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::{self, ObjectType, Operation};

use super::batch::Batch;
use super::stream::Streams;
use crate::access::Grant;
use crate::failure::{Failure, Reason};
use crate::limits::Limits;
use crate::object::{ManagedObject, ObjectId, Objects, Tx};

/// What handlers of all requests share.
pub struct Resources {
    /// The managed objects.
    pub objects: Arc<Objects>,
    /// Random numbers.
    pub rng: Arc<dyn Rng>,
    /// The limits.
    pub limits: Limits,
    /// What Query calls the vendor: some appliances only talk to vendors they know.
    pub vendor_identification: String,
    /// Cryptographic operations on messages that come in parts.
    pub streams: Streams,
}

/// One batch item being carried out.
pub struct Context<'c, 't> {
    /// The objects of the client's scope.
    pub tx: &'c mut Tx<'t>,
    /// The version of the message.
    pub version: Version,
    /// Whose request it is.
    pub grant: &'c Grant,
    /// What all requests share.
    pub resources: &'c Resources,
    /// The operations of a version, for Query.
    pub operations: fn(Version) -> Vec<Operation>,
    /// What the items of the batch pass on.
    pub batch: &'c mut Batch,
    /// Our number of the request: the same however often its items are run.
    pub number: u64,
    /// The time in microseconds; [`Tx::now`] is the same instant in seconds.
    pub now_us: i64,
    /// What the item is about, for the audit.
    pub about: About,
}

/// What a batch item is about, for audit and log.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The object.
    pub unique_identifier: Option<String>,
    /// Its type.
    pub object_type: Option<ObjectType>,
}

impl Context<'_, '_> {
    /// The time in POSIX seconds.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.tx.now
    }

    /// The object that a request means: the one it names, or the ID Placeholder's.
    ///
    /// # Errors
    /// It names none and the placeholder is empty.
    pub fn identifier(&mut self, given: Option<&UniqueIdentifier>) -> Result<String, Failure> {
        let identifier = match given {
            Some(UniqueIdentifier::Text(text)) => Some(text.clone()),
            Some(UniqueIdentifier::Produced(producer)) => self.batch.produced(*producer),
            Some(UniqueIdentifier::Index(position)) => self.batch.at(*position),
            None => self.batch.placeholder(),
        };
        let identifier = identifier.ok_or_else(|| match given {
            None if self.batch.was_emptied() => Failure::new(
                Reason::ObjectNotFound,
                "an earlier item of the batch has found no object, or more than one, and has emptied the ID Placeholder",
            ),
            None => Failure::new(
                Reason::InvalidMessage,
                "Unique Identifier is missing and no earlier item of the batch has set the ID Placeholder",
            ),
            Some(_) => Failure::new(
                Reason::ObjectNotFound,
                "no earlier item of the batch has produced that object",
            ),
        })?;
        self.about.unique_identifier = Some(identifier.clone());
        Ok(identifier)
    }

    /// Notes the object that the item is about.
    pub fn concerns(&mut self, object: &ManagedObject) {
        self.about.object_type = Some(object.object_type);
    }

    /// Notes that the item has produced an object, which later items may mean.
    pub fn produced(&mut self, producer: enums::UniqueIdentifier, id: ObjectId) {
        let identifier = id.to_string();
        self.about.unique_identifier.get_or_insert_with(|| identifier.clone());
        self.batch.produce(producer, identifier);
    }

    /// A new identifier.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn next_id(&self) -> Result<ObjectId, Failure> {
        self.resources.objects.next_id(self.now_us, &*self.resources.rng)
    }
}
