//! How the runner reaches what it tests: one message out, one message in.
//!
//! Must never know TLS, HTTP or a server: those implement these traits.

use std::io;

use claviger_kmip::tables::KmipNames;
use claviger_ttlv::{Layout, Limits, Node, json, xml};

use super::catalogue::Group;

/// How messages are encoded on the way.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// TTLV on the connection itself.
    Ttlv,
    /// TTLV in HTTPS.
    Https,
    /// JSON in HTTPS.
    Json,
    /// XML in HTTPS.
    Xml,
}

impl Encoding {
    pub(crate) fn encode(self, message: &Node) -> Vec<u8> {
        match self {
            Self::Ttlv | Self::Https => message.to_bytes(),
            Self::Json => json::write(message, &KmipNames, Layout::Compact).into_bytes(),
            Self::Xml => xml::write(message, &KmipNames, Layout::Compact).into_bytes(),
        }
    }

    /// The message, or what is wrong with the bytes.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Node, String> {
        let limits = Limits::default();
        let text = || std::str::from_utf8(bytes).map_err(|_| "the text is not UTF-8".to_owned());
        match self {
            Self::Ttlv | Self::Https => {
                Node::from_bytes(bytes, &limits).map_err(|error| error.to_string())
            }
            Self::Json => {
                json::read(text()?, &KmipNames, &limits).map_err(|error| error.to_string())
            }
            Self::Xml => xml::read(text()?, &KmipNames, &limits).map_err(|error| error.to_string()),
        }
    }
}

/// One connection to a server.
pub(crate) trait Transport {
    /// Sends a request and waits for its response; both are whole messages in the encoding for
    /// which the connection was opened.
    fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>>;

    /// Waits for a request that the server sends to the client (Notify, Put).
    ///
    /// The default says [`io::ErrorKind::Unsupported`]; cases that need it are then excluded.
    fn receive(&mut self) -> io::Result<Vec<u8>> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Answers the request that was received last.
    fn answer(&mut self, _response: &[u8]) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

/// Opens connections.
pub(crate) trait Connector {
    /// Opens a connection for a group of cases. Where the runner starts its own servers, this
    /// starts a new one: a group presumes an empty server.
    fn connect(&mut self, group: &Group, encoding: Encoding) -> io::Result<Box<dyn Transport>>;
}
