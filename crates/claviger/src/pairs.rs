//! Fields of a request as people write them: `NAME=VALUE`.
//!
//! It must never repeat what somebody wrote: a value may be a secret, with its name or without.

use std::path::Path;

use serde_json::{Map, Value};

use crate::failure::{Failure, Outcome};
use crate::input;

/// Names and values as they stand there.
pub(crate) fn split(pairs: &[String]) -> Outcome<Vec<(&str, &str)>> {
    let mut fields = Vec::with_capacity(pairs.len());
    for (number, pair) in (1..).zip(pairs) {
        let field = pair.split_once('=').filter(|(name, _)| !name.is_empty());
        fields.push(field.ok_or_else(|| {
            Failure::usage(format_args!("field {number} is not written NAME=VALUE"))
        })?);
    }
    Ok(fields)
}

/// The fields of a request. `NAME=@FILE` is what the file holds, `NAME=-` a line of stdin, which a
/// terminal does not show. A name that is given again makes a list.
pub(crate) fn fields(pairs: &[String]) -> Outcome<Map<String, Value>> {
    let mut fields: Map<String, Value> = Map::new();
    for (name, value) in split(pairs)? {
        let value = Value::String(read(name, value)?);
        match fields.get_mut(name) {
            None => drop(fields.insert(name.to_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(fields)
}

fn read(name: &str, value: &str) -> Outcome<String> {
    match value.strip_prefix('@') {
        Some(file) => input::text(Path::new(file)),
        None if value == "-" => Ok(input::secret(name)?.to_string()),
        None => Ok(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(words: &[&str]) -> Outcome<Value> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        fields(&words).map(Value::Object)
    }

    #[test]
    fn fields_as_the_api_takes_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("value");
        std::fs::write(&path, "of a file\n").unwrap();
        let from_file = format!("b=@{}", path.display());
        let read = given(&["a=1=2", &from_file, "c=", "d=x", "d=y", "d=z"]).unwrap();
        let expected = json!({ "a": "1=2", "b": "of a file\n", "c": "", "d": ["x", "y", "z"] });
        assert_eq!(read, expected);
        assert_eq!(given(&["a=@/nonexistent"]).unwrap_err().code, 1);
    }

    #[test]
    fn what_is_no_field_is_not_repeated() {
        for words in [["a=1", "hunter2"], ["a=1", "=hunter2"]] {
            let failure = given(&words).unwrap_err();
            assert_eq!(failure.code, 2);
            assert!(failure.problem.contains("field 2"), "{failure}");
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }
}
