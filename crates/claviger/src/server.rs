//! `claviger server`: starts the service and waits for the signal that ends it.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use claviger_server::assemble::{self, DevOptions, Running, StartError};
use claviger_server::limits::Limits;
use claviger_server::mount::MountError;
use claviger_server::seal::{SealError, TokenError};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;
use zeroize::Zeroizing;

use crate::config::{self, Config};
use crate::failure::{Failure, Outcome};
use crate::memory;

/// Start the server.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    /// A working server with one command: initialised, unsealed, `kmip/` mounted and listening,
    /// scope `default` with role `admin`. The API speaks plain HTTP on loopback.
    #[arg(long, conflicts_with = "config")]
    dev: bool,
    /// A server as this file configures it: see docs/config.md and `claviger check-config`.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["data_dir", "kmip_addr", "api_addr", "export_client", "log_format", "log_level"]
    )]
    config: Option<PathBuf>,
    /// Keep everything in this directory; without it nothing outlives the process.
    #[arg(long, value_name = "DIR", requires = "dev")]
    data_dir: Option<PathBuf>,
    /// Where KMIP listens; port 0 is any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5696")]
    kmip_addr: String,
    /// Where the API listens; port 0 is any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8200")]
    api_addr: String,
    /// The root token; a random one is printed if absent.
    #[arg(long, value_name = "TOKEN", env = "CLAVIGER_DEV_ROOT_TOKEN", hide_env_values = true)]
    root_token: Option<String>,
    /// Write ca.pem, cert.pem, key.pem and client.pem of a credential to this directory.
    #[arg(long, value_name = "DIR")]
    export_client: Option<PathBuf>,
    /// Log format.
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,
    /// Log level: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: LevelFilter,
}

/// How log lines look.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Runs the server until SIGTERM or SIGINT.
///
/// # Errors
/// What hinders the start.
pub(crate) fn run(arguments: &ServerArgs) -> Outcome {
    match (&arguments.config, arguments.dev) {
        (Some(file), _) => run_configured(file),
        (None, true) => run_dev(arguments),
        (None, false) => Err(Failure::usage("a server needs --config FILE, or --dev").next(
            "To try it: claviger server --dev --data-dir DIR. docs/config.md says what a file holds.",
        )),
    }
}

fn run_dev(arguments: &ServerArgs) -> Outcome {
    let json = matches!(arguments.log_format, LogFormat::Json);
    start_log(json, arguments.log_level);
    start_runtime(serve_dev(arguments.clone()))
}

fn run_configured(file: &Path) -> Outcome {
    let config = Config::read(file).map_err(|problems| config::failure(file, &problems))?;
    let level = start_log(config.logs_json(), level(&config));
    start_runtime(serve_configured(file.to_owned(), config, level))
}

/// Prepares the process and runs a server in it.
fn start_runtime(serve: impl Future<Output = anyhow::Result<()>>) -> Outcome {
    memory::protect();
    if durability() == claviger_server::Durability::Off {
        tracing::warn!(
            "durability is off (CLAVIGER_TEST_SYNCHRONOUS_OFF): a power cut loses what was acknowledged"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format_args!("the runtime does not start: {error}")))?;
    let served = runtime.block_on(serve);
    // A login that is being looked at must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(5));
    served.map_err(|error| match error.downcast_ref::<StartError>() {
        // It says its causes itself.
        Some(cause) => refused(cause),
        None => Failure::new(format_args!("{error:#}")),
    })
}

/// Why the server did not start, and what to do where an argument is the reason.
fn refused(cause: &StartError) -> Failure {
    let failure = Failure::new(cause);
    match cause {
        // Bad usage, after which no supervisor starts it again.
        StartError::Seal(SealError::Token(TokenError::WrongPin | TokenError::LockedPin)) => {
            Failure::usage(cause).next(
                "Put the right PIN into the file that pkcs11_pin_file names, or into CLAVIGER_PKCS11_PIN: a token locks itself after some wrong ones.",
            )
        }
        StartError::Mount(MountError::Listen(_)) => failure.next(
            "Give --kmip-addr HOST:PORT with an address of this machine and a port that is free.",
        ),
        StartError::Api { .. } => failure.next(
            "Give --api-addr (or address in [api]) IP:PORT with an address of this machine and a port that is free.",
        ),
        _ => failure,
    }
}

