//! From TOML to a [`Config`], by the table of keys. What the table does not know is refused.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use claviger_server::audit::DeviceConfig;
use claviger_server::limits::Unit;
use toml::{Table, Value};

use super::keys::{self, Key, SECTIONS, Shape};
use super::{Config, Problem};

/// Reads the text of a file whose paths are relative to `directory`.
pub(super) fn read(text: &str, directory: &Path) -> Result<Config, Vec<Problem>> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        vec![Problem::file(error.to_string().trim_end(), "Write it in TOML: https://toml.io.")]
    })?;
    let mut reader = Reader { config: Config::default(), directory, problems: Vec::new() };
    for (name, value) in &table {
        reader.section(name, value);
    }
    if reader.problems.is_empty() { Ok(reader.config) } else { Err(reader.problems) }
}

struct Reader<'a> {
    config: Config,
    directory: &'a Path,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn section(&mut self, name: &str, value: &Value) {
        let sections: Vec<String> = SECTIONS.iter().map(|(name, _)| format!("[{name}]")).collect();
        if !SECTIONS.iter().any(|(known, _)| *known == name) {
            let next = format!("The sections are {}.", sections.join(", "));
            self.problems.push(Problem::value(name, value, "there is no such section", next));
            return;
        }
        let Value::Table(values) = value else {
            let next = format!("Write [{name}] and its keys below it.");
            self.problems.push(Problem::value(name, value, "this is a section", next));
            return;
        };
        for (key, value) in values {
            if name == "audit" {
                self.audit_device(key, value);
            } else {
                self.key(name, key, value);
            }
        }
    }

    fn key(&mut self, section: &str, name: &str, value: &Value) {
        match keys::of_section(section).find(|key| key.name == name) {
            Some(key) => self.set(key, value),
            None => {
                let known: Vec<&str> = keys::of_section(section).map(|key| key.name).collect();
                let path = format!("{section}.{name}");
                self.unknown(&path, value, &format!("[{section}]"), &known);
            }
        }
    }

    fn unknown(&mut self, path: &str, value: &Value, section: &str, known: &[&str]) {
        let next = format!("{section} knows {}.", known.join(", "));
        self.problems.push(Problem::value(path, value, "there is no such key", next));
    }

    fn set(&mut self, key: &Key, value: &Value) {
        let refused = match (&key.shape, value) {
            (Shape::Address(field), Value::String(text)) => match text.parse::<SocketAddr>() {
                Ok(address) => {
                    *field(&mut self.config) = address;
                    None
                }
                Err(_) => {
                    Some("Write IP:PORT, such as \"127.0.0.1:8200\" or \"[::]:8200\".".into())
                }
            },
            (Shape::Address(_), _) => Some("Write \"IP:PORT\", in quotes.".into()),
            (Shape::Path(field), Value::String(text)) if !text.is_empty() => {
                *field(&mut self.config) = Some(self.directory.join(text));
                None
            }
            (Shape::Path(_), _) => Some("Write a path, in quotes.".into()),
            (Shape::Flag(field), Value::Boolean(value)) => {
                *field(&mut self.config) = *value;
                None
            }
            (Shape::Flag(_), _) => Some("Write true or false, without quotes.".into()),
            (Shape::Text(field), Value::String(text)) if !text.is_empty() => {
                *field(&mut self.config) = Some(text.clone());
                None
            }
            (Shape::Text(_), _) => Some("Write a text, in quotes.".into()),
            (Shape::Texts(field), Value::Array(values)) => {
                let text =
                    |value: &Value| value.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
                match values.iter().map(text).collect::<Option<Vec<_>>>() {
                    Some(texts) => {
                        *field(&mut self.config) = texts;
                        None
                    }
                    None => Some("Write texts, in quotes, between [ and ].".into()),
                }
            }
            (Shape::Texts(_), _) => Some("Write texts, in quotes, between [ and ].".into()),
            (Shape::Time(field), value) => match number(Unit::Time, value) {
                Some(seconds) => {
                    *field(&mut self.config) = seconds;
                    None
                }
                None => Some(limit_words(Unit::Time)),
            },
            (Shape::Word(words, field), value) => {
                match words.iter().find(|word| value.as_str() == Some(word)) {
                    Some(word) => {
                        *field(&mut self.config) = word;
                        None
                    }
                    None => Some(format!("Write one of \"{}\".", words.join("\", \""))),
                }
            }
            (Shape::Limit(limit), value) => match number(limit.unit, value) {
                Some(number) => {
                    (limit.set)(&mut self.config.limits, number);
                    None
                }
                None => Some(limit_words(limit.unit)),
            },
        };
        if let Some(next) = refused {
            self.problems.push(Problem::value(
                &key.path(),
                value,
                "this is not a value of it",
                next,
            ));
        }
    }

    fn audit_device(&mut self, name: &str, value: &Value) {
        let path = format!("audit.{name}");
        let Value::Table(values) = value else {
            let next = format!("Write [audit.NAME] and its keys below it, not {name} in [audit].");
            self.problems.push(Problem::value(&path, value, "an audit device is a section", next));
            return;
        };
        let mut options = BTreeMap::new();
        for (key, value) in values {
            let text = match value {
                Value::String(text) => self.audit_text(key, text),
                Value::Boolean(_) | Value::Integer(_) => value.to_string(),
                _ => {
                    let path = format!("{path}.{key}");
                    let next = "Write text, in quotes, true or false.";
                    self.problems.push(Problem::value(&path, value, "this is no option", next));
                    return;
                }
            };
            options.insert(key.clone(), text);
        }
        let Some(kind) = options.remove("type") else {
            let next = "Write \"file\", \"syslog\" or \"socket\".";
            self.problems.push(Problem::missing(&format!("{path}.type"), next));
            return;
        };
        match DeviceConfig::parse(name, &kind, "", options) {
            Ok(device) => self.config.audit.push(device.declared()),
            Err(error) => {
                let next = "docs/config.md has the options of each type.";
                self.problems.push(Problem::value(&path, format_args!("{kind:?}"), error, next));
            }
        }
    }

    /// Files are relative to the configuration; `stdout` and `discard` are none.
    fn audit_text(&self, key: &str, text: &str) -> String {
        let is_file = matches!(key, "file_path" | "path") && !matches!(text, "stdout" | "discard");
        let joined = is_file.then(|| self.directory.join(text));
        joined.map_or_else(|| text.to_owned(), |path| path.to_string_lossy().into_owned())
    }
}

/// A number in a unit, from 1.
fn number(unit: Unit, value: &Value) -> Option<u64> {
    let read = match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::String(text) => keys::number(unit, text),
        _ => None,
    };
    read.filter(|number| (1..=unit.most()).contains(number))
}

fn limit_words(unit: Unit) -> String {
    match unit {
        Unit::Bytes => "Write bytes, from 1, or text such as \"64KiB\", \"2MiB\".".to_owned(),
        Unit::Count => format!("Write a number from 1 to {}.", unit.most()),
        Unit::Time => {
            "Write seconds, from 1, or text such as \"90s\", \"10m\", \"24h\".".to_owned()
        }
    }
}
