//! `claviger keystore`: data keys of databases, sealed by a master key on a KMIP server.

mod arguments;
#[cfg(test)]
mod tests;

use std::sync::{Arc, mpsc};

use clap::{Args, Subcommand};
use claviger_at_rest::keystore::summary;
use claviger_at_rest::options::Facility;
use claviger_at_rest::{Configured, Error, Keeper, Kind, Kms, Monitor, Polled, Started};
use serde_json::{Value, json};

pub(crate) use arguments::{AtRest, AtRestArguments};

use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// What to do with a keystore.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeystoreArguments {
    #[command(flatten)]
    at_rest: AtRestArguments,
    #[command(subcommand)]
    command: KeystoreCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum KeystoreCommand {
    /// Make the keystore, or open it and check every key in it; rotate it if the options say so
    Open {
        /// Stay, and look at the master key's state as often as the options say: ends with 233
        /// when the key is absent or not Active any more
        #[arg(long)]
        poll: bool,
    },
    /// Say which key seals it, in which state that is, and which servers answer
    Status,
    /// Activate the master key, if it is Pre-Active
    Activate,
    /// Seal it with another master key: a new one, or the one of --kmipKeyIdentifier
    Rotate,
    /// Make a data key for each database that is named, for all of them or for none
    AddDatabase {
        /// The databases
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Print a data key in hex
    ExportKey {
        /// The database
        name: String,
    },
}

/// Runs the command.
pub(crate) fn run(arguments: &KeystoreArguments, format: Format) -> Outcome {
    let at_rest = &arguments.at_rest;
    match &arguments.command {
        KeystoreCommand::Open { poll } => open(at_rest.read()?, *poll, format),
        KeystoreCommand::Status => status(at_rest, format),
        KeystoreCommand::Activate => activate(&at_rest.read()?, format),
        KeystoreCommand::Rotate => {
            let mut at_rest = at_rest.read()?;
            if let Facility::Kmip(kmip) = &mut at_rest.settings.facility {
                kmip.rotate_master_key = true;
            } else {
                return Err(Error::NotKmip.into());
            }
            report(&start(&at_rest, format)?, format)
        }
        KeystoreCommand::AddDatabase { names } => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            at_rest.read()?.open()?.keystore.add_all(&names)?;
            names.into_iter().try_for_each(|name| match format {
                Format::Json => output::json(&json!({ "database": name })),
                Format::Text => output::line(format_args!("added {name}")),
            })
        }
        KeystoreCommand::ExportKey { name } => {
            let key = at_rest.read()?.open()?.keystore.data_key(name)?;
            let hex = hex(key.expose());
            match format {
                Format::Json => output::json(&json!({ "database": name, "key": hex.as_str() })),
                Format::Text => output::line(hex.as_str()),
            }
        }
    }
}

/// Bytes of a key in hex.
pub(crate) fn hex(bytes: &[u8]) -> zeroize::Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map_or('?', char::from);
    // As long as it will be, so that no copy is left behind where it grows.
    let mut text = zeroize::Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(2)));
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0x0f));
    }
    text
}

fn identifier(configured: &Configured) -> Option<&str> {
    match configured {
        Configured::Kmip(identifier) => Some(identifier),
        Configured::Nothing | Configured::Vault(_) => None,
    }
}

fn report(started: &Started, format: Format) -> Outcome {
    let key = identifier(started.keystore.configured());
    let polling = started.polling.as_ref().map(|polling| polling.period.as_secs());
    match format {
        Format::Json => output::json(&json!({
            "key_identifier": key,
            "database_count": started.keystore.len(),
            "rotated": started.was_rotated,
            "polling_seconds": polling,
        })),
        Format::Text => output::table(
            &[],
            [
                vec!["master key".into(), key.unwrap_or("of a file").to_owned()],
                vec!["databases".into(), started.keystore.len().to_string()],
                vec!["rotated".into(), if started.was_rotated { "yes" } else { "no" }.into()],
                vec!["polling".into(), polling.map_or("no".into(), |it| format!("each {it} s"))],
            ],
        ),
    }
}

/// Starts, and says to programs why it did not, as the original says it.
fn start(at_rest: &AtRest, format: Format) -> Outcome<Started> {
    let started = at_rest.start();
    if let (Err(error), Format::Json) = (&started, format)
        && let Some(document) = document(error, at_rest)
    {
        output::json(&document)?;
    }
    Ok(started?)
}

