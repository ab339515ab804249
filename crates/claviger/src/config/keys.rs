//! The table of configuration keys. The reader, `check-config` and docs/config.md come from it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use claviger_server::limits::{LIMITS, Limit, Unit};

use super::Config;

/// One key.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// What it is without a value of its own, where the shape does not tell.
    pub(super) absent: &'static str,
    /// Whether SIGHUP is enough for a change to take effect.
    pub(super) reloads: bool,
    /// What it is for.
    pub(super) text: &'static str,
}

/// What a key takes, and where it goes.
pub(super) enum Shape {
    /// `IP:PORT`.
    Address(fn(&mut Config) -> &mut SocketAddr),
    /// A path, relative to the directory of the configuration file.
    Path(fn(&mut Config) -> &mut Option<PathBuf>),
    /// `true` or `false`.
    Flag(fn(&mut Config) -> &mut bool),
    /// Any text.
    Text(fn(&mut Config) -> &mut Option<String>),
    /// Texts.
    Texts(fn(&mut Config) -> &mut Vec<String>),
    /// Seconds, or text such as "90s".
    Time(fn(&mut Config) -> &mut u64),
    /// One of some words.
    Word(&'static [&'static str], fn(&mut Config) -> &mut &'static str),
    /// A number in a unit.
    Limit(&'static Limit),
}

/// A section and what it is about.
pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("api", "The HTTP API, which operators use."),
    ("storage", "Where everything is kept."),
    ("seal", "Who keeps the root key, without which the storage cannot be read."),
    ("audit", "Audit devices that are there from the start: a table `[audit.NAME]` for each."),
    (
        "limits",
        "The limits of the KMIP service, and of logins to the API. Sizes are bytes, or text such as \"64KiB\"; times are seconds, or text such as \"90s\", \"10m\", \"24h\".",
    ),
    ("log", "What the server says on stderr."),
];

