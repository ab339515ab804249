//! `claviger check-config`: what is wrong with a configuration file, or what it says.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::keys::{self, KEYS};
use super::{Config, Problem};
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// Check a configuration file.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct CheckArguments {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Says what every key is, or fails with everything that is wrong.
pub(crate) fn check(arguments: &CheckArguments, format: Format) -> Outcome {
    let read = Config::read(&arguments.file).and_then(|config| {
        let unusable = config.tls().and_then(|files| files.load().err());
        match unusable {
            None => Ok(config),
            Some(error) => Err(vec![Problem::file(
                format_args!("[api] {error}"),
                "Name PEM files of a certificate, its key and, for client_ca, authorities.",
            )]),
        }
    });
    let mut config = match read {
        Ok(config) => config,
        Err(problems) => return refuse(arguments, &problems, format),
    };
    match format {
        Format::Json => output::json(&json!({ "valid": true, "keys": rows(&mut config) })),
        Format::Text => {
            let cell = |row: &Value, name: &str| {
                row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let rows = rows(&mut config);
            let lines =
                rows.iter().map(|row| ["key", "value", "meaning"].map(|it| cell(row, it)).to_vec());
            output::table(&["key", "value", "meaning"], lines)
        }
    }
}

fn rows(config: &mut Config) -> Vec<Value> {
    let mut rows = Vec::new();
    for key in KEYS.iter().chain(keys::limits()) {
        let value = key.shown(config);
        let is_default = key.shown(&mut Config::default()) == value;
        let value = value.unwrap_or_else(|| key.absent.to_owned());
        let (path, meaning) = (key.path(), key.text);
        rows.push(
            json!({ "key": path, "value": value, "default": is_default, "meaning": meaning }),
        );
    }
    for device in &config.audit {
        let path = format!("audit.{}", device.path.trim_end_matches('/'));
        let options = device.options.iter().map(|(name, value)| format!("{name}={value}"));
        let value = options.fold(device.kind.to_owned(), |text, option| text + " " + &option);
        let meaning = "Records every request and its outcome.";
        rows.push(json!({ "key": path, "value": value, "default": false, "meaning": meaning }));
    }
    rows
}

fn refuse(arguments: &CheckArguments, problems: &[Problem], format: Format) -> Outcome {
    if format == Format::Json {
        let problem = |it: &Problem| json!({ "key": it.key, "value": it.value, "reason": it.reason, "next": it.next });
        let problems: Vec<Value> = problems.iter().map(problem).collect();
        output::json(&json!({ "valid": false, "problems": problems }))?;
    }
    Err(failure(&arguments.file, problems))
}

/// All problems of a file as one failure.
pub(crate) fn failure(file: &std::path::Path, problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::new(format_args!("{}:\n{}", file.display(), lines.join("\n")))
}
