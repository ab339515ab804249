//! `claviger operator`: the life of a server and of its root key: initialise, unseal, seal, new keys,
//! backups.
//!
//! Key shares and the first token are printed once, to stdout, and nowhere else. `backup` and what comes
//! before it ask a server; what comes after works on files, where no server runs.

mod backup;
mod root_key;
mod seal;
mod transfer;

use clap::Subcommand;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::api::{Api, ApiArguments};
use crate::failure::Outcome;
use crate::input;
use crate::memory;
use crate::output::{self, Format};
use crate::status;

/// What to do with a server.
#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Make the keys of an empty server; prints the key shares and the root token, once
    Init {
        /// How many key shares to make
        #[arg(long, value_name = "N", default_value_t = 5)]
        key_shares: u8,
        /// How many of them unseal the server
        #[arg(long, value_name = "N", default_value_t = 3)]
        key_threshold: u8,
        /// Only say whether the server is initialised
        #[arg(long)]
        status: bool,
    },
    /// Give one key share; the last that is needed unseals the server
    Unseal {
        /// The key share; without it, it is asked for and not shown, or read from stdin
        #[arg(value_name = "SHARE")]
        share: Option<String>,
        /// Forget the shares given so far
        #[arg(long, conflicts_with = "share")]
        reset: bool,
    },
    /// Seal a server: it forgets its keys until it is unsealed
    Seal,
    /// Make a new key for the records that a server writes from now on
    Rotate,
    /// Make new key shares: begin, then give the present shares one by one
    Rekey(root_key::RekeyArguments),
    /// Make a root token with key shares, for whoever has lost all tokens
    GenerateRoot(root_key::GenerateRootArguments),
    /// Take a backup of a running server
    Backup(backup::BackupArguments),
    /// Check a backup: whether it is whole and, with what opens its seal, every record in it
    Verify(backup::VerifyArguments),
    /// Put a backup into an empty data directory
    Restore(backup::RestoreArguments),
    /// Write what a store holds into a file under a passphrase, for a store under another seal
    Export(transfer::ExportArguments),
    /// Take an export into the store of a stopped server: all of it, over nothing, or none
    Import(transfer::ImportArguments),
    /// Let something else keep the root key of a stopped server
    MigrateSeal(seal::MigrateArguments),
}

/// Runs the command.
pub(crate) fn run(command: &OperatorCommand, api: &ApiArguments, format: Format) -> Outcome {
    // Shares, root keys, and what an export opens are in this process as they are in the server.
    if !memory::forbid_dumps() {
        output::note(format_args!("warning: {}", memory::DUMPS));
    }
    match command {
        OperatorCommand::Verify(arguments) => backup::verify(arguments, format),
        OperatorCommand::Restore(arguments) => backup::restore(arguments, format),
        OperatorCommand::Export(arguments) => transfer::export(arguments, format),
        OperatorCommand::Import(arguments) => transfer::import(arguments, format),
        OperatorCommand::MigrateSeal(arguments) => seal::migrate(arguments, format),
        OperatorCommand::Rotate => root_key::rotate(&api.open()?, format),
        OperatorCommand::Rekey(arguments) => root_key::rekey(arguments, &api.open()?, format),
        OperatorCommand::GenerateRoot(arguments) => {
            root_key::generate_root(arguments, &api.open()?, format)
        }
        OperatorCommand::Backup(arguments) => backup::take(arguments, &api.open()?, format),
        OperatorCommand::Init { status: true, .. } => is_initialised(&api.open()?, format),
        OperatorCommand::Init { key_shares, key_threshold, .. } => {
            initialise(&api.open()?, *key_shares, *key_threshold, format)
        }
        OperatorCommand::Unseal { share, reset } => {
            unseal(&api.open()?, share.as_deref(), *reset, format)
        }
        OperatorCommand::Seal => {
            api.open()?.write("sys/seal", &Value::Null)?;
            match format {
                Format::Json => output::json(&json!({ "result": "sealed" })),
                Format::Text => output::line("sealed"),
            }
        }
    }
}

fn is_initialised(api: &Api, format: Format) -> Outcome {
    let answer = api.bare("GET", "sys/init", None)?;
    match format {
        Format::Json => output::json(&answer),
        Format::Text => {
            let is = answer.get("initialized").and_then(Value::as_bool).unwrap_or_default();
            output::line(if is { "initialised" } else { "not initialised" })
        }
    }
}

fn initialise(api: &Api, shares: u8, threshold: u8, format: Format) -> Outcome {
    let body = json!({ "secret_shares": shares, "secret_threshold": threshold });
    let answer = api.bare("PUT", "sys/init", Some(&body))?;
    if format == Format::Json {
        return output::json(&answer);
    }
    let keys = answer.get("keys_base64").and_then(Value::as_array);
    let keys: Vec<&str> = keys.into_iter().flatten().filter_map(Value::as_str).collect();
    let token = answer.get("root_token").and_then(Value::as_str).unwrap_or_default();
    for (number, key) in (1..).zip(&keys) {
        output::line(format_args!("Key share {number}: {key}"))?;
    }
    output::line(format_args!("Root token: {token}"))?;
    if keys.is_empty() {
        output::note("The server unseals itself. Keep the root token: it is not shown again.");
    } else {
        output::note(format_args!(
            "{threshold} of these {shares} shares unseal the server. Give each to another person: \
             they are not shown again, and without them every key is lost."
        ));
    }
    Ok(())
}

fn unseal(api: &Api, share: Option<&str>, reset: bool, format: Format) -> Outcome {
    let body = if reset {
        json!({ "reset": true })
    } else {
        let share = given_share(share)?;
        json!({ "key": share.as_str() })
    };
    status::show(&api.bare("PUT", "sys/unseal", Some(&body))?, format)
}

/// A share that was given as an argument, is typed unseen, or comes on stdin.
fn given_share(share: Option<&str>) -> Outcome<Zeroizing<String>> {
    let share = match share {
        Some(share) => Zeroizing::new(share.to_owned()),
        None => input::secret("Key share")?,
    };
    Ok(Zeroizing::new(share.trim().to_owned()))
}
