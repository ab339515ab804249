//! `claviger scope`: the partitions of managed objects.

use clap::Subcommand;
use serde_json::Value;

use crate::api::ApiArguments;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use crate::resource::check_name;

/// What to do with scopes.
#[derive(Debug, Subcommand)]
pub(crate) enum ScopeCommand {
    /// Make a scope; one that is there stays as it is
    Create {
        /// Its name
        name: String,
        /// Write its KMIP messages to the server's log, without what is secret
        #[arg(long, value_name = "BOOL")]
        kmip_trace: Option<bool>,
        /// Refuse a Name that another object of the scope has
        #[arg(long, value_name = "BOOL")]
        unique_names: Option<bool>,
    },
    /// List the scopes
    List,
    /// Delete a scope with its roles and credentials
    Delete {
        /// Its name
        name: String,
        /// Delete the managed objects in it too
        #[arg(long)]
        force: bool,
    },
}

/// Runs the command.
pub(crate) fn run(command: &ScopeCommand, api: &ApiArguments, format: Format) -> Outcome {
    let api = api.open()?;
    match command {
        ScopeCommand::Create { name, kmip_trace, unique_names } => {
            check_name(name)?;
            let given = [("kmip_trace", *kmip_trace), ("unique_names", *unique_names)];
            let given =
                given.into_iter().filter_map(|(field, on)| Some((field.to_owned(), on?.into())));
            api.write(&api.path(&["scope", name]), &Value::Object(given.collect()))?;
            output::done(format, name, "created")
        }
        ScopeCommand::List => output::names(format, &api.list(&api.path(&["scope"]))?),
        ScopeCommand::Delete { name, force } => {
            // The server's answer is the same whether there was one.
            if !api.list(&api.path(&["scope"]))?.contains(name) {
                return Err(Failure::new(format_args!("there is no scope `{name}`"))
                    .next("See `claviger scope list`."));
            }
            let path = api.path(&["scope", name]);
            let query = if *force { "?force=true" } else { "" };
            api.delete(&format!("{path}{query}")).map_err(|failure| {
                if *force {
                    failure
                } else {
                    failure.next("--force deletes the managed objects in the scope too.")
                }
            })?;
            output::done(format, name, "deleted")
        }
    }
}
