//! The devices that are enabled, and how entries are handed to them: a table that is replaced as a
//! whole when a device comes, goes or is opened again, so that recording takes no lock for long.

use super::chain::Chain;
use super::config::{DeviceConfig, Target};
use super::device::Device;
use super::entry::Entry;
use super::form::Form;
use super::health::Health;
use super::sink::{self, Sink, Socket, Syslog};
use super::stream::{Stream, Ticket};
use super::sync::Syncing;
use super::{AuditError, AuditLog};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long a descriptor may take to accept lines.
const DESCRIPTOR_TIMEOUT: Duration = Duration::from_secs(2);

/// Every device that is enabled, in the order in which they came.
#[derive(Default)]
pub(super) struct Set(Vec<Slot>);

/// One device.
#[derive(Clone)]
pub(super) struct Slot {
    pub(super) config: Arc<DeviceConfig>,
    pub(super) form: Arc<Form>,
    health: Arc<Health>,
    output: Output,
}

/// Where a device's lines go.
#[derive(Clone)]
enum Output {
    File(Arc<Device>),
    Stream(Arc<Stream>),
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

impl Set {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter()
    }

    pub(super) fn slot(&self, path: &str) -> Option<&Slot> {
        self.iter().find(|slot| slot.config.path == path)
    }
}

/// What has become of entries on their way to the devices.
#[derive(Default)]
struct Delivery {
    taken: bool,
    tickets: Vec<Ticket>,
    refusals: Vec<String>,
}

impl AuditLog {
    /// Enables a device: opens it and, unless its options say otherwise, writes a first line of
    /// `type` "enabled" to see whether it can be written. `key` is for its keyed hashes.
    ///
    /// # Errors
    /// [`AuditError`] if the path is taken, or the device cannot be opened or written.
    pub fn enable(
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

    /// Enables a device without writing to it: one that was enabled in an earlier life.
    ///
    /// # Errors
    /// [`AuditError`] if the path is taken, or the device cannot be opened.
    pub fn add(&self, config: DeviceConfig, key: &[u8; 32], now_us: i64) -> Result<(), AuditError> {
        self.insert(self.prepare(config, key, now_us)?)
    }

    /// The same, but a device that cannot be opened is enabled all the same: it refuses entries, is
    /// said in the log, and is tried again. So a server starts whose audit cannot be written, and
    /// refuses what must be recorded until it can.
    ///
    /// # Errors
    /// [`AuditError`] if the path is taken.
    pub fn add_or_wait(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<(), AuditError> {
        let mut slot = Slot::new(config, key);
        slot.open(Chain::default(), now_us);
        self.insert(slot)
    }

    /// Disables a device. What has been handed to it is written.
    pub fn disable(&self, path: &str) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        let (left, gone): (Vec<Slot>, Vec<Slot>) =
            devices.iter().cloned().partition(|slot| slot.config.path != path);
        *devices = Arc::new(Set(left));
        drop(devices);
        for slot in gone {
            if let Output::File(device) = &slot.output {
                // So that its file can be another device's at once.
                device.retire();
            }
        }
    }

    /// Opens again every file that is not the one that has its name any more, as after a rotation by
    /// renaming; its chain goes on in the new one. Also every device that is not open. Entries
    /// recorded meanwhile wait. `now_us` is microseconds since 1970.
    pub fn reopen(&self, now_us: i64) {
        self.replace(|slot| {
            let before = match &slot.output {
                Output::File(device) if device.is_in_place() => return,
                Output::File(device) => device.retire(),
                Output::Down(chain, _) => *chain,
                Output::Stream(stream) if matches!(slot.config.target, Target::File { .. }) => {
                    stream.chain()
                }
                Output::Stream(_) | Output::Discard => return,
            };
            slot.open(before, now_us);
        });
    }

    /// Every device, in the order in which they were enabled.
    pub fn devices(&self) -> Vec<DeviceState> {
        let state = |slot: &Slot| DeviceState {
            path: slot.config.path.clone(),
            kind: slot.config.kind,
            description: slot.config.description.clone(),
            options: slot.config.options.clone(),
            declared: slot.config.declared,
            failures: slot.health.failures(),
        };
        self.set().iter().map(state).collect()
    }

    fn prepare(
        &self,
        config: DeviceConfig,
        key: &[u8; 32],
        now_us: i64,
    ) -> Result<Slot, AuditError> {
        self.check_free(&config.path)?;
        let mut slot = Slot::new(config, key);
        slot.output = slot.opened(Chain::default(), now_us)?;
        Ok(slot)
    }

    fn check_free(&self, path: &str) -> Result<(), AuditError> {
        match self.set().slot(path) {
            None => Ok(()),
            Some(_) => Err(AuditError::new(format_args!("path already in use: {path}"))),
        }
    }

    fn insert(&self, slot: Slot) -> Result<(), AuditError> {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        if devices.slot(&slot.config.path).is_some() {
            return Err(AuditError::new(format_args!("path already in use: {}", slot.config.path)));
        }
        let slots = devices.iter().cloned().chain([slot]);
        *devices = Arc::new(Set(slots.collect()));
        Ok(())
    }

    /// Changes devices while nobody can look up which there are.
    fn replace(&self, change: impl Fn(&mut Slot)) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        let mut slots: Vec<Slot> = devices.iter().cloned().collect();
        slots.iter_mut().for_each(change);
        let before = std::mem::replace(&mut *devices, Arc::new(Set(slots)));
        drop(devices);
        // Files leave, and are synced, when nobody waits for the lock.
        drop(before);
    }

