//! `claviger status`: whether a server is initialised and unsealed.

use serde_json::Value;

use crate::api::ApiArguments;
use crate::failure::{Failure, Outcome, SEALED};
use crate::output::{self, Format};

/// Exit code 0 if the server is unsealed.
pub(crate) fn run(api: &ApiArguments, format: Format) -> Outcome {
    let reply = api.open()?.request("GET", "sys/seal-status", None)?;
    let Some(is_sealed) = reply.body.get("sealed").and_then(Value::as_bool) else {
        return Err(Failure::new(format_args!("the server answered {}", reply.status))
            .next("Is this address really that of the API?"));
    };
    show(&reply.body, format)?;
    if is_sealed {
        let is_initialised = reply.body.get("initialized").and_then(Value::as_bool);
        let next = match is_initialised {
            Some(false) => "Initialise it: claviger operator init.",
            _ => "Unseal it: claviger operator unseal.",
        };
        return Err(Failure { code: SEALED, ..Failure::new("the server is sealed").next(next) });
    }
    Ok(())
}

/// Prints the state of a seal.
pub(crate) fn show(status: &Value, format: Format) -> Outcome {
    match format {
        Format::Json => output::json(status),
        Format::Text => output::table(&[], rows(status)),
    }
}

fn rows(status: &Value) -> Vec<Vec<String>> {
    const FIELDS: [(&str, &str); 9] = [
        ("initialized", "Initialised"),
        ("sealed", "Sealed"),
        ("type", "Seal"),
        ("n", "Shares"),
        ("t", "Threshold"),
        ("progress", "Shares given"),
        ("storage_type", "Storage"),
        ("version", "Version"),
        ("cluster_name", "Cluster"),
    ];
    let row = |(name, title): (&str, &str)| {
        let text = match status.get(name)? {
            Value::String(text) if text.is_empty() => return None,
            Value::String(text) => text.clone(),
            Value::Null => return None,
            other => other.to_string(),
        };
        Some(vec![title.to_owned(), text])
    };
    FIELDS.into_iter().filter_map(row).collect()
}
