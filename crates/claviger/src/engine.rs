//! `claviger config`: how a KMIP engine listens, and how it certifies servers and clients.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::api::ApiArguments;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use crate::resource::body;

/// What to do with an engine's configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum EngineCommand {
    /// Show the configuration
    Read,
    /// Change the configuration; what is not given stays
    ///
    /// The first time, it makes the engine's certificate authorities, and what is not given is the
    /// default.
    #[command(visible_alias = "create")]
    Update(EngineFields),
}

/// What can be said of an engine.
#[derive(Args, Debug, Serialize)]
pub(crate) struct EngineFields {
    /// Addresses to listen on; the port is 5696 unless given. Empty: none
    #[arg(long, value_name = "HOST[:PORT]", value_delimiter = ',')]
    listen_addrs: Option<Vec<String>>,
    /// Host names in the server's certificate; the first is the common name
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    server_hostnames: Option<Vec<String>>,
    /// IP addresses in the server's certificate
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    server_ips: Option<Vec<String>>,
    /// Kind of key of the certificate authorities
    #[arg(long, value_name = "KIND", value_parser = ["ec", "rsa"])]
    tls_ca_key_type: Option<String>,
    /// Its length: ec 256, 384, 521; rsa 2048, 3072, 4096
    #[arg(long, value_name = "BITS")]
    tls_ca_key_bits: Option<u32>,
    /// Oldest version of TLS
    #[arg(long, value_name = "VERSION", value_parser = ["tls12", "tls13"])]
    tls_min_version: Option<String>,
    /// Kind of key of client certificates, where the role says nothing
    #[arg(long, value_name = "KIND", value_parser = ["ec", "rsa"])]
    default_tls_client_key_type: Option<String>,
    /// Its length
    #[arg(long, value_name = "BITS")]
    default_tls_client_key_bits: Option<u32>,
    /// Life of client certificates, where the role says nothing: 24h, 14d
    #[arg(long, value_name = "DURATION")]
    default_tls_client_ttl: Option<String>,
}

/// Runs the command.
pub(crate) fn run(command: &EngineCommand, api: &ApiArguments, format: Format) -> Outcome {
    let api = api.open()?;
    let path = api.path(&["config"]);
    match command {
        EngineCommand::Read => {
            let config = api.read(&path)?.ok_or_else(|| {
                Failure::new("the engine is not configured yet")
                    .next("Do so with `claviger config update`.")
            })?;
            output::fields(format, &config)
        }
        EngineCommand::Update(fields) => {
            api.write(&path, &body(fields)?.into())?;
            output::done(format, &path, "updated")
        }
    }
}
