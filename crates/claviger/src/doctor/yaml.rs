//! YAML as JSON values: maps, lists and scalars. Anchors and tags are not needed by any file that is read here, and
//! refused.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// Deeper than any configuration.
const DEPTH_MAX: usize = 32;

/// What is being read.
enum Open {
    Map(Map<String, Value>, Option<String>),
    List(Vec<Value>),
}

/// Reads the first document of a text.
///
/// # Errors
/// It is no YAML, or more than is read here; what, for people.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let line = span.start.line();
        let value = match event {
            Event::Scalar(text, style, ..) => match open.last_mut() {
                Some(Open::Map(_, key @ None)) => {
                    *key = Some(text.into_owned());
                    continue;
                }
                _ => scalar(&text, style),
            },
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if open.len() >= DEPTH_MAX {
                    return Err(format!("line {line}: it is nested too deeply"));
                }
                if let Some(Open::Map(_, None)) = open.last() {
                    return Err(format!("line {line}: a key is no text"));
                }
                let is_map = matches!(event, Event::MappingStart(..));
                open.push(if is_map {
                    Open::Map(Map::new(), None)
                } else {
                    Open::List(Vec::new())
                });
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some(Open::Map(map, _)) => Value::Object(map),
                Some(Open::List(list)) => Value::Array(list),
                None => continue,
            },
            Event::Alias(_) => return Err(format!("line {line}: aliases are not read")),
            _ => continue,
        };
        match open.last_mut() {
            None => return Ok(value),
            Some(Open::List(list)) => list.push(value),
            Some(Open::Map(map, key)) => {
                let key = key.take().unwrap_or_default();
                if map.contains_key(&key) {
                    return Err(format!("line {line}: {key} is given twice"));
                }
                map.insert(key, value);
            }
        }
    }
    Ok(Value::Null)
}

/// A plain word may be a number, a switch or nothing (YAML 1.2 §10.3); what is quoted is text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::from(text);
    }
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn maps_lists_and_scalars() {
        let text = "a: 1\nb: {c: 'yes', d: [x, \"2\"]}\ne:\n  - f: true\n    g:\n  - ''\n# more\n";
        let expected =
            json!({"a": 1, "b": {"c": "yes", "d": ["x", "2"]}, "e": [{"f": true, "g": null}, ""]});
        assert_eq!(read(text).unwrap(), expected);
        assert_eq!(read("").unwrap(), Value::Null);
    }

    #[test]
    fn what_is_not_read_is_refused() {
        for text in ["a: [", "a: *b", "a: 1\na: 2", "? [x]\n: 1"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"[".repeat(100)).is_err());
    }
}
