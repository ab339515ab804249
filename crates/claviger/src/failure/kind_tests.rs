//! Every error of a client has a kind of its own, and docs/doctor.md has the table.

use std::io::ErrorKind;
use std::path::PathBuf;

use claviger_client::Malformed;
use claviger_kmip::tags;

use super::*;

fn tls(failure: TlsFailure) -> Error {
    Error::Tls(failure)
}

fn refused(reason: ResultReason) -> Error {
    Error::Refused(Refusal { operation: None, reason: Some(reason), message: None })
}

fn server(host: &str, error: Error) -> ServerFailure {
    ServerFailure { server: host.parse().unwrap(), error }
}

/// One error of each sort that users can tell apart.
fn errors() -> Vec<Error> {
    let text = || String::from("x");
    vec![
        Error::Address(text()),
        Error::NoServer,
        Error::TooYoung(tags::DATA),
        Error::Pem { path: PathBuf::new(), problem: text() },
        Error::Password { path: PathBuf::new(), is_given: true },
        Error::Busy,
        Error::Resolve { host: text(), problem: text() },
        Error::Connect(ErrorKind::ConnectionRefused.into()),
        Error::Connect(ErrorKind::HostUnreachable.into()),
        Error::TimedOut(Step::Handshake),
        Error::TimedOut(Step::Request),
        tls(TlsFailure::UnknownAuthority),
        tls(TlsFailure::Expired),
        tls(TlsFailure::NotYetValid),
        tls(TlsFailure::WrongHost(text())),
        tls(TlsFailure::ServerCertificate(text())),
        tls(TlsFailure::CertificateRequired),
        tls(TlsFailure::CertificateRejected(text())),
        tls(TlsFailure::NothingInCommon(text())),
        tls(TlsFailure::NotTls),
        tls(TlsFailure::Ended(ErrorKind::UnexpectedEof.into())),
        tls(TlsFailure::Other(text())),
        Error::Transport(ErrorKind::UnexpectedEof.into()),
        Error::Unsent(ErrorKind::NetworkDown.into()),
        Error::Version,
        Error::Malformed(Malformed::UnknownItem),
        refused(ResultReason::PERMISSION_DENIED),
        refused(ResultReason::ITEM_NOT_FOUND),
        refused(ResultReason::WRONG_KEY_LIFECYCLE_STATE),
        refused(ResultReason::AUTHENTICATION_NOT_SUCCESSFUL),
        refused(ResultReason::OPERATION_NOT_SUPPORTED),
        refused(ResultReason::INVALID_MESSAGE),
        refused(ResultReason::GENERAL_FAILURE),
        Error::Pending(Default::default()),
        Error::Undone,
        Error::NotDone,
        Error::Lost { server: "kms".parse().unwrap(), error: Box::new(Error::Version) },
        Error::Servers(vec![server("a", Error::Version), server("b", Error::Busy)]),
    ]
}

#[test]
fn every_error_has_a_kind_of_its_own() {
    let kinds: Vec<Kind> = errors().iter().map(Kind::of).collect();
    for (place, kind) in kinds.iter().enumerate() {
        assert_ne!(*kind, Kind::Other, "{place}");
        assert!(!kinds.iter().skip(place + 1).any(|other| other == kind), "{kind:?} twice");
    }
}

#[test]
fn servers_that_fail_alike_are_one_kind() {
    let both = Error::Servers(vec![server("a", Error::Version), server("b", Error::Version)]);
    assert_eq!(Kind::of(&both), Kind::Version);
    assert_eq!(Kind::of(&Error::TimedOut(Step::Resolve)), Kind::Resolve);
    assert_eq!(Kind::of(&Error::TimedOut(Step::Connect)), Kind::Unreachable);
}

#[test]
fn every_kind_says_something_of_its_own() {
    let hints: Vec<String> = Kind::ALL.iter().map(|kind| kind.hint(&Names::FLAGS)).collect();
    for (kind, hint) in Kind::ALL.iter().zip(&hints) {
        assert!(hint.ends_with(['.', '?']) && !hint.contains(['{', '}']), "{kind:?}: {hint}");
        assert!([FAILED, USAGE, KEY_LOST].contains(&kind.code()), "{kind:?}");
        assert_eq!(hints.iter().filter(|other| *other == hint).count(), 1, "{hint}");
    }
}

#[test]
fn the_document_has_every_kind() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md");
    let mut document = std::fs::read_to_string(path).unwrap();
    let mut table = String::from("| error | code | what | what next |\n|---|---|---|---|\n");
    for kind in Kind::ALL {
        let (code, text, hint) = (kind.code(), kind.text().trim(), kind.hint(&Names::FLAGS));
        table.push_str(&format!("| {kind:?} | {code} | {text} | {hint} |\n"));
    }
    let begin = "<!-- errors: begin -->\n";
    let from = document.find(begin).unwrap() + begin.len();
    let to = document.find("<!-- errors: end -->").unwrap();
    if std::env::var_os("CLAVIGER_WRITE_DOCUMENTS").is_some() {
        document.replace_range(from..to, &table);
        std::fs::write(path, document).unwrap();
        return;
    }
    let found = document.get(from..to);
    assert_eq!(found, Some(table.as_str()), "write it anew with CLAVIGER_WRITE_DOCUMENTS=1");
}
