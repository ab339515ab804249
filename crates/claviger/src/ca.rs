//! `claviger ca`: the certificate authorities of a KMIP engine: its own and named ones, those that it
//! generates and those of others, whose clients it takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::{Api, ApiArguments};
use crate::failure::{Failure, Outcome};
use crate::input::text;
use crate::output::{self, Format};
use crate::resource::{Noun, Place, body, check_name};

static AUTHORITY: Noun = Noun {
    command: "ca",
    name: "certificate authority",
    none: "there is no certificate authority but the engine's own",
    place: Place::Engine("ca"),
};

/// What to do with certificate authorities.
#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// List the named authorities
    List,
    /// Show a named authority, or print the certificates of the engine's own
    Read {
        /// Its name
        name: Option<String>,
        /// Print its certificates only, in PEM
        #[arg(long)]
        pem: bool,
    },
    /// Generate an authority, which a listener or a role can use
    Create {
        /// Its name
        name: String,
        #[command(flatten)]
        key: KeyFields,
    },
    /// Take the clients of an authority that is there already, as those of a scope and role
    Import {
        /// Its name
        name: String,
        /// Its certificates; `-` reads them from stdin
        #[arg(long, value_name = "FILE")]
        pem: PathBuf,
        #[command(flatten)]
        mapping: MappingFields,
    },
    /// Change the scope and role of an imported authority's clients
    Update {
        /// Its name
        name: String,
        #[command(flatten)]
        mapping: MappingFields,
    },
    /// Delete an authority that no listener and no role uses
    Delete {
        /// Its name
        name: String,
    },
    /// Print the list of revoked certificates, in PEM: of a generated authority, or the engine's own
    Crl {
        /// Its name
        name: Option<String>,
    },
    /// Deny a certificate of an imported authority; open connections with it end too
    Revoke {
        /// The authority's name
        name: String,
        /// The certificate's serial number, in decimal
        #[arg(long, value_name = "SERIAL", required_unless_present = "certificate")]
        serial: Option<String>,
        /// The certificate
        #[arg(long, value_name = "FILE", conflicts_with = "serial")]
        certificate: Option<PathBuf>,
    },
}

/// The key of a generated authority.
#[derive(Args, Debug, Serialize)]
pub(crate) struct KeyFields {
    /// Kind of key
    #[arg(long, value_name = "KIND", value_parser = ["ec", "rsa"], default_value = "ec")]
    key_type: String,
    /// Its length: ec 256, 384, 521; rsa 2048, 3072, 4096 [default: ec 256, rsa 3072]
    #[arg(long, value_name = "BITS")]
    key_bits: Option<u32>,
    /// Life of the authority [default: 365d]
    #[arg(long, value_name = "DURATION")]
    ttl: Option<String>,
}

/// Where the clients of an imported authority belong.
#[derive(Args, Debug, Serialize)]
pub(crate) struct MappingFields {
    /// The scope of all
    #[arg(long, value_name = "SCOPE")]
    scope_name: Option<String>,
    /// The field of a certificate's subject that has the scope
    #[arg(long, value_name = "FIELD", conflicts_with = "scope_name",
          value_parser = ["CN", "O", "OU", "UID"])]
    scope_field: Option<String>,
    /// The role of all
    #[arg(long, value_name = "ROLE")]
    role_name: Option<String>,
    /// The field of a certificate's subject that has the role
    #[arg(long, value_name = "FIELD", conflicts_with = "role_name",
          value_parser = ["CN", "O", "OU", "UID"])]
    role_field: Option<String>,
}

/// Runs the command.
pub(crate) fn run(command: &CaCommand, api: &ApiArguments, format: Format) -> Outcome {
    let authorities = AUTHORITY.at(api, format)?;
    match command {
        CaCommand::List => authorities.list(),
        CaCommand::Read { name: None, .. } => {
            let api = &authorities.api;
            let own = api.read(&api.path(&["ca"]))?.unwrap_or_default();
            show(&own, true, format)
        }
        CaCommand::Read { name: Some(name), pem } => show(&authorities.find(name)?, *pem, format),
        CaCommand::Create { name, key } => {
            let mut fields = body(key)?;
            let bits = if key.key_type == "rsa" { 3072 } else { 256 };
            fields.entry("key_bits").or_insert(bits.into());
            authorities.create(name, "/generate", &fields.into(), "created")
        }
        CaCommand::Import { name, pem, mapping } => {
            let mut fields = body(mapping)?;
            fields.insert(String::from("ca_pem"), text(pem)?.into());
            authorities.create(name, "/import", &fields.into(), "imported")
        }
        CaCommand::Update { name, mapping } => authorities.update(name, "", &body(mapping)?.into()),
        CaCommand::Delete { name } => authorities.delete(name, "deleted"),
        CaCommand::Crl { name } => crl(&authorities.api, name.as_deref(), format),
        CaCommand::Revoke { name, serial, certificate } => {
            let (body, what) = match (serial, certificate) {
                (Some(serial), _) => (json!({ "serial_number": serial }), serial.clone()),
                (None, file) => {
                    let file = file.clone().unwrap_or_default();
                    (json!({ "certificate": text(&file)? }), file.display().to_string())
                }
            };
            authorities.find(name)?;
            authorities.api.write(&format!("{}/revoke", authorities.path(name)?), &body)?;
            output::done(format, &what, "revoked")
        }
    }
}

/// Prints what is known of an authority, or only its certificates.
fn show(authority: &Value, only_pem: bool, format: Format) -> Outcome {
    if format == Format::Json {
        return output::json(authority);
    }
    if only_pem {
        return output::line(output::text(authority.get("ca_pem")).trim_end());
    }
    let mut known = authority.clone();
    if let Some(fields) = known.as_object_mut() {
        fields.retain(|_, value| !output::text(Some(value)).contains("-----BEGIN"));
    }
    output::fields(format, &known)
}

fn crl(api: &Api, name: Option<&str>, format: Format) -> Outcome {
    let path = match name {
        Some(name) => {
            check_name(name)?;
            api.path(&["ca", name, "crl", "pem"])
        }
        None => api.path(&["crl", "pem"]),
    };
    let mut list = Vec::new();
    api.download(&path, &mut list)?;
    let list = String::from_utf8(list).map_err(|_| Failure::new("the answer is no PEM"))?;
    match format {
        Format::Json => output::json(&json!({ "crl": list })),
        Format::Text => output::print(&list),
    }
}
