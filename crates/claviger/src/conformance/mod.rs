//! The conformance runner: plays the OASIS test cases against a server and compares every
//! response strictly (KMIP Profiles 2.1 §4, test cases §2; the rules are in `permitted`).
//!
//! - `catalogue` finds the cases and says which belong together; `case` and `pattern` read one.
//! - `request` fills in placeholders; `play` sends and receives; `dialogue` and `compare` judge.
//! - `transport` is where a connection comes in; nothing here knows a server.
//!
//! Nothing here may make a case pass that the specification would not: a variation that is not in
//! `permitted` is a failure.

mod bindings;
mod case;
mod catalogue;
pub(crate) mod command;
mod compare;
mod dialogue;
mod pattern;
mod permitted;
mod play;
mod presumed;
mod progress;
mod report;
mod request;
mod transport;

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use catalogue::{Catalogue, Group};
use play::Outcome;
use report::Report;
use transport::{Connector, Encoding, Transport};

/// Plays every group of a catalogue. A connection that cannot be opened fails its group.
///
/// Cases of the MSGENC families are played in the encoding that they are about, all others in
/// `encoding`.
pub(crate) fn run(
    catalogue: &Catalogue,
    connector: &mut dyn Connector,
    encoding: Encoding,
) -> Report {
    let mut report = Report::new(catalogue);
    let progress = progress::Progress::new(catalogue.len());
    for group in &catalogue.groups {
        let own = group.cases.first().and_then(case::Case::encoding);
        let encoding = own.filter(|_| encoding == Encoding::Ttlv).unwrap_or(encoding);
        let outcomes = match connector.connect(group, encoding) {
            Ok(mut transport) => play::play_group(group, transport.as_mut(), encoding, &now, &wait),
            Err(error) => vec![refused(&error); group.cases.len()],
        };
        for (case, outcome) in group.cases.iter().zip(outcomes) {
            progress.done(&case.name);
            report.add(case, outcome);
        }
    }
    report.finish();
    report
}

fn refused(error: &std::io::Error) -> Outcome {
    if error.kind() == std::io::ErrorKind::Unsupported {
        return Outcome::Excluded(format!("no such connection can be opened: {error}"));
    }
    let reason = format!("no connection could be opened: {error}");
    Outcome::Fail(play::Failure { reason, messages: String::new() })
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn wait(seconds: u64) {
    std::thread::sleep(Duration::from_secs(seconds));
}
