//! What is wrong with a configuration file: the key, its value, why, and what to do.

use std::fmt::{self, Display};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Section and name; empty where the file as a whole is wrong.
    pub(crate) key: String,
    /// The value, if it has one.
    pub(crate) value: Option<String>,
    /// Why.
    pub(crate) reason: String,
    /// What to do.
    pub(crate) next: String,
}

impl Problem {
    /// The file as a whole.
    pub(super) fn file(reason: impl Display, next: impl Display) -> Self {
        Self { key: String::new(), value: None, reason: reason.to_string(), next: next.to_string() }
    }

    /// A key that should be there.
    pub(super) fn missing(key: &str, next: impl Display) -> Self {
        Self {
            key: key.to_owned(),
            value: None,
            reason: "is missing".to_owned(),
            next: next.to_string(),
        }
    }

    /// A value that cannot be.
    pub(super) fn value(
        key: &str,
        value: impl Display,
        reason: impl Display,
        next: impl Display,
    ) -> Self {
        Self {
            key: key.to_owned(),
            value: Some(value.to_string()),
            reason: reason.to_string(),
            next: next.to_string(),
        }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, self.key.is_empty()) {
            (_, true) => write!(f, "{}", self.reason)?,
            (Some(value), _) => write!(f, "{} = {value}: {}", self.key, self.reason)?,
            (None, _) => write!(f, "{}: {}", self.key, self.reason)?,
        }
        write!(f, "\n  {}", self.next)
    }
}
