//! The values of CloudServer's chart, with its files `kmip-*.pem`.

use std::path::Path;

use claviger_client::PORT;
use serde_json::Value;

use super::config::text;
use super::{Fault, Names, PASSWORD, Reading, Transport, VERSION, wrong};

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

/// What may stand in the section `kmip` of the chart's values.
const VALUES: [&str; 6] =
    ["enabled", "port", "hosts", "compoundCreate", "bucketAttributeName", "pipelineDepth"];

/// values.yaml, with the files `kmip-*.pem` of the chart beside it.
pub(super) fn chart(value: Value, directory: &Path) -> Result<Reading, Fault> {
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
