//! `claviger-s3`: an S3 server that encrypts what it stores with keys on a KMIP server.
//!
//! This file reads the arguments and puts the parts together.

mod configuration;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use claviger_s3::control::{self, Answer, Control, Request};
use claviger_s3::gateway::{Gateway, serve};
use claviger_s3::rotation::Progress;
use claviger_s3::store::{Local, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use configuration::{Arguments, Command, Configuration, StorePlace};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let configuration = match Configuration::read(arguments) {
        Ok(configuration) => configuration,
        Err(error) => {
            say(&format!("claviger-s3: {error:#}"));
            return ExitCode::from(2);
        }
    };
    match run(configuration) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("claviger-s3: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(configuration: Configuration) -> anyhow::Result<()> {
    start_log(configuration.log_json, configuration.log_level);
    protect_memory();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("threads cannot be started")?;
    runtime.block_on(gateway(configuration))
}

async fn gateway(configuration: Configuration) -> anyhow::Result<()> {
    if let Some(command) = &configuration.command {
        return keys_of_bucket(command, &configuration).await;
    }
    let store = open(&configuration.store)?;
    let driver = configuration.driver()?.map(Arc::new);
    if let Some(driver) = driver.clone() {
        // What servers lack goes into the log. That they are away is no reason not to start.
        tokio::spawn(async move {
            if let Err(error) = driver.health_check().await {
                tracing::warn!(%error, "no KMIP server can be used now");
            }
        });
    }
    let gateway = Arc::new(Gateway::new(store, driver, configuration.options));
    let control = match &configuration.control {
        None => None,
        Some(path) => {
            let control =
                Control::listen(path).with_context(|| format!("{}: no socket", path.display()))?;
            let asked = Arc::clone(&gateway);
            Some(tokio::spawn(async move { control.serve(&asked).await }))
        }
    };
    let listener = TcpListener::bind(configuration.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", configuration.listen))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let address = listener.local_addr()?;
    let mut stdout = std::io::stdout();
    let scheme = if configuration.tls.is_some() { "https" } else { "http" };
    writeln!(stdout, "ready s3={scheme}://{address}")?;
    stdout.flush()?;
    let ended = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let Configuration { credentials, tls, limits, .. } = configuration;
    serve(gateway, credentials, listener, tls, limits, ended).await;
    if let Some(control) = control {
        control.abort();
    }
    Ok(())
}

fn open(place: &StorePlace) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match place {
        StorePlace::Directory(directory) => {
            Arc::new(Local::open(directory).context("the store cannot be opened")?)
        }
        StorePlace::Other(store) => Arc::clone(store) as Arc<dyn Store>,
    })
}

/// Has a command about keys of a bucket carried out by the gateway that has the store open, or does it itself if there is none;
/// says on stdout what became of it.
async fn keys_of_bucket(command: &Command, configuration: &Configuration) -> anyhow::Result<()> {
    let request = match command.clone() {
        Command::Rotate { bucket } => Request::Rotate { bucket },
        Command::Rewrap { bucket, destroy } => Request::Rewrap { bucket, destroy },
    };
    let tell = |progress: &Progress| {
        say(&format!("{} versions seen, {} rewrapped", progress.seen, progress.rewrapped));
    };
    let asked = match &configuration.control {
        None => None,
        Some(path) => control::ask(path, &request, &tell).await?,
    };
    let answer = match asked {
        Some(answer) => answer,
        None => {
            let driver = configuration.driver()?;
            let driver = Arc::new(driver.context("keys are on KMIP servers, and none is named")?);
            let gateway =
                Gateway::new(open(&configuration.store)?, Some(driver), configuration.options);
            control::act(&gateway, &request, &tell).await
        }
    };
    let mut stdout = std::io::stdout();
    match answer {
        Answer::Progress(_) => {}
        Answer::Refused(reason) => anyhow::bail!(reason),
        Answer::Rotated(key) => writeln!(stdout, "{key}")?,
        Answer::Rewrapped(done) => {
            writeln!(stdout, "{} of {} versions rewrapped", done.rewrapped, done.seen)?;
            for key in &done.destroyed {
                writeln!(stdout, "{key} destroyed")?;
            }
            if done.uploads_left > 0 {
                let left = done.uploads_left;
                writeln!(stdout, "{left} uploads are under an old key: complete or abort them")?;
            }
        }
    }
    Ok(())
}

/// The library that speaks S3 logs whole requests, with signatures, and each refusal as an error: none of it is for here.
fn start_log(json: bool, level: LevelFilter) {
    let filter = Targets::new().with_default(level).with_target("s3s", LevelFilter::OFF);
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        registry.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr)).init();
    } else {
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        registry.with(layer).init();
    }
}

/// Data keys must not reach a core dump.
#[expect(unsafe_code, reason = "prctl and setrlimit have no safe form")]
fn protect_memory() {
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls take plain values and a pointer to the structure above.
    let protected = unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
            && libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core) == 0
    };
    if !protected {
        tracing::warn!("core dumps cannot be turned off: they may contain keys");
    }
}

fn say(text: &str) {
    // Nobody may be reading.
    drop(writeln!(std::io::stderr(), "{text}"));
}
