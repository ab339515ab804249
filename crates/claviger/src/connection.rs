//! Where a KMIP server is and who we are there: the flags of every command that speaks KMIP.

use std::path::PathBuf;

use clap::Args;
use claviger_client::blocking::{Connection, Timeouts};
use claviger_client::tls::Files;
use claviger_client::{Endpoint, Error, PORT};
use claviger_kmip::Version;
use claviger_kmip::payload::Request;

use crate::failure::{Failure, Outcome};

/// The flags of a KMIP client.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConnectionArguments {
    /// KMIP servers, tried in this order [default: 127.0.0.1:5696]
    #[arg(long, global = true, value_name = "HOST[:PORT]", value_delimiter = ',')]
    pub(crate) server: Vec<Endpoint>,
    /// Directory with ca.pem, cert.pem and key.pem, as `server --export-client` writes it
    #[arg(long, global = true, value_name = "DIR", conflicts_with_all = ["ca", "cert", "key"])]
    pub(crate) client: Option<PathBuf>,
    /// Certificates of the authorities that the server's certificate may come from
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The client's certificate, followed by its chain
    #[arg(long, global = true, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The client's private key
    #[arg(long, global = true, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Version of KMIP to speak: 1.0 to 1.4, 2.0 or 2.1
    #[arg(long, global = true, value_name = "VERSION", default_value = "1.4",
          value_parser = version)]
    pub(crate) kmip_version: Version,
}

fn version(text: &str) -> Result<Version, String> {
    let known = Version::ALL.into_iter().find(|version| version.to_string() == text);
    known.ok_or_else(|| String::from("choose one of 1.0, 1.1, 1.2, 1.3, 1.4, 2.0 and 2.1"))
}

impl ConnectionArguments {
    /// Whether a server or a client is named: either means a server that is running already.
    pub(crate) const fn is_given(&self) -> bool {
        !self.server.is_empty()
            || self.client.is_some()
            || self.ca.is_some()
            || self.cert.is_some()
            || self.key.is_some()
    }

    /// The servers to try.
    pub(crate) fn servers(&self) -> Vec<Endpoint> {
        if self.server.is_empty() {
            return vec![Endpoint { host: String::from("127.0.0.1"), port: PORT }];
        }
        self.server.clone()
    }

    /// The files of the client.
    pub(crate) fn files(&self) -> Outcome<Files> {
        if let Some(directory) = &self.client {
            return Ok(Files::in_directory(directory));
        }
        match (&self.ca, &self.cert, &self.key) {
            (Some(ca), Some(certificate), Some(key)) => {
                Ok(Files { ca: ca.clone(), certificate: certificate.clone(), key: key.clone() })
            }
            _ => Err(Failure::usage("a KMIP server demands a client certificate").next(
                "Give --client DIR, as `claviger server --export-client DIR` writes it, or --ca, \
                 --cert and --key.",
            )),
        }
    }

    /// Connects to the first server that can be reached.
    pub(crate) fn open(&self) -> Outcome<Session> {
        let config = self.files()?.load()?;
        let mut failure = None;
        for server in self.servers() {
            match Connection::open(&server, &config, Timeouts::default()) {
                Ok(connection) => {
                    return Ok(Session { connection, version: self.kmip_version });
                }
                Err(error) => failure = Some(Failure::from(error).at(&server)),
            }
        }
        Err(failure.unwrap_or_else(|| Failure::usage("no server is named")))
    }
}

/// A connection that speaks one version.
pub(crate) struct Session {
    /// The connection.
    pub(crate) connection: Connection,
    /// The version.
    pub(crate) version: Version,
}

impl Session {
    /// Asks for one operation.
    pub(crate) fn call<R: Request>(&mut self, request: &R) -> Outcome<R::Response> {
        let result = self.connection.call(self.version, request);
        result.map_err(|error| match error {
            Error::TooYoung(_) => Failure::from(error).at(format_args!("KMIP {}", self.version)),
            error => error.into(),
        })
    }
}
