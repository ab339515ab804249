//! `claviger bench`: how fast a server is, and how fast one could be.

mod drive;
mod echo;
mod latency;
mod pooled;
mod population;
mod workload;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use claviger_client::Endpoint;
use claviger_client::tls::Files;
use serde_json::json;

use crate::connection::ConnectionArguments;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use crate::scratch::Scratch;
use drive::{Plan, Tally, drive};
use population::{Key, Place};
use workload::{Requests, Work};

/// What to measure.
#[derive(Args, Debug)]
pub(crate) struct BenchArguments {
    /// What to ask for
    #[arg(value_enum)]
    operation: Operation,
    /// How many connections
    #[arg(long, value_name = "N", default_value = "16", value_parser = at_least_one)]
    connections: usize,
    /// How long
    #[arg(long, value_name = "S", default_value = "5")]
    seconds: f64,
    /// How many requests a connection has under way
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one)]
    pipeline: usize,
    /// How many keys to use, at random
    #[arg(long, value_name = "N", default_value = "100", value_parser = at_least_one)]
    objects: usize,
    /// Keep the keys, and use those that an earlier run left in this file
    #[arg(long, value_name = "FILE")]
    objects_file: Option<PathBuf>,
    /// `create`: leave the keys on the server
    #[arg(long)]
    keep: bool,
    /// `limit`: a connection for each request, to compare with `connect`; `poll`: likewise
    #[arg(long)]
    new_connections: bool,
    /// `get`: through the pool of the client library, which lends a connection for 64 requests, and
    /// reading every answer, as programs do
    #[arg(long)]
    pooled: bool,
    /// So many requests a second over all connections, instead of as many as there can be
    #[arg(long, value_name = "N", conflicts_with_all = ["pipeline", "pooled"], value_parser = at_least_one)]
    rate: Option<usize>,
    /// `limit`: be the echo server, with its client's files in this directory
    #[arg(long, value_name = "DIR", hide = true)]
    echo: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What is measured.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Operation {
    /// Get of an AES-256 key
    Get,
    /// Create of an AES-256 key
    Create,
    /// Locate by Name
    Locate,
    /// Encrypt of 1 KiB, AES-GCM
    Encrypt,
    /// Get Attributes of the State, as a keystore that polls
    Poll,
    /// A new connection, Get, and the end of the connection
    Connect,
    /// A new connection and its end: the TLS handshake alone
    Handshake,
    /// Get from an echo server beside this process: what TLS and the runtime cost
    Limit,
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Create => "create",
            Self::Locate => "locate",
            Self::Encrypt => "encrypt",
            Self::Poll => "poll",
            Self::Connect => "connect",
            Self::Handshake => "handshake",
            Self::Limit => "limit",
        }
    }

    const fn work(self) -> Work {
        match self {
            Self::Get | Self::Connect | Self::Handshake | Self::Limit => Work::Get,
            Self::Poll => Work::Poll,
            Self::Create => Work::Create,
            Self::Locate => Work::Locate,
            Self::Encrypt => Work::Encrypt,
        }
    }
}

impl Operation {
    /// Whether its keys must be Active.
    const fn needs_active_keys(self) -> bool {
        matches!(self, Self::Encrypt | Self::Poll)
    }

    const fn is_of_connections(self) -> bool {
        matches!(self, Self::Connect | Self::Handshake)
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(String::from("write a number, 1 or more")),
        Ok(number) => Ok(number),
    }
}

/// POSIX seconds.
fn now() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}

/// Runs the benchmark.
pub(crate) fn run(arguments: &BenchArguments, format: Format) -> Outcome {
    if let Some(directory) = &arguments.echo {
        return echo::run(arguments.connection.kmip_version, directory);
    }
    if arguments.pooled && arguments.operation != Operation::Get {
        return Err(Failure::usage("--pooled goes with `get`").next("Leave it out."));
    }
    let duration = Duration::try_from_secs_f64(arguments.seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| Failure::usage("--seconds must be more than 0"))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::new)?;
    let tally = if arguments.operation == Operation::Limit {
        let scratch = Scratch::new("bench")?;
        let version = arguments.connection.kmip_version;
        let echo = echo::Echo::start(version, scratch.path())?;
        let endpoint = Endpoint { host: echo.address.ip().to_string(), port: echo.address.port() };
        let plan = plan(arguments, endpoint, &Files::in_directory(scratch.path()), duration)?;
        let key = Key { unique_identifier: echo::UNIQUE_IDENTIFIER.into(), name: String::new() };
        let sources = sources(arguments, vec![key]);
        runtime.block_on(drive(&plan, sources))?.0
    } else {
        let servers = arguments.connection.servers();
        let endpoint = servers.into_iter().next().ok_or_else(|| Failure::usage("no server"))?;
        let files = arguments.connection.files()?;
        let plan = plan(arguments, endpoint, &files, duration)?;
        runtime.block_on(measure(arguments, &plan))?
    };
    print(arguments, &tally, format)
}

