//! The KMIP options of Scality's CloudServer, in Zenko and alone: `config.json`, the `values.yaml` of its chart, or a file
//! of its variables `S3KMIP_…`.
//!
//! What config.json says counts more than the environment, which fills in what it leaves out.

mod chart;
mod config;

use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger_client::tls::Settings;
use claviger_client::{Dialect, Endpoint, Timeouts};
use claviger_kmip::Version;
use claviger_kmip::attributes::AttributeReference;
use claviger_kmip::compat::reference_of;

use super::report::Fault;
use super::target::{Habit, Server, Spoken, Target};
use super::yaml;
use crate::failure::{Kind, Names};

pub(super) use config::Variables;

const RESPONSE_SIZE_MAX: u32 = 8000;
/// The original waits for ever.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What its handshake offers, in its order.
static VERSIONS: [Version; 3] = [Version::V1_4, Version::V1_3, Version::V1_2];

const PASSWORD: &str = "CloudServer takes no password: name a key that is not encrypted.";
const VERSION: &str = "version of KMIP (CloudServer speaks 1.2 to 1.4)";
const ONE_HOST: &str = "a host name or an address without a port";

/// How one server, or several alike, are reached.
struct Transport {
    hosts: Vec<String>,
    port: u16,
    key: Option<PathBuf>,
    certificate: Option<PathBuf>,
    authorities: Vec<PathBuf>,
}

/// What is read, whatever the form.
struct Reading {
    names: &'static Names,
    transports: Vec<Transport>,
    compound: bool,
    bucket_attribute: Option<String>,
    advice: Vec<String>,
}

/// Reads a file in one of the three forms. Paths in it are relative to its directory.
pub(super) fn read(text: &str, directory: &Path, process: &Variables) -> Result<Target, Fault> {
    let is_of_variables = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.starts_with("S3K") && line.contains('=')
    };
    let reading = if text.trim_start().starts_with('{') {
        config::config(serde_json::from_str(text).map_err(wrong)?, directory, process)?
    } else if text.lines().any(is_of_variables) {
        config::variables(&Variables::of_file(text), directory)?
    } else {
        chart::chart(yaml::read(text).map_err(wrong)?, directory)?
    };
    target(reading)
}

fn target(reading: Reading) -> Result<Target, Fault> {
    let Reading { names, transports, compound, bucket_attribute, mut advice } = reading;
    if let Some(name) = &bucket_attribute {
        match reference_of(name) {
            AttributeReference::Vendor { vendor_identification, .. } => {
                if vendor_identification != "x" {
                    advice.push(format!(
                        "Call the bucket's attribute x-{name}: KMIP keeps other names to itself."
                    ));
                }
            }
            _ => {
                return Err(wrong(format_args!("the bucket's attribute {name} cannot be a text"))
                    .change("Give it a name of its own, which begins with x-."));
            }
        }
    }
    let mut servers = Vec::new();
    for transport in transports {
        if transport.hosts.len() > 1 {
            advice.push(format!(
                "Name one host in {}: CloudServer takes a list for the name of one. Several servers are a list of \
                 kmip.transport in config.json.",
                names.server
            ));
        }
        let settings = Settings {
            system_authorities: transport.authorities.is_empty(),
            authorities: transport.authorities,
            certificate: transport.certificate,
            key: transport.key,
            ..Settings::default()
        };
        let tls = settings.load().map_err(Fault::from);
        let server =
            |host| Server { endpoint: Endpoint { host, port: transport.port }, tls: tls.clone() };
        servers.extend(transport.hosts.into_iter().map(server));
    }
    if servers.is_empty() {
        let problem = format!("{}: it is missing: no server is named", names.server);
        return Err(Fault::new(Kind::Configuration, problem));
    }
    Ok(Target {
        product: "zenko",
        names,
        servers,
        timeouts: Timeouts::each(TIMEOUT),
        dialect: Dialect { maximum_response_size: Some(RESPONSE_SIZE_MAX), ..Dialect::default() },
        spoken: Spoken::First(Version::V1_2, &VERSIONS),
        habit: Habit::Zenko { compound, bucket_attribute },
        advice,
        trusts_anybody: None,
    })
}

fn wrong(problem: impl std::fmt::Display) -> Fault {
    Fault::new(Kind::Configuration, problem)
}

#[cfg(test)]
mod tests;
