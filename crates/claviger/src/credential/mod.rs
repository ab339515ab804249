//! `claviger credential`: client certificates under a role.
//!
//! It must never print a private key unless that is what was asked for.

mod duration;
mod files;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::api::{Api, ApiArguments, escaped};
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use files::{Material, Product};

/// What to do with credentials.
#[derive(Debug, Subcommand)]
pub(crate) enum CredentialCommand {
    /// Make a key and a certificate for a client
    Generate(GenerateArguments),
    /// Make a certificate for a key that the client made
    Sign(SignArguments),
    /// List the credentials of a role, of a scope, or all
    List(ListArguments),
    /// Show a certificate
    Lookup {
        /// [SCOPE ROLE] SERIAL; without scope and role all are searched
        #[arg(num_args = 1..=3, required = true, value_name = "SERIAL")]
        credential: Vec<String>,
    },
    /// Revoke a certificate; open connections with it end too
    Revoke {
        /// [SCOPE ROLE] SERIAL; without scope and role all are searched
        #[arg(num_args = 1..=3, required = true, value_name = "SERIAL")]
        credential: Vec<String>,
    },
}

/// How certificates and keys are written.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum CertificateFormat {
    /// Each by itself, in PEM
    Pem,
    /// Key, certificate and chain in one PEM
    PemBundle,
    /// Each by itself, base64 of DER
    Der,
}

impl CertificateFormat {
    const fn name(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::PemBundle => "pem_bundle",
            Self::Der => "der",
        }
    }
}

/// What a certificate shows besides its scope and role.
#[derive(Args, Debug)]
pub(crate) struct NamesArguments {
    /// Host names that the certificate shows
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dns_san: Vec<String>,
    /// Addresses that the certificate shows
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    ip_san: Vec<std::net::IpAddr>,
}

impl NamesArguments {
    /// Says so in a request.
    fn add_to(&self, body: &mut Value) {
        let Some(fields) = body.as_object_mut() else { return };
        if !self.dns_san.is_empty() {
            fields.insert("dns_sans".to_owned(), json!(self.dns_san));
        }
        if !self.ip_san.is_empty() {
            fields.insert("ip_sans".to_owned(), json!(self.ip_san));
        }
    }
}

/// What to generate.
#[derive(Args, Debug)]
pub(crate) struct GenerateArguments {
    /// The scope
    scope: String,
    /// The role
    role: String,
    /// How to write it
    #[arg(long, value_enum, default_value = "pem_bundle")]
    format: CertificateFormat,
    /// Write the files as this product names them
    #[arg(long = "for", value_enum, value_name = "PRODUCT")]
    product: Option<Product>,
    /// Directory to write files into [default with --for: the current one]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// KMIP servers to name in those files [default: as the mount is configured]
    #[arg(long, value_name = "HOST[:PORT]", value_delimiter = ',')]
    server: Vec<claviger_client::Endpoint>,
    #[command(flatten)]
    names: NamesArguments,
}

/// What to sign.
#[derive(Args, Debug)]
pub(crate) struct SignArguments {
    /// The scope
    scope: String,
    /// The role
    role: String,
    /// The certificate signing request, PEM
    #[arg(long, value_name = "FILE")]
    csr: PathBuf,
    /// How to write the certificate
    #[arg(long, value_enum, default_value = "pem_bundle")]
    format: CertificateFormat,
    /// Directory to write cert.pem and ca.pem into
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    names: NamesArguments,
}

/// What to list.
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// The scope
    scope: Option<String>,
    /// The role
    role: Option<String>,
    /// Only those that expire within this time: 12h, 30d
    #[arg(long, value_name = "DURATION", value_parser = duration::seconds)]
    expiring: Option<i64>,
}

/// Where a credential is.
struct Place {
    scope: String,
    role: String,
}

impl Place {
    fn path(&self, api: &Api, action: &str) -> String {
        api.path(&["scope", &self.scope, "role", &self.role, "credential", action])
    }
}

