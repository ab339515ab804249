//! Who holds an object. Asked of the administration API: no KMIP client is told who else has its key.

use clap::Args;
use serde_json::{Value, json};

use super::lifecycle::UniqueIdentifierArgument;
use crate::api::{Api, ApiArguments};
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// Which object, and where.
#[derive(Args, Debug)]
pub(super) struct HoldersArguments {
    #[command(flatten)]
    object: UniqueIdentifierArgument,
    /// Its scope [default: whichever has it]
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    #[command(flatten)]
    api: ApiArguments,
}

/// Which object, and what happened.
#[derive(Args, Debug)]
pub(super) struct CompromiseArguments {
    #[command(flatten)]
    which: HoldersArguments,
    /// What happened, in your words
    #[arg(long)]
    message: Option<String>,
    /// When it happened, POSIX seconds [default: now]
    #[arg(long, value_name = "SECONDS")]
    compromised_at: Option<i64>,
}

/// Lists the certificates that fetched an object.
pub(super) fn holders(arguments: &HoldersArguments, format: Format) -> Outcome {
    let (_, _, data) = arguments.find()?;
    print(&data, format)
}

/// Revokes an object as compromised and lists who has it.
pub(super) fn compromise(arguments: &CompromiseArguments, format: Format) -> Outcome {
    let (api, scope, _) = arguments.which.find()?;
    // What is not given is null, which the API takes for absent.
    let fields = json!({
        "message": arguments.message,
        "compromise_occurrence_date": arguments.compromised_at,
    });
    let path = arguments.which.path(&api, &scope, "compromise");
    print(&api.write(&path, &fields)?, format)
}

impl HoldersArguments {
    fn path(&self, api: &Api, scope: &str, what: &str) -> String {
        api.path(&["scope", scope, "object", &self.object.unique_identifier, what])
    }

    /// The scope that has the object, and its holders.
    fn find(&self) -> Outcome<(Api, String, Value)> {
        let api = self.api.open()?;
        let scopes = match &self.scope {
            Some(scope) => vec![scope.clone()],
            None => api.list(&api.path(&["scope"]))?,
        };
        for scope in scopes {
            if let Some(data) = api.read(&self.path(&api, &scope, "holders"))? {
                return Ok((api, scope, data));
            }
        }
        let identifier = &self.object.unique_identifier;
        let place = self.scope.as_ref().map_or_else(
            || String::from("no scope of this mount"),
            |scope| format!("no scope `{scope}` of this mount"),
        );
        let text = format!("{place} has an object `{identifier}`");
        Err(Failure::new(text).next("See `claviger object locate`, and --mount for other mounts."))
    }
}

fn print(data: &Value, format: Format) -> Outcome {
    if format == Format::Json {
        return output::json(data);
    }
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or("-").to_owned()
    };
    output::line(format_args!("{}: {}", text(data, "unique_identifier"), text(data, "state")))?;
    let holders = data.get("holders").and_then(Value::as_array);
    let columns =
        ["serial_number", "role", "ca", "issuer", "credential", "first_fetched", "last_fetched"];
    let rows = holders.map(Vec::as_slice).unwrap_or_default().iter();
    let rows: Vec<Vec<String>> =
        rows.map(|row| columns.iter().map(|column| text(row, column)).collect()).collect();
    if rows.is_empty() {
        return output::line("no certificate has fetched it");
    }
    let header = ["SERIAL", "ROLE", "CA", "ISSUER", "CREDENTIAL", "FIRST FETCHED", "LAST FETCHED"];
    output::table(&header, rows)
}