fn plan(
    arguments: &BenchArguments,
    endpoint: Endpoint,
    files: &Files,
    duration: Duration,
) -> Outcome<Plan> {
    let reconnect = arguments.operation.is_of_connections() || arguments.new_connections;
    let config = if reconnect { files.load_without_resumption()? } else { files.load()? };
    let asks = arguments.operation != Operation::Handshake;
    let pace = |rate: usize| {
        let seconds = arguments.connections as f64 / rate as f64;
        Duration::try_from_secs_f64(seconds).map_err(Failure::new)
    };
    let (pipeline, pace) = (arguments.pipeline, arguments.rate.map(pace).transpose()?);
    Ok(Plan { endpoint, config, duration, pipeline, reconnect, asks, pace })
}

fn sources(arguments: &BenchArguments, keys: Vec<Key>) -> Vec<Requests> {
    let keys = Arc::new(keys);
    let version = arguments.connection.kmip_version;
    let work = arguments.operation.work();
    (1..=arguments.connections)
        .map(|nth| Requests::new(work, version, Arc::clone(&keys), nth))
        .collect()
}

/// Makes the keys, measures, and destroys the keys.
async fn measure(arguments: &BenchArguments, plan: &Plan) -> Outcome<Tally> {
    let place = Place {
        endpoint: plan.endpoint.clone(),
        config: plan.config.clone(),
        version: arguments.connection.kmip_version,
    };
    let needs_keys = arguments.operation != Operation::Create;
    let is_active = arguments.operation.needs_active_keys();
    let keys = if needs_keys { keys(arguments, &place, is_active).await? } else { Vec::new() };
    let mut made: Vec<String> = match arguments.objects_file {
        None => keys.iter().map(|key| key.unique_identifier.clone()).collect(),
        Some(_) => Vec::new(),
    };
    let sources = sources(arguments, keys);
    let (tally, sources) = if arguments.pooled {
        pooled::drive(plan, place.version, sources)?
    } else {
        drive(plan, sources).await?
    };
    if !arguments.keep {
        made.extend(sources.into_iter().flat_map(Requests::into_created));
        let left = place.destroy(made, is_active).await?;
        if left > 0 {
            output::note(format_args!("warning: {left} keys could not be destroyed"));
        }
    }
    Ok(tally)
}

async fn keys(arguments: &BenchArguments, place: &Place, is_active: bool) -> Outcome<Vec<Key>> {
    let Some(path) = &arguments.objects_file else {
        return place.create(arguments.objects, is_active).await;
    };
    let mut keys = population::read(path)?;
    let missing = arguments.objects.saturating_sub(keys.len());
    if missing > 0 {
        keys.extend(place.create(missing, is_active).await?);
        population::write(path, &keys)?;
    }
    keys.truncate(arguments.objects);
    Ok(keys)
}

fn print(arguments: &BenchArguments, tally: &Tally, format: Format) -> Outcome {
    let per_second = tally.operations as f64 / tally.seconds;
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| tally.latencies.quantile(share));
    if let Some(error) = &tally.first_error {
        output::note(format_args!("warning: {} errors; the first: {error}", tally.errors));
    }
    match format {
        Format::Json => output::json(&json!({
            "operation": arguments.operation.name(),
            "connections": arguments.connections,
            "seconds": tally.seconds,
            "operations": tally.operations,
            "per_second": per_second,
            "p50_us": p50,
            "p99_us": p99,
            "p999_us": p999,
            "errors": tally.errors,
        }))?,
        Format::Text => {
            let header =
                ["OPERATION", "CONNECTIONS", "OPERATIONS", "PER SECOND", "P50", "P99", "P99.9"];
            let row = vec![
                arguments.operation.name().to_owned(),
                arguments.connections.to_string(),
                tally.operations.to_string(),
                format!("{per_second:.0}"),
                format!("{p50} µs"),
                format!("{p99} µs"),
                format!("{p999} µs"),
            ];
            output::table(&header, [row])?;
        }
    }
    if tally.operations == 0 {
        return Err(Failure::new("no operation succeeded")
            .next("Does `claviger object query` with the same flags work?"));
    }
    Ok(())
}
