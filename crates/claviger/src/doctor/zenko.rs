//! The KMIP options of Scality's CloudServer, in Zenko and alone: `config.json`, the `values.yaml` of its chart, or a file
//! of its variables `S3KMIP_…`.
//!
//! What config.json says counts more than the environment, which fills in what it leaves out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use claviger_client::tls::Settings;
use claviger_client::{Dialect, Endpoint, PORT, Timeouts};
use claviger_kmip::Version;
use claviger_kmip::attributes::AttributeReference;
use claviger_kmip::compat::reference_of;
use serde_json::{Map, Value};

use super::report::Fault;
use super::target::{Habit, Server, Target};
use super::yaml;
use crate::failure::{Kind, Names};

const RESPONSE_SIZE_MAX: u32 = 8000;
/// The original waits for ever.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What its handshake offers, in its order.
static VERSIONS: [Version; 3] = [Version::V1_4, Version::V1_3, Version::V1_2];

const PASSWORD: &str = "CloudServer takes no password: name a key that is not encrypted.";
const VERSION: &str = "version of KMIP (CloudServer speaks 1.2 to 1.4)";
const ONE_HOST: &str = "a host name or an address without a port";

static CONFIG_NAMES: Names = Names {
    server: "kmip.transport.tls.host",
    address: ONE_HOST,
    port: "kmip.transport.tls.port",
    ca: "kmip.transport.tls.ca",
    certificate: "kmip.transport.tls.cert",
    key: "kmip.transport.tls.key",
    password: PASSWORD,
    version: VERSION,
};

static CHART_NAMES: Names = Names {
    server: "kmip.hosts",
    address: "a list with one host name or address without a port",
    port: "kmip.port",
    ca: "kmip-ca.pem",
    certificate: "kmip-cert.pem",
    key: "kmip-key.pem",
    password: PASSWORD,
    version: VERSION,
};

static VARIABLE_NAMES: Names = Names {
    server: "S3KMIP_HOSTS",
    address: ONE_HOST,
    port: "S3KMIP_PORT",
    ca: "S3KMIP_CA",
    certificate: "S3KMIP_CERT",
    key: "S3KMIP_KEY",
    password: PASSWORD,
    version: VERSION,
};

/// Variables of an environment.
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process.
    pub(super) fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| {
                    let name = name.into_string().ok().filter(|name| name.starts_with("S3K"))?;
                    Some((name, value.into_string().ok()?))
                })
                .collect(),
        )
    }

    /// Those of a file with lines `NAME=VALUE`, as shells and containers take them.
    fn of_file(text: &str) -> Self {
        let assignment = |line: &str| {
            let line = line.trim();
            let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
            let value = value.trim().trim_matches(['"', '\'']);
            name.starts_with("S3K").then(|| (name.to_owned(), value.to_owned()))
        };
        Self(text.lines().filter_map(assignment).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

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
        config(serde_json::from_str(text).map_err(wrong)?, directory, process)?
    } else if text.lines().any(is_of_variables) {
        variables(&Variables::of_file(text), directory)?
    } else {
        chart(yaml::read(text).map_err(wrong)?, directory)?
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
        versions: (Version::V1_2, &VERSIONS),
        habit: Habit::Zenko { compound, bucket_attribute },
        advice,
        trusts_anybody: None,
    })
}

/// The variables alone.
fn variables(variables: &Variables, directory: &Path) -> Result<Reading, Fault> {
    let mut advice = Vec::new();
    if variables.get("S3KMS") != Some("kmip") {
        advice.push(String::from("Set S3KMS=kmip: without, CloudServer keeps its keys elsewhere."));
    }
    Ok(Reading {
        names: &VARIABLE_NAMES,
        transports: vec![transport(&Map::new(), variables, directory)?],
        compound: variables.get("S3KMIP_COMPOUND_CREATE") == Some("true"),
        bucket_attribute: variables.get("S3KMIP_BUCKET_ATTRIBUTE_NAME").map(str::to_owned),
        advice,
    })
}

