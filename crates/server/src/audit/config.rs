//! What an audit device is told: the options of Vault's devices, read and checked. Pure: nothing is
//! opened here. `docs/formats.md` §8 says how they are stored.

use super::AuditError;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// The path of the device that [`DeviceConfig::file`] makes.
pub(super) const DEFAULT_PATH: &str = "default/";
/// Where syslog listens unless another address is given.
const SYSLOG_ADDRESS: &str = "/dev/log";
/// How syslog names what it gets from here unless told otherwise.
const SYSLOG_TAG: &str = "claviger";
/// How long an entry may take to leave unless told otherwise; Vault's default.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// Longer waits would hold requests up for nothing.
const WRITE_TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// The facilities of RFC 5424 §6.2.1, by the names of syslog.conf; the position is the code.
const FACILITIES: [&str; 24] = [
    "KERN",
    "USER",
    "MAIL",
    "DAEMON",
    "AUTH",
    "SYSLOG",
    "LPR",
    "NEWS",
    "UUCP",
    "CRON",
    "AUTHPRIV",
    "FTP",
    "NTP",
    "SECURITY",
    "CONSOLE",
    "SOLARIS-CRON",
    "LOCAL0",
    "LOCAL1",
    "LOCAL2",
    "LOCAL3",
    "LOCAL4",
    "LOCAL5",
    "LOCAL6",
    "LOCAL7",
];
/// Severity "informational".
const SEVERITY: u8 = 6;

/// An audit device as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceConfig {
    /// Its path in the API, with a slash at its end, such as `file/`.
    pub path: String,
    /// `file`, `syslog` or `socket`.
    pub kind: &'static str,
    /// What its owner wrote about it.
    pub description: String,
    /// The options as they were given.
    pub options: BTreeMap<String, String>,
    /// Whether the server's own configuration names it: then the API cannot disable it.
    pub declared: bool,
    pub(super) target: Target,
    pub(super) spelling: Spelling,
    /// Nothing is written when it is enabled, to see whether it can be.
    pub(super) skip_test: bool,
}

/// Where entries go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    File {
        path: PathBuf,
        mode: Option<u32>,
    },
    Stdout,
    /// Accepted and forgotten.
    Discard,
    Syslog {
        address: Address,
        priority: u8,
        tag: String,
        timeout: Duration,
    },
    Socket {
        address: Address,
        timeout: Duration,
    },
}

/// Where a socket leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(Host),
    Udp(Host),
    Unix(PathBuf),
    UnixDatagram(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host) | Self::Udp(host) => f.write_str(&host.text),
            Self::Unix(path) | Self::UnixDatagram(path) => path.display().fmt(f),
        }
    }
}

/// A host and a port, of one family of addresses if `only_v4` says so or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) text: String,
    pub(super) only_v4: Option<bool>,
}

/// How entries are spelled for a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    /// Begins every line.
    pub(super) prefix: String,
    /// Accessors are written as they are.
    pub(super) plain_accessor: bool,
    /// Everything is written as it is, tokens and private keys included.
    pub(super) raw: bool,
    /// Of a list's answer only the number of its keys is written.
    pub(super) elide_list_responses: bool,
}

impl DeviceConfig {
    /// Reads what an administrator asks for. `path` is where the API has the device; a slash at its
    /// end may be left out.
    ///
    /// # Errors
    /// [`AuditError`] for an unknown kind, an unknown option, or a value that an option cannot have.
    pub fn parse(
        path: &str,
        kind: &str,
        description: &str,
        options: BTreeMap<String, String>,
    ) -> Result<Self, AuditError> {
        let mut given = Options { left: options.clone() };
        let spelling = given.spelling()?;
        let skip_test = given.parsed("skip_test", false)?;
        let (kind, target) = match kind {
            "file" => ("file", given.file()?),
            "syslog" => ("syslog", given.syslog()?),
            "socket" => ("socket", given.socket()?),
            other => return Err(AuditError::new(format_args!("unknown audit type: {other:?}"))),
        };
        if let Some(unknown) = given.left.keys().next() {
            return Err(AuditError::new(format_args!("a {kind} device has no option {unknown:?}")));
        }
        let path = format!("{}/", path.trim_end_matches('/'));
        let description = description.to_owned();
        Ok(Self { path, kind, description, options, declared: false, target, spelling, skip_test })
    }

