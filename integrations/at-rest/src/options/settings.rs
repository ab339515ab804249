//! What options mean together.

use std::path::PathBuf;
use std::time::Duration;

use claviger_client::{Endpoint, Timeouts};
use zeroize::Zeroizing;

use super::table::{OPTIONS, OptionId};
use super::{Options, Problem};
use crate::Level;
use crate::keystore::IDENTIFIER_MAX;

/// Options that have been understood.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who keeps the master key.
    pub facility: Facility,
    /// Which line of the original is matched.
    pub level: Level,
}

/// Who keeps the master key.
#[derive(Clone, Debug)]
pub enum Facility {
    /// A KMIP server.
    Kmip(KmipSettings),
    /// A file.
    KeyFile(PathBuf),
}

/// How to use a KMIP server.
#[derive(Clone)]
pub struct KmipSettings {
    /// The servers, in the order in which they are tried.
    pub servers: Vec<Endpoint>,
    /// Authorities of the servers' certificates, beside those of the system.
    pub ca: Option<PathBuf>,
    /// The client's certificate and chain.
    pub certificate: PathBuf,
    /// The client's private key, if it is not in `certificate`.
    pub key: Option<PathBuf>,
    /// The password of the private key.
    pub password: Option<Zeroizing<String>>,
    /// The master key that was named: a Unique Identifier, at level 4.2 a Name.
    pub key_identifier: Option<String>,
    /// Whether another master key is wanted.
    pub rotate_master_key: bool,
    /// How often all servers are tried again.
    pub connect_retries: u32,
    /// How long it may take from connecting to the first answer, and then each answer.
    pub connect_timeout: Duration,
    /// Whether keys are activated and must be Active.
    pub activation: Activation,
    /// How often the state is looked at, if it is.
    pub polling: Option<Duration>,
    /// Whether requests are those of the original, byte by byte: no Name, no second look.
    pub psmdb_wire: bool,
}

impl KmipSettings {
    /// As the original counts: up to the first answer on a connection, and then for each.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        let each = Timeouts::each(self.connect_timeout);
        Timeouts { first_answer: Some(self.connect_timeout), ..each }
    }
}

/// Whether keys are activated and must be Active.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Activation {
    /// States are no matter.
    Off,
    /// Nobody said; a key that was there before and is Pre-Active is tolerated.
    Tolerant,
    /// Only an Active key will do.
    Strict,
}

impl std::fmt::Debug for KmipSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KmipSettings")
            .field("servers", &self.servers)
            .field("key_identifier", &self.key_identifier)
            .field("activation", &self.activation)
            .field("polling", &self.polling)
            .finish_non_exhaustive()
    }
}

/// Checks options against the table and each other.
pub(super) fn understand(options: &Options, level: Level) -> Result<Settings, Vec<Problem>> {
    let mut problems = Vec::new();
    for row in OPTIONS.iter().filter(|row| options.is_set(row.option)) {
        let name = options.name(row.option);
        if row.since > level {
            let problem =
                format_args!("it does not exist at level {level}, but from {} on", row.since);
            problems.push(Problem::new(&name, problem));
        }
        for needed in row.requires.iter().filter(|needed| !options.is_set(**needed)) {
            let problem = format_args!("it needs {}", options.name(*needed));
            problems.push(Problem::new(&name, problem));
        }
        for other in row.conflicts.iter().filter(|other| options.is_set(**other)) {
            let problem = format_args!("it excludes {}", options.name(*other));
            problems.push(Problem::new(&name, problem));
        }
    }
    let facility = facility(options, level, &mut problems);
    match facility {
        Some(facility) if problems.is_empty() => Ok(Settings { facility, level }),
        _ => Err(problems),
    }
}

fn facility(options: &Options, level: Level, problems: &mut Vec<Problem>) -> Option<Facility> {
    if let Some(servers) = options.text(OptionId::KmipServerName) {
        return kmip(options, servers, level, problems).map(Facility::Kmip);
    }
    if let Some(file) = options.text(OptionId::EncryptionKeyFile) {
        return Some(Facility::KeyFile(PathBuf::from(file.as_str())));
    }
    let problem = if options.is_set(OptionId::VaultServerName) {
        Problem::new(
            options.name(OptionId::VaultServerName),
            "Vault keeps no keys for this program",
        )
    } else {
        let problem = "it is missing: nobody is named who keeps the master key";
        Problem::new(options.name(OptionId::KmipServerName), problem)
    };
    problems.push(problem);
    None
}

fn kmip(
    options: &Options,
    servers: &str,
    level: Level,
    problems: &mut Vec<Problem>,
) -> Option<KmipSettings> {
    let port = u16::try_from(options.integer(OptionId::KmipPort)).unwrap_or_default();
    let servers: Vec<Endpoint> =
        servers.split(',').map(|host| Endpoint { host: host.to_owned(), port }).collect();
    if servers.iter().any(|server| server.host.is_empty()) {
        let name = options.name(OptionId::KmipServerName);
        problems.push(Problem::new(name, "a name in the list is empty"));
    }
    let path = |option| options.text(option).map(|text| PathBuf::from(text.as_str()));
    let key_identifier = options.text(OptionId::KmipKeyIdentifier).map(|text| text.to_string());
    if level == Level::V4_2 && key_identifier.is_none() {
        let name = options.name(OptionId::KmipKeyIdentifier);
        problems.push(Problem::new(name, "level 4.2 needs it: the Name of the master key"));
    }
    if let Some(identifier) = &key_identifier
        && (identifier.len() > IDENTIFIER_MAX || identifier.contains(char::is_control))
    {
        let name = options.name(OptionId::KmipKeyIdentifier);
        let problem = format_args!("it has control characters or more than {IDENTIFIER_MAX} bytes");
        problems.push(Problem::new(name, problem));
    }
    let activation = activation(options, level);
    Some(KmipSettings {
        servers,
        ca: path(OptionId::KmipServerCaFile),
        certificate: path(OptionId::KmipClientCertificateFile)?,
        key: path(OptionId::KmipClientKeyFile),
        password: options.text(OptionId::KmipClientCertificatePassword).cloned(),
        key_identifier,
        rotate_master_key: options.is_set(OptionId::KmipRotateMasterKey),
        connect_retries: u32::try_from(options.integer(OptionId::KmipConnectRetries)).unwrap_or(0),
        connect_timeout: positive(options.integer(OptionId::KmipConnectTimeoutMs))
            .map_or(Duration::ZERO, Duration::from_millis),
        activation,
        polling: positive(options.integer(OptionId::KmipKeyStatePollingSeconds))
            .filter(|_| activation != Activation::Off)
            .map(Duration::from_secs),
        psmdb_wire: false,
    })
}

fn activation(options: &Options, level: Level) -> Activation {
    let option = OptionId::KmipActivateKeys;
    if level == Level::V4_2 || !options.boolean(option) {
        Activation::Off
    } else if options.is_given(option) || level >= Level::V8_0 {
        Activation::Strict
    } else {
        Activation::Tolerant
    }
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}
