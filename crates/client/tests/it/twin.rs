//! The client for tokio does as the blocking one.

use std::sync::mpsc;
use std::time::Duration;

use claviger_client::tls::Config;
use claviger_client::tokio::{Client, Connection};
use claviger_client::{
    Backoff, Depth, Dialect, Endpoint, Error, Options, Outgoing, Pool, Step, Timeouts,
};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::{Operation, ResultReason};
use claviger_kmip::payload::DestroyRequest;

use crate::answers::{asked, discovered, done, queried, refused};
use crate::scripted::{Authority, Peer, Server, nobody};

const VERSION: Version = Version::V1_4;

fn world() -> (Authority, Config) {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load().unwrap();
    (authority, config)
}

fn options(servers: Vec<Endpoint>, tls: &Config) -> Options {
    Options {
        dialect: Dialect::fixed(VERSION),
        backoff: Backoff::NONE,
        ..Options::new(servers, tls.clone())
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn answer(version: Version, operation: Operation) -> Vec<u8> {
    match operation {
        Operation::DISCOVER_VERSIONS => discovered(version, &[Version::V1_2, VERSION]),
        Operation::QUERY => queried(version),
        operation => done(version, operation, "1"),
    }
}

fn serves(peer: &mut Peer) -> std::io::Result<()> {
    loop {
        let (version, operation) = asked(&peer.request()?);
        peer.send(&answer(version, operation))?;
    }
}

fn good(authority: &Authority) -> Server {
    authority.serve(|_, peer| serves(peer))
}

fn loses_answers(authority: &Authority) -> Server {
    authority.serve(|_, peer| peer.request().map(|_| ()))
}

/// Futures of the client can be spawned.
fn spawnable<T: Send>(future: T) -> T {
    future
}

#[test]
fn servers_are_asked_in_turn_and_unrepeatable_requests_only_once() {
    let (authority, tls) = world();
    let (loses, other) = (loses_answers(&authority), good(&authority));
    let servers = vec![nobody(), loses.endpoint(), other.endpoint()];
    let client = Client::new(Options { blacklist: Duration::ZERO, ..options(servers, &tls) });
    run(async {
        spawnable(client.query([])).await.unwrap();
        assert_eq!((loses.requests().len(), other.requests().len()), (1, 1));
        let error = spawnable(client.destroy("1")).await.unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{error}");
        assert_eq!(other.requests().len(), 1);
    });
}

#[test]
fn a_refusal_is_final_and_the_version_is_agreed_on_once() {
    let (authority, tls) = world();
    let server = authority.serve(|_, peer| {
        loop {
            let (version, operation) = asked(&peer.request()?);
            peer.send(&match operation {
                Operation::GET => refused(version, Some(operation), ResultReason::ITEM_NOT_FOUND),
                operation => answer(version, operation),
            })?;
        }
    });
    let other = good(&authority);
    let dialect = Dialect::default();
    let servers = vec![server.endpoint(), other.endpoint()];
    let client = Client::new(Options { dialect, ..options(servers, &tls) });
    run(async {
        let error = client.get("1").await.unwrap_err();
        assert_eq!(error.reason(), Some(ResultReason::ITEM_NOT_FOUND));
        client.activate("1").await.unwrap();
    });
    let asked: Vec<_> = server.requests().iter().map(|request| asked(request)).collect();
    assert_eq!(
        asked,
        [
            (Version::V1_1, Operation::DISCOVER_VERSIONS),
            (VERSION, Operation::GET),
            (VERSION, Operation::ACTIVATE)
        ]
    );
    assert_eq!((server.connections(), other.connections()), (1, 0));
}

#[test]
fn dead_connections_are_noticed_and_clean_ones_kept() {
    let (authority, tls) = world();
    let (said, goodbyes) = mpsc::channel();
    let server = authority.serve(move |_, peer| {
        let (version, operation) = asked(&peer.request()?);
        peer.send(&answer(version, operation))?;
        peer.goodbye()?;
        said.send(()).map_err(std::io::Error::other)
    });
    let client = Client::new(options(vec![server.endpoint()], &tls));
    run(async {
        for _ in 0..3 {
            client.destroy("1").await.unwrap();
            goodbyes.recv().unwrap();
        }
    });
    assert_eq!(server.connections(), 3);
    let server = good(&authority);
    let client = Client::new(options(vec![server.endpoint()], &tls));
    run(async {
        for _ in 0..3 {
            client.destroy("1").await.unwrap();
        }
    });
    assert_eq!(server.connections(), 1);
}

#[test]
fn connections_are_bounded() {
    let (authority, tls) = world();
    let server = good(&authority);
    let pool = Pool { connections_max: 2, ..Pool::default() };
    let client = Client::new(Options { pool, ..options(vec![server.endpoint()], &tls) });
    run(async {
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.query([]).await.map(|_| ()) })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    assert_eq!(server.requests().len(), 20);
    assert!(server.connections() <= 2, "{}", server.connections());
}

#[test]
fn a_dropped_future_leaves_no_answer_behind() {
    let (authority, tls) = world();
    let server = authority.serve(|nth, peer| {
        if nth == 0 {
            peer.request()?;
            return peer.be_silent();
        }
        serves(peer)
    });
    let client = Client::new(options(vec![server.endpoint()], &tls));
    run(async {
        let given_up = tokio::time::timeout(Duration::from_millis(100), client.activate("1"));
        assert!(given_up.await.is_err());
        client.activate("1").await.unwrap();
    });
    assert_eq!(server.connections(), 2);
}

#[test]
fn steps_have_their_time() {
    let (authority, tls) = world();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint: Endpoint = listener.local_addr().unwrap().to_string().parse().unwrap();
    let timeouts = Timeouts::each(Duration::from_millis(100));
    let silent = authority.serve(|_, peer| peer.be_silent());
    run(async {
        let error = Connection::open(&endpoint, &tls, timeouts).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut(Step::Handshake)), "{error}");
        let timeouts = Timeouts { request: Duration::from_millis(100), ..Timeouts::default() };
        let mut connection = Connection::open(&silent.endpoint(), &tls, timeouts).await.unwrap();
        let outgoing = Outgoing::single(VERSION, &DestroyRequest::default()).unwrap();
        let error = connection.exchange(outgoing).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut(Step::Request)), "{error}");
        assert!(!connection.is_ready());
        let first_answer = Some(Duration::from_millis(100));
        let timeouts = Timeouts { first_answer, ..Timeouts::each(Duration::from_secs(60)) };
        let ask = async || {
            let mut connection = Connection::open(&silent.endpoint(), &tls, timeouts).await?;
            connection.call(VERSION, &DestroyRequest::default()).await
        };
        let ended = tokio::time::timeout(Duration::from_secs(30), ask()).await.unwrap();
        assert!(matches!(ended, Err(Error::TimedOut(_))), "{ended:?}");
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (authority, tls) = world();
    let server = authority.serve(|_, peer| {
        for nth in 0.. {
            peer.request()?;
            peer.send(&done(VERSION, Operation::DESTROY, &nth.to_string()))?;
        }
        Ok(())
    });
    run(async {
        for depth in [0, 5] {
            let mut connection =
                Connection::open(&server.endpoint(), &tls, Timeouts::default()).await.unwrap();
            let requests =
                (0..20).map(|_| Outgoing::single(VERSION, &DestroyRequest::default()).unwrap());
            let mut nth = 0;
            connection
                .pipeline(requests, Depth::new(depth), |answer| {
                    let uid = answer.only::<DestroyRequest>()?.unique_identifier;
                    assert_eq!(uid, UniqueIdentifier::from(nth.to_string()));
                    nth += 1;
                    Ok(())
                })
                .await
                .unwrap();
            assert_eq!((nth, connection.under_way()), (20, 0));
            assert!(matches!(connection.receive().await, Err(Error::Unsent(_))));
            assert!(connection.tls_description().starts_with("TLSv1_3"));
            connection.close().await.unwrap();
        }
    });
}
