//! What the API keeps under names, and the verbs that all of it shares.
//!
//! A noun of the command line is one [`Noun`], the flags of its fields, which [`body`] turns into a
//! request, and what is its own. It must never know what a field means.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::{Api, ApiArguments, slashed};
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// A kind of thing.
pub(crate) struct Noun {
    /// The command that deals with it.
    pub(crate) command: &'static str,
    /// What people call one.
    pub(crate) name: &'static str,
    /// What is said when there is none.
    pub(crate) none: &'static str,
    /// Where the API keeps them.
    pub(crate) place: Place,
}

/// Where the API keeps things of a kind.
pub(crate) enum Place {
    /// Below the KMIP mount; their names have no slashes.
    Engine(&'static str),
    /// Outside of it; their names may have slashes.
    Server(&'static str),
    /// The same, and one document has them all. With titles and fields for a table of them.
    Document(&'static str, &'static [(&'static str, &'static str)]),
}

/// The things of a kind on a server.
pub(crate) struct Things {
    pub(crate) api: Api,
    pub(crate) format: Format,
    noun: &'static Noun,
}

impl Noun {
    /// Those of a server.
    pub(crate) fn at(&'static self, api: &ApiArguments, format: Format) -> Outcome<Things> {
        Ok(Things { api: api.open()?, format, noun: self })
    }
}

impl Things {
    /// The path of one.
    pub(crate) fn path(&self, name: &str) -> Outcome<String> {
        match self.noun.place {
            Place::Engine(below) => {
                check_name(name)?;
                Ok(self.api.path(&[below, name]))
            }
            Place::Server(at) | Place::Document(at, _) => Ok(format!("{at}/{}", slashed(name))),
        }
    }

    /// Prints all.
    pub(crate) fn list(&self) -> Outcome {
        let path = match self.noun.place {
            Place::Engine(below) => self.api.path(&[below]),
            Place::Server(at) => at.to_owned(),
            Place::Document(at, columns) => {
                let all = self.document(at)?;
                self.note_none(all.is_empty());
                return match self.format {
                    Format::Json => output::json(&all),
                    Format::Text if all.is_empty() => Ok(()),
                    Format::Text => output::rows(columns, &all),
                };
            }
        };
        let names = self.api.list(&path)?;
        self.note_none(names.is_empty());
        output::names(self.format, &names)
    }

    fn note_none(&self, is_none: bool) {
        if is_none && self.format == Format::Text {
            output::note(self.noun.none);
        }
    }

    /// One, which must be there.
    pub(crate) fn find(&self, name: &str) -> Outcome<Value> {
        let Noun { command, name: noun, .. } = self.noun;
        self.seek(name)?.ok_or_else(|| {
            Failure::new(format_args!("there is no {noun} `{name}`"))
                .next(format_args!("See `claviger {command} list`."))
        })
    }

    /// Prints one.
    pub(crate) fn read(&self, name: &str) -> Outcome {
        output::fields(self.format, &self.find(name)?)
    }

    /// Writes one that is not there; `action` is what its path has after its name.
    pub(crate) fn create(&self, name: &str, action: &str, body: &Value, what: &str) -> Outcome {
        let Noun { command, name: noun, .. } = self.noun;
        if self.seek(name)?.is_some() {
            return Err(Failure::new(format_args!("there is a {noun} `{name}` already"))
                .next(format_args!("Change it with `claviger {command} update`.")));
        }
        self.write(name, action, body, what)
    }

    /// Changes one that is there. Of those in a document the server says whether it is: who may
    /// change one may not be allowed to see all.
    pub(crate) fn update(&self, name: &str, action: &str, body: &Value) -> Outcome {
        if body.as_object().is_none_or(Map::is_empty) {
            let command = self.noun.command;
            return Err(Failure::usage("nothing is to be changed")
                .next(format_args!("See `claviger {command} update --help`.")));
        }
        if !matches!(self.noun.place, Place::Document(..)) {
            self.find(name)?;
        }
        self.write(name, action, body, "updated")
    }

    /// Writes one, whether it is there or not.
    pub(crate) fn write(&self, name: &str, action: &str, body: &Value, what: &str) -> Outcome {
        self.api.write(&format!("{}{action}", self.path(name)?), body)?;
        output::done(self.format, name, what)
    }

    /// Deletes one that is there: the API's answer is the same whether there was one.
    pub(crate) fn delete(&self, name: &str, what: &str) -> Outcome {
        self.find(name)?;
        self.api.delete(&self.path(name)?)?;
        output::done(self.format, name, what)
    }

    fn seek(&self, name: &str) -> Outcome<Option<Value>> {
        match self.noun.place {
            Place::Engine(_) | Place::Server(_) => self.api.read(&self.path(name)?),
            Place::Document(at, _) => {
                let mut all = self.document(at)?;
                Ok(all.get_mut(&format!("{}/", name.trim_matches('/'))).map(Value::take))
            }
        }
    }

    fn document(&self, at: &str) -> Outcome<Map<String, Value>> {
        match self.api.read(at)? {
            Some(Value::Object(all)) => Ok(all),
            _ => Ok(Map::new()),
        }
    }
}

/// The flags that were given, as fields of a request. Of a list that was given as empty text, it
/// makes an empty list.
pub(crate) fn body(flags: &impl Serialize) -> Outcome<Map<String, Value>> {
    let Value::Object(mut fields) = serde_json::to_value(flags).map_err(Failure::new)? else {
        return Ok(Map::new());
    };
    fields.retain(|_, value| !value.is_null());
    for list in fields.values_mut().filter_map(Value::as_array_mut) {
        list.retain(|item| item != "");
    }
    Ok(fields)
}

/// Refuses what one part of a path cannot say.
pub(crate) fn check_name(name: &str) -> Outcome {
    if name.contains('/') {
        return Err(Failure::usage(format_args!("`{name}`: names have no \"/\"")));
    }
    if name.is_empty() {
        return Err(Failure::usage("the name is empty"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    struct Flags {
        text: Option<String>,
        list: Option<Vec<String>>,
        number: Option<u32>,
    }

    #[test]
    fn only_what_was_given_is_sent() {
        let none = Flags { text: None, list: None, number: None };
        assert_eq!(Value::Object(body(&none).unwrap()), json!({}));
        let emptied =
            Flags { text: Some(String::new()), list: Some(vec![String::new()]), number: Some(0) };
        let expected = json!({ "text": "", "list": [], "number": 0 });
        assert_eq!(Value::Object(body(&emptied).unwrap()), expected);
    }
}
