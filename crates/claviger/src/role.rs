//! `claviger role`: what the credentials of a scope may do.

use clap::{Args, Subcommand};
use claviger_server::access::operation_named;
use serde_json::{Map, Value, json};

use crate::api::ApiArguments;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use crate::resource::check_name;

/// What to do with roles.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// Make a role or change what it may do
    #[command(visible_aliases = ["create", "update"])]
    Write(WriteArguments),
    /// Show what a role may do
    Read {
        /// The scope
        scope: String,
        /// The role
        role: String,
    },
    /// List the roles of a scope
    List {
        /// The scope
        scope: String,
    },
    /// Delete a role with its credentials
    Delete {
        /// The scope
        scope: String,
        /// The role
        role: String,
    },
}

/// What a role shall be.
#[derive(Args, Debug)]
pub(crate) struct WriteArguments {
    /// The scope
    scope: String,
    /// The role
    role: String,
    /// Allow every operation, except those of --deny
    #[arg(long, conflicts_with = "none")]
    all: bool,
    /// Allow no operation, except those of --allow
    #[arg(long)]
    none: bool,
    /// Operations to allow, in snake_case: create,get,rekey_key_pair
    #[arg(long, value_name = "OP", value_delimiter = ',')]
    allow: Vec<String>,
    /// Operations to deny
    #[arg(long, value_name = "OP", value_delimiter = ',')]
    deny: Vec<String>,
    /// Kind of key of its credentials
    #[arg(long, value_name = "ec|rsa")]
    key_type: Option<String>,
    /// Length of key of its credentials
    #[arg(long, value_name = "BITS")]
    key_bits: Option<u32>,
    /// Life of its credentials: 3600, 24h, 30d
    #[arg(long, value_name = "DURATION")]
    ttl: Option<String>,
}

/// Runs the command.
pub(crate) fn run(command: &RoleCommand, api: &ApiArguments, format: Format) -> Outcome {
    let api = api.open()?;
    match command {
        RoleCommand::Write(arguments) => {
            let WriteArguments { scope, role, .. } = arguments;
            check_name(scope)?;
            check_name(role)?;
            let path = api.path(&["scope", scope, "role", role]);
            api.write_known(&path, &body(arguments)?, "operation_")?;
            output::done(format, role, "written")
        }
        RoleCommand::Read { scope, role } => {
            let Some(data) = api.read(&api.path(&["scope", scope, "role", role]))? else {
                return Err(Failure::new(format_args!("scope `{scope}` has no role `{role}`"))
                    .next("See `claviger role list`."));
            };
            output::fields(format, &data)
        }
        RoleCommand::List { scope } => {
            output::names(format, &api.list(&api.path(&["scope", scope, "role"]))?)
        }
        RoleCommand::Delete { scope, role } => {
            api.delete(&api.path(&["scope", scope, "role", role]))?;
            output::done(format, role, "deleted")
        }
    }
}

fn body(arguments: &WriteArguments) -> Outcome<Value> {
    let mut body = Map::new();
    if arguments.all {
        body.insert(String::from("operation_all"), Value::Bool(true));
    }
    if arguments.none {
        body.insert(String::from("operation_none"), Value::Bool(true));
    }
    for (operations, is_allowed) in [(&arguments.allow, true), (&arguments.deny, false)] {
        for operation in operations {
            let operation = operation.trim().trim_start_matches("operation_");
            if operation_named(operation).is_none() {
                return Err(Failure::usage(format_args!("there is no operation `{operation}`"))
                    .next(
                        "Their names are those of docs/operations.md, as in create,get,locate.",
                    ));
            }
            let name = format!("operation_{operation}");
            if body.insert(name, Value::Bool(is_allowed)) == Some(Value::Bool(!is_allowed)) {
                return Err(Failure::usage(format_args!(
                    "`{operation}` is both allowed and denied"
                )));
            }
        }
    }
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    set("tls_client_key_type", arguments.key_type.as_ref().map(|it| json!(it)));
    set("tls_client_key_bits", arguments.key_bits.map(|it| json!(it)));
    set("tls_client_ttl", arguments.ttl.as_ref().map(|it| json!(it)));
    Ok(Value::Object(body))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: WriteArguments,
    }

    fn parse(line: &str) -> Outcome<Value> {
        let words = line.split(' ');
        body(&Command::try_parse_from(words).map_err(Failure::usage)?.arguments)
    }

    #[test]
    fn a_role_as_the_api_wants_it() {
        let body = parse("write s r --all --deny get,destroy --key-bits 384 --ttl 30d").unwrap();
        assert_eq!(
            body,
            json!({
                "operation_all": true, "operation_get": false, "operation_destroy": false,
                "tls_client_key_bits": 384, "tls_client_ttl": "30d",
            })
        );
        let body = parse("write s r --none --allow operation_create").unwrap();
        assert_eq!(body, json!({ "operation_none": true, "operation_create": true }));
        assert_eq!(parse("write s r").unwrap(), json!({}));
    }

    #[test]
    fn an_operation_that_is_none_is_bad_usage() {
        for line in ["write s r --all --deny decrpyt", "write s r --allow get,operation_gett"] {
            let failure = parse(line).unwrap_err();
            assert_eq!(failure.code, 2, "{line}");
            assert!(failure.problem.contains("no operation `"), "{failure}");
        }
    }

    #[test]
    fn contradictions_are_bad_usage() {
        for line in ["write s r --all --none", "write s r --allow get --deny get"] {
            assert_eq!(parse(line).unwrap_err().code, 2, "{line}");
        }
    }
}
