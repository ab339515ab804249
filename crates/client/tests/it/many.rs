//! Thousands of objects: page by page, many in a message, and one at a time where a server takes no more.

use std::io;

use claviger_client::blocking::{AtOnce, Client, Located};
use claviger_client::{Backoff, Depth, Dialect, Error, Failover, Options, Refusal, requests};
use claviger_kmip::attributes::Attribute;
use claviger_kmip::attributes::values::UniqueIdentifier;
use claviger_kmip::enums::{Operation, ResultReason, ResultStatus};
use claviger_kmip::message::RequestMessage;
use claviger_kmip::payload::{GetAttributesRequest, GetAttributesResponse};
use claviger_kmip::{Version, tags};
use claviger_ttlv::{Limits, Message, Writer};

use crate::answers::{batch, refused, success};
use crate::scripted::{Authority, Peer, Server};

const VERSION: Version = Version::V1_4;
const COUNT: usize = 70;
/// An object that is not there.
const ABSENT: usize = 40;

fn client(authority: &Authority, server: &Server) -> Client {
    let directory = tempfile::tempdir().unwrap();
    let tls = authority.client(directory.path()).load().unwrap();
    let options = Options {
        dialect: Dialect::fixed(VERSION),
        backoff: Backoff::NONE,
        connect_retries: 0,
        ..Options::new(vec![server.endpoint()], tls)
    };
    Client::new(options)
}