/// Runs the command.
pub(crate) fn run(command: &CredentialCommand, api: &ApiArguments, format: Format) -> Outcome {
    let api = api.open()?;
    match command {
        CredentialCommand::Generate(arguments) => generate(&api, arguments, format),
        CredentialCommand::Sign(arguments) => sign(&api, arguments, format),
        CredentialCommand::List(arguments) => list(&api, arguments, format),
        CredentialCommand::Lookup { credential } => {
            let (_, data) = find(&api, credential)?;
            match format {
                Format::Json => output::json(&data),
                Format::Text => output::print(text(&data, "certificate")?),
            }
        }
        CredentialCommand::Revoke { credential } => {
            let (place, data) = find(&api, credential)?;
            let serial = text(&data, "serial_number")?;
            api.write(&place.path(&api, "revoke"), &json!({ "serial_number": serial }))?;
            output::done(format, serial, "revoked")
        }
    }
}

fn generate(api: &Api, arguments: &GenerateArguments, format: Format) -> Outcome {
    let place = Place { scope: arguments.scope.clone(), role: arguments.role.clone() };
    let wants_files = arguments.product.is_some() || arguments.out.is_some();
    if wants_files && arguments.format == CertificateFormat::Der {
        return Err(Failure::usage("files are written in PEM")
            .next("Leave --format out, or --out and --for."));
    }
    let wire = if wants_files { CertificateFormat::Pem } else { arguments.format };
    let servers = match arguments.product {
        Some(product) if product.names_servers() && arguments.server.is_empty() => {
            configured_servers(api)?
        }
        _ => arguments.server.clone(),
    };
    let mut body = json!({ "format": wire.name() });
    arguments.names.add_to(&mut body);
    let data = api.write(&place.path(api, "generate"), &body)?;
    if !wants_files {
        return show(&data, arguments.format, format);
    }
    let material = Material::from_data(&data)?;
    let directory = arguments.out.clone().unwrap_or_else(|| PathBuf::from("."));
    let written = files::write(&material, arguments.product, &directory, &servers)?;
    let serial = text(&data, "serial_number")?;
    report(format, serial, &written)
}

fn sign(api: &Api, arguments: &SignArguments, format: Format) -> Outcome {
    let place = Place { scope: arguments.scope.clone(), role: arguments.role.clone() };
    let csr = std::fs::read_to_string(&arguments.csr)
        .map_err(|error| Failure::file(&arguments.csr, &error))?;
    let wire = if arguments.out.is_some() { CertificateFormat::Pem } else { arguments.format };
    let mut body = json!({ "csr": csr, "format": wire.name() });
    arguments.names.add_to(&mut body);
    let data = api.write(&place.path(api, "sign"), &body)?;
    let Some(directory) = &arguments.out else { return show(&data, arguments.format, format) };
    let written = files::write_signed(&Material::from_data(&data)?, directory)?;
    report(format, text(&data, "serial_number")?, &written)
}

fn report(format: Format, serial: &str, written: &[PathBuf]) -> Outcome {
    match format {
        Format::Json => output::json(&json!({ "serial_number": serial, "files": written })),
        Format::Text => {
            output::line(format_args!("serial number {serial}"))?;
            written.iter().try_for_each(|path| output::line(path.display()))
        }
    }
}

/// Prints what the API answered; a bundle is one PEM text, ready to be redirected to a file.
fn show(data: &Value, certificate_format: CertificateFormat, format: Format) -> Outcome {
    if format == Format::Json {
        return output::json(data);
    }
    let mut parts = Vec::new();
    if certificate_format != CertificateFormat::PemBundle
        && let Some(key) = data.get("private_key").and_then(Value::as_str)
    {
        parts.push(key);
    }
    parts.push(text(data, "certificate")?);
    if certificate_format != CertificateFormat::PemBundle {
        let chain = data.get("ca_chain").and_then(Value::as_array);
        parts.extend(chain.into_iter().flatten().filter_map(Value::as_str));
    }
    parts.iter().try_for_each(|part| output::line(part.trim_end()))
}

