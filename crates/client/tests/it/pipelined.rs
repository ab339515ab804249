//! One connection to each server, shared by tasks: answers find their tasks, whoever gives up disturbs nobody, and what
//! fails fails for those that it concerns.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_client::tls::Config;
use claviger_client::tokio::PipelinedClient;
use claviger_client::{
    Backoff, Depth, Dialect, Endpoint, Error, Event, Observer, Options, Order, Timeouts, requests,
};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::{Operation, ResultReason};
use tokio::task::JoinSet;

use crate::answers::{asked, done, queried, refused};
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
        timeouts: Timeouts { request: Duration::from_secs(5), ..Timeouts::default() },
        backoff: Backoff::NONE,
        ..Options::new(servers, tls.clone())
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The Unique Identifier that a request names.
fn named(request: &[u8]) -> String {
    let at = request.windows(4).position(|window| window == [0x42, 0, 0x94, 7]).unwrap();
    let length = usize::from(request[at + 7]);
    String::from_utf8(request[at + 8..at + 8 + length].to_vec()).unwrap()
}

fn answer(request: &[u8]) -> Vec<u8> {
    match asked(request).1 {
        Operation::QUERY => queried(VERSION),
        operation => done(VERSION, operation, &named(request)),
    }
}

/// Reads so many requests before it answers them.
fn serves_by(peer: &mut Peer, count: usize) -> std::io::Result<()> {
    loop {
        let requests: Result<Vec<_>, _> = (0..count).map(|_| peer.request()).collect();
        for request in requests? {
            peer.send(&answer(&request))?;
        }
    }
}

fn good(authority: &Authority) -> Server {
    authority.serve(|_, peer| serves_by(peer, 1))
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// So many tasks activate an object each, all at once.
async fn activate_all(client: &PipelinedClient, count: usize) -> Vec<Result<String, Error>> {
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let client = client.clone();
        tasks.spawn(async move {
            let request = requests::activate(number.to_string());
            let answer = client.call(&request).await?;
            let UniqueIdentifier::Text(text) = answer.unique_identifier else { panic!() };
            assert_eq!(text, number.to_string());
            Ok(text)
        });
    }
    tasks.join_all().await
}

#[test]
fn as_many_as_the_depth_are_under_way_and_answers_find_their_tasks() {
    let (authority, tls) = world();
    for (depth, count) in [(0, 5), (1, 5), (4, 40), (8, 80)] {
        // It would wait for ever if fewer came at once.
        let server = authority.serve(move |_, peer| serves_by(peer, depth.max(1)));
        let most = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&most);
        let observer = Observer::new(move |event| {
            if let Event::Answered { under_way, operation, .. } = event {
                assert_eq!(*operation, Operation::ACTIVATE);
                let mut seen = seen.lock().unwrap();
                *seen = (*seen).max(*under_way);
            }
        });
        let options =
            Options { observer: Some(observer), ..options(vec![server.endpoint()], &tls) };
        let client = PipelinedClient::new(options, Depth::new(depth));
        let answers = run(activate_all(&client, count));
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!((server.requests().len(), server.connections()), (count, 1));
        assert!(*most.lock().unwrap() < depth.max(1));
    }
}

