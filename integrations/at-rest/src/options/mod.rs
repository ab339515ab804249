//! The options of Percona Server for MongoDB, with its names and rules: as given ([`Options`]) and as
//! understood ([`Settings`]).
//!
//! It must never read anything but the text that it is given.

mod mongod_conf;
mod settings;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

pub use settings::{Activation, Facility, KmipSettings, Settings};
pub use table::{OPTIONS, OptionId, Row, Shape};

use crate::Level;

/// What is wrong with an option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct Problem {
    /// The option as it was named, or the place in the file.
    pub name: String,
    /// What is wrong.
    pub problem: String,
}

impl Problem {
    fn new(name: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self { name: name.to_string(), problem: problem.to_string() }
    }
}

/// Where an option was given.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Source {
    File,
    CommandLine,
    /// Nowhere; it follows from the program.
    Program,
}

/// The value of an option, of the type that its row says.
#[derive(Clone, PartialEq, Eq)]
enum Value {
    Boolean(bool),
    Integer(i64),
    Text(Zeroizing<String>),
}

/// Options as they were given.
#[derive(Clone, Default)]
pub struct Options(BTreeMap<OptionId, (Value, Source)>);

impl fmt::Debug for Options {
    /// Which are given, not what they are: one of them is a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Options {
    /// No options.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The options in the text of a mongod.conf; what is none of ours is skipped.
    ///
    /// # Errors
    /// It is no YAML, or says of `security.kmip` what the table does not know.
    pub fn from_mongod_conf(text: &str) -> Result<Self, Vec<Problem>> {
        mongod_conf::read(text)
    }

    /// Takes an option from the command line; it counts more than that of a file. `text` is what
    /// follows the flag, `true` for a switch.
    ///
    /// # Errors
    /// The text is no value of the option.
    pub fn set(&mut self, option: OptionId, text: &str) -> Result<(), Problem> {
        let name = format!("--{}", option.row().flag);
        self.take(option, name, text, Source::CommandLine)
    }

    /// Says that encryption is on where nobody said whether it is: who runs a keystore wants it.
    pub fn imply_encryption(&mut self) {
        let implied = (Value::Boolean(true), Source::Program);
        self.0.entry(OptionId::EnableEncryption).or_insert(implied);
    }

    /// Whether it is given.
    #[must_use]
    pub fn is_given(&self, option: OptionId) -> bool {
        self.0.contains_key(&option)
    }

    /// What the options mean together.
    ///
    /// # Errors
    /// Some exclude each other, lack others, or are younger than the level.
    pub fn settings(&self, level: Level) -> Result<Settings, Vec<Problem>> {
        settings::understand(self, level)
    }

    fn take(
        &mut self,
        option: OptionId,
        name: String,
        text: &str,
        source: Source,
    ) -> Result<(), Problem> {
        let value = option.row().shape.parse(text).map_err(|problem| Problem { name, problem })?;
        self.0.insert(option, (value, source));
        Ok(())
    }

    /// How whoever gave the option named it.
    fn name(&self, option: OptionId) -> String {
        match self.0.get(&option) {
            Some((_, Source::File)) => option.row().key.to_owned(),
            _ => format!("--{}", option.row().flag),
        }
    }

    /// A switch that is off, and an identifier that is empty, are as if they were not given.
    fn is_set(&self, option: OptionId) -> bool {
        match self.0.get(&option) {
            None => false,
            Some((Value::Boolean(value), _)) => *value || option.row().shape != Shape::Switch,
            Some((Value::Text(text), _)) => !text.is_empty(),
            Some((Value::Integer(_), _)) => true,
        }
    }

    fn boolean(&self, option: OptionId) -> bool {
        match self.0.get(&option) {
            Some((Value::Boolean(value), _)) => *value,
            _ => matches!(option.row().shape, Shape::Boolean(true)),
        }
    }

    fn integer(&self, option: OptionId) -> i64 {
        match (self.0.get(&option), &option.row().shape) {
            (Some((Value::Integer(value), _)), _) => *value,
            (_, Shape::Integer { default, .. }) => *default,
            _ => 0,
        }
    }

    fn text(&self, option: OptionId) -> Option<&Zeroizing<String>> {
        match self.0.get(&option) {
            Some((Value::Text(text), _)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

impl Shape {
    fn parse(&self, text: &str) -> Result<Value, String> {
        let refused = || format!("write {}", self.values_text());
        match self {
            Self::Switch | Self::Boolean(_) => {
                text.parse().map(Value::Boolean).map_err(|_| refused())
            }
            Self::Integer { min, max, .. } => {
                let number = text.parse::<i64>().map_err(|_| refused())?;
                let is_within = (*min..=*max).contains(&number);
                if is_within { Ok(Value::Integer(number)) } else { Err(refused()) }
            }
            Self::Word(words) if !words.contains(&text) => Err(refused()),
            Self::Text | Self::Secret | Self::Path if text.is_empty() => {
                Err(String::from("it is empty"))
            }
            Self::Word(_) | Self::Text | Self::Secret | Self::Identifier | Self::Path => {
                Ok(Value::Text(Zeroizing::new(text.to_owned())))
            }
        }
    }
}
