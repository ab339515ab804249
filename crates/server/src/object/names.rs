//! Names that one object of a scope has, where the scope wants it so (`unique_names`).
//!
//! What the index names is checked against the store, not against memory, which may be behind a
//! commit under way. Every Name has a row whose version counts who took it: two transactions that take
//! it at once expect the same version, and the later one runs again and finds the Name taken.

use claviger_kmip::attributes::Attribute;
use claviger_store::Expect;
use zeroize::Zeroizing;

use super::id::ObjectId;
use super::locate;
use super::objects::Partition;
use super::tx::{Tx, damaged, storage};
use super::{layout, record};
use crate::failure::{Failure, Reason};
use crate::seal::{Changes, Key};

/// A Name that a transaction takes.
#[derive(Debug)]
pub(super) struct Taken {
    row: Key,
    /// The version of its row that was read; 0 if there was none.
    version: u64,
}

impl Tx<'_> {
    /// The same, in a scope where two objects may or may not have a Name in common.
    #[must_use]
    pub const fn with_unique_names(mut self, unique: bool) -> Self {
        self.unique_names = unique;
        self
    }

    /// Whether the Names that this transaction gives to objects are free, where they must be.
    ///
    /// # Errors
    /// Another object of the scope has one of them; storage.
    pub fn check_names(&mut self) -> Result<(), Failure> {
        if !self.unique_names {
            return Ok(());
        }
        for (id, name) in self.names_given() {
            let term = locate::term(&self.objects.barrier, &name);
            let Some(term) = term else { continue };
            self.take_name(&term)?;
            if self.is_named(id, &name, &term)? {
                let text = "another object of this scope has that Name";
                return Err(Failure::new(Reason::NonUniqueName, text));
            }
        }
        Ok(())
    }

    /// Names that objects have after this transaction and did not have before.
    fn names_given(&self) -> Vec<(ObjectId, Attribute)> {
        let changed = self.entries.iter().filter(|entry| entry.changed);
        let given = changed.flat_map(|entry| {
            let had = |name| entry.before.as_ref().is_some_and(|it| has(it, name));
            let names = entry.after.attributes.iter().filter(|it| matches!(it, Attribute::Name(_)));
            names.filter(move |name| !had(name)).map(|name| (entry.after.id, name.clone()))
        });
        given.collect()
    }

    fn take_name(&mut self, term: &layout::Id) -> Result<(), Failure> {
        let row = layout::name(&self.partition.mount, &self.partition.scope, term);
        if self.names.iter().all(|taken| taken.row != row) {
            let stored = self.objects.barrier.get(&row).map_err(storage)?;
            self.names.push(Taken { row, version: stored.map_or(0, |stored| stored.version) });
        }
        Ok(())
    }

    /// Whether another object that is not destroyed has the Name.
    fn is_named(&self, id: ObjectId, name: &Attribute, term: &layout::Id) -> Result<bool, Failure> {
        let Partition { mount, scope } = &self.partition;
        for row in
            self.objects.barrier.keys(&layout::indexed(mount, scope, term)).map_err(storage)?
        {
            let Some(other) = layout::id_of(&row).map(ObjectId::from_bytes) else { continue };
            if other == id || self.changed().any(|object| object.id == other) {
                continue;
            }
            let key = layout::object(mount, scope, other.as_bytes());
            let Some(stored) = self.objects.barrier.get(&key).map_err(storage)? else { continue };
            let object = record::decode(other, &stored.bytes).map_err(damaged)?;
            if !object.state(self.now).is_destroyed() {
                return Ok(true);
            }
        }
        let mut others = self.changed().filter(|object| object.id != id);
        Ok(others.any(|object| has(object, name) && !object.state(self.now).is_destroyed()))
    }

    /// Takes the Names with a commit.
    pub(super) fn keep_names(&mut self, changes: &mut Changes) {
        for Taken { row, version } in self.names.drain(..) {
            let expected = if version == 0 { Expect::Absent } else { Expect::Version(version) };
            changes.expect.push((row.clone(), expected));
            changes.put.push((row, version.saturating_add(1), Zeroizing::default()));
        }
    }
}

/// Whether the object has a Name of that value, of whatever type.
fn has(object: &super::ManagedObject, name: &Attribute) -> bool {
    let Attribute::Name(name) = name else { return false };
    object.attributes.iter().any(|it| match it {
        Attribute::Name(other) => other.name_value == name.name_value,
        _ => false,
    })
}