    /// The file of a server without a configuration.
    ///
    /// # Errors
    /// [`AuditError`] for a path that is not UTF-8.
    pub fn file(path: &Path) -> Result<Self, AuditError> {
        let path = path.to_str().ok_or_else(|| AuditError::new("the path is not UTF-8"))?;
        let options = BTreeMap::from([("file_path".to_owned(), path.to_owned())]);
        Ok(Self::parse(DEFAULT_PATH, "file", "", options)?.declared())
    }

    /// Whether tokens and private keys are written as they are.
    pub fn is_raw(&self) -> bool {
        self.spelling.raw
    }

    /// The same, named by the server's own configuration.
    #[must_use]
    pub fn declared(self) -> Self {
        Self { declared: true, ..self }
    }
}

/// Options that nobody has read yet.
struct Options {
    left: BTreeMap<String, String>,
}

impl Options {
    fn text(&mut self, name: &str) -> Option<String> {
        self.left.remove(name).filter(|text| !text.is_empty())
    }

    fn parsed<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, AuditError> {
        let Some(text) = self.text(name) else { return Ok(default) };
        text.parse().map_err(|_| bad(name, "cannot be that"))
    }

    fn spelling(&mut self) -> Result<Spelling, AuditError> {
        if let Some(format) = self.text("format")
            && format != "json"
        {
            return Err(bad("format", "can only be json"));
        }
        let prefix = self.text("prefix").unwrap_or_default();
        if prefix.chars().any(char::is_control) {
            return Err(bad("prefix", "holds no control characters"));
        }
        Ok(Spelling {
            prefix,
            plain_accessor: !self.parsed("hmac_accessor", true)?,
            raw: self.parsed("log_raw", false)?,
            elide_list_responses: self.parsed("elide_list_responses", false)?,
        })
    }

    fn file(&mut self) -> Result<Target, AuditError> {
        let path = self.text("file_path").or_else(|| self.text("path"));
        let mode = match self.text("mode") {
            None => None,
            Some(text) => match u32::from_str_radix(&text, 8) {
                // A file that is there keeps what it has.
                Ok(0) => None,
                Ok(mode) if mode <= 0o777 => Some(mode),
                _ => return Err(bad("mode", "is an octal number such as 0600")),
            },
        };
        Ok(match path.as_deref() {
            None => return Err(bad("file_path", "is required")),
            Some("stdout") => Target::Stdout,
            Some("discard") => Target::Discard,
            Some(path) => Target::File { path: PathBuf::from(path), mode },
        })
    }

    fn syslog(&mut self) -> Result<Target, AuditError> {
        let facility = self.text("facility").unwrap_or_else(|| "AUTH".to_owned());
        let code = FACILITIES.iter().position(|name| name.eq_ignore_ascii_case(&facility));
        let code = code.and_then(|code| u8::try_from(code).ok());
        let code = code.ok_or_else(|| bad("facility", "is one of syslog's, such as AUTH"))?;
        let tag = self.text("tag").unwrap_or_else(|| SYSLOG_TAG.to_owned());
        if tag.len() > 32 || !tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad("tag", "has at most 32 visible ASCII characters"));
        }
        let address = match self.text("address") {
            None => Address::UnixDatagram(PathBuf::from(SYSLOG_ADDRESS)),
            Some(path) if path.starts_with('/') => Address::UnixDatagram(PathBuf::from(path)),
            Some(host) => Address::Udp(parse_host(host, None)?),
        };
        let (priority, timeout) = (code * 8 + SEVERITY, self.timeout()?);
        Ok(Target::Syslog { address, priority, tag, timeout })
    }

    fn socket(&mut self) -> Result<Target, AuditError> {
        let address = self.text("address").ok_or_else(|| bad("address", "is required"))?;
        let kind = self.text("socket_type").unwrap_or_else(|| "tcp".to_owned());
        let address = match kind.as_str() {
            "tcp" => Address::Tcp(parse_host(address, None)?),
            "tcp4" => Address::Tcp(parse_host(address, Some(true))?),
            "tcp6" => Address::Tcp(parse_host(address, Some(false))?),
            "udp" => Address::Udp(parse_host(address, None)?),
            "udp4" => Address::Udp(parse_host(address, Some(true))?),
            "udp6" => Address::Udp(parse_host(address, Some(false))?),
            "unix" => Address::Unix(PathBuf::from(address)),
            "unixgram" => Address::UnixDatagram(PathBuf::from(address)),
            _ => return Err(bad("socket_type", "is tcp, udp, unix or unixgram")),
        };
        Ok(Target::Socket { address, timeout: self.timeout()? })
    }

    /// Seconds, or a number with `ms`, `s` or `m`.
    fn timeout(&mut self) -> Result<Duration, AuditError> {
        let Some(text) = self.text("write_timeout") else { return Ok(WRITE_TIMEOUT) };
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(unit_at).unwrap_or_default();
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "" | "s" => 1000,
            "m" => 60_000,
            _ => 0,
        };
        let milliseconds = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit_ms));
        let timeout = Duration::from_millis(milliseconds.unwrap_or_default());
        if timeout.is_zero() || timeout > WRITE_TIMEOUT_MAX {
            return Err(bad("write_timeout", "is a duration such as 2s, at most 1m"));
        }
        Ok(timeout)
    }
}

