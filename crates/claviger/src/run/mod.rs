//! `claviger run`: any program with a data key, for as long as the master key is Active.
//!
//! The program gets the key by environment, descriptor or memory file, and the signals that this
//! process gets. It ends with its own exit code, unless the master key is absent or not Active any
//! more: then it is ended, with all that it has started, and the exit code is 233.

mod child;
mod delivery;
mod family;

use std::ffi::OsString;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use clap::Args;
use claviger_at_rest::{Error, Keeper};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Failure, Outcome};
use crate::keystore::{AtRestArguments, guard};
use crate::output;
use child::Child;
use delivery::{Delivery, DeliveryArguments};

/// A program and its key.
#[derive(Args, Clone, Debug)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    at_rest: AtRestArguments,
    /// Whose data key the program gets; it is made if it is not there
    #[arg(long, value_name = "NAME", default_value = "/default")]
    key_name: String,
    #[command(flatten)]
    delivery: DeliveryArguments,
    /// How long the program has to end by itself when the master key is lost, before it is killed
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    grace: u32,
    /// The program and its arguments; {key-file} in one of them is the path of the memory file
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// What may happen while the program runs.
enum Event {
    /// This process got a signal.
    Signal(i32),
    /// The program has ended.
    Ended,
    /// The master key is absent or not Active.
    Lost(Error),
}

/// Runs the program; returns only if it could not be run, or lost its key.
pub(crate) fn run(arguments: &RunArguments) -> Outcome {
    let at_rest = arguments.at_rest.read()?;
    at_rest.refuse_rotation()?;
    let mut started = at_rest.start()?;
    if !started.keystore.contains(&arguments.key_name) {
        started.keystore.add(&arguments.key_name)?;
    }
    let key = started.keystore.data_key(&arguments.key_name)?;
    let delivery = Delivery::new(&arguments.delivery, &key)?;
    let (send, receive) = mpsc::channel();
    // Before the program is there, so that no signal is lost, and nobody whom it starts.
    forward_signals(send.clone())?;
    family::adopt().map_err(Failure::new)?;
    let mut child = Child::spawn(&arguments.command, delivery)?;
    child.report_end(send.clone())?;
    let _monitor = match at_rest.keeper {
        Keeper::Kmip(kms) => guard(&started, kms, move |error| {
            let _nobody_waits_any_more = send.send(Event::Lost(error));
        }),
        Keeper::KeyFile(_) => Ok(None),
    };

    let mut lost: Option<Error> = None;
    let mut deadline: Option<Instant> = None;
    loop {
        let event = match deadline {
            None => receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => receive.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match event {
            Ok(Event::Signal(number)) => child.signal(number),
            Ok(Event::Lost(error)) => {
                output::note(format_args!("the program is ended: {error}"));
                lost = Some(error);
                deadline = Instant::now().checked_add(Duration::from_secs(arguments.grace.into()));
                end_all(&child, libc::SIGTERM);
            }
            Err(RecvTimeoutError::Timeout) => {
                deadline = None;
                end_all(&child, libc::SIGKILL);
            }
            Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let code = child.exit_code()?;
    match lost {
        Some(error) => {
            family::end(deadline);
            Err(error.into())
        }
        None if code == 0 => Ok(()),
        None => {
            // The program has said what there was to say.
            drop(started);
            std::process::exit(code)
        }
    }
}

/// Sends a signal to the program, and to whoever descends from it.
fn end_all(child: &Child, number: i32) {
    if family::signal(number) == 0 {
        // Where /proc does not tell.
        child.signal(number);
    }
}

/// Whether whoever started this process wants a signal ignored, as nohup does SIGHUP: the program
/// ignores it, too.
fn is_ignored(number: i32) -> bool {
    #[expect(unsafe_code, reason = "sigaction has no safe form")]
    // SAFETY: an all-zero sigaction is a valid one, and the pointer is to it; nothing is changed.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(number, std::ptr::null(), &raw mut now) == 0
            && now.sa_sigaction == libc::SIG_IGN
    }
}

/// Passes the signals that end or wake programs on, from a thread of its own.
fn forward_signals(send: Sender<Event>) -> Outcome {
    use std::io::IsTerminal;
    // A terminal sends its signals to the program itself.
    let by_terminal: &[i32] =
        if std::io::stdin().is_terminal() { &[] } else { &[libc::SIGINT, libc::SIGQUIT] };
    let always = [libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::new)?;
    let mut signals = Vec::new();
    {
        let _entered = runtime.enter();
        for number in always.iter().chain(by_terminal).filter(|number| !is_ignored(**number)) {
            let signal = signal(SignalKind::from_raw(*number)).map_err(Failure::new)?;
            signals.push((*number, signal));
        }
        // The terminal's are not for this process either: it ends when the program does.
        if by_terminal.is_empty() {
            for kind in [SignalKind::interrupt(), SignalKind::quit()] {
                signals.push((0, signal(kind).map_err(Failure::new)?));
            }
        }
    }
    let spawned = std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let tasks = tokio::task::LocalSet::new();
            for (number, mut signal) in signals {
                let send = send.clone();
                tasks.spawn_local(async move {
                    while signal.recv().await.is_some() {
                        if number != 0 && send.send(Event::Signal(number)).is_err() {
                            break;
                        }
                    }
                });
            }
            tasks.await;
        });
    });
    spawned.map(|_| ()).map_err(Failure::new)
}
