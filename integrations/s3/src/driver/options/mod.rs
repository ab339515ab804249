//! What the driver is told: which KMIP servers, how to reach them, what keys are like. [`Given`] reads it from Zenko's
//! values.yaml, CloudServer's config.json and the environment.

mod given;
mod sources;
pub mod table;
mod yaml;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use claviger_client::tls::Settings;
use claviger_client::{Endpoint, Timeouts};
use claviger_kmip::attributes::AttributeReference;
use claviger_kmip::compat::reference_of;

pub use given::Given;
pub use table::OPTIONS;

use super::key_id::is_provider;

/// How many requests may be under way on one connection where nobody says.
pub const PIPELINE_DEPTH: usize = 8;

/// What the driver is told. [`Options::new`] has defaults for all but servers and certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether KMIP is to be used at all.
    pub enabled: bool,
    /// The servers, which all have the same keys. Each has its turn.
    pub hosts: Vec<Endpoint>,
    /// Whom to trust, and who we are.
    pub tls: Settings,
    /// Whether Create makes keys Active at once; else Activate follows.
    pub compound_create: bool,
    /// The attribute of a key that has the name of its bucket.
    pub bucket_attribute_name: Option<String>,
    /// How many requests may be under way on one connection; 0 means 1.
    pub pipeline_depth: usize,
    /// Whose servers they are: key identifiers get the prefix
    /// `arn:scality:kms:external:kmip:PROVIDER:key/`.
    pub provider: Option<String>,
    /// How long each step to an answer may take.
    pub timeouts: Timeouts,
}

impl Options {
    /// Servers and certificates, and Zenko's defaults.
    #[must_use]
    pub fn new(hosts: Vec<Endpoint>, tls: Settings) -> Self {
        Self {
            enabled: true,
            hosts,
            tls,
            compound_create: false,
            bucket_attribute_name: None,
            pipeline_depth: PIPELINE_DEPTH,
            provider: None,
            timeouts: Timeouts {
                request: Duration::from_secs(10),
                ..Timeouts::each(Duration::from_secs(3))
            },
        }
    }
}

impl Options {
    /// Whether the driver can work with them.
    pub(super) fn check(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        if self.hosts.is_empty() {
            problems.push(Problem::new("hosts", "no KMIP server is named"));
        }
        if self.tls.certificate.is_none() {
            problems.push(Problem::new("kmip-cert.pem", "the client's certificate is missing"));
        }
        if self.provider.as_deref().is_some_and(|provider| !is_provider(provider)) {
            problems.push(Problem::new("providerName", "write lower-case letters and digits"));
        }
        if self.bucket_attribute_name.as_deref().is_some_and(is_standard) {
            let problem = "KMIP itself has an attribute of this name: name one such as x-bucket";
            problems.push(Problem::new("bucketAttributeName", problem));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

/// Whether KMIP has an attribute of that name.
fn is_standard(name: &str) -> bool {
    matches!(reference_of(name), AttributeReference::Standard(_))
}

/// What is wrong with an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option, or where it is given.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Problem {
    pub(super) fn new(name: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self { name: name.to_string(), problem: problem.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.problem)
    }
}
