//! Transactions: what a handler reads and writes, and the commit that makes it so.
//!
//! A [`Tx`] collects changes and remembers the version of every object that it handed out. Its
//! commit expects those versions: if another change came first, nothing is written and the
//! handler runs again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use claviger_kmip::attributes::Attribute;
use claviger_store::{CommitError, Expect, Key, Pending};

use super::cache::{self, Unsealed};
use super::hand_out::Serve;
use super::holders::Holder;
use super::id::ObjectId;
use super::layout::Place;
use super::managed::ManagedObject;
use super::names::Taken;
use super::objects::{Objects, Partition, Waiting};
use super::{layout, locate, record};
use crate::failure::{Failure, Reason};
use crate::seal::{Changes, SealError};

/// What one batch item, or one batch under Undo, reads and writes in one scope.
#[derive(Debug)]
pub struct Tx<'a> {
    pub(super) objects: &'a Objects,
    /// The scope.
    pub partition: Partition,
    /// The time of the request in POSIX seconds: one instant for everything in it.
    pub now: i64,
    pub(super) entries: Vec<Entry>,
    pub(super) serves: Vec<Serve>,
    /// Whom it is for, where what they fetch is to be on record.
    pub(super) client: Option<Client<'a>>,
    /// Whether two objects of the scope may not have a Name in common.
    pub(super) unique_names: bool,
    /// The Names that it takes.
    pub(super) names: Vec<Taken>,
}

/// Who a transaction is for.
#[derive(Debug)]
pub(super) struct Client<'a> {
    pub(super) holder: Holder,
    /// Name of its role.
    pub(super) role: &'a str,
    /// Who issued its certificate; empty where it is one of ours.
    pub(super) issuer: &'a str,
}

#[derive(Debug)]
pub(super) struct Entry {
    /// The version that was read; 0 for an object that is new.
    base: u64,
    pub(super) unsealed: Option<Arc<cache::Entry<Unsealed>>>,
    pub(super) before: Option<Arc<ManagedObject>>,
    pub(super) after: Arc<ManagedObject>,
    pub(super) changed: bool,
    /// Whether it is another object than before: who had that one has not had this one.
    supplanted: bool,
}

/// A commit under way.
#[derive(Debug)]
#[must_use = "the commit is not acknowledged until it is awaited and applied"]
pub struct Commit<'a> {
    effects: Effects<'a>,
    pending: Pending,
}

/// What a commit changes in memory.
#[derive(Debug)]
struct Effects<'a> {
    objects: &'a Objects,
    updates: Vec<Place>,
    /// Terms of index rows that come or go.
    terms: Vec<Place>,
    /// What waits to be stored no more, unless the commit fails.
    taken: Waiting,
}

impl<'a> Tx<'a> {
    pub(super) const fn new(objects: &'a Objects, partition: Partition, now: i64) -> Self {
        Self {
            objects,
            partition,
            now,
            entries: Vec::new(),
            serves: Vec::new(),
            client: None,
            unique_names: false,
            names: Vec::new(),
        }
    }

    /// The same, for that certificate, which has that role and that issuer, unless it is one of ours:
    /// what it fetches is on record.
    #[must_use]
    pub const fn on_behalf_of(mut self, holder: Holder, role: &'a str, issuer: &'a str) -> Self {
        self.client = Some(Client { holder, role, issuer });
        self
    }