/// The sections of config.json, and what may stand in them.
const SECTIONS: [(&str, &[&str]); 4] = [
    ("kmip", &["providerName", "client", "codec", "transport", "retries"]),
    ("kmip.client", &["compoundCreateActivate", "bucketNameAttributeName"]),
    ("kmip.transport", &["pipelineDepth", "tls"]),
    ("kmip.transport.tls", &["host", "port", "key", "cert", "ca"]),
];

fn section<'a>(
    parent: &'a Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<Option<&'a Map<String, Value>>, Fault> {
    match parent.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => {
            known(map, path)?;
            Ok(Some(map))
        }
        Some(_) => Err(wrong(format_args!("{path}: write an object"))),
    }
}

/// Refuses what the table does not have.
fn known(map: &Map<String, Value>, path: &str) -> Result<(), Fault> {
    let names = SECTIONS.iter().find(|(section, _)| *section == path).map(|(_, names)| *names);
    let is_known = |name: &&String| names.is_some_and(|names| names.contains(&name.as_str()));
    match map.keys().find(|name| !is_known(name)) {
        Some(name) => Err(wrong(format_args!("{path}.{name}: there is no such option"))),
        None => Ok(()),
    }
}

/// config.json, with what the environment adds.
fn config(value: Value, directory: &Path, process: &Variables) -> Result<Reading, Fault> {
    let Value::Object(whole) = value else { return Err(wrong("it is no JSON object")) };
    let none = Map::new();
    let kmip = section(&whole, "kmip", "kmip")?.unwrap_or(&none);
    let client = section(kmip, "client", "kmip.client")?.unwrap_or(&none);
    let compound = match client.get("compoundCreateActivate") {
        None | Some(Value::Null | Value::Bool(false)) => {
            process.get("S3KMIP_COMPOUND_CREATE") == Some("true")
        }
        Some(Value::Bool(true)) => true,
        Some(_) => return Err(wrong("kmip.client.compoundCreateActivate: write true or false")),
    };
    let own = text(client, "bucketNameAttributeName", "kmip.client")?;
    let bucket_attribute = own.or_else(|| process.get("S3KMIP_BUCKET_ATTRIBUTE_NAME"));
    let transports = match kmip.get("transport") {
        Some(Value::Array(list)) => {
            let each = |entry: &Value| match entry {
                Value::Object(map) => {
                    known(map, "kmip.transport")?;
                    transport(map, process, directory)
                }
                _ => Err(wrong("kmip.transport: write a list of objects")),
            };
            list.iter().map(each).collect::<Result<Vec<_>, _>>()?
        }
        _ => {
            let own = section(kmip, "transport", "kmip.transport")?.unwrap_or(&none);
            vec![transport(own, process, directory)?]
        }
    };
    Ok(Reading {
        names: &CONFIG_NAMES,
        transports,
        compound,
        bucket_attribute: bucket_attribute.map(str::to_owned),
        advice: Vec::new(),
    })
}

/// A text of config.json; an empty one is as if it were not there.
fn text<'a>(map: &'a Map<String, Value>, name: &str, path: &str) -> Result<Option<&'a str>, Fault> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong(format_args!("{path}.{name}: write it as text"))),
    }
}

