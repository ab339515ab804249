//! How a server is spoken to: the version, and what every request's header says.
//!
//! It must never know how bytes travel.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use claviger_kmip::Version;
use claviger_kmip::codec::DateTime;
use claviger_kmip::message::{Authentication, RequestHeader};
use claviger_ttlv::Limits;

/// The version to speak.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Versions {
    /// This one, without asking.
    Fixed(Version),
    /// The newest that both speak, between these two.
    Negotiated {
        /// The oldest that may be spoken.
        oldest: Version,
        /// The newest that may be spoken.
        newest: Version,
    },
}

impl Default for Versions {
    /// The newest that both speak, 2.1 to 1.0.
    fn default() -> Self {
        Self::Negotiated { oldest: Version::V1_0, newest: Version::V2_1 }
    }
}

/// How a server is spoken to.
#[derive(Clone, Default)]
pub struct Dialect {
    /// The version.
    pub versions: Versions,
    /// Credentials beside the certificate.
    pub authentication: Option<Authentication>,
    /// The largest answer to take, in bytes: the server is told, and a larger one is refused.
    pub maximum_response_size: Option<u32>,
    /// Whether requests say when they were sent.
    pub time_stamp: bool,
}

impl fmt::Debug for Dialect {
    /// Everything but the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialect")
            .field("versions", &self.versions)
            .field("maximum_response_size", &self.maximum_response_size)
            .field("time_stamp", &self.time_stamp)
            .finish_non_exhaustive()
    }
}

impl Dialect {
    /// That version and nothing special.
    #[must_use]
    pub fn fixed(version: Version) -> Self {
        Self { versions: Versions::Fixed(version), ..Self::default() }
    }

    /// The header of a request with so many items.
    #[must_use]
    pub fn header(&self, version: Version, batch_count: i32) -> RequestHeader {
        let size = self.maximum_response_size;
        RequestHeader {
            maximum_response_size: size.map(|size| i32::try_from(size).unwrap_or(i32::MAX)),
            authentication: self.authentication.clone(),
            time_stamp: self.time_stamp.then(now),
            ..RequestHeader::new(version, batch_count)
        }
    }

    /// The limits on an answer.
    pub(crate) fn limits(&self) -> Limits {
        let usual = Limits::default();
        let size = self.maximum_response_size.and_then(|size| usize::try_from(size).ok());
        Limits { size_max: size.unwrap_or(usual.size_max), ..usual }
    }
}

fn now() -> DateTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    DateTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