#[test]
fn whoever_gives_up_disturbs_nobody() {
    let (authority, tls) = world();
    let server = authority.serve(|_, peer| serves_by(peer, 3));
    let client = PipelinedClient::new(options(vec![server.endpoint()], &tls), Depth::new(8));
    run(async {
        for round in 0..5 {
            let (one, other) = (requests::activate("a"), requests::activate("b"));
            // Both are under way when they are given up; the third request frees all answers.
            tokio::select! {
                answer = client.call(&one) => panic!("{answer:?}"),
                answer = client.call(&other) => panic!("{answer:?}"),
                () = until(|| server.requests().len() == 3 * round + 2) => {}
            }
            let answer = client.call(&requests::activate("c")).await.unwrap();
            assert_eq!(answer.unique_identifier, UniqueIdentifier::from("c"));
        }
    });
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_connection_that_ends_loses_what_was_sent_and_nothing_else() {
    let (authority, tls) = world();
    let server = authority.serve(|nth, peer| {
        if nth == 0 {
            let request = peer.request()?;
            peer.send(&answer(&request))?;
            // Two are read and lost.
            peer.request()?;
            return peer.request().map(|_| ());
        }
        serves_by(peer, 1)
    });
    let options = Options { blacklist: Duration::ZERO, ..options(vec![server.endpoint()], &tls) };
    let client = PipelinedClient::new(options, Depth::new(2));
    let answers = run(async {
        client.call(&requests::activate("first")).await.unwrap();
        activate_all(&client, 10).await
    });
    let lost = answers.iter().filter(|answer| matches!(answer, Err(Error::Lost { .. }))).count();
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    // Those that were not sent when it ended went over a new one.
    assert_eq!((lost, done), (2, 8), "{answers:?}");
    assert_eq!((server.requests().len(), server.connections()), (11, 2));
}

#[test]
fn what_may_be_repeated_goes_to_another_server_and_the_lost_one_comes_last() {
    let (authority, tls) = world();
    let loses = authority.serve(|_, peer| peer.request().map(|_| ()));
    let other = good(&authority);
    let servers = vec![nobody(), loses.endpoint(), other.endpoint()];
    let client = PipelinedClient::new(options(servers, &tls), Depth::new(4));
    run(async {
        let error = client.call(&requests::activate("1")).await.unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{error}");
        client.call(&requests::activate("1")).await.unwrap();
        client.call(&requests::query([])).await.unwrap();
    });
    assert_eq!((loses.requests().len(), other.requests().len()), (1, 2));
}

#[test]
fn a_mute_server_costs_its_time_once() {
    let (authority, tls) = world();
    let mute = authority.serve(|_, peer| peer.be_silent());
    let other = good(&authority);
    let timeouts = Timeouts { request: Duration::from_secs(1), ..Timeouts::default() };
    let servers = vec![mute.endpoint(), other.endpoint()];
    let client =
        PipelinedClient::new(Options { timeouts, ..options(servers, &tls) }, Depth::new(4));
    run(async {
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let client = client.clone();
            tasks.spawn(async move { client.call(&requests::query([])).await.map(|_| ()) });
        }
        assert!(tasks.join_all().await.iter().all(Result::is_ok));
        client.call(&requests::query([])).await.unwrap();
    });
    assert_eq!(other.requests().len(), 21);
}

#[test]
fn a_connection_is_used_no_more_when_it_ended_is_old_or_was_given_up() {
    let (authority, tls) = world();
    let server = good(&authority);
    let mut options = options(vec![server.endpoint()], &tls);
    let client = PipelinedClient::new(options.clone(), Depth::new(4));
    run(async {
        for _ in 0..3 {
            client.call(&requests::activate("1")).await.unwrap();
        }
        assert_eq!(server.connections(), 1);
        client.reconnect().await;
        client.call(&requests::activate("1")).await.unwrap();
    });
    assert_eq!(server.connections(), 2);
    options.pool.idle_max = Duration::ZERO;
    let client = PipelinedClient::new(options.clone(), Depth::new(4));
    run(async {
        client.call(&requests::activate("1")).await.unwrap();
        client.call(&requests::activate("1")).await.unwrap();
    });
    assert_eq!(server.connections(), 4);
    // One that the server has closed is noticed before it is used.
    let (said, goodbyes) = std::sync::mpsc::channel();
    let closes = authority.serve(move |_, peer| {
        let request = peer.request()?;
        peer.send(&answer(&request))?;
        peer.goodbye()?;
        said.send(()).map_err(std::io::Error::other)
    });
    options.servers = vec![closes.endpoint()];
    options.pool.idle_max = Duration::from_secs(60);
    let client = PipelinedClient::new(options, Depth::new(4));
    run(async {
        for _ in 0..3 {
            client.call(&requests::activate("1")).await.unwrap();
            goodbyes.recv().unwrap();
        }
    });
    assert_eq!(closes.connections(), 3);
}

#[test]
fn a_refusal_is_one_task_s_own_and_one_server_can_be_asked_alone() {
    let (authority, tls) = world();
    let refuses = authority.serve(|_, peer| {
        loop {
            let (version, operation) = asked(&peer.request()?);
            peer.send(&refused(version, Some(operation), ResultReason::ITEM_NOT_FOUND))?;
        }
    });
    let other = good(&authority);
    let servers = vec![other.endpoint(), refuses.endpoint(), nobody()];
    let order = Order::RoundRobin;
    let client = PipelinedClient::new(Options { order, ..options(servers, &tls) }, Depth::new(4));
    run(async {
        let request = requests::activate("1");
        let error = client.call_at(1, &request).await.unwrap_err();
        assert_eq!(error.reason(), Some(ResultReason::ITEM_NOT_FOUND));
        client.call_at(0, &request).await.unwrap();
        assert!(matches!(client.call_at(2, &request).await, Err(Error::Connect(_))));
        assert!(matches!(client.call_at(3, &request).await, Err(Error::NoServer)));
        // Each in its turn; the third is not there, and then comes the first.
        client.call(&request).await.unwrap();
        client.call(&request).await.unwrap_err();
        client.call(&request).await.unwrap();
        assert_eq!(client.version(0), Some(VERSION));
    });
    assert_eq!((refuses.connections(), other.connections()), (1, 1));
}
