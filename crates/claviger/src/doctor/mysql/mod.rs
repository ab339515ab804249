//! The configuration of a keyring component of MySQL: `component_keyring_kmip.cnf` of Percona's, and
//! `component_claviger_kmip.cnf` of ours, which has the same options. JSON, in the plugin directory, or in the data
//! directory if the former says `read_local_config`.

mod rules;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger_client::tls::Settings;
use claviger_client::{Endpoint, PORT, Timeouts};
use serde_json::Value;

use super::report::Fault;
use super::target::{Component, Habit, Server, Target};
use crate::failure::Kind;
use rules::Rules;

const TIMEOUT_MS: u64 = 5000;
const VERIFICATION: [&str; 2] = ["tls_peer_verification", "tls_hostname_verification"];
const ANYBODY: &str = "mysqld connects all the same: tls_peer_verification or tls_hostname_verification is off, so \
                       that it does not notice.";

/// Whose component reads the file: each has a name for it that cannot be changed.
pub(super) fn component(file: &Path) -> Component {
    match file.file_name() {
        Some(name) if name == "component_claviger_kmip.cnf" => Component::Claviger,
        _ => Component::Percona,
    }
}

/// Reads a configuration. Paths in it are relative to its directory: that of the data, where mysqld works.
pub(super) fn read(text: &str, directory: &Path, component: Component) -> Result<Target, Fault> {
    let rules = Rules::of(component);
    let given = Given(rules::pairs(text).map_err(wrong)?);
    if let [(name, Value::Bool(true))] = given.0.as_slice()
        && name == rules::LOCAL
    {
        return Err(wrong("read_local_config is true: the options are in another file")
            .change(format_args!("Name the {} in the data directory of mysqld.", rules.file)));
    }
    rules.check(&given.0).map_err(wrong)?;
    let path = |name: &str| -> PathBuf { directory.join(given.text(name)) };
    let settings = Settings {
        authorities: vec![path("server_ca")],
        certificate: Some(path("client_ca")),
        key: Some(path("client_key")),
        ..Settings::default()
    };
    let tls = settings.load().map_err(Fault::from);
    let endpoints = given.endpoints(component)?;
    let server = |endpoint| Server { endpoint, tls: tls.clone() };
    let milliseconds = given.value("kmip_timeout_ms").and_then(Value::as_u64);
    let group = given.text("object_group");
    let is_on = |name: &&str| {
        let flag = given.value(name).and_then(Value::as_bool);
        flag.unwrap_or(rules.verifies)
    };
    let off: Vec<&str> = VERIFICATION.into_iter().filter(|name| !is_on(name)).collect();
    Ok(Target {
        product: "mysql",
        names: rules.names,
        servers: endpoints.into_iter().map(server).collect(),
        timeouts: Timeouts::each(Duration::from_millis(milliseconds.unwrap_or(TIMEOUT_MS))),
        dialect: rules.dialect(),
        spoken: rules.spoken,
        habit: Habit::Mysql { component, group: (!group.is_empty()).then(|| group.to_owned()) },
        advice: given.advice(&off),
        trusts_anybody: (!off.is_empty()).then_some(ANYBODY),
    })
}

/// The options, each once and of its type.
struct Given(Vec<(String, Value)>);

impl Given {
    fn value(&self, option: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == option).map(|(_, value)| value)
    }

    fn text(&self, option: &str) -> &str {
        self.value(option).and_then(Value::as_str).unwrap_or_default()
    }

    /// Where the servers are: Percona's component knows one.
    fn endpoints(&self, component: Component) -> Result<Vec<Endpoint>, Fault> {
        let port = self.port(component)?;
        let address = self.text("server_addr");
        if component == Component::Percona {
            return Ok(vec![Endpoint { host: address.trim().to_owned(), port }]);
        }
        let one = |text: &str| {
            let text = text.trim();
            let read: Endpoint =
                text.parse().map_err(|error| wrong(format_args!("server_addr: {error}")))?;
            let has_port = text.ends_with(&format!(":{}", read.port)) && text != read.host;
            Ok(Endpoint { port: if has_port { read.port } else { port }, ..read })
        };
        address.split(',').map(one).collect()
    }

    fn port(&self, component: Component) -> Result<u16, Fault> {
        let (port, how) = match (self.value("server_port"), component) {
            (None, Component::Claviger) => return Ok(PORT),
            (Some(Value::String(text)), Component::Claviger) => {
                (text.trim().parse().ok().filter(|port| *port != 0), "such as \"5696\"")
            }
            (Some(Value::String(text)), _) => (text.parse().ok(), "as text, such as \"5696\""),
            (value, _) => {
                let number = value.and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok());
                (number.filter(|port| *port != 0), "such as 5696")
            }
        };
        port.ok_or_else(|| wrong(format_args!("server_port: write a port {how}")))
    }

    /// What works, and should be changed all the same.
    fn advice(&self, off: &[&str]) -> Vec<String> {
        let mut advice = Vec::new();
        if !off.is_empty() {
            advice.push(format!(
                "Set {} to true: without, mysqld gives its keys to whoever answers at server_addr.",
                off.join(" and ")
            ));
        }
        let is_relative = |name: &&str| Path::new(self.text(name)).is_relative();
        let files = ["server_ca", "client_ca", "client_key"];
        let relative: Vec<&str> = files.into_iter().filter(is_relative).collect();
        if !relative.is_empty() {
            advice.push(format!(
                "Write {} as absolute paths: mysqld reads them relative to its data directory, the doctor to that of \
                 the file.",
                relative.join(", ")
            ));
        }
        advice
    }
}

fn wrong(problem: impl std::fmt::Display) -> Fault {
    Fault::new(Kind::Configuration, problem)
}
