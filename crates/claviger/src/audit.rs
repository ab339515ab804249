//! `claviger audit`: a server's audit devices, and what can be said of audit files without a server.
//!
//! It must never show what the files' entries say.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use claviger_server::audit::Verification;
use serde_json::{Map, Value, json};

use crate::api::{Api, ApiArguments, escaped};
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use crate::scope::done;

/// What to do with audit devices and files.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Enable a device: `audit create file file_path=/var/log/claviger.log`
    #[command(visible_alias = "enable")]
    Create {
        /// The type of device
        #[arg(value_enum)]
        kind: Kind,
        /// Options, such as file_path=PATH, address=HOST:PORT, facility=AUTH, prefix=TEXT
        #[arg(value_name = "OPTION=VALUE")]
        options: Vec<String>,
        /// Its name [default: its type]
        #[arg(long, value_name = "NAME")]
        path: Option<String>,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Show a device
    Read {
        /// Its name
        name: String,
    },
    /// List the devices
    List,
    /// Disable a device
    #[command(visible_alias = "disable")]
    Delete {
        /// Its name
        name: String,
    },
    /// Say how a string appears on a device, to look for it there
    Hash {
        /// The device's name
        name: String,
        /// The string; `-` reads it from stdin
        input: String,
    },
    /// Check that no entry of a file was changed, taken out or moved
    Verify {
        /// The files of one device, the oldest first
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// The types of devices.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// A file; file_path=stdout is the server's standard output
    File,
    /// The local syslog, or another one
    Syslog,
    /// A TCP, UDP or Unix socket
    Socket,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Syslog => "syslog",
            Self::Socket => "socket",
        }
    }
}

/// Runs the command.
pub(crate) fn run(command: &AuditCommand, api: &ApiArguments, format: Format) -> Outcome {
    match command {
        AuditCommand::Create { kind, options, path, description } => {
            let options = options_of(options)?;
            let name = path.as_deref().unwrap_or(kind.name());
            let body =
                json!({ "type": kind.name(), "description": description, "options": options });
            api.open()?.write(&device_path("audit", name), &body)?;
            done(format, name, "enabled")
        }
        AuditCommand::Read { name } => read(&api.open()?, name, format),
        AuditCommand::List => list(&api.open()?, format),
        AuditCommand::Delete { name } => {
            let api = api.open()?;
            // The server's answer is the same whether there was one.
            device(&api, name)?;
            api.delete(&device_path("audit", name))?;
            done(format, name, "disabled")
        }
        AuditCommand::Hash { name, input } => {
            let input = if input == "-" {
                let text = std::io::read_to_string(std::io::stdin()).map_err(Failure::new)?;
                text.strip_suffix('\n').map_or(text.clone(), str::to_owned)
            } else {
                input.clone()
            };
            let path = device_path("audit-hash", name);
            let hash = api.open()?.write(&path, &json!({ "input": input }))?;
            match format {
                Format::Json => output::json(&hash),
                Format::Text => output::line(text_of(&hash, "hash")),
            }
        }
        AuditCommand::Verify { files } => verify(files, format),
    }
}

fn options_of(pairs: &[String]) -> Outcome<Map<String, Value>> {
    let split = |pair: &String| {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Failure::usage(format_args!("`{pair}`: an option is written NAME=VALUE"))
        })?;
        Ok((name.to_owned(), value.into()))
    };
    pairs.iter().map(split).collect()
}

/// A device's name may have slashes.
fn device_path(below: &str, name: &str) -> String {
    let segments: Vec<String> = name.trim_matches('/').split('/').map(escaped).collect();
    format!("sys/{below}/{}", segments.join("/"))
}

fn devices(api: &Api) -> Outcome<Map<String, Value>> {
    match api.read("sys/audit")? {
        Some(Value::Object(devices)) => Ok(devices),
        _ => Ok(Map::new()),
    }
}

fn device(api: &Api, name: &str) -> Outcome<Value> {
    let devices = devices(api)?;
    let found = devices.get(&format!("{}/", name.trim_matches('/')));
    found.cloned().ok_or_else(|| {
        Failure::new(format_args!("there is no audit device `{name}`"))
            .next("See `claviger audit list`.")
    })
}

fn read(api: &Api, name: &str, format: Format) -> Outcome {
    let device = device(api, name)?;
    if format == Format::Json {
        return output::json(&device);
    }
    let mut rows = Vec::new();
    for (title, field) in [
        ("Name", "path"),
        ("Type", "type"),
        ("Description", "description"),
        ("Failures", "failures"),
    ] {
        rows.push(vec![title.to_owned(), text_of(&device, field)]);
    }
    let options = device.get("options").and_then(Value::as_object).into_iter().flatten();
    rows.extend(options.map(|(name, value)| vec![name.clone(), text(value)]));
    output::table(&[], rows)
}

fn list(api: &Api, format: Format) -> Outcome {
    let devices = devices(api)?;
    if format == Format::Json {
        return output::json(&devices);
    }
    if devices.is_empty() {
        output::note("no audit device is enabled: nobody records who does what");
        return Ok(());
    }
    let row = |(name, device): (&String, &Value)| {
        let fields = ["type", "failures", "description"].map(|field| text_of(device, field));
        [vec![name.clone()], fields.to_vec()].concat()
    };
    output::table(&["Name", "Type", "Failures", "Description"], devices.iter().map(row))
}

fn text_of(value: &Value, field: &str) -> String {
    value.get(field).map(text).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Prints how many entries there are and the last one's hash: kept elsewhere, it shows later that
/// nothing was cut off at the end.
fn verify(files: &[PathBuf], format: Format) -> Outcome {
    let mut verification = Verification::default();
    for file in files {
        verification
            .file(file)
            .map_err(|error| Failure::new(format_args!("{}: {error}", file.display())))?;
    }
    let found = verification.summary();
    let hash = found.hash.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    });
    match format {
        Format::Json => output::json(&json!({
            "entries": found.lines, "first": found.first, "last": found.last, "hash": hash,
        })),
        Format::Text => output::table(
            &[],
            [
                vec![String::from("Entries"), found.lines.to_string()],
                vec![String::from("First"), found.first.to_string()],
                vec![String::from("Last"), found.last.to_string()],
                vec![String::from("Hash of the last"), hash],
            ],
        ),
    }
}
