//! `claviger listener`: ports of a KMIP engine with certificate authorities of their own.
//!
//! The port of `claviger config` takes clients of the engine's own authority; a listener takes those
//! of the authorities that it names.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::api::ApiArguments;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::resource::{Noun, Place, body};

static LISTENER: Noun = Noun {
    command: "listener",
    name: "listener",
    none: "there is no listener but that of `claviger config`",
    place: Place::Engine("listener"),
};

/// What to do with listeners.
#[derive(Debug, Subcommand)]
pub(crate) enum ListenerCommand {
    /// List the listeners
    List,
    /// Show a listener
    Read {
        /// Its name
        name: String,
    },
    /// Open a listener: `listener create second --ca internal --listen 0.0.0.0:5697`
    Create {
        /// Its name
        name: String,
        #[command(flatten)]
        fields: ListenerFields,
    },
    /// Change a listener; what is not given stays
    Update {
        /// Its name
        name: String,
        #[command(flatten)]
        fields: ListenerFields,
    },
    /// Close a listener
    Delete {
        /// Its name
        name: String,
    },
}

/// What a listener is.
#[derive(Args, Debug, Serialize)]
pub(crate) struct ListenerFields {
    /// The generated authority that issues its certificate and vouches for clients
    #[arg(long, value_name = "CA")]
    ca: Option<String>,
    /// Where to listen
    #[arg(long, value_name = "HOST:PORT")]
    #[serde(rename = "address")]
    listen: Option<String>,
    /// Host names in its certificate; the first is the common name
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    server_hostnames: Option<Vec<String>>,
    /// IP addresses in its certificate
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    server_ips: Option<Vec<String>>,
    /// Further authorities that vouch for clients
    #[arg(long, value_name = "CA", value_delimiter = ',')]
    additional_client_cas: Option<Vec<String>>,
    /// Take clients of the engine's own authority too
    #[arg(long, value_name = "BOOL")]
    also_use_legacy_ca: Option<bool>,
    /// Oldest version of TLS
    #[arg(long, value_name = "VERSION", value_parser = ["tls12", "tls13"])]
    tls_min_version: Option<String>,
    /// Newest version of TLS
    #[arg(long, value_name = "VERSION", value_parser = ["tls12", "tls13"])]
    tls_max_version: Option<String>,
    /// Cipher suites of TLS 1.2 under Go's names, with commas; empty for all
    #[arg(long, value_name = "SUITES")]
    tls_cipher_suites: Option<String>,
}

/// Runs the command.
pub(crate) fn run(command: &ListenerCommand, api: &ApiArguments, format: Format) -> Outcome {
    let listeners = LISTENER.at(api, format)?;
    match command {
        ListenerCommand::List => listeners.list(),
        ListenerCommand::Read { name } => listeners.read(name),
        ListenerCommand::Create { name, fields } => {
            if fields.ca.is_none() || fields.listen.is_none() {
                return Err(Failure::usage("a listener needs a certificate authority and a port")
                    .next(
                        "Give --ca, as `claviger ca create` makes one, and --listen HOST:PORT.",
                    ));
            }
            listeners.create(name, "", &body(fields)?.into(), "created")
        }
        ListenerCommand::Update { name, fields } => {
            listeners.update(name, "", &body(fields)?.into())
        }
        ListenerCommand::Delete { name } => listeners.delete(name, "deleted"),
    }
}
