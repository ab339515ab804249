//! Ends the process at a named moment, in debug builds: what the tests of crashes ask for with
//! `CLAVIGER_TEST_KILL_AT`. Without that variable it does nothing.

use claviger_at_rest::fault as at_rest;
use claviger_server::seal::fault;

/// Where to end, as the variable says it: the name of a point of either crate.
const VARIABLE: &str = "CLAVIGER_TEST_KILL_AT";

/// Listens for the moment, if one is named.
pub(crate) fn arm() {
    if std::env::var_os(VARIABLE).is_some() {
        fault::hook(|point| reached(&point));
        at_rest::hook(|point| reached(&point));
    }
}

fn reached(point: &dyn std::fmt::Debug) {
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
