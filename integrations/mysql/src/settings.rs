//! The configuration: a file of JSON, made into what a client needs.
//!
//! It is read from the plugin directory; `{"read_local_config": true}` there says that it is in the data directory.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger_client::tls::{self, Verification};
use claviger_client::{Endpoint, Error, Options, PORT, Timeouts};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

/// The name of the file.
pub(crate) const FILE: &str = "component_claviger_kmip.cnf";
/// Bytes of the file that are read at most.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Every option; what they say stands in docs/mysql.md.
const OPTIONS: [&str; 11] = [
    LOCAL,
    "server_addr",
    "server_port",
    "client_ca",
    "client_key",
    "server_ca",
    "object_group",
    "max_objects",
    "kmip_timeout_ms",
    "tls_peer_verification",
    "tls_hostname_verification",
];
const LOCAL: &str = "read_local_config";
/// What Percona's component has.
const OBJECTS_MAX: u64 = 65_535;
const TIMEOUT_MS: u64 = 5_000;
/// A day.
const TIMEOUT_MS_MAX: u64 = 86_400_000;
/// Bytes of a group's name.
const GROUP_MAX: usize = 250;

/// What an option, or the file, says wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {problem}")]
pub(crate) struct Wrong {
    /// The option, or the file if no option is to blame.
    pub(crate) option: String,
    /// For people, with what to do.
    pub(crate) problem: String,
}

/// How the component works.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) client: Options,
    /// The Object Group of all keys; none takes every key that the client may see.
    pub(crate) group: Option<String>,
    /// How many keys of one type are read at most.
    pub(crate) objects_max: usize,
    /// What performance_schema.keyring_component_status shows.
    pub(crate) shown: Vec<(&'static str, String)>,
}

impl Settings {
    /// Reads the configuration and the files that it names.
    ///
    /// # Errors
    /// A file cannot be read, or an option cannot be used.
    pub(crate) fn read(plugins: &Path, data: &Path) -> Result<Self, Wrong> {
        let file = plugins.join(FILE);
        let mut given = Given::read(&file)?;
        if given.flag(LOCAL, false)? {
            given.nothing_else(LOCAL)?;
            given = Given::read(&data.join(FILE))?;
            if given.flag(LOCAL, false)? {
                return Err(wrong(
                    LOCAL,
                    "the file in the data directory is the last one: set it to false there",
                ));
            }
        }
        given.settings(data)
    }
}

/// The file as it is: options in their order.
struct Given {
    options: Vec<(String, Value)>,
}

impl Given {
    fn read(file: &Path) -> Result<Self, Wrong> {
        let of_file = |problem: &dyn fmt::Display, remedy| Wrong {
            option: FILE.to_owned(),
            problem: format!("{}: {problem}: {remedy}", file.display()),
        };
        let make = "make it a JSON object that the server's user can read";
        let mut text = Vec::new();
        // What is no plain file may have no end.
        File::open(file)
            .and_then(|it| it.take(FILE_BYTES_MAX.saturating_add(1)).read_to_end(&mut text))
            .map_err(|error| of_file(&error, make))?;
        if u64::try_from(text.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
            return Err(of_file(&"larger than 1 MiB", make));
        }
        let Pairs(options) =
            serde_json::from_slice(&text).map_err(|error| of_file(&error, make))?;
        for (option, _) in &options {
            if !OPTIONS.contains(&option.as_str()) {
                let known = OPTIONS.join(", ");
                return Err(wrong(option, format!("there is no such option; there are {known}")));
            }
        }
        Ok(Self { options })
    }

