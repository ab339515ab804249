//! Where a server is: host and port.
//!
//! It must never know how to get there.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The port that IANA gave to KMIP.
pub const PORT: u16 = 5696;

/// A host name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A host name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl FromStr for Endpoint {
    type Err = Error;

    /// Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::Address(text.to_owned());
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(bad)?;
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err(bad()),
            }
        } else {
            match text.split_once(':') {
                Some((_, rest)) if rest.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            }
        };
        let port = port.map_or(Ok(PORT), |port| port.parse().map_err(|_| bad()))?;
        if host.is_empty() {
            return Err(bad());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_endpoint() {
        for (text, host, port) in [
            ("kms", "kms", 5696),
            ("kms:1", "kms", 1),
            ("10.0.0.1:5697", "10.0.0.1", 5697),
            ("[::1]", "::1", 5696),
            ("[::1]:7", "::1", 7),
            ("::1", "::1", 5696),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port), "{text}");
            assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint);
        }
        for text in ["", ":5696", "kms:", "kms:70000", "kms:x", "[::1", "[::1]x"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
