//! Agreeing on a version, with servers of every kind.

use std::io;

use claviger_client::blocking::Session;
use claviger_client::{Dialect, Error, Timeouts, Versions};
use claviger_kmip::Version;
use claviger_kmip::enums::{Operation, ResultReason};

use crate::answers::{asked, discovered, queried, refused};
use crate::scripted::{Authority, Peer, Server};

const ALL: Versions = Versions::Negotiated { oldest: Version::V1_0, newest: Version::V2_1 };

/// What a server of that kind makes of a session, and what it was asked.
fn negotiated(
    versions: Versions,
    serve: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
) -> (Result<Version, Error>, Vec<(Version, Operation)>) {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load().unwrap();
    let server: Server = authority.serve(move |_, peer| serve(peer));
    let dialect = Dialect { versions, ..Dialect::default() };
    let session = Session::open(&server.endpoint(), &config, &dialect, Timeouts::default());
    let version = session.map(|session| session.version());
    (version, server.requests().iter().map(|request| asked(request)).collect())
}

#[test]
fn the_newest_that_both_speak_whatever_the_order_of_the_answer() {
    for (theirs, agreed) in [
        (vec![Version::V2_1, Version::V1_4], Version::V2_1),
        (vec![Version::V1_0, Version::V1_2, Version::V1_1], Version::V1_2),
        (vec![Version::new(3, 0), Version::V2_0], Version::V2_0),
    ] {
        let (version, asked) = negotiated(ALL, move |peer| {
            let (version, _) = asked(&peer.request()?);
            peer.send(&discovered(version, &theirs))?;
            peer.be_silent()
        });
        assert_eq!(version.unwrap(), agreed);
        assert_eq!(asked, [(Version::V1_1, Operation::DISCOVER_VERSIONS)]);
    }
}

#[test]
fn a_fixed_version_and_a_range_of_one_are_not_asked_for() {
    for versions in [
        Versions::Fixed(Version::V1_0),
        Versions::Negotiated { oldest: Version::V1_0, newest: Version::V1_0 },
    ] {
        let (version, asked) = negotiated(versions, Peer::be_silent);
        assert_eq!((version.unwrap(), asked.len()), (Version::V1_0, 0));
    }
}

#[test]
fn nothing_in_common_is_an_error() {
    let empty = |peer: &mut Peer| {
        let (version, _) = asked(&peer.request()?);
        peer.send(&discovered(version, &[]))?;
        peer.be_silent()
    };
    assert!(matches!(negotiated(ALL, empty).0, Err(Error::Version)));
    let newer = Versions::Negotiated { oldest: Version::V2_0, newest: Version::V2_1 };
    let (version, asked) = negotiated(newer, |peer| {
        let (version, _) = asked(&peer.request()?);
        peer.send(&discovered(version, &[Version::V1_4]))?;
        peer.be_silent()
    });
    assert!(matches!(version, Err(Error::Version)));
    assert_eq!(asked[0].0, Version::V2_0);
    let none = Versions::Negotiated { oldest: Version::V2_1, newest: Version::V1_0 };
    assert!(matches!(negotiated(none, Peer::be_silent).0, Err(Error::Version)));
}

/// A server of 1.0 knows no Discover Versions: it refuses it, then what is newer.
#[test]
fn a_server_without_discover_versions_is_tried_version_by_version() {
    let (version, asked) = negotiated(ALL, |peer| {
        loop {
            let answer = match asked(&peer.request()?) {
                (version, Operation::QUERY) if version == Version::V1_0 => queried(version),
                _ => refused(Version::V1_0, None, ResultReason::INVALID_MESSAGE),
            };
            peer.send(&answer)?;
        }
    });
    assert_eq!(version.unwrap(), Version::V1_0);
    let tried: Vec<_> = Version::ALL.into_iter().rev().collect();
    assert_eq!(asked[1..].iter().map(|asked| asked.0).collect::<Vec<_>>(), tried);
}

#[test]
fn a_server_that_closes_on_what_it_does_not_understand_is_tried_on() {
    let (version, asked) = negotiated(ALL, |peer| match asked(&peer.request()?) {
        (version, Operation::QUERY) if version == Version::V1_2 => peer.send(&queried(version)),
        _ => Ok(()),
    });
    assert_eq!(version.unwrap(), Version::V1_2);
    assert_eq!(asked.len(), 6);
}

#[test]
fn a_refusal_of_something_else_shows_that_the_version_is_understood() {
    let (version, _) = negotiated(ALL, |peer| {
        loop {
            let (version, operation) = asked(&peer.request()?);
            let answer = match (operation, version) {
                (Operation::QUERY, Version::V2_0) => {
                    refused(version, Some(operation), ResultReason::PERMISSION_DENIED)
                }
                (Operation::QUERY, _) => {
                    refused(version, None, ResultReason::UNSUPPORTED_PROTOCOL_VERSION)
                }
                _ => refused(version, Some(operation), ResultReason::OPERATION_NOT_SUPPORTED),
            };
            peer.send(&answer)?;
        }
    });
    assert_eq!(version.unwrap(), Version::V2_0);
}

#[test]
fn a_server_that_refuses_and_closes_says_why_once_it_is_asked_for_something() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let config = authority.client(directory.path()).load().unwrap();
    let server: Server = authority.serve(|_, peer| {
        let (version, operation) = asked(&peer.request()?);
        peer.send(&refused(version, Some(operation), ResultReason::PERMISSION_DENIED))
    });
    let dialect = Dialect { versions: ALL, ..Dialect::default() };
    let timeouts = Timeouts::default();
    let mut session = Session::open(&server.endpoint(), &config, &dialect, timeouts).unwrap();
    let error = session.query([]).unwrap_err();
    assert_eq!(error.reason(), Some(ResultReason::PERMISSION_DENIED), "{error}");
}

#[test]
fn a_server_that_closes_on_everything_is_said_to_close() {
    let (version, asked) = negotiated(ALL, |peer| peer.request().map(|_| ()));
    assert!(matches!(version, Err(Error::Transport(_))), "{version:?}");
    assert_eq!(asked.len(), 8);
}
