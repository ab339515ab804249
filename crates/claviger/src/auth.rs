//! `claviger auth`: the methods by which people and programs come by a token, and what the methods
//! keep: their users, roles and certificates.
//!
//! A path of one part, or that ends in a slash, as `auth list` prints it, is a method; any other is
//! something in a method. `write`, `read`, `list` and `delete` reach every path of every method.

use clap::Subcommand;
use serde_json::Value;

use crate::api::{Api, ApiArguments, slashed};
use crate::failure::{Failure, Outcome};
use crate::mount::{self, TuneFields};
use crate::output::{self, Format};
use crate::pairs;
use crate::resource::{Noun, Place, body};
use crate::token;

static METHOD: Noun = Noun {
    command: "auth",
    name: "auth method",
    none: "there is no auth method",
    place: Place::Document(
        "sys/auth",
        &[("Type", "type"), ("Accessor", "accessor"), ("Description", "description")],
    ),
};

/// What to do with auth methods and what they keep.
#[derive(Debug, Subcommand)]
pub(crate) enum AuthCommand {
    /// Enable a method: `auth create userpass`
    #[command(visible_alias = "enable")]
    Create {
        /// The type of method, such as userpass, approle and cert
        #[arg(value_name = "TYPE")]
        kind: String,
        /// Where [default: its type]
        #[arg(long, value_name = "PATH")]
        path: Option<String>,
        #[command(flatten)]
        tune: TuneFields,
    },
    /// List the methods, or what one keeps: `auth list userpass/users`
    List {
        /// Where in a method
        path: Option<String>,
    },
    /// Show what is set about a method, or what it keeps: `auth read userpass/users/ann`
    Read {
        /// The method, or where in it
        path: String,
    },
    /// Change what is set about a method
    #[command(visible_alias = "tune")]
    Update {
        /// The method
        path: String,
        #[command(flatten)]
        tune: TuneFields,
    },
    /// Write what a method keeps: `auth write userpass/users/ann password=- token_policies=admin`
    Write {
        /// Where in a method
        path: String,
        /// What; NAME=- asks for the value without showing it, or reads it from stdin, NAME=@FILE
        /// reads it from a file
        #[arg(value_name = "NAME=VALUE")]
        fields: Vec<String>,
    },
    /// Disable a method, which ends the tokens that it gave, or delete what it keeps
    #[command(visible_alias = "disable")]
    Delete {
        /// The method, or where in it
        path: String,
    },
}

/// Runs the command.
pub(crate) fn run(command: &AuthCommand, api: &ApiArguments, format: Format) -> Outcome {
    let methods = METHOD.at(api, format)?;
    let api = &methods.api;
    match command {
        AuthCommand::Create { kind, path, tune } => {
            mount::enable(&methods, path.as_deref().unwrap_or(kind), kind, tune)
        }
        AuthCommand::List { path: None } => methods.list(),
        AuthCommand::List { path: Some(path) } => output::names(format, &api.list(&below(path))?),
        AuthCommand::Read { path } if is_method(path) => mount::read(&methods, path),
        AuthCommand::Read { path } => output::fields(format, &kept(api, path)?),
        AuthCommand::Update { path, tune } => methods.update(path, "/tune", &body(tune)?.into()),
        AuthCommand::Write { path, fields } => {
            let answer = api.write(&below(path), &pairs::fields(fields)?.into())?;
            if answer.is_null() {
                output::done(format, path, "written")
            } else if answer.get("client_token").is_some() {
                token::show(&answer, format)
            } else {
                output::fields(format, &answer)
            }
        }
        AuthCommand::Delete { path } if is_method(path) => methods.delete(path, "disabled"),
        AuthCommand::Delete { path } => {
            api.delete(&below(path))?;
            output::done(format, path, "deleted")
        }
    }
}

fn is_method(path: &str) -> bool {
    path.ends_with('/') || !path.trim_matches('/').contains('/')
}

/// The API's path of what a method keeps.
fn below(path: &str) -> String {
    let path = path.trim_matches('/');
    format!("auth/{}", slashed(path.strip_prefix("auth/").unwrap_or(path)))
}

fn kept(api: &Api, path: &str) -> Outcome<Value> {
    api.read(&below(path))?.ok_or_else(|| {
        Failure::new(format_args!("there is nothing at `{path}`"))
            .next("See `claviger auth list` with what is before the last slash.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_told_from_what_it_keeps() {
        for method in ["userpass", "userpass/", "corp/ldap/"] {
            assert!(is_method(method), "{method}");
        }
        for kept in ["userpass/users/ann", "approle/role/ci", "corp/ldap/users"] {
            assert!(!is_method(kept), "{kept}");
        }
        for path in ["userpass/users/a b", "auth/userpass/users/a b", "/userpass/users/a b/"] {
            assert_eq!(below(path), "auth/userpass/users/a%20b");
        }
    }
}
