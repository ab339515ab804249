//! The blocking client: which server is asked, what is asked again, and which connections are
//! kept.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use claviger_client::blocking::Client;
use claviger_client::tls::Config;
use claviger_client::{
    Backoff, Dialect, Endpoint, Error, Event, Failover, Observer, Options, Order, Pool, Timeouts,
};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::{Operation, ResultReason};

use crate::answers::{asked, done, queried, refused};
use crate::scripted::{Authority, Peer, Server, nobody};

const VERSION: Version = Version::V1_4;

/// An authority, and what its clients connect with.
fn world() -> (Authority, Config) {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load().unwrap();
    (authority, config)
}

fn options(servers: Vec<Endpoint>, tls: &Config) -> Options {
    Options {
        dialect: Dialect::fixed(VERSION),
        timeouts: Timeouts { request: Duration::from_secs(5), ..Timeouts::default() },
        backoff: Backoff::NONE,
        ..Options::new(servers, tls.clone())
    }
}

/// Answers everything well.
fn serves(peer: &mut Peer) -> std::io::Result<()> {
    loop {
        let (_, operation) = asked(&peer.request()?);
        peer.send(&answer(operation))?;
    }
}

fn answer(operation: Operation) -> Vec<u8> {
    match operation {
        Operation::QUERY => queried(VERSION),
        operation => done(VERSION, operation, "1"),
    }
}

fn good(authority: &Authority) -> Server {
    authority.serve(|_, peer| serves(peer))
}

/// Reads one request per connection and closes without an answer.
fn loses_answers(authority: &Authority) -> Server {
    authority.serve(|_, peer| peer.request().map(|_| ()))
}

#[test]
fn the_next_server_is_asked_where_one_cannot_be_reached() {
    let (authority, tls) = world();
    let server = good(&authority);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let observer = {
        let seen = Arc::clone(&seen);
        Observer::new(move |event| {
            if let Event::ServerFailed { server, error } = event {
                seen.lock().unwrap().push((server.to_string(), error.to_string()));
            }
        })
    };
    let dead = nobody();
    let options = Options {
        observer: Some(observer),
        ..options(vec![dead.clone(), server.endpoint()], &tls)
    };
    let client = Client::new(options);
    client.activate("1").unwrap();
    client.destroy("1").unwrap();
    let seen = seen.lock().unwrap();
    // It is on the blacklist when the second request comes.
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].0, dead.to_string());
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_refusal_is_an_answer_and_no_other_server_is_asked() {
    let (authority, tls) = world();
    let refuses = authority.serve(|_, peer| {
        loop {
            let (_, operation) = asked(&peer.request()?);
            peer.send(&refused(VERSION, Some(operation), ResultReason::ITEM_NOT_FOUND))?;
        }
    });
    let other = good(&authority);
    let client = Client::new(options(vec![refuses.endpoint(), other.endpoint()], &tls));
    let error = client.get("1").unwrap_err();
    assert_eq!(error.reason(), Some(ResultReason::ITEM_NOT_FOUND));
    let Error::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!(refusal.message.as_deref(), Some("said no"));
    assert_eq!(other.connections(), 0);
    // The connection is as good as before.
    client.destroy("1").unwrap_err();
    assert_eq!(refuses.connections(), 1);
    // Unless the caller wants to hear it from every server.
    let done = client.session(Failover::Always, |session| session.activate("1")).unwrap();
    assert_eq!(done.unique_identifier, UniqueIdentifier::from("1"));
}

#[test]
fn what_only_reads_is_asked_again_after_a_lost_answer_and_what_changes_is_not() {
    let (authority, tls) = world();
    let (loses, other) = (loses_answers(&authority), good(&authority));
    let servers = vec![loses.endpoint(), other.endpoint()];
    let client = Client::new(Options { blacklist: Duration::ZERO, ..options(servers, &tls) });
    client.query([]).unwrap();
    assert_eq!((loses.requests().len(), other.requests().len()), (1, 1));
    let error = client.destroy("1").unwrap_err();
    let Error::Lost { server, .. } = &error else { panic!("{error}") };
    assert_eq!(*server, loses.endpoint());
    assert!(matches!(error.cause(), Error::Transport(_)));
    assert_eq!((loses.requests().len(), other.requests().len()), (2, 1));
}

#[test]
fn work_that_sent_something_unrepeatable_is_not_begun_anew_unless_it_says_so() {
    let (authority, tls) = world();
    let half = authority.serve(|_, peer| {
        peer.request()?;
        peer.send(&answer(Operation::ACTIVATE))?;
        peer.request().map(|_| ())
    });
    let other = good(&authority);
    let servers = vec![half.endpoint(), other.endpoint()];
    let client = Client::new(Options { blacklist: Duration::ZERO, ..options(servers, &tls) });
    let work = |session: &mut claviger_client::blocking::Session| {
        session.activate("1")?;
        session.query([])
    };
    assert!(matches!(client.session(Failover::Careful, work), Err(Error::Lost { .. })));
    assert_eq!(other.requests().len(), 0);
    client.session(Failover::Always, work).unwrap();
    assert_eq!(other.requests().len(), 2);
}

