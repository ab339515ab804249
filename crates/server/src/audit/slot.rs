//! One audit device: where its lines go, how entries are spelled for it, how it fares.

use super::AuditError;
use super::chain::Chain;
use super::config::{DeviceConfig, Target};
use super::device::Device;
use super::form::Form;
use super::health::Health;
use super::sink::{self, Sink, Socket, Syslog};
use super::stream::{Stream, Ticket};
use super::sync::Syncing;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a descriptor may take to accept lines.
const DESCRIPTOR_TIMEOUT: Duration = Duration::from_secs(2);

/// One device.
pub(super) struct Slot {
    pub(super) config: DeviceConfig,
    pub(super) form: Form,
    health: Arc<Health>,
    output: Output,
}

/// Where a device's lines go.
pub(super) enum Output {
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
pub(super) struct Delivery {
    pub(super) taken: bool,
    tickets: Vec<Ticket>,
    refusals: Vec<String>,
    /// A device is not open, and it is time to try again.
    pub(super) may_revive: bool,
}

impl Slot {
    /// Not open yet.
    pub(super) fn new(config: DeviceConfig, key: &[u8; 32]) -> Self {
        Self {
            form: Form::new(key, config.spelling.clone()),
            health: Arc::new(Health::new(&config.path)),
            config,
            output: Output::Discard,
        }
    }

    pub(super) fn state(&self) -> DeviceState {
        DeviceState {
            path: self.config.path.clone(),
            kind: self.config.kind,
            description: self.config.description.clone(),
            options: self.config.options.clone(),
            declared: self.config.declared,
            failures: self.health.failures(),
        }
    }

    pub(super) fn hand(&self, line: &[u8], ends: &[usize], delivery: &mut Delivery) {
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

    /// Whether it takes entries without waiting for anybody.
    pub(super) fn takes_at_once(&self) -> bool {
        matches!(self.output, Output::File(_) | Output::Discard)
    }

    /// Waits for its disk too. What has failed may lack what is to be synced.
    pub(super) fn sync(&self, syncing: Syncing) -> Syncing {
        match &self.output {
            _ if self.health.is_failing() => syncing,
            Output::File(device) => syncing.and(device.sync()),
            Output::Stream(_) | Output::Discard => syncing.elsewhere(),
            Output::Down(..) => syncing,
        }
    }

    /// Tries to open it if it is not; whether it came to be open.
    pub(super) fn revive(&mut self, now_us: i64) -> bool {
        let Output::Down(chain, _) = self.output else { return false };
        self.open(chain, now_us);
        !matches!(self.output, Output::Down(..))
    }

    /// Opens it again if that is needed; what it was before.
    pub(super) fn reopen(&mut self, now_us: i64) -> Option<Output> {
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

    /// Opens it.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub(super) fn open_first(&mut self, now_us: i64) -> Result<(), AuditError> {
        self.output = self.opened(Chain::default(), now_us)?;
        Ok(())
    }

    /// Opens it or notes that it cannot be.
    pub(super) fn open(&mut self, before: Chain, now_us: i64) {
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

    /// A device for a test, which decides what becomes of its lines.
    #[cfg(test)]
    pub(super) fn on(config: DeviceConfig, key: &[u8; 32], sink: Box<dyn Sink>) -> Self {
        let mut slot = Self::new(config, key);
        let health = Arc::clone(&slot.health);
        let stream = Stream::start(sink, DESCRIPTOR_TIMEOUT, Chain::default(), health).unwrap();
        slot.output = Output::Stream(stream);
        slot
    }

    /// Writes a line that says that the device is enabled.
    pub(super) fn test(&self, now_us: i64) -> Result<(), AuditError> {
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

impl Delivery {
    /// Waits for devices that lines are on their way to only if none has taken them yet.
    pub(super) fn outcome(mut self) -> Result<(), AuditError> {
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

/// Whether there is something of that name that is no file of lines: a device, a pipe.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}