/// One transport of config.json over the environment.
fn transport(
    map: &Map<String, Value>,
    variables: &Variables,
    directory: &Path,
) -> Result<Transport, Fault> {
    const PATH: &str = "kmip.transport.tls";
    let none = Map::new();
    let section = section(map, "tls", PATH)?;
    let tls = section.unwrap_or(&none);
    let own = |name| text(tls, name, PATH);
    let (key, certificate) = (own("key")?, own("cert")?);
    if key.is_some() != certificate.is_some() {
        return Err(wrong(format_args!("{PATH}: key and cert must come together")));
    }
    let port = match tls.get("port") {
        None | Some(Value::Null) => match variables.get("S3KMIP_PORT") {
            None => PORT,
            Some(text) => text.parse().map_err(|_| wrong("S3KMIP_PORT: write a port"))?,
        },
        Some(value) => {
            let port = value.as_u64().and_then(|port| u16::try_from(port).ok());
            port.ok_or_else(|| wrong(format_args!("{PATH}.port: write a port as a number")))?
        }
    };
    let authorities = match (section, tls.get("ca")) {
        // A section without it takes away what the environment says.
        (None, _) => {
            variables.get("S3KMIP_CA").into_iter().flat_map(|list| list.split(',')).collect()
        }
        (Some(_), None | Some(Value::Null)) => Vec::new(),
        (Some(_), Some(Value::Array(list))) => {
            let names: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            names.ok_or_else(|| wrong(format_args!("{PATH}.ca: write paths as text")))?
        }
        (Some(_), Some(_)) => own("ca")?.into_iter().collect(),
    };
    let hosts = match own("host")? {
        Some(host) => vec![host],
        None => {
            let hosts = variables.get("S3KMIP_HOSTS").or_else(|| variables.get("S3KMIP_HOST"));
            hosts.into_iter().flat_map(|hosts| hosts.split(',')).collect()
        }
    };
    let path = |name: Option<&str>| name.map(|name| directory.join(name));
    Ok(Transport {
        hosts: hosts.into_iter().map(|host| host.trim().to_owned()).collect(),
        port,
        key: path(key.or_else(|| variables.get("S3KMIP_KEY"))),
        certificate: path(certificate.or_else(|| variables.get("S3KMIP_CERT"))),
        authorities: authorities.into_iter().filter_map(|name| path(Some(name))).collect(),
    })
}

/// What may stand in the section `kmip` of the chart's values.
const VALUES: [&str; 6] =
    ["enabled", "port", "hosts", "compoundCreate", "bucketAttributeName", "pipelineDepth"];

/// values.yaml, with the files `kmip-*.pem` of the chart beside it.
fn chart(value: Value, directory: &Path) -> Result<Reading, Fault> {
    let kmip = match value.get("kmip").or_else(|| value.get("cloudserver")?.get("kmip")) {
        Some(Value::Object(kmip)) => kmip,
        _ => {
            return Err(wrong(
                "it has no section kmip, and is no config.json and no file of S3KMIP_… variables",
            ));
        }
    };
    if let Some(name) = kmip.keys().find(|name| !VALUES.contains(&name.as_str())) {
        return Err(wrong(format_args!("kmip.{name}: there is no such option")));
    }
    if kmip.get("enabled") != Some(&Value::Bool(true)) {
        return Err(wrong("kmip.enabled is not true: CloudServer does not use KMIP")
            .change("Set kmip.enabled to true."));
    }
    let hosts = match kmip.get("hosts") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => {
            let hosts = list.iter().map(|host| host.as_str().map(str::to_owned));
            let hosts: Option<Vec<String>> = hosts.collect();
            hosts.ok_or_else(|| wrong("kmip.hosts: write names as text"))?
        }
        Some(_) => return Err(wrong("kmip.hosts: write a list")),
    };
    let port = match kmip.get("port") {
        None | Some(Value::Null) => PORT,
        Some(port) => {
            let port = port.as_u64().and_then(|port| u16::try_from(port).ok());
            port.ok_or_else(|| wrong("kmip.port: write a port as a number"))?
        }
    };
    let compound = match kmip.get("compoundCreate") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(compound)) => *compound,
        Some(_) => return Err(wrong("kmip.compoundCreate: write true or false")),
    };
    let file = |name: &str| directory.join(name);
    Ok(Reading {
        names: &CHART_NAMES,
        transports: vec![Transport {
            hosts,
            port,
            key: Some(file("kmip-key.pem")),
            certificate: Some(file("kmip-cert.pem")),
            authorities: vec![file("kmip-ca.pem")],
        }],
        compound,
        bucket_attribute: text(kmip, "bucketAttributeName", "kmip")?.map(str::to_owned),
        advice: Vec::new(),
    })
}

fn wrong(problem: impl std::fmt::Display) -> Fault {
    Fault::new(Kind::Configuration, problem)
}

#[cfg(test)]
#[path = "zenko_tests.rs"]
mod tests;
