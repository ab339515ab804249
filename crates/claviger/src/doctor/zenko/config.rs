//! config.json of CloudServer, and its variables `S3KMIP_…`.

use std::collections::BTreeMap;
use std::path::Path;

use claviger_client::PORT;
use serde_json::{Map, Value};

use super::{Fault, Names, ONE_HOST, PASSWORD, Reading, Transport, VERSION, wrong};

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
pub(in crate::doctor) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process.
    pub(in crate::doctor) fn of_process() -> Self {
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
    pub(super) fn of_file(text: &str) -> Self {
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

/// The variables alone.
pub(super) fn variables(variables: &Variables, directory: &Path) -> Result<Reading, Fault> {
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
pub(super) fn config(
    value: Value,
    directory: &Path,
    process: &Variables,
) -> Result<Reading, Fault> {
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
pub(super) fn text<'a>(
    map: &'a Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<Option<&'a str>, Fault> {
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
