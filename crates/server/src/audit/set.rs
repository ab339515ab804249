//! The devices that are enabled, and how entries are handed to them. Whoever hands out shares a lock;
//! whoever changes a device has it alone, so that nobody writes to a file while it is exchanged.

use super::AuditError;
use super::chain::Chain;
use super::config::DeviceConfig;
use super::entry::Entry;
use super::form::Form;
use super::slot::{Delivery, DeviceState, Slot};
use super::sync::Syncing;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Every device that is enabled, in the order in which they came.
#[derive(Default)]
pub(super) struct Set {
    /// Whether there are any, for those who only ask that.
    enabled: AtomicBool,
    /// Whether there are some, but none that is a file.
    waits: AtomicBool,
    slots: RwLock<Vec<Slot>>,
}

impl Set {
    pub(super) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Acquire)
    }

    pub(super) fn may_wait(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    /// After a change of what there is.
    fn note(&self, slots: &[Slot]) {
        let waits = !slots.is_empty() && !slots.iter().any(Slot::takes_at_once);
        self.waits.store(waits, Ordering::Relaxed);
        self.enabled.store(!slots.is_empty(), Ordering::Release);
    }

    pub(super) fn enable(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<(), AuditError> {
        let slot = self.prepare(config, key, now_us)?;
        if !slot.config.skip_test {
            slot.test(now_us)?;
        }
        self.insert(slot)
    }

    pub(super) fn add(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<(), AuditError> {
        self.insert(self.prepare(config, key, now_us)?)
    }

    pub(super) fn add_or_wait(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<(), AuditError> {
        let mut slot = Slot::new(config, key);
        slot.open(Chain::default(), now_us);
        self.insert(slot)
    }

    pub(super) fn disable(&self, path: &str) {
        let mut slots = self.write();
        let gone = slots.iter().position(|slot| slot.config.path == path);
        let gone = gone.map(|at| slots.remove(at));
        self.note(&slots);
        drop(slots);
        // It is flushed, and its file is free for another device, when nobody waits for the lock.
        drop(gone);
    }

    pub(super) fn reopen(&self, now_us: i64) {
        let mut slots = self.write();
        let replaced: Vec<_> = slots.iter_mut().filter_map(|slot| slot.reopen(now_us)).collect();
        self.note(&slots);
        drop(slots);
        drop(replaced);
    }

    pub(super) fn states(&self) -> Vec<DeviceState> {
        self.read().iter().map(Slot::state).collect()
    }

    pub(super) fn hash(&self, path: &str, text: &str) -> Option<String> {
        let slots = self.read();
        let slot = slots.iter().find(|slot| slot.config.path == path);
        slot.map(|slot| slot.form.hash(text))
    }

    pub(super) fn sync(&self) -> Syncing {
        self.read().iter().fold(Syncing::done(), |syncing, slot| slot.sync(syncing))
    }

    fn prepare(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<Slot, AuditError> {
        check_free(&self.read(), &config.path)?;
        let mut slot = Slot::new(config, key);
        slot.open_first(now_us)?;
        Ok(slot)
    }

    pub(super) fn insert(&self, slot: Slot) -> Result<(), AuditError> {
        let mut slots = self.write();
        check_free(&slots, &slot.config.path)?;
        slots.push(slot);
        self.note(&slots);
        Ok(())
    }

    /// Hands entries to every device. Waits for those that lines are on their way to only if none
    /// has taken them yet.
    pub(super) fn deliver(
        &self,
        entries: &[Entry<'_>],
        line: &mut Vec<u8>,
    ) -> Result<(), AuditError> {
        let mut delivery = Delivery::default();
        self.hand_out(entries, line, None, &mut delivery);
        if delivery.may_revive {
            let now_us = entries.first().map_or(0, Entry::time_us);
            let revived = self.revive(now_us);
            self.hand_out(entries, line, Some(&revived), &mut delivery);
        }
        delivery.outcome()
    }

    /// Spells entries anew only for devices on which they come out differently.
    fn hand_out(
        &self,
        entries: &[Entry<'_>],
        line: &mut Vec<u8>,
        only: Option<&[String]>,
        delivery: &mut Delivery,
    ) {
        let mut ends = Vec::with_capacity(entries.len());
        let mut spelled: Option<&Form> = None;
        let slots = self.read();
        for slot in slots.iter() {
            if only.is_some_and(|only| !only.contains(&slot.config.path)) {
                continue;
            }
            if spelled.is_none_or(|form| !form.spells_alike(&slot.form, entries)) {
                slot.form.spell(entries, line, &mut ends);
                spelled = Some(&slot.form);
            }
            slot.hand(line, &ends, delivery);
        }
        // Disabled, all of them, since this was asked for: nothing is to be recorded.
        delivery.taken |= slots.is_empty();
    }

    /// Tries to open the devices that are not; which now are.
    fn revive(&self, now_us: i64) -> Vec<String> {
        let mut slots = self.write();
        let revived = slots
            .iter_mut()
            .filter_map(|slot| slot.revive(now_us).then(|| slot.config.path.clone()));
        let revived = revived.collect();
        self.note(&slots);
        revived
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Slot>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_free(slots: &[Slot], path: &str) -> Result<(), AuditError> {
    if slots.iter().any(|slot| slot.config.path == path) {
        return Err(AuditError::new(format_args!("path already in use: {path}")));
    }
    Ok(())
}
