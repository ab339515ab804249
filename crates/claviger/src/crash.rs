//! Ends the process at a named moment, in debug builds: what the tests of crashes ask for with
//! `CLAVIGER_TEST_KILL_AT`. Without that variable it does nothing.

use claviger_server::seal::fault::{self, Point};

/// Where to end, as the variable says it: the name of a [`Point`].
const VARIABLE: &str = "CLAVIGER_TEST_KILL_AT";

/// Listens for the moment, if one is named.
pub(crate) fn arm() {
    if std::env::var_os(VARIABLE).is_some() {
        fault::hook(reached);
    }
}

fn reached(point: Point) {
    let wanted = std::env::var(VARIABLE).unwrap_or_default();
    if format!("{point:?}") != wanted {
        return;
    }
    #[expect(unsafe_code, reason = "nothing in the standard library sends a signal")]
    // SAFETY: both calls take and give plain numbers; this process ends with the second.
    unsafe {
        libc::kill(libc::getpid(), libc::SIGKILL);
    }
}
