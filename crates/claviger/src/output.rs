//! What goes to stdout: tables for people, JSON for programs.
//!
//! It must never know where the data come from.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

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

/// Says something to the person at the terminal, on stderr.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _nobody_is_listening = writeln!(io::stderr().lock(), "{text}");
}
