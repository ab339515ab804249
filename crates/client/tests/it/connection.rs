//! The two connections over real TLS.

use std::io::{self, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use claviger_client::blocking::Connection;
use claviger_client::tls::{Config, TlsFailure};
use claviger_client::{Batch, Depth, Endpoint, Error, Outgoing, Step, Timeouts};
use claviger_kmip::Version;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::Operation;
use claviger_kmip::payload::DestroyRequest;
use claviger_ttlv::Writer;

use crate::answers::done;
use crate::scripted::{Authority, Server};

const VERSION: Version = Version::V1_2;

/// The answer of a server that destroyed the object.
fn destroyed(uid: &str) -> Vec<u8> {
    done(VERSION, Operation::DESTROY, uid)
}

fn destroy(uid: &str) -> DestroyRequest {
    DestroyRequest { unique_identifier: Some(UniqueIdentifier::from(uid)) }
}

fn outgoing(uid: &str) -> Outgoing {
    Outgoing::single(VERSION, &destroy(uid)).unwrap()
}

/// What a client of that authority connects with.
fn config(authority: &Authority) -> Config {
    let directory = tempfile::tempdir().unwrap();
    authority.client(directory.path()).load().unwrap()
}

/// A server that answers so and closes, and a connection to it.
fn connected(answers: Vec<Vec<u8>>) -> (Server, Connection) {
    let authority = Authority::new();
    let server = authority.serve(move |_, peer| {
        for answer in &answers {
            peer.request()?;
            peer.send(answer)?;
        }
        peer.goodbye()
    });
    let timeouts = Timeouts::default();
    let connection = Connection::open(&server.endpoint(), &config(&authority), timeouts).unwrap();
    (server, connection)
}

#[test]
fn blocking_requests_are_answered_until_the_server_goes() {
    let (server, mut connection) = connected(vec![destroyed("a"), destroyed("b")]);
    assert!(connection.tls_description().starts_with("TLSv1_3"));
    for uid in ["a", "b"] {
        let answer = connection.call(VERSION, &destroy(uid)).unwrap();
        assert_eq!(answer.unique_identifier, UniqueIdentifier::from(uid));
    }
    let error = connection.call(VERSION, &destroy("c")).unwrap_err();
    assert!(matches!(error, Error::Transport(_) | Error::Unsent(_)), "{error}");
    // What failed once is not used again.
    assert!(!connection.is_ready());
    assert!(matches!(connection.call(VERSION, &destroy("d")), Err(Error::Unsent(_))));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_batch_of_one_is_a_batch() {
    let (_server, mut connection) = connected(vec![destroyed("a")]);
    let mut batch = Batch::new(VERSION);
    let slot = batch.add(&destroy("a")).unwrap();
    let answer = connection.exchange(batch.finish().unwrap()).unwrap();
    let replies = answer.replies().unwrap();
    assert_eq!(replies.take(slot).unwrap().unique_identifier, UniqueIdentifier::from("a"));
}

#[test]
fn a_silent_server_is_not_waited_for_forever() {
    // It accepts connections into its backlog and never takes one.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = listener.local_addr().unwrap().to_string().parse().unwrap();
    let handshake = Duration::from_millis(50);
    let timeouts = Timeouts { handshake, ..Timeouts::default() };
    let config = config(&Authority::new());
    let error = Connection::open(&endpoint, &config, timeouts).unwrap_err();
    assert!(matches!(error, Error::TimedOut(Step::Handshake)), "{error}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let files = Authority::new().client(directory.path());
    std::fs::write(&files.key, "not a key").unwrap();
    let error = files.load().unwrap_err().to_string();
    assert!(error.contains("key.pem"), "{error}");
    std::fs::write(&files.ca, "").unwrap();
    let error = files.load().unwrap_err().to_string();
    assert!(error.contains("ca.pem"), "{error}");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let uids: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    for depth in [0, 1, 3, 100] {
        let (server, mut connection) = connected(uids.iter().map(|uid| destroyed(uid)).collect());
        let mut answered = Vec::new();
        let requests = uids.iter().map(|uid| outgoing(uid));
        connection
            .pipeline(requests, Depth::new(depth), |answer| {
                let UniqueIdentifier::Text(uid) =
                    answer.only::<DestroyRequest>()?.unique_identifier
                else {
                    panic!("no text")
                };
                answered.push(uid);
                Ok(())
            })
            .unwrap();
        assert_eq!(answered, uids, "{depth}");
        assert_eq!(connection.under_way(), 0);
        assert_eq!(server.requests().len(), uids.len());
    }
}

#[test]
fn nothing_comes_between_a_request_and_its_answer() {
    let (_server, mut connection) = connected(vec![destroyed("a"), destroyed("b")]);
    connection.send(outgoing("a")).unwrap();
    assert!(!connection.is_ready());
    assert!(matches!(connection.exchange(outgoing("b")), Err(Error::Unsent(_))));
    connection.receive().unwrap();
    assert!(matches!(connection.receive(), Err(Error::Unsent(_))));
    connection.exchange(outgoing("b")).unwrap();
}

#[test]
fn an_answer_that_drips_ends_by_the_time_out() {
    let authority = Authority::new();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let server = authority.serve(move |_, peer| {
        peer.request()?;
        for byte in destroyed("a") {
            peer.send(&[byte])?;
            // Far less than the time-out each, far more altogether.
            let _after_a_while = wait.lock().unwrap().recv_timeout(Duration::from_millis(20));
        }
        peer.be_silent()
    });
    let timeouts = Timeouts { request: Duration::from_millis(300), ..Timeouts::default() };
    let mut connection =
        Connection::open(&server.endpoint(), &config(&authority), timeouts).unwrap();
    let error = connection.call(VERSION, &destroy("a")).unwrap_err();
    assert!(matches!(error, Error::TimedOut(Step::Request)), "{error}");
    drop((connection, go_on));
}

#[test]
fn the_first_answer_may_have_a_time_of_its_own() {
    let authority = Authority::new();
    let server = authority.serve(|_, peer| peer.be_silent());
    let first_answer = Some(Duration::from_millis(300));
    let timeouts = Timeouts { first_answer, ..Timeouts::each(Duration::from_secs(60)) };
    let began = Instant::now();
    let error = Connection::open(&server.endpoint(), &config(&authority), timeouts)
        .and_then(|mut connection| connection.call(VERSION, &destroy("a")))
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_server_may_close_after_any_byte() {
    let authority = Authority::new();
    let whole = destroyed("a");
    let length = whole.len();
    let server = authority.serve(move |nth, peer| {
        peer.request()?;
        peer.send(&whole[..nth])
    });
    let config = config(&authority);
    for _ in 0..length {
        let mut connection =
            Connection::open(&server.endpoint(), &config, Timeouts::default()).unwrap();
        let error = connection.call(VERSION, &destroy("a")).unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{error}");
        assert!(!connection.is_ready());
    }
    let mut connection =
        Connection::open(&server.endpoint(), &config, Timeouts::default()).unwrap();
    connection.call(VERSION, &destroy("a")).unwrap();
}

/// Passes on so many bytes of what the server says, then ends both connections.
fn cut_off_after(server: &Server, bytes: u64) -> Endpoint {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let cut = Endpoint { port: listener.local_addr().unwrap().port(), ..server.endpoint() };
    let port = server.endpoint().port;
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut to_server, mut from_client) =
            (server.try_clone().unwrap(), client.try_clone().unwrap());
        let asks = std::thread::spawn(move || {
            let _until_either_goes = io::copy(&mut from_client, &mut to_server);
        });
        let _until_either_goes = io::copy(&mut (&server).take(bytes), &mut &client);
        let _they_may_be_gone = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        asks.join().unwrap();
    });
    cut
}

#[test]
fn the_network_may_end_after_any_byte() {
    let authority = Authority::new();
    let server = authority.serve(|_, peer| {
        peer.request()?;
        peer.send(&destroyed("a"))?;
        peer.be_silent()
    });
    // A full handshake each time.
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load_without_resumption().unwrap();
    let mut seen = (false, false);
    for bytes in (0..).step_by(41) {
        let endpoint = cut_off_after(&server, bytes);
        let opened = Connection::open(&endpoint, &config, Timeouts::default());
        let asked = opened.and_then(|mut connection| connection.call(VERSION, &destroy("a")));
        match asked {
            Err(Error::Tls(TlsFailure::Ended(_))) => seen.0 = true,
            Err(Error::Transport(_) | Error::Unsent(_)) => seen.1 = true,
            Ok(_) => break,
            Err(error) => panic!("{bytes}: {error:?}"),
        }
    }
    assert_eq!(seen, (true, true));
}

#[test]
fn garbage_is_no_answer() {
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let mut huge = destroyed("a");
    huge[4..8].copy_from_slice(&[0x7f; 4]);
    let mut wrong = destroyed("a");
    wrong[8..11].fill(0);
    let mut other = Writer::new();
    other.structure(claviger_kmip::tags::REQUEST_MESSAGE, |_| {});
    let garbage = [http, huge, wrong, other.into_bytes(), done(VERSION, Operation::ACTIVATE, "a")];
    for bytes in garbage {
        let (_server, mut connection) = connected(vec![bytes.clone()]);
        let error = connection.call(VERSION, &destroy("a")).unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{error}: {bytes:?}");
    }
}

#[test]
fn an_answer_with_something_behind_it_leaves_the_connection_unusable() {
    let mut twice = destroyed("a");
    twice.extend(destroyed("b"));
    let (_server, mut connection) = connected(vec![twice, destroyed("c")]);
    connection.call(VERSION, &destroy("a")).unwrap();
    assert!(!connection.is_ready());
}

#[test]
fn bytes_that_are_no_tls_end_the_connection() {
    let authority = Authority::new();
    let server = authority.serve(|_, peer| {
        peer.request()?;
        peer.send_raw(b"not a record of TLS at all")
    });
    let mut connection =
        Connection::open(&server.endpoint(), &config(&authority), Timeouts::default()).unwrap();
    let error = connection.call(VERSION, &destroy("a")).unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
}
