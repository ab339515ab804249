//! `component_keyring_kmip.cnf` of Percona Server for MySQL: JSON, in the plugin directory, or in the data directory if
//! the former says `read_local_config`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger_client::tls::Settings;
use claviger_client::{Dialect, Endpoint, Timeouts};
use claviger_kmip::Version;
use serde_json::{Map, Value};

use super::report::Fault;
use super::target::{Habit, Server, Target};
use crate::failure::{Kind, Names};

const RESPONSE_SIZE_MAX: u32 = 1 << 20;
const TIMEOUT_MS: u64 = 5000;

static NAMES: Names = Names {
    server: "server_addr",
    address: "a host name or an address without a port",
    port: "server_port",
    ca: "server_ca",
    certificate: "client_ca",
    key: "client_key",
    password: "The component takes no password: give client_key a key that is not encrypted.",
    version: "version of KMIP (the component speaks 1.4)",
};

/// What an option takes.
enum Shape {
    Flag,
    Count,
    Text,
    /// A text that must be there.
    Required,
}

const OPTIONS: [(&str, Shape); 11] = [
    ("read_local_config", Shape::Flag),
    ("server_addr", Shape::Required),
    ("server_port", Shape::Required),
    ("client_ca", Shape::Required),
    ("client_key", Shape::Required),
    ("server_ca", Shape::Required),
    ("object_group", Shape::Text),
    ("max_objects", Shape::Count),
    ("kmip_timeout_ms", Shape::Count),
    ("tls_peer_verification", Shape::Flag),
    ("tls_hostname_verification", Shape::Flag),
];

const ANYBODY: &str = "mysqld connects all the same: tls_peer_verification or tls_hostname_verification is off, so \
                       that it does not notice.";

/// Reads a component_keyring_kmip.cnf. Paths in it are relative to its directory: that of the data, where mysqld
/// works.
pub(super) fn read(text: &str, directory: &Path) -> Result<Target, Fault> {
    let value: Value = serde_json::from_str(text).map_err(wrong)?;
    let Value::Object(options) = value else { return Err(wrong("it is no JSON object")) };
    if options.get("read_local_config") == Some(&Value::Bool(true)) && options.len() == 1 {
        return Err(wrong("read_local_config is true: the options are in another file")
            .change("Name the component_keyring_kmip.cnf in the data directory of mysqld."));
    }
    check(&options)?;
    let text = |name: &str| options.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_on = |name: &str| options.get(name).and_then(Value::as_bool).unwrap_or_default();
    let port = text("server_port").parse();
    let port = port.map_err(|_| wrong("server_port: write a port as text, such as \"5696\""))?;
    let milliseconds = options.get("kmip_timeout_ms").and_then(Value::as_u64).unwrap_or(TIMEOUT_MS);
    let path = |name: &str| -> PathBuf { directory.join(text(name)) };
    let settings = Settings {
        authorities: vec![path("server_ca")],
        certificate: Some(path("client_ca")),
        key: Some(path("client_key")),
        ..Settings::default()
    };
    let group = text("object_group");
    let verification = ["tls_peer_verification", "tls_hostname_verification"];
    let off: Vec<&str> = verification.into_iter().filter(|name| !is_on(name)).collect();
    let mut advice = Vec::new();
    if !off.is_empty() {
        advice.push(format!(
            "Set {} to true: without, mysqld gives its keys to whoever answers at server_addr.",
            off.join(" and ")
        ));
    }
    let is_relative = |name: &&str| Path::new(text(name)).is_relative();
    let relative: Vec<&str> =
        ["server_ca", "client_ca", "client_key"].into_iter().filter(is_relative).collect();
    if !relative.is_empty() {
        advice.push(format!(
            "Write {} as absolute paths: mysqld reads them relative to its data directory, the doctor to that of the \
             file.",
            relative.join(", ")
        ));
    }
    Ok(Target {
        product: "mysql",
        names: &NAMES,
        servers: vec![Server {
            endpoint: Endpoint { host: text("server_addr").trim().to_owned(), port },
            tls: settings.load().map_err(Fault::from),
        }],
        timeouts: Timeouts::each(Duration::from_millis(milliseconds)),
        dialect: Dialect {
            maximum_response_size: Some(RESPONSE_SIZE_MAX),
            time_stamp: true,
            ..Dialect::default()
        },
        versions: (Version::V1_4, &[]),
        habit: Habit::Mysql { group: (!group.is_empty()).then(|| group.to_owned()) },
        advice,
        trusts_anybody: (!off.is_empty()).then_some(ANYBODY),
    })
}

/// Every option is known and of its type, and none is missing.
fn check(options: &Map<String, Value>) -> Result<(), Fault> {
    let mut problems = Vec::new();
    for (name, value) in options {
        let shape = OPTIONS.iter().find(|(known, _)| known == name).map(|(_, shape)| shape);
        let problem = match (shape, value) {
            (Some(Shape::Flag), Value::Bool(_)) => continue,
            (Some(Shape::Count), value) if value.as_u64().is_some_and(|count| count > 0) => {
                continue;
            }
            (Some(Shape::Text), Value::String(_)) => continue,
            (Some(Shape::Required), Value::String(text)) if !text.trim().is_empty() => continue,
            (Some(Shape::Required), Value::String(_)) => "it is empty",
            (Some(Shape::Flag), _) => "write true or false",
            (Some(Shape::Count), _) => "write a whole number, at least 1",
            (Some(Shape::Text | Shape::Required), _) => "write it as text",
            (None, _) => "there is no such option",
        };
        problems.push(format!("{name}: {problem}"));
    }
    for (name, shape) in OPTIONS {
        if matches!(shape, Shape::Required) && !options.contains_key(name) {
            problems.push(format!("{name}: it is missing"));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(wrong(problems.join("; "))) }
}

fn wrong(problem: impl std::fmt::Display) -> Fault {
    Fault::new(Kind::Configuration, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"server_addr": "kms", "server_port": "5697", "client_ca": "c", "client_key": "/k",
        "server_ca": "a", "object_group": "g", "kmip_timeout_ms": 100, "tls_peer_verification": true}"#;

    fn problem(text: &str) -> String {
        read(text, Path::new("/data")).err().unwrap().problem
    }

    #[test]
    fn a_good_file() {
        let target = read(GOOD, Path::new("/data")).unwrap();
        assert_eq!(target.servers[0].endpoint.to_string(), "kms:5697");
        let files = target.servers[0].tls.as_ref().unwrap_err();
        assert!(files.problem.starts_with("/data/a: "), "{}", files.problem);
        assert_eq!(target.timeouts, Timeouts::each(Duration::from_millis(100)));
        assert!(matches!(&target.habit, Habit::Mysql { group: Some(group) } if group == "g"));
        assert!(target.advice[0].contains("Set tls_hostname_verification to true"));
        assert!(target.advice[1].contains("server_ca, client_ca as absolute"));
    }

    #[test]
    fn what_is_wrong_is_said_at_once() {
        let said = problem(r#"{"server_addr": " ", "server_port": 5696, "serverca": "x"}"#);
        for part in [
            "server_addr: it is empty",
            "server_port: write it as text",
            "serverca: there is no such option",
            "server_ca: it is missing",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(problem(&GOOD.replace("5697", "70000")).contains("server_port"));
        assert!(problem(r#"{"read_local_config": true}"#).contains("another file"));
        assert!(problem("[]").contains("no JSON object"));
        assert!(problem("{").contains("EOF"));
    }
}
