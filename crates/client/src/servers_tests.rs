//! The order of servers, rounds, and what ends the attempts, with a clock of the test's own.

use claviger_kmip::enums::ResultReason;

use super::*;
use crate::tls::Settings;
use crate::{Refusal, Step};

fn options(count: u16) -> Options {
    let endpoint = |n| Endpoint { host: format!("kms{n}"), port: 5696 };
    let tls = Settings::default().load().unwrap();
    Options { connect_retries: 2, ..Options::new((0..count).map(endpoint).collect(), tls) }
}

fn transport() -> Error {
    Error::Transport(std::io::ErrorKind::ConnectionReset.into())
}

fn refused() -> Error {
    Error::Refused(Refusal {
        operation: None,
        reason: Some(ResultReason::PERMISSION_DENIED),
        message: None,
    })
}

#[test]
fn listed_servers_are_asked_in_their_order_every_time() {
    let mut roster = Roster::new(&options(3));
    let now = Instant::now();
    for _ in 0..3 {
        assert_eq!(roster.round(now), [0, 1, 2]);
    }
}

#[test]
fn each_server_has_its_turn() {
    let mut roster = Roster::new(&Options { order: Order::RoundRobin, ..options(3) });
    let now = Instant::now();
    let rounds: Vec<_> = (0..4).map(|_| roster.round(now)).collect();
    assert_eq!(rounds, [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]);
}

#[test]
fn a_server_that_failed_comes_last_for_a_while() {
    for order in [Order::Listed, Order::RoundRobin] {
        let blacklist = Duration::from_secs(30);
        let mut roster = Roster::new(&Options { order, blacklist, ..options(3) });
        let start = Instant::now();
        roster.speaks(0, Some(Version::V1_4));
        roster.failed(0, start);
        assert_eq!(roster.version(0), None);
        assert_eq!(roster.round(start), [1, 2, 0]);
        assert_eq!(roster.round(start + Duration::from_secs(29)).back(), Some(&0));
        let later = start + blacklist;
        assert_ne!(roster.round(later).back(), Some(&0), "{order:?}");
        roster.failed(1, later);
        roster.succeeded(1);
        assert!(!roster.is_avoided(1, later));
    }
}

#[test]
fn without_a_blacklist_the_order_never_changes() {
    let mut roster = Roster::new(&Options { blacklist: Duration::ZERO, ..options(2) });
    let now = Instant::now();
    roster.failed(0, now);
    assert_eq!(roster.round(now), [0, 1]);
}

#[test]
fn retries_are_rounds_over_all_servers() {
    let options = Options { backoff: Backoff::NONE, ..options(2) };
    let mut roster = Roster::new(&options);
    let now = Instant::now();
    let mut attempts = Attempts::new(&options, &mut roster, now);
    let mut asked = Vec::new();
    let mut waits = 0;
    loop {
        match attempts.next(&mut roster, now, 0) {
            Next::Ask(server) => {
                asked.push(server);
                let endpoint = roster.endpoint(server).unwrap().clone();
                attempts.failed(endpoint, Error::TimedOut(Step::Connect));
            }
            Next::Wait(_) => waits += 1,
            Next::GiveUp => break,
        }
    }
    assert_eq!((asked.as_slice(), waits), ([0, 1, 0, 1, 0, 1].as_slice(), 2));
    let error = attempts.give_up();
    assert!(matches!(&error, Error::Servers(failures) if failures.len() == 2), "{error}");
    assert!(matches!(error.cause(), Error::TimedOut(Step::Connect)));
    assert!(error.to_string().contains("kms0:5696: nobody accepted"), "{error}");
}

#[test]
fn no_server_is_an_error_and_no_endless_loop() {
    let options = options(0);
    let mut roster = Roster::new(&options);
    let mut attempts = Attempts::new(&options, &mut roster, Instant::now());
    assert_eq!(attempts.next(&mut roster, Instant::now(), 0), Next::GiveUp);
    assert!(matches!(attempts.give_up(), Error::NoServer));
}

#[test]
fn what_ends_the_attempts() {
    let server = Endpoint { host: String::from("kms"), port: 1 };
    let goes_on = |failover, error, done| judge(failover, &server, error, done).is_continue();
    let careful = Failover::Careful;
    assert!(goes_on(careful, transport(), false));
    assert!(!goes_on(careful, transport(), true));
    assert!(!goes_on(careful, refused(), false));
    assert!(goes_on(Failover::Always, transport(), true));
    assert!(goes_on(Failover::Always, refused(), true));
    for failover in [careful, Failover::Always] {
        assert!(!goes_on(failover, Error::NoServer, false));
        assert!(!goes_on(failover, Error::Address(String::new()), false));
    }
    let lost = judge(careful, &server, transport(), true).break_value().unwrap();
    assert!(matches!(lost, Error::Lost { .. }), "{lost}");
    assert!(matches!(lost.cause(), Error::Transport(_)));
}
