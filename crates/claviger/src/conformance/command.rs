//! `claviger conformance`: plays the cases against a server over TLS.
//!
//! Unless a server or a client is named, every group of cases gets a server of its own: this
//! program, started again. A client without a server means one that runs at the default address.

use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use clap::{Args, ValueEnum};
use claviger_client::blocking::{Connection, Timeouts};
use claviger_client::tls::Files;
use claviger_client::{Endpoint, Error};

use super::{Catalogue, Connector, Encoding, Group, Transport};
use crate::connection::ConnectionArguments;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use crate::scratch::Scratch;

/// Play the OASIS test cases against a server
#[derive(Args)]
#[command(after_help = "Without --server, --client, --ca, --cert and --key it starts servers of \
its own; with any of them it plays against those that run.")]
pub(crate) struct ConformanceArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    /// Directory with the OASIS test cases
    #[arg(long, value_name = "DIR", env = "CLAVIGER_KMIP_CASES")]
    cases: PathBuf,
    /// How messages travel
    #[arg(long, value_enum, default_value = "ttlv")]
    encoding: EncodingArgument,
    /// Print the messages of the case that failed
    #[arg(long)]
    messages: bool,
    /// Only cases whose name begins so
    names: Vec<String>,
}

#[derive(Copy, Clone, ValueEnum)]
enum EncodingArgument {
    /// TTLV over TLS
    Ttlv,
    /// JSON over HTTPS
    Json,
    /// XML over HTTPS
    Xml,
    /// TTLV over HTTPS
    Https,
}

impl From<EncodingArgument> for Encoding {
    fn from(argument: EncodingArgument) -> Self {
        match argument {
            EncodingArgument::Ttlv => Self::Ttlv,
            EncodingArgument::Json => Self::Json,
            EncodingArgument::Xml => Self::Xml,
            EncodingArgument::Https => Self::Https,
        }
    }
}

/// Plays the cases and prints the report. Fails if a case fails.
pub(crate) fn run(arguments: &ConformanceArguments, format: Format) -> Outcome {
    let encoding = Encoding::from(arguments.encoding);
    if encoding != Encoding::Ttlv {
        return Err(Failure::usage(format_args!("{encoding:?} over HTTPS is not spoken yet"))
            .next("Leave --encoding out, or give --encoding ttlv."));
    }
    let mut catalogue = Catalogue::read(&arguments.cases)
        .map_err(|error| Failure::file(&arguments.cases, &error))?;
    catalogue.filter(&arguments.names);
    if catalogue.len() == 0 {
        let problem = format!("{}: no such test case", arguments.cases.display());
        return Err(Failure::usage(problem));
    }
    let mut connector: Box<dyn Connector> = if arguments.connection.is_given() {
        // Said once, not for every case.
        arguments.connection.files()?;
        Box::new(Remote { connection: arguments.connection.clone() })
    } else {
        Box::new(Own { server: None })
    };
    let report = super::run(&catalogue, connector.as_mut(), encoding);
    match format {
        Format::Json => output::json(&report.to_json())?,
        Format::Text => output::print(&report.to_text(arguments.messages))?,
    }
    if !report.is_pass() {
        return Err(Failure::new("not every case passes"));
    }
    if !report.has_pass() {
        return Err(Failure::new("no case passes: all are excluded"));
    }
    Ok(())
}

/// A server that is running already.
struct Remote {
    connection: ConnectionArguments,
}

impl Connector for Remote {
    fn connect(&mut self, _: &Group, encoding: Encoding) -> io::Result<Box<dyn Transport>> {
        only_ttlv(encoding)?;
        let session = self.connection.open().map_err(|it| io::Error::other(it.to_string()))?;
        Ok(Box::new(Tls(session.connection)))
    }
}

/// A server of our own for every group.
struct Own {
    server: Option<Server>,
}

impl Connector for Own {
    fn connect(&mut self, _: &Group, encoding: Encoding) -> io::Result<Box<dyn Transport>> {
        only_ttlv(encoding)?;
        self.server = None;
        let server = Server::start()?;
        let config = Files::in_directory(server.client.path()).load().map_err(other)?;
        let connection = Connection::open(&server.endpoint, &config, Timeouts::default());
        self.server = Some(server);
        Ok(Box::new(Tls(connection.map_err(other)?)))
    }
}

fn only_ttlv(encoding: Encoding) -> io::Result<()> {
    if encoding == Encoding::Ttlv {
        return Ok(());
    }
    let text = format!("{encoding:?} over HTTPS is not spoken");
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

fn other(error: Error) -> io::Error {
    io::Error::other(error)
}

/// This program, running as a server in memory.
struct Server {
    child: Child,
    endpoint: Endpoint,
    /// The client's credential; gone with the server.
    client: Scratch,
}

impl Server {
    fn start() -> io::Result<Self> {
        let client = Scratch::new("cases").map_err(|error| io::Error::other(error.to_string()))?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["server", "--dev", "--log-level", "off"])
            .args(["--kmip-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"])
            .arg("--export-client")
            .arg(client.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let out = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        for line in BufReader::new(out).lines() {
            let line = line?;
            let address = line.split_whitespace().find_map(|word| word.strip_prefix("kmip="));
            if let Some(address) = address {
                let endpoint = address.parse().map_err(io::Error::other)?;
                return Ok(Self { child, endpoint, client });
            }
        }
        let status = child.wait()?;
        Err(io::Error::other(format!("the server does not start: {status}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It keeps nothing: ending it at once loses nothing, and it may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// TTLV on a TLS connection.
struct Tls(Connection);

impl Transport for Tls {
    fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.0.exchange_bytes(request).map(|bytes| bytes.to_vec()).map_err(other)
    }
}
