//! A YAML document as a tree: maps, lists, and scalars as the texts that they are.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use super::Problem;

/// Deeper than any values.yaml.
const DEPTH_MAX: usize = 32;

/// What is being read: a map with the key whose value comes next, or a list.
enum Open {
    Map(Map<String, Value>, Option<String>),
    List(Vec<Value>),
}

/// Reads the first document of a text.
pub(super) fn read(text: &str) -> Result<Value, Problem> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Problem::new("values.yaml", error))?;
        let at = |problem: &str| Problem::new(format_args!("line {}", span.start.line()), problem);
        let value = match event {
            Event::Scalar(text, style, ..) => {
                let is_plain = style == saphyr_parser::ScalarStyle::Plain;
                match is_plain && matches!(&*text, "" | "~" | "null") {
                    true => Value::Null,
                    false => Value::String(text.into_owned()),
                }
            }
            // What an alias stands for is not looked up: where an option wants a value, null is none.
            Event::Alias(_) => Value::Null,
            Event::MappingStart(..) | Event::SequenceStart(..) if open.len() >= DEPTH_MAX => {
                return Err(at("it is nested too deeply"));
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some(Open::Map(map, _)) => Value::Object(map),
                Some(Open::List(list)) => Value::Array(list),
                None => continue,
            },
            Event::DocumentEnd => break,
            _ => continue,
        };
        match open.last_mut() {
            None => return Ok(value),
            Some(Open::List(list)) => list.push(value),
            Some(Open::Map(map, key)) => match key.take() {
                None => *key = Some(value.as_str().unwrap_or_default().to_owned()),
                Some(key) => {
                    if map.insert(key, value).is_some() {
                        return Err(at("the key before it is given twice"));
                    }
                }
            },
        }
    }
    Ok(Value::Null)
}
