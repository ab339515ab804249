//! `claviger server`: starts the service and waits for the signal that ends it.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use claviger_server::assemble::{self, DevOptions, StartError};
use claviger_server::limits::Limits;
use claviger_server::mount::MountError;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};

/// Start the server.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    /// A working server with one command: initialised, unsealed, `kmip/` mounted and listening,
    /// scope `default` with role `admin`. The API speaks plain HTTP on loopback.
    #[arg(long)]
    dev: bool,
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
    log_level: tracing::level_filters::LevelFilter,
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
    if !arguments.dev {
        return Err(Failure::usage("this version starts with --dev only")
            .next("Run: claviger server --dev --data-dir DIR"));
    }
    start_log(arguments);
    protect_memory();
    if durability() == claviger_server::Durability::Off {
        tracing::warn!(
            "durability is off (CLAVIGER_TEST_SYNCHRONOUS_OFF): a power cut loses what was acknowledged"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format_args!("the runtime does not start: {error}")))?;
    let served = runtime.block_on(serve(arguments.clone()));
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
        StartError::Mount(MountError::Listen(_)) => failure.next(
            "Give --kmip-addr HOST:PORT with an address of this machine and a port that is free.",
        ),
        StartError::Api { .. } => failure.next(
            "Give --api-addr IP:PORT with an address of this machine and a port that is free.",
        ),
        _ => failure,
    }
}

async fn serve(arguments: ServerArgs) -> anyhow::Result<()> {
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
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
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
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: open requests are answered first");
    running.stop().await;
    Ok(())
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

fn start_log(arguments: &ServerArgs) {
    let targets = Targets::new().with_default(arguments.log_level);
    let registry = tracing_subscriber::registry().with(targets);
    match arguments.log_format {
        LogFormat::Text => {
            let layer = tracing_subscriber::fmt::layer()
                .with_ansi(std::io::stderr().is_terminal())
                .with_writer(std::io::stderr);
            registry.with(layer).init();
        }
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
            registry.with(layer).init();
        }
    }
}

/// Keys must not reach a core dump or the swap.
#[expect(unsafe_code, reason = "prctl, setrlimit and mlockall have no safe form")]
fn protect_memory() {
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let mut locked = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls take plain values and pointers to the two structures above.
    unsafe {
        if libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) != 0
            || libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core) != 0
        {
            tracing::warn!("core dumps cannot be turned off: they may contain keys");
        }
        libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut locked);
        // Under a limit, later allocations would fail: then the swap is the operator's affair.
        let may = locked.rlim_cur == libc::RLIM_INFINITY || libc::geteuid() == 0;
        let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT;
        if !may || libc::mlockall(flags) != 0 {
            tracing::warn!(
                "memory is not locked and may be swapped out: raise `ulimit -l`, or turn swap off"
            );
        }
    }
}