/// The original's document about a master key that cannot be used.
fn document(error: &Error, at_rest: &AtRest) -> Option<Value> {
    let (reason, identifier, state) = match error {
        Error::Absent { identifier } => {
            ("the key is absent on the key management facility", identifier, None)
        }
        Error::NotActive { identifier, state } => {
            ("the key is not in the active state", identifier, Some(state.to_string()))
        }
        _ => return None,
    };
    let rotates = matches!(&at_rest.settings.facility, Facility::Kmip(it) if it.rotate_master_key);
    let mut cause = json!({
        "what": "key reading failed",
        "reason": reason,
        "keyManagementFacilityType": "KMIP server",
        "keyIdentifier": { "kmipKeyIdentifier": identifier },
    });
    if let (Some(state), Some(fields)) = (state, cause.as_object_mut()) {
        fields.insert("keyState".into(), state.into());
    }
    let what = if rotates {
        "Can't rotate master encryption key"
    } else {
        "Can't create encryption key database"
    };
    Some(json!({
        "what": what,
        "reason": cause,
        "encryptionKeyDatabaseDirectory": at_rest.directory.to_string_lossy(),
    }))
}

fn open(at_rest: AtRest, poll: bool, format: Format) -> Outcome {
    let started = start(&at_rest, format)?;
    report(&started, format)?;
    match (&started.polling, at_rest.keeper) {
        (Some(_), Keeper::Kmip(kms)) if poll => {
            let (send, receive) = mpsc::channel();
            let _monitor = guard(&started, kms, move |error| {
                let _the_program_ends = send.send(error);
            })?;
            receive.recv().map_or_else(|_| Ok(()), |error| Err(error.into()))
        }
        _ if poll && !started.was_rotated => {
            let problem = "the state of this master key is not polled";
            Err(Failure::usage(problem)
                .next("It must be Active, activateKeys true, and keyStatePollingSeconds positive."))
        }
        _ => Ok(()),
    }
}

/// Polls the key of a keystore, if it is to be polled, and tells when it is lost.
pub(crate) fn guard(
    started: &Started,
    kms: Kms,
    lost: impl Fn(Error) + Send + 'static,
) -> Outcome<Option<Monitor>> {
    let Some(polling) = &started.polling else { return Ok(None) };
    let monitor = Monitor::new(Arc::new(kms), move |_, _, polled| {
        if let Polled::Lost(error) = polled {
            lost(error);
        }
    });
    let monitor = monitor.map_err(Failure::new)?;
    monitor.watch(polling);
    Ok(Some(monitor))
}

fn status(arguments: &AtRestArguments, format: Format) -> Outcome {
    let summary = summary(arguments.directory()?)?;
    let key = identifier(&summary.configured);
    let mut failure = None;
    let (state, servers) = if arguments.names_a_keeper() {
        match arguments.read()?.keeper {
            Keeper::Kmip(kms) => {
                let state = key.map(|key| match kms.state(key) {
                    Ok(state) => state.to_string(),
                    Err(error) if error.kind() == Kind::Absent => String::from("Absent"),
                    Err(error) => {
                        failure = Some(error);
                        String::from("unknown")
                    }
                });
                let servers = kms.reachable().into_iter().map(|(server, reached)| {
                    let problem = reached.err().map(|failure| failure.problem);
                    json!({
                        "server": server.to_string(),
                        "reachable": problem.is_none(),
                        "problem": problem,
                    })
                });
                (state, servers.collect())
            }
            Keeper::KeyFile(_) => (None, Vec::new()),
        }
    } else {
        (None, Vec::new())
    };
    match format {
        Format::Json => output::json(&json!({
            "key_identifier": key,
            "state": state,
            "databases": summary.databases,
            "servers": servers,
        }))?,
        Format::Text => {
            let mut rows = vec![
                vec!["master key".into(), key.unwrap_or("of a file").to_owned()],
                vec!["state".into(), state.unwrap_or_else(|| "unknown".into())],
                vec!["databases".into(), summary.databases.len().to_string()],
            ];
            rows.extend(servers.iter().map(|server| {
                let text = |name: &str| server.get(name).and_then(Value::as_str);
                let problem = text("problem").unwrap_or("reachable");
                vec!["server".into(), format!("{} {problem}", text("server").unwrap_or_default())]
            }));
            output::table(&[], rows)?;
        }
    }
    failure.map_or(Ok(()), |error| Err(error.into()))
}

fn activate(at_rest: &AtRest, format: Format) -> Outcome {
    let (Keeper::Kmip(kms), Facility::Kmip(kmip)) = (&at_rest.keeper, &at_rest.settings.facility)
    else {
        return Err(Error::NotKmip.into());
    };
    // A keystore that has not been made yet may be about to be given a key by name.
    let key = match (summary(&at_rest.directory), &kmip.key_identifier) {
        (Ok(summary), _) => identifier(&summary.configured).map(str::to_owned),
        (Err(error), Some(named)) if error.kind() == Kind::NoKeystore => Some(named.clone()),
        (Err(error), _) => return Err(error.into()),
    };
    let key = key.ok_or(Error::NotKmip)?;
    let was_done = kms.activate(&key)?;
    match format {
        Format::Json => output::json(&json!({ "key_identifier": key, "activated": was_done })),
        Format::Text if was_done => output::line(format_args!("{key} is Active now")),
        Format::Text => output::line(format_args!("{key} was Active already")),
    }
}
