//! What a transaction hands to its client: that takes an object's freshness, and makes the client a
//! holder. See `served` and `holders`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use claviger_store::Key;

use super::cache::Unsealed;
use super::holders::{Fetches, Holder};
use super::id::ObjectId;
use super::managed::Outline;
use super::tx::{Tx, damaged, destroyed, not_found, storage};
use super::{layout, record};
use crate::failure::Failure;
use crate::seal::Changes;

/// An object that is handed to the client.
#[derive(Debug)]
pub(super) struct Serve {
    id: ObjectId,
    unsealed: Option<Arc<Unsealed>>,
    /// Whether it was fresh.
    fresh: bool,
    row: HolderRow,
}

/// What the store knows of the client's having the object.
#[derive(Debug)]
enum HolderRow {
    /// That it has, and not long since. Or nobody is to know.
    Recent,
    /// That it has: a row of that version.
    Late(u64, Fetches),
    /// Nothing.
    Absent,
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
                let key =
                    layout::object(&self.partition.mount, &self.partition.scope, id.as_bytes());
                let unsealed = self.objects.read(&key).map_err(storage)?.ok_or_else(not_found)?;
                (record::outline(&unsealed.bytes).map_err(damaged)?, Some(unsealed))
            }
        };
        if outline.object.is_none() {
            return Err(destroyed());
        }
        let row = self.holder_row(id, unsealed.as_deref())?;
        self.serves.push(Serve { id, unsealed, fresh: outline.fresh == Some(true), row });
        Ok(outline)
    }

    fn holder_row(&self, id: ObjectId, unsealed: Option<&Unsealed>) -> Result<HolderRow, Failure> {
        let Some((holder, _)) = &self.holder else { return Ok(HolderRow::Recent) };
        if unsealed.is_some_and(|unsealed| unsealed.recent.is_stored(holder, self.now)) {
            return Ok(HolderRow::Recent);
        }
        let row = self.objects.barrier.get(&self.held_key(id, holder)).map_err(storage)?;
        let Some(row) = row else { return Ok(HolderRow::Absent) };
        let fetches = Fetches::decode(&row.bytes).map_err(storage)?;
        Ok(HolderRow::Late(row.version, fetches))
    }

    fn held_key(&self, id: ObjectId, holder: &Holder) -> Key {
        layout::held(&self.partition.mount, &self.partition.scope, id.as_bytes(), holder)
    }

    /// Whether the client is to be put on record as a holder.
    pub(super) fn has_new_holder(&self) -> bool {
        self.serves.iter().any(|serve| matches!(serve.row, HolderRow::Absent))
    }

    pub(super) fn served_key(&self, id: ObjectId) -> Key {
        layout::served(&self.partition.mount, &self.partition.scope, id.as_bytes())
    }

    pub(super) fn is_served(&self, id: ObjectId) -> bool {
        self.serves.iter().any(|serve| serve.id == id && serve.fresh)
    }

    /// What a transaction leaves behind without a commit: which objects were handed out, and that it
    /// was to a certificate that had them before.
    pub fn finish_reads(&self) {
        for Serve { id, unsealed, fresh, row } in &self.serves {
            // An object of this transaction is written with its freshness taken.
            let Some(unsealed) = unsealed else { continue };
            if *fresh && !unsealed.served.swap(true, Ordering::Relaxed) {
                self.objects.served.note(self.served_key(*id));
            }
            let Some((holder, role)) = &self.holder else { continue };
            match row {
                HolderRow::Recent => unsealed.recent.fetched(holder, self.now),
                HolderRow::Late(version, fetches) => {
                    let last = fetches.last.max(self.now);
                    let fetches = Fetches { first: fetches.first, last, role: (*role).to_owned() };
                    let version = version.saturating_add(1);
                    self.objects.late.note(self.held_key(*id, holder), version, fetches);
                    unsealed.recent.stored(holder, self.now);
                }
                HolderRow::Absent => {}
            }
        }
    }

    /// Puts the client on record as a holder of what it has not held before; those objects.
    pub(super) fn hold(&self, changes: &mut Changes) -> Vec<Arc<Unsealed>> {
        let Some((holder, role)) = &self.holder else { return Vec::new() };
        let mut held = Vec::new();
        for serve in self.serves.iter().filter(|serve| matches!(serve.row, HolderRow::Absent)) {
            let key = self.held_key(serve.id, holder);
            // Fetched twice in one batch.
            if changes.put.iter().any(|(put, ..)| *put == key) {
                continue;
            }
            let fetches = Fetches { first: self.now, last: self.now, role: (*role).to_owned() };
            changes.put.push((key, 1, fetches.encode()));
            held.extend(serve.unsealed.clone());
        }
        held
    }
}
