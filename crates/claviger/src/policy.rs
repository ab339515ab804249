//! `claviger policy`: what tokens may do, in HCL or JSON.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::api::ApiArguments;
use crate::failure::Outcome;
use crate::input;
use crate::output::{self, Format};
use crate::resource::{Noun, Place};

static POLICY: Noun = Noun {
    command: "policy",
    name: "policy",
    none: "there is no policy",
    place: Place::Server("sys/policies/acl"),
};

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the policies
    List,
    /// Print a policy, as it was written
    Read {
        /// Its name
        name: String,
    },
    /// Make a policy, or put another in its place
    #[command(visible_aliases = ["update", "write"])]
    Create {
        /// Its name
        name: String,
        /// The policy, in HCL or JSON; `-` reads it from stdin
        file: PathBuf,
    },
    /// Delete a policy: tokens that have it lose what it grants
    Delete {
        /// Its name
        name: String,
    },
}

/// Runs the command.
pub(crate) fn run(command: &PolicyCommand, api: &ApiArguments, format: Format) -> Outcome {
    let policies = POLICY.at(api, format)?;
    match command {
        PolicyCommand::List => policies.list(),
        PolicyCommand::Read { name } => {
            let policy = policies.find(name)?;
            match format {
                Format::Json => output::json(&policy),
                Format::Text => output::line(output::text(policy.get("policy")).trim_end()),
            }
        }
        PolicyCommand::Create { name, file } => {
            policies.write(name, "", &json!({ "policy": input::text(file)? }), "written")
        }
        PolicyCommand::Delete { name } => policies.delete(name, "deleted"),
    }
}
