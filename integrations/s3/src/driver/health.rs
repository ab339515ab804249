//! Whether the KMIP servers are there, and what each of them lacks: Query, and no key is made for it.
//!
//! What a server does not announce is listed and no more: not every vendor announces what it has.

use std::fmt;

use claviger_client::{Endpoint, Error as ClientError, ServerFailure, requests};
use claviger_kmip::Version;
use claviger_kmip::enums::{ObjectType, Operation, ProfileName, QueryFunction};
use claviger_kmip::payload::{QueryRequest, QueryResponse, Request};
use claviger_kmip::tables::Enumeration;
use tokio::task::JoinSet;

use super::{Driver, DriverError, VERSION_MAX, VERSION_MIN};

/// The operations that the driver asks for. The last two only after an answer was lost.
const OPERATIONS: [Operation; 9] = [
    Operation::CREATE,
    Operation::ACTIVATE,
    Operation::ENCRYPT,
    Operation::DECRYPT,
    Operation::REVOKE,
    Operation::DESTROY,
    Operation::QUERY,
    Operation::LOCATE,
    Operation::GET_ATTRIBUTES,
];

/// The profiles that have what the driver needs, by the beginnings of their names; any version of one will do. Every
/// server profile has the Baseline Server in it.
const PROFILES: [&str; 2] = ["Symmetric Key Lifecycle Server", "Basic Cryptographic Server"];

/// How the KMIP servers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Each of them, in the order of the options.
    pub servers: Vec<ServerHealth>,
}

/// How a KMIP server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHealth {
    /// The server.
    pub server: Endpoint,
    /// The version of KMIP that is spoken with it; none before it was reached.
    pub version: Option<Version>,
    /// What the vendor calls itself.
    pub vendor: Option<String>,
    /// What it does not announce, although the driver needs it.
    pub missing: Missing,
    /// Why it cannot be used, if it cannot.
    pub problem: Option<String>,
}

/// What a server does not announce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Operations.
    pub operations: Vec<Operation>,
    /// The type of object that keys are.
    pub symmetric_key: bool,
    /// Profiles, if it announces any: before KMIP 1.3 none could be.
    pub profiles: Vec<&'static str>,
}

impl ServerHealth {
    /// Whether it answers.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.problem.is_none()
    }
}

impl Missing {
    fn of(answer: &QueryResponse) -> Self {
        let operations = OPERATIONS.into_iter();
        let names: Vec<&str> = answer.profile_information.iter().filter_map(title).collect();
        let is_there = |profile: &&str| names.iter().any(|name| name.starts_with(profile));
        Self {
            operations: operations.filter(|it| !answer.operation.contains(it)).collect(),
            symmetric_key: !answer.object_type.contains(&ObjectType::SYMMETRIC_KEY),
            profiles: match names.is_empty() {
                true => Vec::new(),
                false => PROFILES.into_iter().filter(|profile| !is_there(profile)).collect(),
            },
        }
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Missing {
    /// `Encrypt, Decrypt, symmetric keys, Basic Cryptographic Server`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = self.operations.iter().map(|operation| format!("{operation:?}"));
        let keys = self.symmetric_key.then(|| String::from("symmetric keys"));
        let profiles = self.profiles.iter().map(|profile| String::from(*profile));
        f.write_str(&operations.chain(keys).chain(profiles).collect::<Vec<_>>().join(", "))
    }
}

fn title(profile: &claviger_kmip::payload::ProfileInformation) -> Option<&'static str> {
    ProfileName::TABLE.by_code(profile.profile_name.0).map(|row| row.title)
}

impl Driver {
    /// Asks every server at once what it can do.
    ///
    /// # Errors
    /// None of them can be used.
    pub async fn health_check(&self) -> Result<Health, DriverError> {
        let mut asked = JoinSet::new();
        for (place, server) in self.hosts.iter().enumerate() {
            let (client, server) = (self.client.clone(), server.clone());
            asked.spawn(async move {
                let functions = [
                    QueryFunction::QUERY_OPERATIONS,
                    QueryFunction::QUERY_OBJECTS,
                    QueryFunction::QUERY_SERVER_INFORMATION,
                ];
                let mut answer = client.call_at(place, &requests::query(functions)).await;
                let version = client.version(place);
                if let Ok(known) = &mut answer
                    && version >= Some(Version::V1_3)
                    && let Ok(profiles) = client
                        .call_at(place, &requests::query([QueryFunction::QUERY_PROFILES]))
                        .await
                {
                    known.profile_information = profiles.profile_information;
                }
                (place, server, version, answer)
            });
        }
        let mut asked = asked.join_all().await;
        asked.sort_by_key(|(place, ..)| *place);
        let mut servers = Vec::new();
        let mut failures = Vec::new();
        for (_, server, version, answer) in asked {
            let mut health = ServerHealth {
                server: server.clone(),
                version,
                vendor: None,
                missing: Missing::default(),
                problem: None,
            };
            match answer {
                Ok(answer) => {
                    health.missing = Missing::of(&answer);
                    health.vendor = answer.vendor_identification;
                    health.log();
                }
                Err(error) => {
                    let problem = problem(&error);
                    tracing::warn!(target: "claviger::kmip", host = %server, problem, "a KMIP server cannot be used");
                    health.problem = Some(problem);
                    failures.push(ServerFailure { server, error });
                }
            }
            servers.push(health);
        }
        if failures.len() == servers.len() {
            let error = ClientError::Servers(failures);
            return Err(DriverError::of(QueryRequest::OPERATION, None, error));
        }
        Ok(Health { servers })
    }
}

impl ServerHealth {
    fn log(&self) {
        let version = self.version.map(|version| version.to_string());
        let (host, vendor) = (&self.server, self.vendor.as_deref().unwrap_or_default());
        let version = version.as_deref().unwrap_or_default();
        tracing::debug!(target: "claviger::kmip", %host, vendor, version, "a KMIP server is there");
        if !self.missing.is_nothing() {
            let missing = &self.missing;
            tracing::warn!(target: "claviger::kmip", %host, vendor, %missing, "the KMIP server does not announce all that is needed");
        }
    }
}

fn problem(error: &ClientError) -> String {
    match error {
        ClientError::Version => {
            format!("it speaks no version of KMIP from {VERSION_MIN} to {VERSION_MAX}")
        }
        error => error.to_string(),
    }
}