fn parse_host(text: String, only_v4: Option<bool>) -> Result<Host, AuditError> {
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(1..) => Ok(Host { text, only_v4 }),
        _ => Err(bad("address", "is host:port")),
    }
}

fn bad(name: &str, what: impl fmt::Display) -> AuditError {
    AuditError::new(format_args!("the option {name:?} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: &str, options: &[(&str, &str)]) -> Result<DeviceConfig, AuditError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        DeviceConfig::parse("x", kind, "", options.iter().map(owned).collect())
    }

    #[test]
    fn options_are_vaults_with_vaults_defaults() {
        let file = parse("file", &[("file_path", "audit"), ("mode", "0640")]).unwrap();
        assert_eq!(file.path, "x/");
        let path = PathBuf::from("audit");
        assert_eq!(file.target, Target::File { path: path.clone(), mode: Some(0o640) });
        assert_eq!(file.spelling, Spelling::default());
        let kept = parse("file", &[("path", "audit"), ("mode", "0000")]).unwrap();
        assert_eq!(kept.target, Target::File { path, mode: None });
        assert_eq!(parse("file", &[("file_path", "stdout")]).unwrap().target, Target::Stdout);
        assert_eq!(parse("file", &[("file_path", "discard")]).unwrap().target, Target::Discard);

        let syslog = parse("syslog", &[("facility", "local3")]).unwrap();
        let Target::Syslog { address, priority, tag, .. } = syslog.target else { panic!() };
        assert_eq!(address, Address::UnixDatagram(PathBuf::from("/dev/log")));
        assert_eq!((priority, tag.as_str()), (19 * 8 + 6, "claviger"));

        for (text, expected) in [("500ms", 500), ("3", 3000), ("3s", 3000), ("1m", 60_000)] {
            let options = [("address", "host:1"), ("write_timeout", text)];
            let Target::Socket { timeout, .. } = parse("socket", &options).unwrap().target else {
                panic!()
            };
            assert_eq!(timeout, Duration::from_millis(expected));
        }
        let spelled = [
            ("file_path", "a"),
            ("prefix", "@cee: "),
            ("hmac_accessor", "false"),
            ("log_raw", "true"),
            ("elide_list_responses", "true"),
        ];
        let spelling = parse("file", &spelled).unwrap().spelling;
        assert!(spelling.plain_accessor && spelling.raw && spelling.elide_list_responses);
        assert_eq!(spelling.prefix, "@cee: ");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (kind, options) in [
            ("kafka", &[][..]),
            ("file", &[]),
            ("file", &[("file_path", "a"), ("mode", "rw")]),
            ("file", &[("file_path", "a"), ("mode", "4755")]),
            ("file", &[("file_path", "a"), ("format", "jsonx")]),
            ("file", &[("file_path", "a"), ("log_raw", "perhaps")]),
            ("file", &[("file_path", "a"), ("prefix", "a\nb")]),
            ("file", &[("file_path", "a"), ("address", "h:1")]),
            ("syslog", &[("facility", "KITCHEN")]),
            ("syslog", &[("tag", "a b")]),
            ("syslog", &[("address", "host")]),
            ("socket", &[]),
            ("socket", &[("address", "host")]),
            ("socket", &[("address", "host:0")]),
            ("socket", &[("address", "h:1"), ("socket_type", "pigeon")]),
            ("socket", &[("address", "h:1"), ("write_timeout", "0s")]),
            ("socket", &[("address", "h:1"), ("write_timeout", "2h")]),
            ("socket", &[("address", "h:1"), ("write_timeout", "99999999999999999999s")]),
        ] {
            assert!(parse(kind, options).is_err(), "{kind} {options:?}");
        }
    }
}
