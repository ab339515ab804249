//! What goes to stdout: tables for people, JSON for programs.
//!
//! It must never know where the data come from.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::failure::{Failure, Outcome};

/// Who reads what a command prints.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A person.
    Text,
    /// A program.
    Json,
}

/// Writes to stdout; a reader that has gone ends the command quietly.
pub(crate) fn print(text: &str) -> Outcome {
    print_bytes(text.as_bytes())
}

/// Writes bytes to stdout as they are.
pub(crate) fn print_bytes(bytes: &[u8]) -> Outcome {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format_args!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one line to stdout.
pub(crate) fn line(text: impl std::fmt::Display) -> Outcome {
    print(&format!("{text}\n"))
}

/// Writes one JSON document on one line to stdout.
pub(crate) fn json(value: &impl Serialize) -> Outcome {
    let text = serde_json::to_string(value).map_err(Failure::new)?;
    line(text)
}

/// Writes a table to stdout.
pub(crate) fn table<R>(header: &[&str], rows: R) -> Outcome
where
    R: IntoIterator<Item = Vec<String>>,
{
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !header.is_empty() {
        table.set_header(header);
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    line(table.trim_fmt())
}

/// Writes a thing: its fields; those of a field that has some, behind its name and a dot.
pub(crate) fn fields(format: Format, thing: &Value) -> Outcome {
    match format {
        Format::Json => json(thing),
        Format::Text => table(&[], cells(members(thing)).into_iter().map(Vec::from)),
    }
}

/// Names and values, in their order, as people read them; what is null is left out.
pub(crate) fn cells<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::Object(_) => {
                let below = cells(members(value)).into_iter();
                rows.extend(below.map(|[below, value]| [format!("{name}.{below}"), value]));
            }
            Value::Number(seconds) if is_duration(name) => {
                rows.push([name.to_owned(), length(seconds.as_u64().unwrap_or_default())]);
            }
            value => rows.push([name.to_owned(), text(Some(value))]),
        }
    }
    rows
}

fn members(thing: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = thing.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

/// Writes things under their names, with these titles and fields.
pub(crate) fn rows(columns: &[(&str, &str)], things: &Map<String, Value>) -> Outcome {
    let titles: Vec<&str> = ["Name"].into_iter().chain(columns.iter().map(|it| it.0)).collect();
    let row = |(name, thing): (&String, &Value)| {
        let cells = columns.iter().map(|column| text(thing.get(column.1)));
        [name.clone()].into_iter().chain(cells).collect()
    };
    table(&titles, things.iter().map(row))
}

/// Writes names, one a line.
pub(crate) fn names(format: Format, names: &[String]) -> Outcome {
    match format {
        Format::Json => json(&names),
        Format::Text if names.is_empty() => Ok(()),
        Format::Text => line(names.join("\n")),
    }
}

/// Says that something was done to what has that name.
pub(crate) fn done(format: Format, name: &str, what: &str) -> Outcome {
    match format {
        Format::Json => json(&json!({ "name": name, "result": what })),
        Format::Text => line(format_args!("{name}: {what}")),
    }
}

/// A value in a cell.
pub(crate) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| text(Some(item))).collect();
            items.join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// The API's names of lengths of time, which it gives in seconds.
fn is_duration(name: &str) -> bool {
    name.ends_with("ttl") || name.ends_with("lease_duration") || name.ends_with("period")
}

/// A length of time as the API reads it too: `14d`, `1h30m`.
pub(crate) fn length(seconds: u64) -> String {
    let mut text = String::new();
    let mut rest = seconds;
    for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if text.is_empty() { String::from("0s") } else { text }
}

/// Says something to the person at the terminal, on stderr.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _nobody_is_listening = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (seconds, expected) in
            [(0, "0s"), (59, "59s"), (5400, "1h30m"), (1_209_600, "14d"), (90_061, "1d1h1m1s")]
        {
            assert_eq!(length(seconds), expected);
        }
    }

    #[test]
    fn a_thing_is_rows_of_its_fields() {
        let thing = json!({
            "a_ttl": 60, "b": { "c": ["x", 1], "d": null }, "e": null, "f": true, "g": "",
        });
        let rows = cells([("thing", &thing)]);
        let expected =
            [["thing.a_ttl", "1m"], ["thing.b.c", "x, 1"], ["thing.f", "true"], ["thing.g", ""]];
        assert_eq!(rows, expected);
    }
}