/// Every key but the limits and the audit devices, in the order of the document.
#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    Key { section: "api", name: "address", shape: Shape::Address(|it| &mut it.address), absent: "", reloads: false,
        text: "Where the API listens. Port 0 is any free port. Plain HTTP is spoken on loopback addresses only." },
    Key { section: "api", name: "tls_certificate", shape: Shape::Path(|it| &mut it.tls_certificate), absent: "plain HTTP", reloads: true,
        text: "The API's certificate and its intermediates, in PEM." },
    Key { section: "api", name: "tls_key", shape: Shape::Path(|it| &mut it.tls_key), absent: "plain HTTP", reloads: true,
        text: "The private key of the certificate, in PEM." },
    Key { section: "api", name: "client_ca", shape: Shape::Path(|it| &mut it.client_ca), absent: "clients are not asked for a certificate", reloads: true,
        text: "Authorities of client certificates, in PEM. A client may show a certificate of theirs, and no other; none must. `auth/cert` takes those it shows." },
    Key { section: "api", name: "raw_storage_endpoint", shape: Shape::Flag(|it| &mut it.raw_storage_endpoint), absent: "", reloads: false,
        text: "Whether `sys/raw` leads from a client certificate's subject to its role. It shows no key and changes nothing." },
    Key { section: "storage", name: "type", shape: Shape::Word(&["sqlite", "memory"], |it| &mut it.storage_type), absent: "", reloads: false,
        text: "`sqlite` keeps everything in a directory; `memory` keeps nothing beyond the process." },
    Key { section: "storage", name: "path", shape: Shape::Path(|it| &mut it.storage_path), absent: "must be set with `sqlite`", reloads: false,
        text: "The directory, made if it is not there. Nobody else may use it." },
    Key { section: "seal", name: "type", shape: Shape::Word(&["shamir", "key_file", "pkcs11", "kmip"], |it| &mut it.seal_type), absent: "", reloads: false,
        text: "`shamir`: people with key shares unseal the server after each start. `key_file`: the server unseals itself; whoever can read the file and the storage can read every key. `pkcs11`: the server unseals itself with an AES key that never leaves a token. `kmip`: the server unseals itself with an AES key that never leaves another KMIP server." },
    Key { section: "seal", name: "key_file", shape: Shape::Path(|it| &mut it.key_file), absent: "`seal.key` in `storage.path`", reloads: false,
        text: "With `key_file`: the file of the root key, which the initialisation makes. Keep it on another disk than the data, and a copy in a safe." },
    Key { section: "seal", name: "pkcs11_module", shape: Shape::Path(|it| &mut it.pkcs11_module), absent: "must be set with `pkcs11`", reloads: false,
        text: "With `pkcs11`: the vendor's library." },
    Key { section: "seal", name: "pkcs11_token", shape: Shape::Text(|it| &mut it.pkcs11_token), absent: "must be set with `pkcs11`", reloads: false,
        text: "With `pkcs11`: the label of the token." },
    Key { section: "seal", name: "pkcs11_key", shape: Shape::Text(|it| &mut it.pkcs11_key), absent: "\"claviger\"", reloads: false,
        text: "With `pkcs11`: the label of the AES key in the token. The initialisation makes one if there is none." },
    Key { section: "seal", name: "pkcs11_pin_file", shape: Shape::Path(|it| &mut it.pkcs11_pin_file), absent: "the variable CLAVIGER_PKCS11_PIN", reloads: false,
        text: "With `pkcs11`: a file whose first line is the PIN of the token's user." },
    Key { section: "seal", name: "kmip_servers", shape: Shape::Texts(|it| &mut it.kmip_servers), absent: "must be set with `kmip`", reloads: false,
        text: "With `kmip`: the other KMIP servers, each `host` or `host:port`, in the order in which they are asked. They must hold the same keys, and speak KMIP 1.4 or later with AES-GCM." },
    Key { section: "seal", name: "kmip_ca", shape: Shape::Path(|it| &mut it.kmip_ca), absent: "must be set with `kmip`", reloads: false,
        text: "With `kmip`: the authority of their certificates, in PEM." },
    Key { section: "seal", name: "kmip_certificate", shape: Shape::Path(|it| &mut it.kmip_certificate), absent: "must be set with `kmip`", reloads: false,
        text: "With `kmip`: the certificate that this server shows them, in PEM." },
    Key { section: "seal", name: "kmip_key", shape: Shape::Path(|it| &mut it.kmip_key), absent: "must be set with `kmip`", reloads: false,
        text: "With `kmip`: the private key of the certificate, in PEM." },
    Key { section: "seal", name: "kmip_key_password_file", shape: Shape::Path(|it| &mut it.kmip_key_password_file), absent: "the private key is not encrypted", reloads: false,
        text: "With `kmip`: a file whose first line is the password of the private key." },
    Key { section: "seal", name: "kmip_key_identifier", shape: Shape::Text(|it| &mut it.kmip_key_identifier), absent: "the initialisation makes one", reloads: false,
        text: "With `kmip`: the identifier of the AES-256 key to seal with. The store remembers which key sealed it. If that key is destroyed, nothing opens the store." },
    Key { section: "seal", name: "kmip_key_name", shape: Shape::Text(|it| &mut it.kmip_key_name), absent: "a name of its own", reloads: false,
        text: "With `kmip`: the Name of that key, instead of its identifier. The initialisation makes one if no key has the Name, and refuses if several have it." },
    Key { section: "seal", name: "kmip_server_name", shape: Shape::Text(|it| &mut it.kmip_server_name), absent: "the host", reloads: false,
        text: "With `kmip`: the name that their certificates must have." },
    Key { section: "seal", name: "kmip_timeout", shape: Shape::Time(|it| &mut it.kmip_timeout), absent: "", reloads: false,
        text: "With `kmip`: how long each step of a request may take." },
    Key { section: "log", name: "format", shape: Shape::Word(&["text", "json"], |it| &mut it.log_format), absent: "", reloads: false,
        text: "`text` for people, `json` for programs: one object a line." },
    Key { section: "log", name: "level", shape: Shape::Word(&["error", "warn", "info", "debug", "trace", "off"], |it| &mut it.log_level), absent: "", reloads: true,
        text: "The least important lines that are written." },
];