/// One request, whatever there is to list: the server knows where each is, and until when.
fn list(api: &Api, arguments: &ListArguments, format: Format) -> Outcome {
    let mut path = match (&arguments.scope, &arguments.role) {
        (None, _) => api.path(&["credential"]),
        (Some(scope), None) => api.path(&["scope", scope, "credential"]),
        (Some(scope), Some(role)) => api.path(&["scope", scope, "role", role, "credential"]),
    };
    path.push_str("?list=true");
    if let Some(seconds) = arguments.expiring {
        path.push_str(&format!("&expiring={seconds}"));
    }
    let data = api.read(&path)?.unwrap_or_default();
    let of = |serial: &str, name: &str| {
        let info = data.get("key_info").and_then(|info| info.get(serial)?.get(name)?.as_str());
        info.unwrap_or_default().to_owned()
    };
    let serials = data.get("keys").and_then(Value::as_array);
    let serials = serials.into_iter().flatten().filter_map(Value::as_str);
    let mut listed: Vec<[String; 4]> = serials
        .map(|it| [of(it, "scope"), of(it, "role"), it.to_owned(), of(it, "not_after")])
        .collect();
    listed.sort();
    match format {
        Format::Json => {
            let rows = listed.iter().map(|[scope, role, serial, not_after]| {
                json!({
                    "scope": scope,
                    "role": role,
                    "serial_number": serial,
                    "not_after": not_after,
                })
            });
            output::json(&rows.collect::<Vec<_>>())
        }
        Format::Text => output::table(
            &["SCOPE", "ROLE", "SERIAL", "EXPIRES"],
            listed.into_iter().map(Vec::from),
        ),
    }
}

/// The roles that a scope and role, where given, leave.
fn places(api: &Api, scope: Option<&str>, role: Option<&str>) -> Outcome<Vec<Place>> {
    let scopes = match scope {
        Some(scope) => vec![scope.to_owned()],
        None => api.list(&api.path(&["scope"]))?,
    };
    let mut places = Vec::new();
    for scope in scopes {
        let roles = match role {
            Some(role) => vec![role.to_owned()],
            None => api.list(&api.path(&["scope", &scope, "role"]))?,
        };
        places.extend(roles.into_iter().map(|role| Place { scope: scope.clone(), role }));
    }
    Ok(places)
}

fn lookup(api: &Api, place: &Place, serial: &str) -> Outcome<Option<Value>> {
    api.read(&format!("{}?serial_number={}", place.path(api, "lookup"), escaped(serial)))
}

/// Finds a credential by its serial number, with or without its scope and role.
fn find(api: &Api, words: &[String]) -> Outcome<(Place, Value)> {
    let (places, serial) = match words {
        [serial] => (places(api, None, None)?, serial),
        [scope, role, serial] => (vec![Place { scope: scope.clone(), role: role.clone() }], serial),
        _ => return Err(Failure::usage("give SERIAL, or SCOPE ROLE SERIAL")),
    };
    for place in places {
        if let Some(data) = lookup(api, &place, serial)? {
            return Ok((place, data));
        }
    }
    Err(Failure::new(format_args!("there is no credential with the serial number {serial}"))
        .next("See `claviger credential list`."))
}

/// Where clients reach the mount: its first host name, on the port of each listener.
fn configured_servers(api: &Api) -> Outcome<Vec<claviger_client::Endpoint>> {
    let unknown = || {
        Failure::new("the mount does not say where its KMIP port is")
            .next("Give --server HOST:PORT.")
    };
    let config = api.read(&api.path(&["config"]))?.ok_or_else(unknown)?;
    let strings = |name: &str| {
        let values = config.get(name).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
    };
    let host = strings("server_hostnames").next().unwrap_or_else(|| String::from("localhost"));
    let servers: Result<Vec<_>, _> = strings("listen_addrs")
        .map(|address| {
            let mut endpoint: claviger_client::Endpoint = address.parse()?;
            endpoint.host.clone_from(&host);
            Ok::<_, claviger_client::Error>(endpoint)
        })
        .collect();
    let mut servers = servers?;
    servers.dedup();
    // Port 0 is any free port: the configuration does not tell which it became.
    servers.retain(|server| server.port != 0);
    if servers.is_empty() { Err(unknown()) } else { Ok(servers) }
}

fn text<'a>(data: &'a Value, name: &str) -> Outcome<&'a str> {
    data.get(name).and_then(Value::as_str).ok_or_else(|| {
        Failure::new(format_args!("the server's answer has no `{name}`"))
            .next("Is this address really that of the API?")
    })
}
