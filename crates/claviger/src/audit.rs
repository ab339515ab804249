//! `claviger audit`: a server's audit devices, and what can be said of audit files without a server.
//!
//! It must never show what the files' entries say.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use claviger_server::audit::Verification;
use serde_json::{Map, Value, json};

use crate::api::{ApiArguments, slashed};
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use crate::pairs;
use crate::resource::{Noun, Place};

static DEVICE: Noun = Noun {
    command: "audit",
    name: "audit device",
    none: "no audit device is enabled: nobody records who does what",
    place: Place::Document(
        "sys/audit",
        &[("Type", "type"), ("Failures", "failures"), ("Description", "description")],
    ),
};

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
    let devices = || DEVICE.at(api, format);
    match command {
        AuditCommand::Create { kind, options, path, description } => {
            let options = pairs::split(options)?;
            let options: Map<String, Value> =
                options.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            let name = path.as_deref().unwrap_or(kind.name());
            let body =
                json!({ "type": kind.name(), "description": description, "options": options });
            devices()?.write(name, "", &body, "enabled")
        }
        AuditCommand::Read { name } => devices()?.read(name),
        AuditCommand::List => devices()?.list(),
        AuditCommand::Delete { name } => devices()?.delete(name, "disabled"),
        AuditCommand::Hash { name, input } => {
            let input = if input == "-" {
                let text = std::io::read_to_string(std::io::stdin()).map_err(Failure::new)?;
                text.strip_suffix('\n').map_or(text.clone(), str::to_owned)
            } else {
                input.clone()
            };
            let path = format!("sys/audit-hash/{}", slashed(name));
            let hash = devices()?.api.write(&path, &json!({ "input": input }))?;
            match format {
                Format::Json => output::json(&hash),
                Format::Text => output::line(output::text(hash.get("hash"))),
            }
        }
        AuditCommand::Verify { files } => verify(files, format),
    }
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