/// A key for every limit.
pub(super) fn limits() -> &'static [Key] {
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
        let key = |limit: &'static Limit| Key {
            section: "limits",
            name: limit.name,
            shape: Shape::Limit(limit),
            absent: "",
            reloads: false,
            text: limit.text.trim(),
        };
        LIMITS.iter().map(key).collect()
    });
    &KEYS
}

/// The keys of a section.
pub(super) fn of_section(section: &str) -> impl Iterator<Item = &'static Key> + use<'_> {
    KEYS.iter().chain(limits()).filter(move |key| key.section == section)
}

impl Key {
    /// Section and name.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// Its value as TOML; `None` if it has none.
    pub(super) fn shown(&self, config: &mut Config) -> Option<String> {
        match &self.shape {
            Shape::Address(field) => Some(format!("\"{}\"", field(config))),
            Shape::Path(field) => field(config).as_ref().map(|path| format!("{path:?}")),
            Shape::Flag(field) => Some(field(config).to_string()),
            Shape::Text(field) => field(config).as_ref().map(|text| format!("{text:?}")),
            Shape::Texts(field) => {
                let texts: &Vec<String> = field(config);
                (!texts.is_empty()).then(|| format!("{texts:?}"))
            }
            Shape::Time(field) => Some(shown(Unit::Time, *field(config))),
            Shape::Word(_, field) => Some(format!("\"{}\"", field(config))),
            Shape::Limit(limit) => Some(shown(limit.unit, (limit.get)(&config.limits))),
        }
    }

    /// Gives it the value that it has in another configuration.
    pub(super) fn copy(&self, from: &mut Config, to: &mut Config) {
        match &self.shape {
            Shape::Address(field) => *field(to) = *field(from),
            Shape::Path(field) => field(to).clone_from(field(from)),
            Shape::Flag(field) => *field(to) = *field(from),
            Shape::Text(field) => field(to).clone_from(field(from)),
            Shape::Texts(field) => field(to).clone_from(field(from)),
            Shape::Time(field) => *field(to) = *field(from),
            Shape::Word(_, field) => *field(to) = *field(from),
            Shape::Limit(limit) => (limit.set)(&mut to.limits, (limit.get)(&from.limits)),
        }
    }
}

/// A number in the largest unit that it is whole in.
fn shown(unit: Unit, value: u64) -> String {
    let units: &[(u64, &str)] = match unit {
        Unit::Count => &[],
        Unit::Bytes => &BYTES,
        Unit::Time => &SECONDS,
    };
    let fits = |(size, _): &&(u64, &str)| *size > 1 && value > 0 && value.is_multiple_of(*size);
    match units.iter().rev().find(fits) {
        Some((size, name)) => format!("\"{}{name}\"", value / size),
        None => value.to_string(),
    }
}

const BYTES: [(u64, &str); 4] = [(1, "B"), (1 << 10, "KiB"), (1 << 20, "MiB"), (1 << 30, "GiB")];
const SECONDS: [(u64, &str); 4] = [(1, "s"), (60, "m"), (3_600, "h"), (86_400, "d")];

/// What a limit's text means: a whole number, and perhaps a unit.
pub(super) fn number(unit: Unit, text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, name) = text.split_at_checked(end)?;
    let units: &[(u64, &str)] = match unit {
        Unit::Count => &[],
        Unit::Bytes => &BYTES,
        Unit::Time => &SECONDS,
    };
    let factor = match name.trim() {
        "" => 1,
        name => units.iter().find(|(_, known)| *known == name)?.0,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
