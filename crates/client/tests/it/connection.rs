//! The two connections over real TLS.

use std::time::Duration;

use claviger_client::blocking::{self, Timeouts};
use claviger_client::{Batch, Endpoint, Error};
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::payload::DestroyRequest;
use claviger_kmip::{Version, tags};
use claviger_ttlv::Writer;

use crate::scripted::Authority;

const VERSION: Version = Version::V1_2;

/// The answer of a server that destroyed the object.
fn destroyed(uid: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.structure(tags::RESPONSE_MESSAGE, |writer| {
        writer.structure(tags::RESPONSE_HEADER, |writer| {
            writer.structure(tags::PROTOCOL_VERSION, |writer| {
                writer.integer(tags::PROTOCOL_VERSION_MAJOR, VERSION.major);
                writer.integer(tags::PROTOCOL_VERSION_MINOR, VERSION.minor);
            });
            writer.date_time(tags::TIME_STAMP, 1);
            writer.integer(tags::BATCH_COUNT, 1);
        });
        writer.structure(tags::BATCH_ITEM, |writer| {
            writer.enumeration(tags::OPERATION, 0x14);
            writer.enumeration(tags::RESULT_STATUS, 0);
            writer.structure(tags::RESPONSE_PAYLOAD, |writer| {
                writer.text(tags::UNIQUE_IDENTIFIER, uid);
            });
        });
    });
    writer.into_bytes()
}

fn destroy(uid: &str) -> DestroyRequest {
    DestroyRequest { unique_identifier: Some(UniqueIdentifier::from(uid)) }
}

fn endpoint(port: u16) -> Endpoint {
    Endpoint { host: String::from("localhost"), port }
}

#[test]
fn blocking_requests_are_answered_until_the_server_goes() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load().unwrap();
    let (address, served) = authority.serve(vec![destroyed("a"), destroyed("b")]);
    let endpoint = endpoint(address.port());
    let mut connection =
        blocking::Connection::open(&endpoint, &config, Timeouts::default()).unwrap();
    assert!(connection.tls_description().starts_with("TLSv1_3"));
    for uid in ["a", "b"] {
        let answer = connection.call(VERSION, &destroy(uid)).unwrap();
        assert_eq!(answer.unique_identifier, UniqueIdentifier::from(uid));
    }
    assert!(matches!(connection.call(VERSION, &destroy("c")), Err(Error::Transport(_))));
    assert_eq!(served.join().unwrap(), 2);
}

#[test]
fn a_batch_of_one_is_a_batch() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load().unwrap();
    let (address, served) = authority.serve(vec![destroyed("a")]);
    let endpoint = endpoint(address.port());
    let mut connection =
        blocking::Connection::open(&endpoint, &config, Timeouts::default()).unwrap();
    let mut batch = Batch::new(VERSION);
    let slot = batch.add(&destroy("a")).unwrap();
    let answer = connection.exchange(batch.finish().unwrap()).unwrap();
    let replies = answer.replies().unwrap();
    assert_eq!(replies.take(slot).unwrap().unique_identifier, UniqueIdentifier::from("a"));
    drop(connection);
    assert_eq!(served.join().unwrap(), 1);
}

#[test]
fn a_stranger_is_not_trusted() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let stranger = Authority::new().client(directory.path()).load().unwrap();
    let (address, _) = authority.serve(vec![]);
    let endpoint = endpoint(address.port());
    let error = blocking::Connection::open(&endpoint, &stranger, Timeouts::default()).unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error}");
}

#[test]
fn a_server_that_does_not_trust_us_says_so() {
    let authority = Authority::new();
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut files = Authority::new().client(other.path());
    files.ca = authority.client(directory.path()).ca;
    let config = files.load().unwrap();
    let (address, _) = authority.serve(vec![destroyed("a")]);
    let endpoint = endpoint(address.port());
    let error = blocking::Connection::open(&endpoint, &config, Timeouts::default())
        .and_then(|mut connection| connection.call(VERSION, &destroy("a")))
        .unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error}");
}

#[test]
fn a_silent_server_is_not_waited_for_forever() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load().unwrap();
    // It accepts connections into its backlog and never takes one.
    let listener = std::net::TcpListener::bind(("localhost", 0)).unwrap();
    let endpoint = endpoint(listener.local_addr().unwrap().port());
    let timeouts = Timeouts { connect: Duration::from_millis(50), ..Timeouts::default() };
    let error = blocking::Connection::open(&endpoint, &config, timeouts).unwrap_err();
    let Error::Transport(error) = error else { panic!("{error}") };
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
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

#[cfg(feature = "tokio")]
#[test]
fn pipelined_requests_are_answered_in_order() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load().unwrap();
    let uids = ["a", "b", "c"];
    let (address, served) = authority.serve(uids.map(destroyed).to_vec());
    let endpoint = endpoint(address.port());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let timeouts = Timeouts::default();
        let mut connection =
            claviger_client::tokio::Connection::open(&endpoint, &config, timeouts).await.unwrap();
        for uid in uids {
            let outgoing = claviger_client::Outgoing::single(VERSION, &destroy(uid)).unwrap();
            connection.send(outgoing).await.unwrap();
        }
        assert_eq!(connection.under_way(), 3);
        for uid in uids {
            let answer = connection.receive().await.unwrap().only::<DestroyRequest>().unwrap();
            assert_eq!(answer.unique_identifier, UniqueIdentifier::from(uid));
        }
        assert!(matches!(connection.receive().await, Err(Error::Transport(_))));
    });
    assert_eq!(served.join().unwrap(), 3);
}
