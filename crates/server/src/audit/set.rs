//! The devices that are enabled, and how entries are handed to them. Whoever hands out shares a lock;
//! whoever changes a device has it alone, so that nobody writes to a file while it is exchanged.

use super::AuditError;
use super::chain::Chain;
use super::config::{DeviceConfig, Target};
use super::device::Device;
use super::entry::Entry;
use super::form::Form;
use super::health::Health;
use super::sink::{self, Sink, Socket, Syslog};
use super::stream::{Stream, Ticket};
use super::sync::Syncing;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// How long a descriptor may take to accept lines.
const DESCRIPTOR_TIMEOUT: Duration = Duration::from_secs(2);

/// Every device that is enabled, in the order in which they came.
#[derive(Default)]
pub(super) struct Set {
    /// Whether there are any, for those who only ask that.
    enabled: AtomicBool,
    /// Whether there are some, but none that is a file.
    waits: AtomicBool,
    slots: RwLock<Vec<Slot>>,
}

/// One device.
struct Slot {
    config: DeviceConfig,
    form: Form,
    health: Arc<Health>,
    output: Output,
}

/// Where a device's lines go.
enum Output {
    File(Arc<Device>),
    Stream(Stream),
    Discard,
    /// It cannot be opened: it refuses, and is tried again. The chain goes on from here.
    Down(Chain, AuditError),
}

/// What administrators see of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceState {
    /// Its path, with a slash at its end.
    pub path: String,
    /// `file`, `syslog` or `socket`.
    pub kind: &'static str,
    /// What its owner wrote about it.
    pub description: String,
    /// Its options as they were given.
    pub options: BTreeMap<String, String>,
    /// Whether the server's own configuration names it.
    pub declared: bool,
    /// How many times it has not taken entries since it was opened first.
    pub failures: u64,
}

