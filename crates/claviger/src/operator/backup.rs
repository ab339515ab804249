//! `claviger operator backup`, `verify` and `restore`: taking a backup of a running server, and what is
//! done with one where no server runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use claviger_server::audit::timestamp;
use claviger_server::backup::{self, BackupError};
use claviger_server::seal::{KeyFile, Opener, SealKind};
use serde_json::json;

use super::seal::{SealArguments, refused};
use crate::api::Api;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// The key file's name in a data directory.
const KEY_FILE: &str = "seal.key";

/// A backup to take.
#[derive(Args, Debug)]
pub(crate) struct BackupArguments {
    /// The file to write; it must not be there
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// A backup to check.
#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    seal: SealArguments,
}

/// A backup to restore.
#[derive(Args, Debug)]
pub(crate) struct RestoreArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data directory to restore into: it is made, or empty but for a key file
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    seal: SealArguments,
}

/// Takes a backup: whole, synced and under its name, or not at all.
pub(super) fn take(arguments: &BackupArguments, api: &Api, format: Format) -> Outcome {
    let path = &arguments.file;
    if path.symlink_metadata().is_ok() {
        return Err(Failure::new(format_args!("{}: it is there already", path.display()))
            .next("A backup is never written over another file: choose another name."));
    }
    let mut draft = path.clone().into_os_string();
    draft.push(".partial");
    let draft = PathBuf::from(draft);
    let taken = download(api, &draft).and_then(|verified| {
        claviger_server::seal::fault::backup_is_written();
        publish(&draft, path).map_err(|error| Failure::file(path, &error))?;
        Ok(verified)
    });
    let verified = taken.inspect_err(|_| drop(fs::remove_file(&draft)))?;
    let bytes = path.metadata().map_err(|error| Failure::file(path, &error))?.len();
    match format {
        Format::Json => output::json(&json!({
            "file": path, "records": verified.records, "bytes": bytes,
            "revision": verified.revision, "created": timestamp(verified.created),
        })),
        Format::Text => {
            output::line(format_args!(
                "{}: {} records, {bytes} bytes, of {}",
                path.display(),
                verified.records,
                timestamp(verified.created)
            ))?;
            output::note(
                "It opens with what keeps the server's root key now: keep that too, elsewhere.",
            );
            Ok(())
        }
    }
}

fn download(api: &Api, draft: &Path) -> Outcome<backup::Verified> {
    let unusable = |error: io::Error| Failure::file(draft, &error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(0o600);
    let file = options.open(draft).map_err(unusable)?;
    let mut out = BufWriter::new(file);
    api.download("sys/storage/snapshot", &mut out)?;
    out.flush().map_err(unusable)?;
    let mut file = out.into_inner().map_err(|error| unusable(error.into_error()))?;
    file.sync_all().map_err(unusable)?;
    backup::verify(&mut file, None).map_err(|error| unsound(error, draft))
}

/// Names the file without ever replacing another.
fn publish(draft: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(draft, path)?;
    fs::remove_file(draft)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Checks a backup.
pub(super) fn verify(arguments: &VerifyArguments, format: Format) -> Outcome {
    let path = &arguments.file;
    let opener = arguments.seal.opener()?;
    let mut file = open(path)?;
    let found = backup::verify(&mut file, opener.as_ref());
    let found = found.map_err(|error| unsound(error, path))?;
    let kind = found.seal.as_ref().map_or(SealKind::KeyFile, |seal| seal.kind);
    match format {
        Format::Json => output::json(&json!({
            "records": found.records, "revision": found.revision,
            "created": timestamp(found.created), "kept_by": kind, "opened": found.opened,
        })),
        Format::Text => {
            output::line(format_args!(
                "whole: {} records of {}, its root key kept by {kind}",
                found.records,
                timestamp(found.created)
            ))?;
            if found.opened {
                return output::line("every record opens");
            }
            output::note(
                "Give --key-file, --shares, --kmip-config or --pkcs11-module to see that it opens, too.",
            );
            Ok(())
        }
    }
}

/// Restores a backup.
pub(super) fn restore(arguments: &RestoreArguments, format: Format) -> Outcome {
    let (path, directory) = (&arguments.file, &arguments.data_dir);
    let opener = arguments.seal.required()?;
    let mut file = open(path)?;
    let key_file = bring_key_file(arguments, &opener, &mut file)?;
    let restored = backup::restore(&mut file, &opener, directory, KEY_FILE).inspect_err(|_| {
        // What it was brought for has not come.
        let _ = key_file.as_ref().map(KeyFile::remove);
    });
    let restored = restored.map_err(|error| unsound(error, path))?;
    let created = timestamp(restored.created);
    match format {
        Format::Json => output::json(&json!({
            "data_dir": directory, "records": restored.records, "created": created,
        })),
        Format::Text => output::line(format_args!(
            "{}: {} records of {created}",
            directory.display(),
            restored.records
        )),
    }
}

/// Copies the key file to where a server looks for it, before the database is there: a server that
/// finds one has the other.
fn bring_key_file(
    arguments: &RestoreArguments,
    opener: &Opener,
    file: &mut File,
) -> Outcome<Option<KeyFile>> {
    let place = KeyFile::new(arguments.data_dir.join(KEY_FILE));
    let Some(key_file) = arguments.seal.key_file().filter(|_| !place.exists()) else {
        return Ok(None);
    };
    // A key of another store is not brought.
    backup::verify(file, Some(opener)).map_err(|error| unsound(error, &arguments.file))?;
    claviger_server::make_directory(&arguments.data_dir).map_err(Failure::new)?;
    KeyFile::new(key_file).copy_to(&place).map_err(refused)?;
    Ok(Some(place))
}

fn open(path: &Path) -> Outcome<File> {
    File::open(path).map_err(|error| Failure::file(path, &error))
}

pub(super) fn unsound(error: BackupError, path: &Path) -> Failure {
    match error {
        BackupError::Seal(error) => refused(error).at(path.display()),
        BackupError::NotEmpty { .. } => Failure::new(error)
            .next("Name a directory that is not there yet, or empty this one yourself."),
        BackupError::Open(_) | BackupError::Commit(_) | BackupError::Read(_) => Failure::new(error),
        other => Failure::new(format_args!("{}: {other}", path.display()))
            .next("Nothing was changed. Is it the right file? Else use another one."),
    }
}