    /// The object, also if it is destroyed; `None` if this scope never had it.
    ///
    /// # Errors
    /// Storage.
    pub fn find(&mut self, id: ObjectId) -> Result<Option<Arc<ManagedObject>>, Failure> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.after.id == id) {
            return Ok(Some(Arc::clone(&entry.after)));
        }
        let read = self.objects.read(&self.partition, id).map_err(storage)?;
        let Some(unsealed) = read else { return Ok(None) };
        let object = Arc::new(record::decode(id, &unsealed.bytes).map_err(damaged)?);
        self.entries.push(Entry {
            base: unsealed.version,
            unsealed: Some(unsealed),
            before: Some(Arc::clone(&object)),
            after: Arc::clone(&object),
            changed: false,
            supplanted: false,
        });
        Ok(Some(object))
    }

    /// As [`Tx::find`], for an object that this transaction only looks at in passing: the commit
    /// does not depend on it.
    ///
    /// # Errors
    /// Storage.
    pub(super) fn peek(&self, id: ObjectId) -> Result<Option<Arc<ManagedObject>>, Failure> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.after.id == id) {
            return Ok(Some(Arc::clone(&entry.after)));
        }
        let read = self.objects.read(&self.partition, id).map_err(storage)?;
        let Some(unsealed) = read else { return Ok(None) };
        Ok(Some(Arc::new(record::decode(id, &unsealed.bytes).map_err(damaged)?)))
    }

    /// The object of that identifier, destroyed or not.
    ///
    /// # Errors
    /// There is none; storage.
    pub fn object(&mut self, unique_identifier: &str) -> Result<Arc<ManagedObject>, Failure> {
        let found = match ObjectId::parse(unique_identifier) {
            Some(id) => self.find(id)?,
            None => None,
        };
        found.ok_or_else(not_found)
    }

    /// The object of that identifier, which must not be destroyed.
    ///
    /// # Errors
    /// There is none, or it is destroyed; storage.
    pub fn live(&mut self, unique_identifier: &str) -> Result<Arc<ManagedObject>, Failure> {
        let object = self.object(unique_identifier)?;
        if object.object.is_none() {
            return Err(destroyed());
        }
        Ok(object)
    }

    /// Adds a new object.
    pub fn insert(&mut self, object: ManagedObject) {
        self.entries.push(Entry {
            base: 0,
            unsealed: None,
            before: None,
            after: Arc::new(object),
            changed: true,
            supplanted: false,
        });
    }

    /// Changes an object that was read in this transaction.
    pub fn update(&mut self, mut object: ManagedObject) {
        object.touch(self.now);
        self.replace(object);
    }

    /// Puts another object under the identifier of one that was read in this transaction, with the
    /// Last Change Date that it has. Nobody has been handed it.
    pub fn supplant(&mut self, object: ManagedObject) {
        let id = object.id;
        self.replace(object);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.after.id == id) {
            entry.unsealed = None;
            entry.supplanted = true;
        }
        self.serves.retain(|serve| !serve.is_of(id));
    }

    fn replace(&mut self, object: ManagedObject) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.after.id == object.id) {
            entry.after = Arc::new(object);
            entry.changed = true;
        }
    }

    /// Every object of the scope that the query fits, newest first.
    ///
    /// # Errors
    /// Storage.
    pub fn locate(&mut self, query: &locate::Query) -> Result<Vec<ObjectId>, Failure> {
        locate::run(self, query)
    }

    /// Objects that this transaction has made or changed.
    pub(super) fn changed(&self) -> impl Iterator<Item = &Arc<ManagedObject>> {
        self.entries.iter().filter(|entry| entry.changed).map(|entry| &entry.after)
    }

    pub(super) fn is_supplanted(&self, id: ObjectId) -> bool {
        self.entries.iter().any(|entry| entry.supplanted && entry.after.id == id)
    }

    /// Whether the object has never been handed to a client.
    ///
    /// # Errors
    /// Storage.
    pub fn is_fresh(&self, object: &ManagedObject) -> Result<bool, Failure> {
        let stored = object.attributes.iter().any(|it| matches!(it, Attribute::Fresh(true)));
        if !stored || self.is_served(object.id) {
            return Ok(false);
        }
        if self.is_supplanted(object.id) {
            return Ok(true);
        }
        let entry = self.entries.iter().find(|entry| entry.after.id == object.id);
        if let Some(unsealed) = entry.and_then(|entry| entry.unsealed.as_ref())
            && unsealed.served.load(Ordering::Relaxed)
        {
            return Ok(false);
        }
        let key = self.served_key(object.id);
        if self.objects.served.contains(&key) {
            return Ok(false);
        }
        let row = self.objects.barrier.engine().get(&key).map_err(|error| storage(error.into()))?;
        Ok(row.is_none())
    }

    /// Whether there is nothing to commit: then [`Tx::finish_reads`] ends it.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.entries.iter().all(|entry| !entry.changed) && !self.must_hold()
    }

    /// Whether [`Tx::commit`] may have to wait before it submits: for what is being stored of who was
    /// handed an object that is supplanted.
    pub fn waits_to_commit(&self) -> bool {
        self.entries.iter().any(|entry| entry.supplanted)
    }

    /// Submits the changes. They hold when the commit says that it is done.
    pub fn commit(mut self) -> Commit<'a> {
        let mut changes = Changes::default();
        self.hold(&mut changes);
        self.keep_names(&mut changes);
        let mut taken = Waiting::default();
        let handed_back = self.hand_back(&changes, &mut taken);
        self.finish_reads();
        let mut updates = Vec::new();
        let Partition { mount, scope } = self.partition;
        for entry in &self.entries {
            let key = layout::object(&mount, &scope, entry.after.id.as_bytes());
            let expected =
                if entry.base == 0 { Expect::Absent } else { Expect::Version(entry.base) };
            changes.expect.push((key.clone(), expected));
            if !entry.changed {
                continue;
            }
            let bytes = record::encode(&self.with_freshness(entry));
            let version = entry.base.saturating_add(1);
            changes.put.push((key, version, bytes));
            updates.push(Place { partition: self.partition, id: *entry.after.id.as_bytes() });
            self.index_changes(entry, &mut changes);
        }
        let index_rows = changes.marks.iter().chain(&changes.delete);
        let terms = index_rows.filter_map(|row| layout::place_of(row)).collect();
        let pending = match handed_back {
            Ok(rows) => {
                changes.delete.extend(rows);
                self.objects.barrier.commit(changes)
            }
            Err(error) => Pending::resolved(Err(CommitError::Failed(error.to_string()))),
        };
        Commit { effects: Effects { objects: self.objects, updates, terms, taken }, pending }
    }

    /// The rows that say who was handed what is supplanted, without those that `changes` writes anew.
    fn hand_back(&self, changes: &Changes, taken: &mut Waiting) -> Result<Vec<Key>, SealError> {
        let mut rows = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.supplanted) {
            rows.extend(self.objects.hand_back(self.partition, entry.after.id, taken)?);
        }
        rows.retain(|row| !changes.put.iter().any(|(key, ..)| key == row));
        Ok(rows)
    }

    /// An object that is rewritten takes its spent freshness with it.
    fn with_freshness(&self, entry: &Entry) -> Arc<ManagedObject> {
        let mut object = Arc::clone(&entry.after);
        let handed_out = self.is_served(object.id)
            || entry.unsealed.as_ref().is_some_and(|it| it.served.load(Ordering::Relaxed));
        if handed_out && object.attributes.iter().any(|it| *it == Attribute::Fresh(true)) {
            Arc::make_mut(&mut object).attributes.set(Attribute::Fresh(false));
        }
        object
    }

    fn index_changes(&self, entry: &Entry, changes: &mut Changes) {
        let Partition { mount, scope } = self.partition;
        let barrier = &self.objects.barrier;
        let id = entry.after.id;
        let after = locate::terms(barrier, &entry.after);
        let before =
            entry.before.as_ref().map(|object| locate::terms(barrier, object)).unwrap_or_default();
        for term in after.iter().filter(|term| !before.contains(*term)) {
            changes.marks.push(layout::index(&mount, &scope, term, id.as_bytes()));
        }
        for term in before.iter().filter(|term| !after.contains(*term)) {
            changes.delete.push(layout::index(&mount, &scope, term, id.as_bytes()));
        }
    }
}

