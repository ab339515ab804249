//! `claviger mount`: KMIP engines and where the API has them.
//!
//! Auth methods are mounted likewise: `claviger auth` shares what is here.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::{Api, ApiArguments, slashed};
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use crate::resource::{Noun, Place, Things, body};

static MOUNT: Noun = Noun {
    command: "mount",
    name: "mount",
    none: "nothing is mounted",
    place: Place::Document(
        "sys/mounts",
        &[("Type", "type"), ("Accessor", "accessor"), ("Description", "description")],
    ),
};

/// How long a move is followed, and how often it is asked for.
const MOVE_TIMEOUT: Duration = Duration::from_secs(600);
const MOVE_INTERVAL: Duration = Duration::from_millis(200);

/// What to do with mounts.
#[derive(Debug, Subcommand)]
pub(crate) enum MountCommand {
    /// Mount an engine: `mount create other` has it at other/
    #[command(visible_alias = "enable")]
    Create {
        /// Where
        path: String,
        /// The type of engine
        #[arg(long = "type", value_name = "TYPE", default_value = "kmip")]
        kind: String,
        #[command(flatten)]
        tune: TuneFields,
    },
    /// List the mounts
    List,
    /// Show what is set about a mount
    Read {
        /// Where it is
        path: String,
    },
    /// Change what is set about a mount
    #[command(visible_alias = "tune")]
    Update {
        /// Where it is
        path: String,
        #[command(flatten)]
        tune: TuneFields,
    },
    /// Move a mount, with everything in it; waits until it is done
    Move {
        /// Where it is
        from: String,
        /// Where it is to be
        to: String,
    },
    /// Unmount an engine
    #[command(visible_alias = "disable")]
    Delete {
        /// Where it is
        path: String,
        /// Delete its scopes, their credentials and their managed objects too
        #[arg(long)]
        force: bool,
    },
}

/// What can be set about a mount.
#[derive(Args, Debug, Serialize)]
pub(crate) struct TuneFields {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Life of what it gives out, unless something else is said: 24h
    #[arg(long, value_name = "DURATION")]
    default_lease_ttl: Option<String>,
    /// Longest life of what it gives out
    #[arg(long, value_name = "DURATION")]
    max_lease_ttl: Option<String>,
    /// Fields of requests that the audit holds in clear
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    audit_non_hmac_request_keys: Option<Vec<String>>,
    /// Fields of answers that the audit holds in clear
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    audit_non_hmac_response_keys: Option<Vec<String>>,
}

/// Runs the command.
pub(crate) fn run(command: &MountCommand, api: &ApiArguments, format: Format) -> Outcome {
    let mounts = MOUNT.at(api, format)?;
    match command {
        MountCommand::Create { path, kind, tune } => enable(&mounts, path, kind, tune),
        MountCommand::List => mounts.list(),
        MountCommand::Read { path } => read(&mounts, path),
        MountCommand::Update { path, tune } => mounts.update(path, "/tune", &body(tune)?.into()),
        MountCommand::Move { from, to } => {
            move_mount(&mounts.api, from, to)?;
            output::done(format, to, "moved")
        }
        MountCommand::Delete { path, force } => {
            mounts.find(path)?;
            if !force {
                refuse_scopes(&mounts.api, path)?;
            }
            mounts.delete(path, "deleted")
        }
    }
}

/// Mounts something.
pub(crate) fn enable(mounts: &Things, path: &str, kind: &str, tune: &TuneFields) -> Outcome {
    let mut config = body(tune)?;
    let description = config.remove("description").unwrap_or_default();
    let body = json!({ "type": kind, "description": description, "config": config });
    mounts.write(path, "", &body, "enabled")
}

/// Prints what a mount is, and what is set about it.
pub(crate) fn read(mounts: &Things, path: &str) -> Outcome {
    let mut mount = mounts.find(path)?;
    let tuning = mounts.api.read(&format!("{}/tune", mounts.path(path)?))?;
    if let (Some(mount), Some(Value::Object(tuning))) = (mount.as_object_mut(), tuning) {
        mount.remove("config");
        mount.extend(tuning);
    }
    output::fields(mounts.format, &mount)
}

/// The server unmounts whatever is in an engine, keys included.
fn refuse_scopes(api: &Api, path: &str) -> Outcome {
    let scopes = api.list(&format!("{}/scope", slashed(path)))?;
    if scopes.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format_args!("there are scopes in `{path}`: {}", scopes.join(", ")))
        .next("--force deletes them too, with their credentials and managed objects."))
}

/// Moves a mount; a server may still be at it when it has answered.
fn move_mount(api: &Api, from: &str, to: &str) -> Outcome {
    let begun = api.write("sys/remount", &json!({ "from": from, "to": to }))?;
    // Servers of old move at once, and tell of nothing to wait for.
    let Some(id) = begun.get("migration_id").and_then(Value::as_str) else { return Ok(()) };
    let path = format!("sys/remount/status/{}", slashed(id));
    let begin = Instant::now();
    while begin.elapsed() < MOVE_TIMEOUT {
        let status = api.read(&path)?.unwrap_or_default();
        match status.pointer("/migration_info/status").and_then(Value::as_str) {
            Some("success") => return Ok(()),
            Some("failure") => {
                return Err(Failure::new(format_args!("`{from}` could not be moved to `{to}`"))
                    .next("The server's log says why. `claviger mount list` says where it is."));
            }
            Some(_) => std::thread::sleep(MOVE_INTERVAL),
            None => {
                return Err(Failure::new("the server does not know of the move any more")
                    .next("`claviger mount list` says where the mount is."));
            }
        }
    }
    Err(Failure::new("the server is still moving the mount")
        .next("It goes on with it. `claviger mount list` says where the mount is."))
}
