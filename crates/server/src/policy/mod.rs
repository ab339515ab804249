//! Access policies: which API paths a token may do what to.
//!
//! `rules` decides and `parse` reads, both pure; here they are kept, parsed, in memory, and
//! written through to the store. Knows no token but the names of its policies, and no route.

mod hcl;
mod json;
mod parse;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use serde::{Deserialize, Serialize};

use crate::record::{Edit, Kind, RecordError, Records, key};

pub use parse::{ParseError, parse};
pub use rules::{Capabilities, Capability, Grant, Rule, Wrapping, granted};

/// Everything is allowed to it; nobody writes it.
pub const ROOT: &str = "root";

/// What every token has unless its maker leaves it out.
pub const DEFAULT: &str = "default";

/// What a wrapping token has; nobody writes it.
pub const RESPONSE_WRAPPING: &str = "response-wrapping";

/// The policy `default` until somebody writes another: to look after oneself.
const DEFAULT_TEXT: &str = r#"# What every token may do with itself.
path "auth/token/lookup-self" {
    capabilities = ["read", "update"]
}
path "auth/token/renew-self" {
    capabilities = ["update"]
}
path "auth/token/revoke-self" {
    capabilities = ["update"]
}
path "sys/capabilities-self" {
    capabilities = ["update"]
}

# Answers that were wrapped, for whoever holds their token.
path "sys/wrapping/wrap" {
    capabilities = ["update"]
}
path "sys/wrapping/lookup" {
    capabilities = ["update"]
}
path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}
"#;

/// The policy of a wrapping token.
const RESPONSE_WRAPPING_TEXT: &str = r#"path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}
path "sys/wrapping/lookup" {
    capabilities = ["update"]
}
"#;

const NAME_BYTES_MAX: usize = 255;
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Why a policy could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It does not parse; says where and why.
    #[error("failed to parse policy: {0}")]
    Parse(#[from] ParseError),
    /// What is asked for cannot be; says what.
    #[error("{0}")]
    BadInput(String),
    /// Records could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A policy as it is stored.
#[derive(Serialize, Deserialize)]
struct PolicyRecord {
    name: String,
    text: String,
}

/// A policy that has been understood.
#[derive(Debug)]
struct Policy {
    text: String,
    rules: Vec<Rule>,
}

/// The policies.
pub struct Policies {
    records: Records,
    known: RwLock<BTreeMap<String, Arc<Policy>>>,
    writer: Mutex<()>,
}

impl Policies {
    /// Reads every policy.
    ///
    /// # Errors
    /// When one cannot be read, or does not parse any more: without it nobody knows what is denied.
    pub fn open(records: Records) -> Result<Self, PolicyError> {
        let mut known = BTreeMap::new();
        for (name, text) in
            [(DEFAULT, DEFAULT_TEXT), (RESPONSE_WRAPPING, RESPONSE_WRAPPING_TEXT), (ROOT, "")]
        {
            known.insert(name.to_owned(), Policy::understand(text)?);
        }
        for (_, stored) in records.scan::<PolicyRecord>(&key(Kind::Policy, &[]))? {
            known.insert(stored.value.name, Policy::understand(&stored.value.text)?);
        }
        Ok(Self { records, known: RwLock::new(known), writer: Mutex::new(()) })
    }

    /// What a token with these policies may do to a path: its own answer if it ends in a slash, as a
    /// list does. Policies that are not there grant nothing.
    pub fn granted(&self, policies: &[String], path: &str) -> Capabilities {
        self.grant(policies, path).capabilities
    }

    /// The same, with the condition on which it is granted.
    pub fn grant(&self, policies: &[String], path: &str) -> Grant {
        if policies.iter().any(|name| name == ROOT) {
            return Grant { capabilities: Capabilities::everything(), ..Grant::default() };
        }
        let known = self.read();
        let rules = policies.iter().filter_map(|name| known.get(name));
        granted(rules.flat_map(|policy| &policy.rules), path)
    }

    /// The names of all policies.
    pub fn names(&self) -> Vec<String> {
        let known = self.read();
        known.keys().filter(|name| *name != RESPONSE_WRAPPING).cloned().collect()
    }

    /// The text of a policy, as it was written.
    pub fn text(&self, name: &str) -> Option<String> {
        self.read().get(&name.to_lowercase()).map(|policy| policy.text.clone())
    }

    /// Writes a policy, in HCL or JSON, in the place of the one of its name. Blocks until durable.
    ///
    /// # Errors
    /// What is wrong with it; `root` is written by nobody.
    pub fn write(&self, name: &str, text: &str) -> Result<(), PolicyError> {
        let name = checked(name)?;
        if matches!(name.as_str(), ROOT | RESPONSE_WRAPPING) {
            return Err(PolicyError::BadInput(format!("cannot update {name:?} policy")));
        }
        let text = text.to_owned();
        if text.trim().is_empty() {
            let empty = "'policy' parameter not supplied or empty";
            return Err(PolicyError::BadInput(empty.to_owned()));
        }
        let policy = Policy::understand(&text)?;
        let at = self.key(&name);
        let record = PolicyRecord { name: name.clone(), text };
        let _one = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut edit = Edit::default();
        match self.records.get::<PolicyRecord>(&at)? {
            Some(stored) => edit.update(at, stored.version, &record)?,
            None => edit.create(at, &record)?,
        };
        self.records.commit(edit)?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(name, policy);
        Ok(())
    }

    /// Removes a policy; one that is not there is no error. Blocks until durable.
    ///
    /// # Errors
    /// `root` and `default` stay.
    pub fn delete(&self, name: &str) -> Result<(), PolicyError> {
        let name = checked(name)?;
        if matches!(name.as_str(), ROOT | DEFAULT | RESPONSE_WRAPPING) {
            return Err(PolicyError::BadInput(format!("cannot delete {name:?} policy")));
        }
        let _one = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut edit = Edit::default();
        edit.delete(self.key(&name));
        self.records.commit(edit)?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(&name);
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Policy>>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, name: &str) -> Vec<u8> {
        key(Kind::Policy, &[&self.records.blind("policy", name)])
    }
}

impl Policy {
    fn understand(text: &str) -> Result<Arc<Self>, PolicyError> {
        if text.len() > TEXT_BYTES_MAX {
            let limit = format!("a policy has at most {TEXT_BYTES_MAX} bytes");
            return Err(PolicyError::BadInput(limit));
        }
        Ok(Arc::new(Self { text: text.to_owned(), rules: parse(text)? }))
    }
}

/// A name as it is kept: in lower case, as Vault's.
fn checked(name: &str) -> Result<String, PolicyError> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
    if !fits || name.chars().any(|c| c.is_control() || c == ',') || name.trim() != name {
        return Err(PolicyError::BadInput(
            "a policy name has 1 to 255 bytes, without commas, control characters and outer spaces"
                .to_owned(),
        ));
    }
    Ok(name.to_lowercase())
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("known", &self.read().len()).finish_non_exhaustive()
    }
}
