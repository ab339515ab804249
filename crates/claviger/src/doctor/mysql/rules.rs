//! What the two components take: the options are the same, their rules are not all.

use std::fmt;

use claviger_client::Dialect;
use claviger_kmip::Version;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::super::target::{Component, Spoken};
use crate::failure::Names;

/// The option that says that the others are elsewhere.
pub(super) const LOCAL: &str = "read_local_config";
const RESPONSE_SIZE_MAX: u32 = 1 << 20;
/// Bytes of a group's name that our component takes.
const GROUP_MAX: usize = 250;

static PERCONA: Names = Names {
    server: "server_addr",
    address: "a host name or an address without a port",
    port: "server_port",
    ca: "server_ca",
    certificate: "client_ca",
    key: "client_key",
    password: "The component takes no password: give client_key a key that is not encrypted.",
    version: "version of KMIP (the component speaks 1.4)",
};

static CLAVIGER: Names = Names {
    server: PERCONA.server,
    address: "HOST[:PORT],HOST[:PORT]…",
    port: "server_port (or behind the host)",
    ca: PERCONA.ca,
    certificate: PERCONA.certificate,
    key: PERCONA.key,
    password: PERCONA.password,
    version: "version of KMIP (the component speaks 1.0 to 2.1)",
};

/// What an option takes.
#[derive(Copy, Clone)]
enum Shape {
    Flag,
    /// A whole number from 1 to this.
    Count(u64),
    /// Text of at most so many bytes.
    Text(usize),
    /// A text that must be there.
    Required,
    /// A port: as text or as a number, or none.
    Port,
}

/// What is not the same for both.
pub(super) struct Rules {
    /// What the file is called.
    pub(super) file: &'static str,
    pub(super) names: &'static Names,
    pub(super) spoken: Spoken,
    /// Whether a server's certificate is verified if nobody says so.
    pub(super) verifies: bool,
    component: Component,
}

impl Rules {
    pub(super) const fn of(component: Component) -> Self {
        match component {
            Component::Percona => Self {
                file: "component_keyring_kmip.cnf",
                names: &PERCONA,
                spoken: Spoken::First(Version::V1_4, &[]),
                verifies: false,
                component,
            },
            Component::Claviger => Self {
                file: "component_claviger_kmip.cnf",
                names: &CLAVIGER,
                spoken: Spoken::Agreed,
                verifies: true,
                component,
            },
        }
    }

    /// The headers of its requests.
    pub(super) fn dialect(&self) -> Dialect {
        match self.component {
            Component::Percona => Dialect {
                maximum_response_size: Some(RESPONSE_SIZE_MAX),
                time_stamp: true,
                ..Dialect::default()
            },
            Component::Claviger => Dialect::default(),
        }
    }

    fn shape(&self, option: &str) -> Option<Shape> {
        let is_ours = self.component == Component::Claviger;
        let limited = |most: u64| Shape::Count(if is_ours { most } else { u64::MAX });
        Some(match option {
            LOCAL | "tls_peer_verification" | "tls_hostname_verification" => Shape::Flag,
            "server_port" if is_ours => Shape::Port,
            "server_addr" | "server_port" | "client_ca" | "client_key" | "server_ca" => {
                Shape::Required
            }
            "object_group" => Shape::Text(if is_ours { GROUP_MAX } else { usize::MAX }),
            "max_objects" => limited(i32::MAX as u64 - 1),
            // A day.
            "kmip_timeout_ms" => limited(86_400_000),
            _ => return None,
        })
    }

    /// Every option is known and of its type, and none is missing; else what is wrong with all of them.
    pub(super) fn check(&self, options: &[(String, Value)]) -> Result<(), String> {
        let mut problems = Vec::new();
        for (name, value) in options {
            let problem = match self.shape(name) {
                None => Some(String::from("there is no such option")),
                Some(shape) => shape.problem(value),
            };
            problems.extend(problem.map(|problem| format!("{name}: {problem}")));
        }
        for name in ["server_addr", "server_port", "client_ca", "client_key", "server_ca"] {
            let is_required = matches!(self.shape(name), Some(Shape::Required));
            if is_required && !options.iter().any(|(given, _)| given == name) {
                problems.push(format!("{name}: it is missing"));
            }
        }
        let is_local =
            |(name, value): &(String, Value)| name == LOCAL && *value == Value::Bool(true);
        if self.component == Component::Claviger && options.iter().any(is_local) {
            problems
                .push(format!("{LOCAL}: it is true, and so the other options are not read here"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

impl Shape {
    /// What is wrong with a value.
    fn problem(self, value: &Value) -> Option<String> {
        let said = match (self, value) {
            (Self::Flag, Value::Bool(_)) => return None,
            (Self::Flag, _) => "write true or false",
            (Self::Count(most), value) => {
                let is_one = value.as_u64().is_some_and(|count| (1..=most).contains(&count));
                return match (is_one, most) {
                    (true, _) => None,
                    (false, u64::MAX) => Some("write a whole number, at least 1".into()),
                    (false, _) => Some(format!("write a whole number from 1 to {most}")),
                };
            }
            (Self::Text(most), Value::String(text)) if text.len() <= most => return None,
            (Self::Text(most), Value::String(_)) => {
                return Some(format!("it has more than {most} bytes"));
            }
            (Self::Required, Value::String(text)) if !text.trim().is_empty() => return None,
            (Self::Required, Value::String(_)) => "it is empty",
            (Self::Port, Value::String(_) | Value::Number(_)) => return None,
            (Self::Text(_) | Self::Required | Self::Port, _) => "write it as text",
        };
        Some(said.to_owned())
    }
}

/// A JSON object as it is written; no name is there twice.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, Value)>, serde_json::Error> {
    serde_json::from_str::<Pairs>(text).map(|Pairs(pairs)| pairs)
}

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
