//! A terminal that does not show what is typed.
//!
//! It must never stay so, however the command ends.
#![expect(unsafe_code, reason = "termios and sigaction have no safe form")]

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// Signals that end a program at a terminal, which must give the echo back before.
const ENDING: [c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// How the terminal was before the first prompt: what a signal restores.
static BEFORE: OnceLock<libc::termios> = OnceLock::new();

/// Stdin, a terminal, while it does not show what is typed. Dropped, it is as before.
pub(crate) struct Unseen {
    before: libc::termios,
    actions: Vec<(c_int, libc::sigaction)>,
}

impl Unseen {
    /// From now on nothing that is typed is shown, but the end of a line.
    ///
    /// # Errors
    /// The system's, if stdin is no terminal.
    pub(crate) fn begin() -> io::Result<Self> {
        let mut before = MaybeUninit::uninit();
        // SAFETY: the pointer is to a termios, which is read only if the call has filled it.
        let before = unsafe {
            checked(libc::tcgetattr(libc::STDIN_FILENO, before.as_mut_ptr()))?;
            before.assume_init()
        };
        BEFORE.get_or_init(|| before);
        let mut unseen = Self { before, actions: Vec::new() };
        for signal in ENDING {
            unseen.on(signal, restore as *const () as libc::sighandler_t)?;
        }
        // Continued after a stop, the terminal would show what is typed.
        unseen.on(libc::SIGTSTP, libc::SIG_IGN)?;
        let mut silent = before;
        silent.c_lflag &= !libc::ECHO;
        silent.c_lflag |= libc::ECHONL;
        set(&silent)?;
        Ok(unseen)
    }

    /// Has a signal call this, once; what is ignored stays ignored.
    fn on(&mut self, signal: c_int, handler: libc::sighandler_t) -> io::Result<()> {
        let mut old = MaybeUninit::uninit();
        // SAFETY: all bits zero is a sigaction: no flags, an empty mask. `old` is read only if the
        // call has filled it. A handler is `restore`, which does what a handler may.
        let old = unsafe {
            let mut new: libc::sigaction = MaybeUninit::zeroed().assume_init();
            new.sa_sigaction = handler;
            new.sa_flags = libc::SA_RESETHAND;
            checked(libc::sigaction(signal, &raw const new, old.as_mut_ptr()))?;
            old.assume_init()
        };
        self.actions.push((signal, old));
        if old.sa_sigaction == libc::SIG_IGN {
            self.put_back(signal, &old);
        }
        Ok(())
    }

    fn put_back(&self, signal: c_int, action: &libc::sigaction) {
        // SAFETY: the action is one that the system gave for this signal.
        unsafe {
            libc::sigaction(signal, action, std::ptr::null_mut());
        }
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        let _gone_with_the_terminal = set(&self.before);
        for (signal, action) in &self.actions {
            self.put_back(*signal, action);
        }
    }
}

/// Gives the echo back and lets the signal do what it does by default.
extern "C" fn restore(signal: c_int) {
    if let Some(before) = BEFORE.get() {
        let _gone_with_the_terminal = set(before);
    }
    // SAFETY: raise may be called in a handler. This one has been reset, so that the signal ends
    // the process as soon as it returns.
    unsafe {
        libc::raise(signal);
    }
}

/// tcsetattr, which may be called in a handler.
fn set(terminal: &libc::termios) -> io::Result<()> {
    // SAFETY: the pointer is to a termios that lives as long as the call.
    checked(unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, terminal) })
}

fn checked(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