async fn serve_dev(arguments: ServerArgs) -> anyhow::Result<()> {
    let options = DevOptions {
        data_dir: arguments.data_dir,
        kmip_addr: arguments.kmip_addr,
        api_addr: arguments.api_addr,
        root_token: arguments.root_token.map(Zeroizing::new),
        export_client: arguments.export_client,
        durability: durability(),
        limits: Limits::default(),
    };
    let was_given = options.root_token.is_some();
    // Before the ready line, so that no signal is lost after it.
    let mut stop = Stop::new()?;
    let running = assemble::start_dev(options).await?;
    {
        let mut out = std::io::stdout().lock();
        if let Some(token) = running.root_token.as_ref().filter(|_| !was_given) {
            writeln!(out, "root token: {}", token.as_str())?;
        }
        let kmip = running.kmip.first().context("KMIP listens nowhere")?;
        writeln!(out, "ready kmip={kmip} api=http://{}", running.api)?;
        out.flush()?;
    }
    stop.asked().await;
    finish(running).await;
    Ok(())
}

async fn serve_configured(file: PathBuf, config: Config, level: LevelHandle) -> anyhow::Result<()> {
    let mut stop = Stop::new()?;
    let mut hangup = signal(SignalKind::hangup())?;
    let running = assemble::start(config.options(durability())).await?;
    {
        let mut out = std::io::stdout().lock();
        let scheme = if config.tls().is_some() { "https" } else { "http" };
        writeln!(out, "ready api={scheme}://{}", running.api)?;
        out.flush()?;
    }
    let mut config = config;
    loop {
        tokio::select! {
            () = stop.asked() => break,
            _ = hangup.recv() => tokio::task::block_in_place(|| {
                reload(&file, &mut config, &running, &level);
            }),
        }
    }
    finish(running).await;
    Ok(())
}

/// Reads the configuration again and does what can be done without a restart. What cannot be used
/// leaves everything as it was.
fn reload(file: &Path, config: &mut Config, running: &Running, handle: &LevelHandle) {
    let mut next = match Config::read(file) {
        Ok(next) => next,
        Err(problems) => {
            for problem in problems {
                tracing::error!(%problem, "the configuration is not taken over");
            }
            return;
        }
    };
    for key in config.needs_restart(&mut next) {
        tracing::warn!(key, "this change takes effect with a restart");
    }
    if let Some(files) = next.tls()
        && let Err(error) = running.reload_tls(&files)
    {
        tracing::error!(%error, "the API's certificate stays as it was");
    }
    if let Err(error) = handle.reload(Targets::new().with_default(level(&next))) {
        tracing::error!(%error, "the log level stays as it was");
    }
    running.reopen_audit();
    config.take_reloaded(&mut next);
    tracing::info!("the configuration has been read again");
}

/// The signals that end a server.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn finish(running: Running) {
    tracing::info!("stopping: open requests are answered first");
    running.stop().await;
}

/// `CLAVIGER_TEST_SYNCHRONOUS_OFF=1` gives up durability, so that the power-loss test can show
/// that it would notice.
fn durability() -> claviger_server::Durability {
    if std::env::var_os("CLAVIGER_TEST_SYNCHRONOUS_OFF").is_some_and(|value| value == "1") {
        claviger_server::Durability::Off
    } else {
        claviger_server::Durability::Full
    }
}

/// Changes which lines are logged.
type LevelHandle = reload::Handle<Targets, Registry>;

fn start_log(json: bool, level: LevelFilter) -> LevelHandle {
    let (filter, handle) = reload::Layer::new(Targets::new().with_default(level));
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        let layer = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
        registry.with(layer).init();
    } else {
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        registry.with(layer).init();
    }
    handle
}

fn level(config: &Config) -> LevelFilter {
    config.log_level().parse().unwrap_or(LevelFilter::INFO)
}
