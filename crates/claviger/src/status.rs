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
    match format {
        Format::Json => output::json(&reply.body)?,
        Format::Text => output::table(&[], rows(&reply.body))?,
    }
    if is_sealed {
        let failure = Failure::new("the server is sealed").next("Unseal it.");
        return Err(Failure { code: SEALED, ..failure });
    }
    Ok(())
}

fn rows(status: &Value) -> Vec<Vec<String>> {
    const FIELDS: [(&str, &str); 8] = [
        ("initialized", "Initialised"),
        ("sealed", "Sealed"),
        ("type", "Seal"),
        ("n", "Shares"),
        ("t", "Threshold"),
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
