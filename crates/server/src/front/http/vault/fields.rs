//! The fields of a request and how their values are read: weakly typed, as Vault reads them.
//!
//! The `vault` command sends every value as a string, Terraform sends typed JSON; both must mean the
//! same. JSON null resets a field. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::ApiError;
use crate::duration::{parse_seconds, whole};
use crate::record::Change;

/// How a field's value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true`, `"true"`, `"1"`, 1 …
    Bool,
    /// A number, or its decimal text.
    Int,
    /// Text; other scalars become text.
    Text,
    /// An array, or text with commas.
    List,
    /// Seconds as a number, or text such as `3600`, `1h30m`, `365d`.
    Duration,
    /// An object of scalars, which become text.
    Map,
    /// Read by nobody: known, so that no warning is given.
    Ignored,
}

impl Kind {
    /// Its name in OpenAPI documents.
    pub(super) fn openapi(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::Text | Self::Duration => "string",
            Self::List => "array",
            Self::Map | Self::Ignored => "object",
        }
    }
}

/// A field that a path knows.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    pub(super) text: Cow<'static, str>,
}

impl Field {
    pub(super) const fn new(name: &'static str, kind: Kind, text: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind, text: Cow::Borrowed(text) }
    }
}

/// The values of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    data: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(data: &'a Map<String, Value>) -> Self {
        Self { data }
    }

    /// All of them, as they were sent.
    pub(super) fn all(self) -> &'a Map<String, Value> {
        self.data
    }

    fn read<T>(
        self,
        name: &str,
        expected: &str,
        convert: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Change<T>, ApiError> {
        match self.data.get(name) {
            None => Ok(Change::Keep),
            Some(Value::Null) => Ok(Change::Reset),
            // The value itself is not repeated: it may be a secret in the wrong place.
            Some(value) => convert(value).map(Change::To).ok_or_else(|| {
                ApiError::bad(format!(
                    "error converting input for field {name:?}: expected {expected}"
                ))
            }),
        }
    }

    pub(super) fn bool(self, name: &str) -> Result<Change<bool>, ApiError> {
        self.read(name, "a boolean", bool_of)
    }

    pub(super) fn u32(self, name: &str) -> Result<Change<u32>, ApiError> {
        self.read(name, "a non-negative number", |value| u32::try_from(int_of(value)?).ok())
    }

    pub(super) fn text(self, name: &str) -> Result<Change<String>, ApiError> {
        self.read(name, "a string", text_of)
    }

    pub(super) fn list(self, name: &str) -> Result<Change<Vec<String>>, ApiError> {
        self.read(name, "a list of strings", list_of)
    }

    pub(super) fn map(self, name: &str) -> Result<Change<BTreeMap<String, String>>, ApiError> {
        self.read(name, "an object of strings", |value| {
            let fields = value.as_object()?.iter();
            fields.map(|(name, value)| Some((name.clone(), text_of(value)?))).collect()
        })
    }

    pub(super) fn seconds(self, name: &str) -> Result<Change<i64>, ApiError> {
        self.read(name, "a duration", seconds_of)
    }

    /// Text that must be one of the names that `parse` knows; empty text is a reset.
    pub(super) fn named<T, E: Into<ApiError>>(
        self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Change<T>, ApiError> {
        Ok(match self.text(name)? {
            Change::Keep => Change::Keep,
            Change::Reset => Change::Reset,
            Change::To(text) if text.is_empty() => Change::Reset,
            Change::To(text) => Change::To(parse(&text).map_err(Into::into)?),
        })
    }

    /// The fields of an object, if there is one.
    pub(super) fn object(self, name: &str) -> Result<Option<Fields<'a>>, ApiError> {
        match self.data.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(data)) => Ok(Some(Fields { data })),
            Some(_) => Err(ApiError::bad(format!(
                "error converting input for field {name:?}: expected an object"
            ))),
        }
    }

    /// Text that must be there.
    pub(super) fn required(self, name: &str) -> Result<String, ApiError> {
        match self.text(name)? {
            Change::To(text) if !text.is_empty() => Ok(text),
            _ => Err(ApiError::bad(format!("missing {name}"))),
        }
    }
}

