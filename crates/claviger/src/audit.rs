//! `claviger audit`: what can be said of an audit file without a server.
//!
//! It must never show what the file's entries say.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use claviger_server::audit;
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// What to do with an audit file.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that no entry of the file was changed, taken out or moved
    Verify {
        /// The file
        file: PathBuf,
    },
}

/// Runs the command.
pub(crate) fn run(command: &AuditCommand, format: Format) -> Outcome {
    match command {
        AuditCommand::Verify { file } => verify(file, format),
    }
}

/// Prints how many entries there are and the last one's hash: kept elsewhere, it shows later that
/// nothing was cut off at the end.
fn verify(file: &Path, format: Format) -> Outcome {
    let found = audit::verify(file)
        .map_err(|error| Failure::new(format_args!("{}: {error}", file.display())))?;
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
