//! The program that runs: how it is started with its key, signalled, and what its end means.

use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, Command};
use std::sync::mpsc::Sender;

use super::delivery::Delivery;
use super::{Event, family};
use crate::failure::{Failure, Outcome};

/// A program that was started.
pub(super) struct Child(process::Child);

impl Child {
    /// Starts the program with its key. To be called on the thread that lives as long as this
    /// process: the program gets SIGTERM when that thread ends, so that it never runs unguarded.
    pub(super) fn spawn(line: &[OsString], delivery: Delivery) -> Outcome<Self> {
        let mut words = line.iter().map(|word| delivery.fill_in(word));
        let program = words.next().ok_or_else(|| Failure::usage("no program is named"))?;
        let mut command = Command::new(&program);
        command.args(words);
        delivery.prepare(&mut command);
        let parent = process::id();
        #[expect(unsafe_code, reason = "nothing else runs between fork and exec")]
        // SAFETY: prctl and getppid are async-signal-safe and take plain numbers.
        unsafe {
            command.pre_exec(move || {
                if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) != 0 {
                    return Err(std::io::Error::last_os_error());
                }
                // Who was killed before that sends no signal any more.
                if u32::try_from(libc::getppid()) != Ok(parent) {
                    return Err(std::io::ErrorKind::NotFound.into());
                }
                Ok(())
            });
        }
        let child = command.spawn().map_err(|error| {
            Failure::new(format_args!("{}: {error}", program.to_string_lossy()))
                .next("Give the program and its arguments after --.")
        })?;
        Ok(Self(child))
    }

    /// Reports when the program has ended. It stays a zombie until its exit code is asked for, so
    /// that no signal can go to another process with its number. Those who were adopted do not.
    pub(super) fn report_end(&self, send: Sender<Event>) -> Outcome {
        let id = self.0.id();
        let spawned = std::thread::Builder::new().name("program".into()).spawn(move || {
            while !has_ended(id) {}
            let _nobody_waits_any_more = send.send(Event::Ended);
        });
        spawned.map(|_| ()).map_err(Failure::new)
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, number: i32) {
        let Ok(id) = libc::pid_t::try_from(self.0.id()) else { return };
        #[expect(unsafe_code, reason = "nothing in the standard library sends a signal")]
        // SAFETY: the call takes plain numbers; the program is not reaped yet.
        unsafe {
            libc::kill(id, number);
        }
    }

    /// Its exit code, once it has ended; 128 and the number of the signal that ended it.
    pub(super) fn exit_code(&mut self) -> Outcome<i32> {
        let status = self.0.wait().map_err(Failure::new)?;
        let by_signal = || status.signal().map_or(1, |number| number.saturating_add(128));
        Ok(status.code().unwrap_or_else(by_signal))
    }
}

/// Waits until some child has ended; says whether it was that one, or there is nothing to wait for.
fn has_ended(id: u32) -> bool {
    // SAFETY: an all-zero siginfo_t is a valid one, and the pointer is to it; after waitid it has
    // the number of a process.
    #[expect(unsafe_code, reason = "waitid has no safe form")]
    let (result, ended) = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let result = libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED | libc::WNOWAIT);
        (result, info.si_pid())
    };
    let was_interrupted = std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted;
    if result != 0 {
        return !was_interrupted;
    }
    if u32::try_from(ended) == Ok(id) {
        return true;
    }
    family::reap(ended);
    false
}