#[test]
fn retries_are_rounds_and_every_server_s_failure_is_told() {
    let (authority, tls) = world();
    let loses = loses_answers(&authority);
    let dead = nobody();
    let rounds = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&rounds);
    let observer = Observer::new(move |event| {
        if let Event::RoundFailed { rounds_left } = event {
            told.lock().unwrap().push(*rounds_left);
        }
    });
    let options = Options {
        connect_retries: 2,
        observer: Some(observer),
        ..options(vec![dead.clone(), loses.endpoint()], &tls)
    };
    let error = Client::new(options).query([]).unwrap_err();
    let Error::Servers(failures) = &error else { panic!("{error}") };
    assert_eq!(failures.len(), 2);
    let of_dead = failures.iter().find(|failure| failure.server == dead).unwrap();
    assert!(matches!(of_dead.error, Error::Connect(_)), "{error}");
    assert_eq!(loses.requests().len(), 3);
    assert_eq!(*rounds.lock().unwrap(), [2, 1, 0]);
}

#[test]
fn every_server_has_its_turn() {
    let (authority, tls) = world();
    let servers = [good(&authority), good(&authority)];
    let endpoints = servers.iter().map(Server::endpoint).collect();
    let options = Options { order: Order::RoundRobin, ..options(endpoints, &tls) };
    let client = Client::new(options);
    for _ in 0..6 {
        client.query([]).unwrap();
    }
    assert_eq!(servers.each_ref().map(|server| server.requests().len()), [3, 3]);
    assert_eq!(servers.each_ref().map(Server::connections), [1, 1]);
}

#[test]
fn a_connection_that_died_while_idle_is_noticed_before_it_is_used() {
    let (authority, tls) = world();
    // One answer per connection, then goodbye.
    let (said, goodbyes) = mpsc::channel();
    let server = authority.serve(move |_, peer| {
        let (_, operation) = asked(&peer.request()?);
        peer.send(&answer(operation))?;
        peer.goodbye()?;
        said.send(()).map_err(std::io::Error::other)
    });
    let client = Client::new(options(vec![server.endpoint()], &tls));
    let mut noticed = 0;
    for _ in 0..20 {
        // Not to be repeated: a request on a dead connection is an error. The goodbye has been sent, and has
        // reached this side by now, unless the machine is very busy.
        match client.destroy("1") {
            Ok(_) => noticed += 1,
            Err(Error::Lost { .. }) => continue,
            Err(error) => panic!("{error}"),
        }
        goodbyes.recv().unwrap();
    }
    assert!(noticed >= 15, "noticed {noticed} times of 20");
}

#[test]
fn unasked_words_of_a_server_make_a_connection_unclean() {
    let (authority, tls) = world();
    let server = authority.serve(|_, peer| {
        let (_, operation) = asked(&peer.request()?);
        let mut twice = answer(operation);
        twice.extend(answer(operation));
        peer.send(&twice)?;
        peer.be_silent()
    });
    let client = Client::new(options(vec![server.endpoint()], &tls));
    client.activate("1").unwrap();
    client.activate("1").unwrap();
    assert_eq!(server.connections(), 2);
}

#[test]
fn late_answers_are_not_taken_for_those_of_the_next_request() {
    let (authority, tls) = world();
    let server = authority.serve(|nth, peer| {
        if nth == 0 {
            peer.request()?;
            return peer.be_silent();
        }
        serves(peer)
    });
    let timeouts = Timeouts { request: Duration::from_millis(100), ..Timeouts::default() };
    let client = Client::new(Options { timeouts, ..options(vec![server.endpoint()], &tls) });
    let error = client.activate("1").unwrap_err();
    assert!(matches!(error.cause(), Error::TimedOut(_)), "{error}");
    let timeouts = Timeouts::default();
    let client = Client::new(Options { timeouts, ..options(vec![server.endpoint()], &tls) });
    client.destroy("1").unwrap();
}

#[test]
fn connections_are_bounded_and_shared() {
    let (authority, tls) = world();
    let server = good(&authority);
    let pool = Pool { connections_max: 2, ..Pool::default() };
    let client = Client::new(Options { pool, ..options(vec![server.endpoint()], &tls) });
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let client = client.clone();
            scope.spawn(move || {
                for _ in 0..10 {
                    client.query([]).unwrap();
                }
            });
        }
    });
    assert_eq!(server.requests().len(), 60);
    assert!(server.connections() <= 2, "{}", server.connections());
}

#[test]
fn whoever_waits_too_long_for_a_connection_is_told() {
    let (authority, tls) = world();
    let server = good(&authority);
    let pool = Pool { connections_max: 1, wait_max: Duration::ZERO, ..Pool::default() };
    let client = Client::new(Options { pool, ..options(vec![server.endpoint()], &tls) });
    client
        .session(Failover::Careful, |_| {
            assert!(matches!(client.query([]), Err(Error::Busy)));
            Ok(())
        })
        .unwrap();
    client.query([]).unwrap();
}

#[test]
fn no_connection_is_kept_where_none_may_be() {
    let (authority, tls) = world();
    let server = good(&authority);
    let pool = Pool { idle_max: Duration::ZERO, ..Pool::default() };
    let client = Client::new(Options { pool, ..options(vec![server.endpoint()], &tls) });
    client.query([]).unwrap();
    client.query([]).unwrap();
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_request_that_its_version_does_not_have_costs_no_server_its_name() {
    let (authority, tls) = world();
    let server = good(&authority);
    let client = Client::new(options(vec![server.endpoint()], &tls));
    assert!(matches!(client.ping(), Err(Error::TooYoung(_))));
    client.query([]).unwrap();
    assert_eq!(server.connections(), 1);
}
