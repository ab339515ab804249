//! What is typed at a terminal and not shown.
#![expect(unsafe_code, reason = "the standard library makes no terminals and sends no signals")]

use std::ffi::{CStr, c_int};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Stdio};

use serde_json::json;

use crate::program::program;
use crate::scripted::Scripted;

const ENDING: [c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// Two ends: what a person types and sees, and what the program has as its stdin.
struct Terminal {
    person: File,
    program: File,
}

impl Terminal {
    fn open() -> Self {
        let open = |path: &str| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(libc::O_NOCTTY).open(path).unwrap()
        };
        let person = open("/dev/ptmx");
        let mut name = [0; 128];
        // SAFETY: the descriptor is open, the buffer as long as it is said to be.
        let name = unsafe {
            let fd = person.as_raw_fd();
            assert_eq!((libc::grantpt(fd), libc::unlockpt(fd)), (0, 0));
            assert_eq!(libc::ptsname_r(fd, name.as_mut_ptr(), name.len()), 0);
            CStr::from_ptr(name.as_ptr())
        };
        let program = open(name.to_str().unwrap());
        Self { person, program }
    }

    fn shows_what_is_typed(&self) -> bool {
        let mut state = MaybeUninit::uninit();
        // SAFETY: the call fills the termios, else the assertion ends the test.
        let state: libc::termios = unsafe {
            assert_eq!(libc::tcgetattr(self.program.as_raw_fd(), state.as_mut_ptr()), 0);
            state.assume_init()
        };
        state.c_lflag & libc::ECHO != 0
    }

    /// Runs a command up to its prompt.
    fn prompted(&self, words: &[&str], address: &str) -> (Child, String) {
        let mut command = program();
        command.args(words).args(["--address", address, "--token", "mine"]);
        command.stdin(self.program.try_clone().unwrap());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: signal may be called after a fork. A shell may have had these ignored.
        unsafe {
            command.pre_exec(|| {
                for signal in ENDING {
                    libc::signal(signal, libc::SIG_DFL);
                }
                Ok(())
            });
        }
        let mut child = command.spawn().unwrap();
        let mut prompt = String::new();
        let stderr = child.stderr.as_mut().unwrap();
        BufReader::with_capacity(1, stderr).read_line(&mut prompt).unwrap();
        (child, prompt)
    }
}

#[test]
fn secrets_are_typed_unseen() {
    let unseal = &["operator", "unseal"][..];
    let revoke = &["token", "revoke", "-"][..];
    let write = &["auth", "write", "userpass/users/ann", "password=-"][..];
    let body = |field: &str| json!({ field: "two words" });
    for (words, asks, body) in [
        (unseal, "Key share", body("key")),
        (revoke, "Token", body("token")),
        (write, "password", body("password")),
    ] {
        let mut terminal = Terminal::open();
        assert!(terminal.shows_what_is_typed());
        let api = Scripted::start(vec![(200, json!({ "sealed": true }))]);
        let (mut child, prompt) = terminal.prompted(words, &api.address);
        assert!(prompt.starts_with(asks), "{prompt}");
        assert!(!terminal.shows_what_is_typed());
        terminal.person.write_all(b"two words\n").unwrap();
        assert!(child.wait().unwrap().success());
        assert!(terminal.shows_what_is_typed());
        assert_eq!(api.asked()[0].body, body);
        let mut seen = [0; 64];
        let length = terminal.person.read(&mut seen).unwrap();
        assert_eq!(&seen[..length], b"\r\n", "the end of the line only");
    }
}

#[test]
fn shares_from_stdin_are_typed_unseen() {
    let mut terminal = Terminal::open();
    let words = ["operator", "verify", "no-such-backup", "--shares", "-"];
    let (mut child, prompt) = terminal.prompted(&words, "http://127.0.0.1:1");
    assert!(prompt.starts_with("Key shares"), "{prompt}");
    assert!(!terminal.shows_what_is_typed());
    terminal.person.write_all(b"00\n\x04").unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(terminal.shows_what_is_typed());
}

#[test]
fn a_signal_gives_the_echo_back() {
    for signal in ENDING {
        let terminal = Terminal::open();
        let (mut child, _) = terminal.prompted(&["operator", "unseal"], "http://127.0.0.1:1");
        assert!(!terminal.shows_what_is_typed());
        send(&child, signal);
        assert_eq!(child.wait().unwrap().signal(), Some(signal), "it ends as it would");
        assert!(terminal.shows_what_is_typed(), "after signal {signal}");
    }
}

fn send(child: &Child, signal: c_int) {
    // SAFETY: takes and gives plain numbers; the child has not been waited for.
    let sent = unsafe { libc::kill(child.id().cast_signed(), signal) };
    assert_eq!(sent, 0);
}
