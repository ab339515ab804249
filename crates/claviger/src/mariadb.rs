//! `claviger mariadb`: keys of MariaDB on a KMIP server, as the plugin `kmip_key_management` finds them.

use clap::{Args, Subcommand};
use claviger_client::blocking::Client;
use claviger_client::{Dialect, Options};
use kmip_key_management::{GROUP, Group, KEY_BITS, Keys, Problem, advice};
use serde_json::json;

use crate::connection::ConnectionArguments;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// What to do with keys of MariaDB.
#[derive(Args, Clone, Debug)]
pub(crate) struct MariadbArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(subcommand)]
    command: MariadbCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum MariadbCommand {
    /// Make the next version of a key, or the first one; servers use it within their
    /// cache-version-timeout-ms
    Rotate {
        /// The key: 1 is that of logs and system tables, 2 that of temporary files
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        key_id: u32,
        /// The servers' kmip-key-management-key-group
        #[arg(long, value_name = "GROUP", default_value = GROUP)]
        key_group: Group,
        /// Bits of the new version: 128, 192 or 256
        #[arg(long, value_name = "BITS", default_value_t = 256, value_parser = bits)]
        bits: i32,
    },
}

fn bits(text: &str) -> Result<i32, String> {
    let known = KEY_BITS.into_iter().find(|bits| bits.to_string() == text);
    known.ok_or_else(|| String::from("choose one of 128, 192 and 256"))
}

/// Runs the command.
pub(crate) fn run(arguments: &MariadbArguments, format: Format) -> Outcome {
    let MariadbCommand::Rotate { key_id, key_group, bits } = &arguments.command;
    let connection = &arguments.connection;
    let options = Options {
        dialect: Dialect::fixed(connection.kmip_version),
        ..Options::new(connection.servers(), connection.files()?.load()?)
    };
    let keys = Keys::new(Client::new(options), key_group.clone());
    let version = keys.rotate(*key_id, *bits)?;
    match format {
        Format::Json => output::json(&json!({"key_id": key_id, "version": version})),
        Format::Text => output::line(format_args!("key {key_id} has version {version}")),
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Client(error) => error.into(),
            problem => Self::new(&problem).next(advice(&problem)),
        }
    }
}
