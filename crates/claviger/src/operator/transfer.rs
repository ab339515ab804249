//! `claviger operator export` and `import`: what a store holds, between stores under different seals.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use claviger_server::backup::{self, BackupError, Source};
use serde_json::json;
use zeroize::Zeroizing;

use super::backup::unsound;
use super::seal::SealArguments;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// What to export.
#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    /// The file to write; it must not be there
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// From this backup, of a server that may be running
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "data_dir",
        required_unless_present = "data_dir"
    )]
    backup: Option<PathBuf>,
    /// From the data directory of a server that does not run
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A file whose first line is the passphrase of the export: 12 bytes at least
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
    #[command(flatten)]
    seal: SealArguments,
}

/// What to import.
#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// The export
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data directory of a server that is initialised and does not run
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// A file whose first line is the passphrase of the export
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
    #[command(flatten)]
    seal: SealArguments,
}

/// Exports.
pub(super) fn export(arguments: &ExportArguments, format: Format) -> Outcome {
    let path = &arguments.file;
    let opener = arguments.seal.required()?;
    let passphrase = passphrase(&arguments.passphrase_file)?;
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| Failure::file(path, &error))?;
    let mut out = BufWriter::new(file);
    let done = match (&arguments.backup, &arguments.data_dir) {
        (Some(from), _) => {
            let mut file = File::open(from).map_err(|error| Failure::file(from, &error))?;
            let source = Source::Backup(&mut file);
            backup::export(source, &opener, &passphrase, &mut out).map_err(|it| unsound(it, from))
        }
        (None, directory) => {
            let directory = directory.clone().unwrap_or_default();
            let engine = claviger_server::open_store(&directory).map_err(Failure::new)?;
            let done = backup::export(Source::Store(engine), &opener, &passphrase, &mut out);
            done.map_err(|error| unsound(error, &directory))
        }
    };
    let synced = done.and_then(|records| {
        let unusable = |error| Failure::file(path, &error);
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(unusable)?;
        Ok(records)
    });
    // What is not whole looks like an export no longer.
    let records = synced.inspect_err(|_| drop(fs::remove_file(path)))?;
    match format {
        Format::Json => output::json(&json!({ "file": path, "records": records })),
        Format::Text => output::line(format_args!("{}: {records} records", path.display())),
    }
}

/// Imports.
pub(super) fn import(arguments: &ImportArguments, format: Format) -> Outcome {
    let path = &arguments.file;
    let opener = arguments.seal.required()?;
    let passphrase = passphrase(&arguments.passphrase_file)?;
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    let imported = backup::import(file, &passphrase, &opener, &arguments.data_dir);
    let records = imported.map_err(|error| match error {
        BackupError::Conflict(_) => Failure::new(error).next(
            "Nothing was imported. Import into another server, or remove from this one what has the \
             same name.",
        ),
        other => unsound(other, path),
    })?;
    match format {
        Format::Json => {
            output::json(&json!({ "data_dir": arguments.data_dir, "records": records }))
        }
        Format::Text => output::line(format_args!(
            "{}: {records} records imported",
            arguments.data_dir.display()
        )),
    }
}

fn passphrase(path: &Path) -> Outcome<Zeroizing<Vec<u8>>> {
    let text = fs::read(path).map(Zeroizing::new).map_err(|error| Failure::file(path, &error))?;
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Zeroizing::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
}