impl Commit<'_> {
    /// Waits until the changes are durable and makes them visible.
    ///
    /// # Errors
    /// The changes were not taken.
    pub async fn done(self) -> Result<(), CommitError> {
        let outcome = self.pending.await.map(|_| ());
        self.effects.apply(outcome.is_ok());
        outcome
    }

    /// The same for a thread that may block.
    ///
    /// # Errors
    /// The changes were not taken.
    pub fn wait(self) -> Result<(), CommitError> {
        let outcome = self.pending.wait().map(|_| ());
        self.effects.apply(outcome.is_ok());
        outcome
    }
}

impl Effects<'_> {
    fn apply(self, committed: bool) {
        if !committed {
            self.objects.wait_again(self.taken);
        }
        for place in self.updates {
            // Forgotten, not replaced: a task that was overtaken must not put an older record over
            // a newer one. The next read takes what the store has.
            self.objects.cache.commit(&place);
        }
        for place in self.terms {
            self.objects.index.commit(&place);
        }
    }
}

pub(super) fn not_found() -> Failure {
    Failure::new(Reason::ObjectNotFound, "no object has this Unique Identifier")
}

pub(super) fn destroyed() -> Failure {
    Failure::new(Reason::ObjectDestroyed, "the object has been destroyed")
}

pub(super) fn storage(error: SealError) -> Failure {
    tracing::error!(%error, "storage");
    Failure::new(Reason::GeneralFailure, "the server's storage failed; see its log")
}

pub(super) fn damaged(error: record::RecordError) -> Failure {
    tracing::error!(%error, "stored object");
    Failure::new(Reason::GeneralFailure, "a stored object cannot be read; see the server's log")
}