/// Go's `strconv.ParseBool`.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn bool_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => Some(number.as_f64()? != 0.0),
        Value::String(text) if text.is_empty() => Some(false),
        Value::String(text) => parse_bool(text),
        _ => None,
    }
}

fn int_of(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn list_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(text_of).collect(),
        Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
        Value::String(text) => Some(text.split(',').map(|item| item.trim().to_owned()).collect()),
        other => Some(vec![text_of(other)?]),
    }
}

fn seconds_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?.trunc())),
        Value::String(text) => parse_seconds(text.trim()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        json!({ "x": value }).as_object().unwrap().clone()
    }

    #[test]
    fn booleans() {
        for (value, expected) in [
            (json!(true), true),
            (json!("true"), true),
            (json!("1"), true),
            (json!("True"), true),
            (json!(1), true),
            (json!("f"), false),
            (json!(0), false),
            (json!(""), false),
        ] {
            assert_eq!(Fields::new(&map(value)).bool("x").unwrap(), Change::To(expected));
        }
        for wrong in [json!("yes"), json!([]), json!({}), json!("tRuE")] {
            assert_eq!(Fields::new(&map(wrong)).bool("x").unwrap_err().status, 400);
        }
        assert_eq!(Fields::new(&map(json!(null))).bool("x").unwrap(), Change::Reset);
        assert_eq!(Fields::new(&map(json!(true))).bool("y").unwrap(), Change::Keep);
    }

    #[test]
    fn numbers_texts_and_lists() {
        for value in [json!(2048), json!("2048"), json!(2048.0)] {
            assert_eq!(Fields::new(&map(value)).u32("x").unwrap(), Change::To(2048));
        }
        for wrong in [json!(-1), json!("many"), json!(1.5), json!(5_000_000_000_u64), json!([1])] {
            assert!(Fields::new(&map(wrong)).u32("x").is_err());
        }
        for (value, expected) in [
            (json!("a,b"), &["a", "b"][..]),
            (json!("a, b"), &["a", "b"]),
            (json!(["a", "b"]), &["a", "b"]),
            (json!([1, true]), &["1", "true"]),
            (json!(""), &[]),
            (json!([]), &[]),
            (json!(7), &["7"]),
        ] {
            let expected = expected.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(Fields::new(&map(value)).list("x").unwrap(), Change::To(expected));
        }
        assert!(Fields::new(&map(json!([[]]))).list("x").is_err());
        let expected =
            BTreeMap::from([("a", "1"), ("b", "true")].map(|(k, v)| (k.into(), v.into())));
        let value = json!({"a": 1, "b": "true"});
        assert_eq!(Fields::new(&map(value)).map("x").unwrap(), Change::To(expected));
        for wrong in [json!("a=1"), json!([]), json!({"a": null}), json!({"a": {}})] {
            assert!(Fields::new(&map(wrong)).map("x").is_err());
        }
        assert!(Fields::new(&map(json!({}))).text("x").is_err());
    }

    #[test]
    fn durations() {
        for (value, expected) in [
            (json!(3600), 3600),
            (json!("3600"), 3600),
            (json!("1h30m"), 5400),
            (json!("365d"), 31_536_000),
            (json!("1.5h"), 5400),
            (json!("24h"), 86_400),
            (json!("1500ms"), 1),
            (json!(""), 0),
            (json!("-1h"), -3600),
            (json!(31_536_000.0), 31_536_000),
        ] {
            assert_eq!(Fields::new(&map(value)).seconds("x").unwrap(), Change::To(expected));
        }
        for wrong in ["x", "1", "1y", "h", "1h30", "1..5h", "1e9h", "99999999999999999999h", "é"] {
            let read = Fields::new(&map(json!(wrong))).seconds("x");
            assert_eq!(read.is_err(), wrong != "1", "{wrong}");
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_the_value() {
        let error = Fields::new(&map(json!("hunter2"))).bool("x").unwrap_err();
        assert!(!error.text().contains("hunter2"));
    }
}