/// What each item of a request asks about.
fn identifiers(request: &[u8]) -> Vec<String> {
    let message = Message::parse(request, &Limits::default()).unwrap();
    let request = RequestMessage::parse(&message).unwrap();
    let asked = request.items().map(|item| {
        let payload: GetAttributesRequest = item.unwrap().payload(request.version).unwrap();
        match payload.unique_identifier {
            Some(UniqueIdentifier::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    });
    asked.collect()
}

/// The answer to each.
fn answer(asked: &[String]) -> Vec<u8> {
    let item = |identifier: String| {
        move |writer: &mut Writer| {
            writer.enumeration(tags::OPERATION, Operation::GET_ATTRIBUTES.0);
            if identifier == ABSENT.to_string() {
                writer.enumeration(tags::RESULT_STATUS, ResultStatus::OPERATION_FAILED.0);
                writer.enumeration(tags::RESULT_REASON, ResultReason::ITEM_NOT_FOUND.0);
                return;
            }
            writer.enumeration(tags::RESULT_STATUS, ResultStatus::SUCCESS.0);
            writer.structure(tags::RESPONSE_PAYLOAD, |writer| {
                writer.text(tags::UNIQUE_IDENTIFIER, &identifier);
            });
        }
    };
    batch(VERSION, asked.iter().cloned().map(item))
}

fn answers(peer: &mut Peer) -> io::Result<()> {
    loop {
        let asked = identifiers(&peer.request()?);
        peer.send(&answer(&asked))?;
    }
}

/// Asks about all of them.
fn ask(client: &Client) -> Result<Vec<Result<GetAttributesResponse, Refusal>>, Error> {
    client.many(Failover::Careful, |session, at_once| {
        let each = (0..COUNT).map(|number| requests::get_attributes(number.to_string(), []));
        session.call_each(each, at_once)
    })
}

fn are_all_answered(answers: &[Result<GetAttributesResponse, Refusal>]) {
    assert_eq!(answers.len(), COUNT);
    for (number, answer) in answers.iter().enumerate() {
        match answer {
            Ok(answer) => {
                assert_eq!(answer.unique_identifier, UniqueIdentifier::from(number.to_string()));
            }
            Err(refusal) => {
                let reason = Some(ResultReason::ITEM_NOT_FOUND);
                assert_eq!((number, refusal.reason), (ABSENT, reason));
            }
        }
    }
}

#[test]
fn many_are_asked_about_in_a_few_messages() {
    let authority = Authority::new();
    let server = authority.serve(|_, peer| answers(peer));
    let client = client(&authority, &server);
    are_all_answered(&ask(&client).unwrap());
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
    let few = client.session(Failover::Careful, |session| {
        let each = (0..5).map(|number| requests::get_attributes(number.to_string(), []));
        session.call_each(each, AtOnce::new(2, Depth::new(1)))
    });
    assert_eq!(few.unwrap().len(), 5);
    let requests = server.requests();
    let counts: Vec<_> = requests[3..].iter().map(|request| identifiers(request).len()).collect();
    assert_eq!(counts, [2, 2, 1]);
}

/// Each says it in its own way.
#[test]
fn a_server_that_takes_no_batches_is_asked_one_by_one() {
    type Says = fn(&mut Peer, &[String]) -> io::Result<()>;
    let whole = |peer: &mut Peer, _: &[String]| {
        peer.send(&refused(VERSION, None, ResultReason::INVALID_MESSAGE))
    };
    let closes = |_: &mut Peer, _: &[String]| Err(io::Error::other("it closes"));
    let first = |peer: &mut Peer, asked: &[String]| peer.send(&answer(&asked[..1]));
    let garbage = |peer: &mut Peer, _: &[String]| peer.send(&[0; 64]);
    for says in [whole as Says, closes, first, garbage] {
        let authority = Authority::new();
        let server = authority.serve(move |_, peer| {
            loop {
                let asked = identifiers(&peer.request()?);
                if asked.len() > 1 {
                    says(peer, &asked)?;
                } else {
                    peer.send(&answer(&asked))?;
                }
            }
        });
        are_all_answered(&ask(&client(&authority, &server)).unwrap());
        let requests = server.requests();
        let single = requests.iter().filter(|request| identifiers(request).len() == 1).count();
        assert_eq!(single, COUNT);
    }
}

#[test]
fn who_may_not_ask_is_not_asked_again() {
    let authority = Authority::new();
    let server = authority.serve(|_, peer| {
        loop {
            peer.request()?;
            peer.send(&refused(VERSION, None, ResultReason::AUTHENTICATION_NOT_SUCCESSFUL))?;
        }
    });
    let error = ask(&client(&authority, &server)).unwrap_err();
    assert_eq!(error.reason(), Some(ResultReason::AUTHENTICATION_NOT_SUCCESSFUL));
    assert!(server.requests().iter().all(|request| identifiers(request).len() > 1));
}

#[test]
fn objects_are_found_page_by_page_and_each_once() {
    let authority = Authority::new();
    // Pages overlap, as where something was removed in between.
    let server = authority.serve(|_, peer| {
        for page in [0..8192, 8190..9000, 9000..9000] {
            peer.request()?;
            peer.send(&success(VERSION, Operation::LOCATE, |writer| {
                for number in page {
                    writer.text(tags::UNIQUE_IDENTIFIER, &number.to_string());
                }
            }))?;
        }
        Ok(())
    });
    let client = client(&authority, &server);
    let all = |most| {
        client.session(Failover::Careful, |session| {
            session.locate_all(&[Attribute::ObjectGroup(String::from("g"))], most)
        })
    };
    let Located { unique_identifiers, said } = all(10_000).unwrap();
    assert_eq!((unique_identifiers.len(), said, server.requests().len()), (9000, None, 3));
    // A server that does not know offsets is asked for everything.
    let server = authority.serve(|_, peer| {
        for page in [0..8192, 0..8192, 0..9000] {
            peer.request()?;
            peer.send(&success(VERSION, Operation::LOCATE, |writer| {
                for number in page {
                    writer.text(tags::UNIQUE_IDENTIFIER, &number.to_string());
                }
            }))?;
        }
        Ok(())
    });
    let located = self::client(&authority, &server)
        .session(Failover::Careful, |session| session.locate_all(&[], 10_000));
    assert_eq!(located.unwrap().unique_identifiers.len(), 9000);
    // One more than is wanted says that there are more.
    let server = authority.serve(|_, peer| {
        peer.request()?;
        peer.send(&success(VERSION, Operation::LOCATE, |writer| {
            writer.integer(tags::LOCATED_ITEMS, 7);
            (0..3).for_each(|number| writer.text(tags::UNIQUE_IDENTIFIER, &number.to_string()));
        }))
    });
    let located = self::client(&authority, &server)
        .session(Failover::Careful, |session| session.locate_all(&[], 2));
    let located = located.unwrap();
    assert_eq!((located.unique_identifiers.len(), located.said), (3, Some(7)));
}