    fn settings(&self, data: &Path) -> Result<Settings, Wrong> {
        let port = self.port()?;
        let address = self.text("server_addr")?;
        let servers = endpoints(address, port)?;
        let path = |option| Ok(data.join(self.text(option)?));
        let (certificate, key, authority): (PathBuf, PathBuf, PathBuf) =
            (path("client_ca")?, path("client_key")?, path("server_ca")?);
        let group = self.optional_text("object_group")?.filter(|group| !group.is_empty());
        if group.is_some_and(|group| group.len() > GROUP_MAX) {
            return Err(wrong("object_group", "has more than 250 bytes: give it a shorter name"));
        }
        let objects_max = self.number("max_objects", OBJECTS_MAX, i32::MAX as u64 - 1)?;
        let timeout_ms = self.number("kmip_timeout_ms", TIMEOUT_MS, TIMEOUT_MS_MAX)?;
        let peer = self.flag("tls_peer_verification", true)?;
        let name = self.flag("tls_hostname_verification", true)?;
        let settings = tls::Settings {
            authorities: vec![authority.clone()],
            certificate: Some(certificate.clone()),
            key: Some(key.clone()),
            verification: match (peer, name) {
                (true, true) => Verification::Full,
                (true, false) => Verification::WithoutName,
                (false, _) => Verification::None,
            },
            ..tls::Settings::default()
        };
        let tls = settings.load().map_err(|error| of_files(&settings, &error))?;
        let shown = vec![
            ("Server_addr", address.to_owned()),
            ("Server_port", port.to_string()),
            ("Client_ca", certificate.display().to_string()),
            ("Client_key", key.display().to_string()),
            ("Server_ca", authority.display().to_string()),
            ("Object_group", group.unwrap_or("<NONE>").to_owned()),
            ("Max_objects", objects_max.to_string()),
            ("Kmip_timeout_ms", timeout_ms.to_string()),
            ("Tls_peer_verification", peer.to_string()),
            ("Tls_hostname_verification", name.to_string()),
        ];
        let client = Options {
            timeouts: Timeouts::each(Duration::from_millis(timeout_ms)),
            ..Options::new(servers, tls)
        };
        Ok(Settings {
            client,
            group: group.map(str::to_owned),
            objects_max: usize::try_from(objects_max).unwrap_or(usize::MAX),
            shown,
        })
    }

    fn value(&self, option: &str) -> Option<&Value> {
        self.options.iter().find(|(name, _)| name == option).map(|(_, value)| value)
    }

    fn nothing_else(&self, option: &str) -> Result<(), Wrong> {
        match self.options.iter().find(|(name, _)| name != option) {
            Some((other, _)) => Err(wrong(
                other,
                format!(
                    "is not read, because {option} is true: move it to {FILE} in the data directory"
                ),
            )),
            None => Ok(()),
        }
    }

    fn text(&self, option: &str) -> Result<&str, Wrong> {
        let text = self.optional_text(option)?.unwrap_or_default();
        if text.trim().is_empty() {
            return Err(wrong(option, format!("is not set: set it in {FILE}")));
        }
        Ok(text)
    }

    fn optional_text(&self, option: &str) -> Result<Option<&str>, Wrong> {
        match self.value(option) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(option, "is no string: put it in quotes")),
        }
    }

    fn flag(&self, option: &str, default: bool) -> Result<bool, Wrong> {
        match self.value(option) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(
                option,
                "is neither true nor false, without quotes: set it to one of them",
            )),
        }
    }

    fn number(&self, option: &str, default: u64, most: u64) -> Result<u64, Wrong> {
        let Some(value) = self.value(option) else { return Ok(default) };
        let number = value.as_u64().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| {
            wrong(option, format!("is no number from 1 to {most}, without quotes: set it to one"))
        })
    }

    /// A string, as Percona's component has it, or a number; KMIP's own port where there is none but every server in
    /// the list has one.
    fn port(&self) -> Result<u16, Wrong> {
        let port = match self.value("server_port") {
            None => Some(PORT),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_u64().and_then(|port| port.try_into().ok()),
        };
        let port = port.filter(|port| *port != 0);
        port.ok_or_else(|| {
            wrong("server_port", "is no port from 1 to 65535: set it to the KMIP server's")
        })
    }
}

fn wrong(option: &str, problem: impl ToString) -> Wrong {
    Wrong { option: option.to_owned(), problem: problem.to_string() }
}

/// The servers; those without a port get the one of the options.
fn endpoints(list: &str, port: u16) -> Result<Vec<Endpoint>, Wrong> {
    let one = |text: &str| {
        let text = text.trim();
        let bad =
            |error| wrong("server_addr", format!("{error}: it is a list HOST[:PORT],HOST[:PORT]"));
        let read: Endpoint = text.parse().map_err(bad)?;
        let has_port = text.ends_with(&format!(":{}", read.port)) && text != read.host;
        Ok(Endpoint { port: if has_port { read.port } else { port }, ..read })
    };
    list.split(',').map(one).collect()
}

