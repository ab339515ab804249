//! What a transaction hands to its client: that takes an object's freshness, and makes the client a
//! holder. See `served` and `holders`.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use claviger_store::Key;

use super::cache::{Entry, Unsealed};
use super::holders::{BEHIND_MAX, Fetches, Holder};
use super::id::ObjectId;
use super::managed::Outline;
use super::tx::{Tx, damaged, destroyed, not_found, storage};
use super::{layout, record};
use crate::failure::Failure;
use crate::seal::{Changes, Opened};

/// An object that is handed to the client.
#[derive(Debug)]
pub(super) struct Serve {
    id: ObjectId,
    unsealed: Option<Arc<Entry<Unsealed>>>,
    /// Whether it was fresh.
    fresh: bool,
    /// What the store is to know of the client's having it: a row's version, and what it says. Nothing
    /// if it knows, or if nobody is to know.
    row: Option<(u64, Fetches)>,
    /// Stands for the client in memory.
    tag: u64,
}

impl Serve {
    pub(super) fn is_of(&self, id: ObjectId) -> bool {
        self.id == id
    }
}

impl Tx<'_> {
    /// The object of that identifier, which must not be destroyed, to be handed to the client: that
    /// takes its freshness and makes the client a holder. The commit does not depend on it.
    ///
    /// # Errors
    /// There is none, or it is destroyed; storage.
    pub fn serve(&mut self, unique_identifier: &str) -> Result<Outline, Failure> {
        let id = ObjectId::parse(unique_identifier).ok_or_else(not_found)?;
        let (outline, unsealed) = match self.entries.iter().find(|entry| entry.after.id == id) {
            Some(entry) => (Outline::from(&*entry.after), entry.unsealed.clone()),
            None => {
                let unsealed = self.objects.read(&self.partition, id).map_err(storage)?;
                let unsealed = unsealed.ok_or_else(not_found)?;
                (record::outline(&unsealed.bytes).map_err(damaged)?, Some(unsealed))
            }
        };
        if outline.object.is_none() {
            return Err(destroyed());
        }
        let holder = self.client.as_ref().map(|client| client.holder);
        let tag = holder.map_or(0, |holder| self.objects.tags.hash_one(holder));
        let row = self.holder_row(id, unsealed.as_deref(), tag)?;
        self.serves.push(Serve { id, unsealed, fresh: outline.fresh == Some(true), row, tag });
        Ok(outline)
    }

    fn holder_row(
        &self,
        id: ObjectId,
        unsealed: Option<&Entry<Unsealed>>,
        tag: u64,
    ) -> Result<Option<(u64, Fetches)>, Failure> {
        let Some(client) = &self.client else { return Ok(None) };
        if unsealed.is_some_and(|unsealed| unsealed.recent.is_stored(tag, self.now)) {
            return Ok(None);
        }
        let key = self.held_key(id, &client.holder);
        let role = client.role.to_owned();
        // Rows that there are tell of what is supplanted.
        let waiting = self.objects.late.of_row(&key).filter(|_| !self.is_supplanted(id));
        let (version, known) = match waiting {
            Some(waiting) => waiting,
            None => match self.stored_row(id, &key)? {
                Some(row) => {
                    let stored = Fetches::decode(&row.bytes).map_err(storage)?;
                    (row.version.saturating_add(1), stored)
                }
                None => {
                    let issuer = client.issuer.to_owned();
                    return Ok(Some((
                        1,
                        Fetches { first: self.now, last: self.now, role, issuer },
                    )));
                }
            },
        };
        if let Some(unsealed) = unsealed
            && self.now.saturating_sub(known.last) < BEHIND_MAX
        {
            unsealed.recent.stored(tag, known.last);
            return Ok(None);
        }
        Ok(Some((version, Fetches { last: known.last.max(self.now), role, ..known })))
    }

    fn stored_row(&self, id: ObjectId, key: &[u8]) -> Result<Option<Opened>, Failure> {
        if self.is_supplanted(id) {
            return Ok(None);
        }
        self.objects.barrier.get(key).map_err(storage)
    }

    fn held_key(&self, id: ObjectId, holder: &Holder) -> Key {
        layout::held(&self.partition.mount, &self.partition.scope, id.as_bytes(), holder)
    }

    /// Whether rows of holders are to be committed at once, as more of them wait than may.
    pub(super) fn must_hold(&self) -> bool {
        self.serves.iter().any(|serve| serve.row.is_some()) && self.objects.late.is_full()
    }

    pub(super) fn served_key(&self, id: ObjectId) -> Key {
        layout::served(&self.partition.mount, &self.partition.scope, id.as_bytes())
    }

    pub(super) fn is_served(&self, id: ObjectId) -> bool {
        self.serves.iter().any(|serve| serve.id == id && serve.fresh)
    }

    /// What a transaction leaves behind without a commit: which objects were handed out, and to whom.
    pub fn finish_reads(&self) {
        for Serve { id, unsealed, fresh, row, tag } in &self.serves {
            // An object of this transaction is written with its freshness taken.
            if let Some(unsealed) = unsealed
                && *fresh
                && !unsealed.served.swap(true, Ordering::Relaxed)
            {
                self.objects.served.note(self.served_key(*id));
            }
            let Some(client) = &self.client else { continue };
            let recent = unsealed.as_ref().map(|unsealed| &unsealed.recent);
            match row {
                Some((version, fetches)) => {
                    let key = self.held_key(*id, &client.holder);
                    self.objects.late.note(key, *version, fetches.clone());
                    recent.inspect(|recent| recent.stored(*tag, self.now));
                }
                None => {
                    recent.inspect(|recent| recent.fetched(*tag, self.now));
                }
            }
        }
    }

    /// Takes the rows of holders into a commit, if they cannot wait.
    pub(super) fn hold(&mut self, changes: &mut Changes) {
        if !self.must_hold() {
            return;
        }
        let Some(holder) = self.client.as_ref().map(|client| client.holder) else { return };
        let mut serves = std::mem::take(&mut self.serves);
        for serve in &mut serves {
            let Some((version, fetches)) = serve.row.take() else { continue };
            let key = self.held_key(serve.id, &holder);
            // Unless it was fetched twice in one batch.
            if !changes.put.iter().any(|(put, ..)| *put == key) {
                changes.put.push((key, version, fetches.encode()));
            }
        }
        self.serves = serves;
    }
}