    /// Hands entries to every device, spelled anew only where it would come out differently.
    pub(super) fn deliver(
        &self,
        set: &Set,
        entries: &[Entry<'_>],
        line: &mut Vec<u8>,
    ) -> Result<(), AuditError> {
        let now_us = entries.first().map_or(0, Entry::time_us);
        let mut ends = Vec::with_capacity(entries.len());
        let mut delivery = Delivery::default();
        let mut spelled: Option<&Form> = None;
        for slot in set.iter() {
            if spelled.is_none_or(|form| !form.spells_alike(&slot.form, entries)) {
                slot.form.spell(entries, line, &mut ends);
                spelled = Some(&slot.form);
            }
            self.hand(slot, line, &ends, now_us, &mut delivery);
        }
        delivery.outcome()
    }

    fn hand(&self, slot: &Slot, line: &[u8], ends: &[usize], now_us: i64, delivery: &mut Delivery) {
        let refused = match &slot.output {
            Output::File(device) => match device.append(line, ends) {
                Ok(()) => {
                    slot.health.took();
                    delivery.taken = true;
                    return;
                }
                Err(_) if device.is_retired() => {
                    // Opened again in between: the lines belong into its successor. Or disabled:
                    // the other devices decide, if there are any.
                    let set = self.set();
                    match set.slot(&slot.config.path).filter(|next| !next.is_retired()) {
                        Some(next) => self.hand(next, line, ends, now_us, delivery),
                        None => delivery.taken |= set.is_empty(),
                    }
                    return;
                }
                Err(error) => error,
            },
            Output::Stream(stream) => match stream.append(line, ends) {
                Ok(ticket) => {
                    delivery.tickets.push(ticket);
                    return;
                }
                Err(error) => error,
            },
            Output::Discard => {
                delivery.taken = true;
                return;
            }
            Output::Down(..) if slot.health.may_retry() && self.revive(slot, now_us) => {
                if let Some(next) = self.set().slot(&slot.config.path) {
                    self.hand(next, line, ends, now_us, delivery);
                }
                return;
            }
            Output::Down(_, error) => error.clone(),
        };
        slot.health.failed(&refused);
        delivery.refusals.push(format!("{}: {}", slot.config.path, refused.reason));
    }

    /// Tries to open a device that is not; whether it is open now.
    fn revive(&self, down: &Slot, now_us: i64) -> bool {
        self.replace(|slot| {
            if let Output::Down(chain, _) = slot.output
                && slot.config.path == down.config.path
            {
                slot.open(chain, now_us);
            }
        });
        let set = self.set();
        let slot = set.slot(&down.config.path);
        slot.is_some_and(|slot| !matches!(slot.output, Output::Down(..)))
    }
}

impl Delivery {
    /// Waits for devices that lines are on their way to only if none has taken them yet.
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
        Err(AuditError::new(format_args!(
            "no device takes the entry: {}",
            self.refusals.join("; ")
        )))
    }
}

/// What [`AuditLog::sync`] waits for.
pub(super) fn sync(set: &Set) -> Syncing {
    set.iter().fold(Syncing::done(), |syncing, slot| match &slot.output {
        Output::File(device) => syncing.or(device.sync()),
        Output::Stream(_) | Output::Discard if !slot.health.is_failing() => syncing.elsewhere(),
        Output::Stream(_) | Output::Discard | Output::Down(..) => syncing,
    })
}

impl Slot {
    fn new(config: DeviceConfig, key: &[u8; 32]) -> Self {
        Self {
            form: Arc::new(Form::new(key, config.spelling.clone())),
            health: Arc::new(Health::new(&config.path)),
            config: Arc::new(config),
            output: Output::Discard,
        }
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
        Ok(Output::Stream(Arc::new(stream.map_err(AuditError::new)?)))
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

    fn is_retired(&self) -> bool {
        matches!(&self.output, Output::File(device) if device.is_retired())
    }
}

/// Whether there is something of that name that is no file of lines: a device, a pipe.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}