/// Which option named the file that cannot be used.
fn of_files(settings: &tls::Settings, error: &Error) -> Wrong {
    let (option, remedy) = match error {
        Error::Password { .. } => {
            ("client_key", "the component takes no password: decrypt the key")
        }
        Error::Pem { path, .. } if settings.authorities.contains(path) => (
            "server_ca",
            "name a PEM file with the KMIP server's authority that the server's user can read",
        ),
        Error::Pem { path, .. } if settings.key.as_ref() == Some(path) => (
            "client_key",
            "name a PEM file with the private key of client_ca that the server's user can read",
        ),
        _ => (
            "client_ca",
            "name a PEM file with the client's certificate that the server's user can read",
        ),
    };
    wrong(option, format!("{error}: {remedy}"))
}

/// A JSON object with every key once.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    if pairs.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom(format!("{name} is there twice")));
                    }
                    pairs.push((name, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const WHOLE: &str = r#"{"server_addr": "kms1, kms2:7,[::1]", "server_port": "5697",
        "client_ca": "cert.pem", "client_key": "key.pem", "server_ca": "ca.pem"}"#;

    /// What the two files lead to, in a directory without any other.
    fn read(plugins: &str, data: Option<&str>) -> Wrong {
        let scratch = tempfile::tempdir().unwrap();
        let directories = [scratch.path().join("plugins"), scratch.path().join("data")];
        directories.iter().for_each(|directory| fs::create_dir(directory).unwrap());
        fs::write(directories[0].join(FILE), plugins).unwrap();
        if let Some(text) = data {
            fs::write(directories[1].join(FILE), text).unwrap();
        }
        Settings::read(&directories[0], &directories[1]).unwrap_err()
    }

    #[test]
    fn servers_without_a_port_get_that_of_the_options() {
        let shown = |list| -> Vec<_> {
            endpoints(list, 5697).unwrap().iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            shown("kms1, kms2:7,[::1],[::1]:9"),
            ["kms1:5697", "kms2:7", "[::1]:5697", "[::1]:9"]
        );
        assert_eq!(endpoints("kms,", 1).unwrap_err().option, "server_addr");
    }

    #[test]
    fn what_is_wrong_is_said_of_its_option_with_what_to_do() {
        let with = |from: &str, to: &str| WHOLE.replace(from, to);
        for (text, option) in [
            (String::from("{}"), "server_addr"),
            (with("kms1,", ","), "server_addr"),
            (with("\"5697\"", "\"x\""), "server_port"),
            (with("\"5697\"", "0"), "server_port"),
            (with("\"5697\"", "70000"), "server_port"),
            (with("\"cert.pem\"", "\" \""), "client_ca"),
            (with("\"cert.pem\"", "5"), "client_ca"),
            (with("client_key", "client_kei"), "client_kei"),
            (with("}", ", \"max_objects\": 0}"), "max_objects"),
            (with("}", ", \"max_objects\": \"5\"}"), "max_objects"),
            (with("}", ", \"kmip_timeout_ms\": -5}"), "kmip_timeout_ms"),
            (with("}", ", \"tls_peer_verification\": \"true\"}"), "tls_peer_verification"),
            (with("}", ", \"tls_hostname_verification\": 1}"), "tls_hostname_verification"),
            (with("}", &format!(", \"object_group\": \"{}\"}}", "g".repeat(251))), "object_group"),
            (with("}", ", \"read_local_config\": true}"), "server_addr"),
            (with("}", ", \"server_ca\": \"ca.pem\"}"), FILE),
            (String::from("[]"), FILE),
            (String::from("{"), FILE),
            (" ".repeat(1 << 20) + WHOLE, FILE),
            ("[".repeat(100_000), FILE),
            (String::from("\u{feff}") + WHOLE, FILE),
            (with("\"ca.pem\"", "\"a\\u0000b\""), "server_ca"),
            (with("\"5697\"", "5697.0"), "server_port"),
            (WHOLE.to_owned(), "server_ca"),
        ] {
            let said = read(&text, None);
            assert_eq!(said.option, option, "{said}: {text}");
        }
        let local = r#"{"read_local_config": true}"#;
        let missing = read(local, None);
        assert!(missing.option == FILE && missing.problem.contains("data"), "{missing}");
        assert_eq!(read(local, Some(local)).option, LOCAL);
        assert_eq!(read(local, Some("{}")).option, "server_addr");
        let file = read(local, Some(WHOLE));
        assert!(file.option == "server_ca" && file.problem.contains("data/ca.pem"), "{file}");
    }
}