/// What has become of entries on their way to the devices.
#[derive(Default)]
struct Delivery {
    taken: bool,
    tickets: Vec<Ticket>,
    refusals: Vec<String>,
    /// A device is not open, and it is time to try again.
    may_revive: bool,
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
        let at_once = |slot: &Slot| matches!(slot.output, Output::File(_) | Output::Discard);
        self.waits.store(!slots.is_empty() && !slots.iter().any(at_once), Ordering::Relaxed);
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
        let replaced: Vec<Output> =
            slots.iter_mut().filter_map(|slot| slot.reopen(now_us)).collect();
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
        let slots = self.read();
        // What has failed may lack what is to be synced.
        let well = slots.iter().filter(|slot| !slot.health.is_failing());
        well.fold(Syncing::done(), |syncing, slot| match &slot.output {
            Output::File(device) => syncing.and(device.sync()),
            Output::Stream(_) | Output::Discard => syncing.elsewhere(),
            Output::Down(..) => syncing,
        })
    }

    fn prepare(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<Slot, AuditError> {
        check_free(&self.read(), &config.path)?;
        let mut slot = Slot::new(config, key);
        slot.output = slot.opened(Chain::default(), now_us)?;
        Ok(slot)
    }

    fn insert(&self, slot: Slot) -> Result<(), AuditError> {
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
        let mut revived = Vec::new();
        let mut slots = self.write();
        for slot in slots.iter_mut() {
            if let Output::Down(chain, _) = slot.output {
                slot.open(chain, now_us);
                if !matches!(slot.output, Output::Down(..)) {
                    revived.push(slot.config.path.clone());
                }
            }
        }
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

impl Delivery {
    fn outcome(mut self) -> Result<(), AuditError> {
        if self.taken {
            return Ok(());
        }
        self.tickets.sort_by_key(Ticket::is_doubtful);
        for ticket in &self.tickets {
            match ticket.wait() {
                Ok(()) => return Ok(()),
                Err(error) => self.refusals.push(error.reason),
            }
        }
        let refusals = self.refusals.join("; ");
        Err(AuditError::new(format_args!("no device takes the entry: {refusals}")))
    }
}

impl Slot {
    fn new(config: DeviceConfig, key: &[u8; 32]) -> Self {
        Self {
            form: Form::new(key, config.spelling.clone()),
            health: Arc::new(Health::new(&config.path)),
            config,
            output: Output::Discard,
        }
    }

    fn state(&self) -> DeviceState {
        DeviceState {
            path: self.config.path.clone(),
            kind: self.config.kind,
            description: self.config.description.clone(),
            options: self.config.options.clone(),
            declared: self.config.declared,
            failures: self.health.failures(),
        }
    }

    fn hand(&self, line: &[u8], ends: &[usize], delivery: &mut Delivery) {
        let handed = match &self.output {
            Output::File(device) => device.append(line, ends).map(|()| {
                self.health.took();
                delivery.taken = true;
            }),
            Output::Stream(stream) => {
                stream.append(line, ends).map(|ticket| delivery.tickets.push(ticket))
            }
            Output::Discard => {
                delivery.taken = true;
                Ok(())
            }
            Output::Down(_, error) => {
                delivery.may_revive |= self.health.may_retry();
                Err(error.clone())
            }
        };
        if let Err(refused) = handed {
            self.health.failed(&refused);
            delivery.refusals.push(format!("{}: {}", self.config.path, refused.reason));
        }
    }

    /// Opens it again if that is needed; what it was before.
    fn reopen(&mut self, now_us: i64) -> Option<Output> {
        let before = match &self.output {
            Output::File(device) if device.is_in_place() => return None,
            Output::File(device) => device.retire(),
            Output::Down(chain, _) => *chain,
            Output::Stream(stream) if matches!(self.config.target, Target::File { .. }) => {
                stream.chain()
            }
            Output::Stream(_) | Output::Discard => return None,
        };
        let replaced = std::mem::replace(&mut self.output, Output::Discard);
        self.open(before, now_us);
        Some(replaced)
    }

    /// Opens it or notes that it cannot be.
    fn open(&mut self, before: Chain, now_us: i64) {
        self.output = match self.opened(before, now_us) {
            Ok(output) => output,
            Err(error) => {
                self.health.failed(&error);
                Output::Down(before, error)
            }
        };
    }

    fn opened(&self, before: Chain, now_us: i64) -> Result<Output, AuditError> {
        let (sink, timeout): (Box<dyn Sink>, Duration) = match &self.config.target {
            Target::Discard => return Ok(Output::Discard),
            Target::File { path, mode } if !is_special(path) => {
                let device = Device::open(path, *mode, before, now_us)?;
                return Ok(Output::File(Arc::new(device)));
            }
            Target::File { path, .. } => {
                let file = sink::special_file(path).map_err(|error| {
                    AuditError::new(format_args!("{}: {error}", path.display()))
                })?;
                (Box::new(file), DESCRIPTOR_TIMEOUT)
            }
            Target::Stdout => {
                (Box::new(sink::stdout().map_err(AuditError::new)?), DESCRIPTOR_TIMEOUT)
            }
            Target::Syslog { address, priority, tag, timeout } => {
                (Box::new(Syslog::new(address.clone(), *priority, tag, *timeout)), *timeout)
            }
            Target::Socket { address, timeout } => {
                (Box::new(Socket::new(address.clone(), *timeout)), *timeout)
            }
        };
        let stream = Stream::start(sink, timeout, before, Arc::clone(&self.health));
        Ok(Output::Stream(stream.map_err(AuditError::new)?))
    }

    /// Writes a line that says that the device is enabled.
    fn test(&self, now_us: i64) -> Result<(), AuditError> {
        let mut line = Vec::new();
        self.form.announce(&self.config, now_us, &mut line);
        let ends = [line.len()];
        match &self.output {
            Output::File(device) => device.append(&line, &ends),
            Output::Stream(stream) => stream.append(&line, &ends)?.wait(),
            Output::Discard => Ok(()),
            Output::Down(_, error) => Err(error.clone()),
        }
    }
}

/// Whether there is something of that name that is no file of lines: a device, a pipe.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}
