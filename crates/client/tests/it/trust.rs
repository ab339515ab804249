//! Who trusts whom, and what is said when one side does not.

use std::path::Path;
use std::process::Command;

use claviger_client::blocking::Connection;
use claviger_client::tls::{
    Config, Protocol, Settings, TlsFailure, Verification, holds_private_key,
};
use claviger_client::{Endpoint, Error, Timeouts};
use claviger_kmip::Version;
use claviger_kmip::enums::Operation;
use claviger_kmip::payload::DestroyRequest;
use rcgen::CertificateParams;
use rustls::ServerConfig;
use zeroize::Zeroizing;

use crate::answers::done;
use crate::scripted::{Authority, Server, localhost};

const VERSION: Version = Version::V1_4;

fn start(config: std::sync::Arc<ServerConfig>) -> Server {
    Server::start(config, |_, peer| {
        peer.request()?;
        peer.send(&done(VERSION, Operation::DESTROY, "1"))
    })
}

/// Connects and asks: with TLS 1.3 a server's word on our certificate comes with the answer.
fn ask(endpoint: &Endpoint, config: &Config) -> Result<(), Error> {
    let mut connection = Connection::open(endpoint, config, Timeouts::default())?;
    connection.call(VERSION, &DestroyRequest::default()).map(|_| ())
}

fn failure(endpoint: &Endpoint, config: &Config) -> TlsFailure {
    match ask(endpoint, config) {
        Err(Error::Tls(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

fn settings(authority: &Authority, directory: &Path) -> Settings {
    authority.client(directory).settings()
}

#[test]
fn both_protocols_work_and_each_can_be_demanded() {
    let authority = Authority::new();
    let directory = tempfile::tempdir().unwrap();
    let server = start(authority.server());
    for (protocol, described) in
        [(Protocol::Any, "TLSv1_3"), (Protocol::Tls12, "TLSv1_2"), (Protocol::Tls13, "TLSv1_3")]
    {
        let settings = Settings { protocol, ..settings(&authority, directory.path()) };
        let config = settings.load().unwrap();
        ask(&server.endpoint(), &config).unwrap();
        let connection =
            Connection::open(&server.endpoint(), &config, Timeouts::default()).unwrap();
        assert!(connection.tls_description().starts_with(described));
    }
}

#[test]
fn a_server_of_another_authority_is_not_trusted() {
    let (authority, directory) = (Authority::named("same"), tempfile::tempdir().unwrap());
    let server = start(authority.server());
    for stranger in [Authority::new(), Authority::named("same")] {
        let stranger = settings(&stranger, directory.path()).load().unwrap();
        let failure = failure(&server.endpoint(), &stranger);
        assert!(matches!(failure, TlsFailure::UnknownAuthority), "{failure}");
    }
    // Nobody at all is trusted without an authority.
    let nobody = Settings::default().load().unwrap();
    let failure = failure(&server.endpoint(), &nobody);
    assert!(matches!(failure, TlsFailure::UnknownAuthority), "{failure}");
}

#[test]
fn a_certificate_has_its_time() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let config = settings(&authority, directory.path()).load().unwrap();
    let mut expired = localhost();
    expired.not_before = rcgen::date_time_ymd(2001, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let server = start(authority.server_with(expired, true));
    let said = failure(&server.endpoint(), &config);
    assert!(matches!(said, TlsFailure::Expired), "{said}");
    let mut early = localhost();
    early.not_before = rcgen::date_time_ymd(4000, 1, 1);
    early.not_after = rcgen::date_time_ymd(4001, 1, 1);
    let server = start(authority.server_with(early, true));
    let said = failure(&server.endpoint(), &config);
    assert!(matches!(said, TlsFailure::NotYetValid), "{said}");
}

#[test]
fn the_host_must_be_named_unless_another_name_is_asked_for() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let of_kms = CertificateParams::new(vec![String::from("kms.example")]).unwrap();
    let server = start(authority.server_with(of_kms, true));
    let settings = settings(&authority, directory.path());
    let said = failure(&server.endpoint(), &settings.load().unwrap());
    assert!(matches!(said, TlsFailure::WrongHost(_)), "{said}");
    let server_name = Some(String::from("kms.example"));
    let config = Settings { server_name, ..settings }.load().unwrap();
    ask(&server.endpoint(), &config).unwrap();
}

#[test]
fn less_is_verified_only_where_somebody_says_so() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let other = tempfile::tempdir().unwrap();
    let ours = settings(&authority, directory.path());
    let stranger = settings(&Authority::new(), other.path());
    for protocol in [Protocol::Tls12, Protocol::Tls13] {
        let with = |verification, authorities: &Settings| {
            let authorities = authorities.authorities.clone();
            let settings = Settings { protocol, verification, authorities, ..ours.clone() };
            settings.load().unwrap()
        };
        let of_kms = CertificateParams::new(vec![String::from("kms.example")]).unwrap();
        let server = start(authority.server_with(of_kms, true));
        let said = failure(&server.endpoint(), &with(Verification::Full, &ours));
        assert!(matches!(said, TlsFailure::WrongHost(_)), "{said}");
        ask(&server.endpoint(), &with(Verification::WithoutName, &ours)).unwrap();
        let said = failure(&server.endpoint(), &with(Verification::WithoutName, &stranger));
        assert!(matches!(said, TlsFailure::UnknownAuthority), "{said}");
        ask(&server.endpoint(), &with(Verification::None, &stranger)).unwrap();
        let mut expired = CertificateParams::new(vec![String::from("kms.example")]).unwrap();
        expired.not_after = rcgen::date_time_ymd(2002, 1, 1);
        expired.not_before = rcgen::date_time_ymd(2001, 1, 1);
        let server = start(authority.server_with(expired, true));
        let said = failure(&server.endpoint(), &with(Verification::WithoutName, &ours));
        assert!(matches!(said, TlsFailure::Expired), "{said}");
    }
}

#[test]
fn addresses_are_names_too() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let config = settings(&authority, directory.path()).load().unwrap();
    let server = start(authority.server());
    let by_address = Endpoint { host: String::from("127.0.0.1"), ..server.endpoint() };
    ask(&by_address, &config).unwrap();
    let nameless = CertificateParams::new(vec![String::from("localhost")]).unwrap();
    let server = start(authority.server_with(nameless, true));
    let by_address = Endpoint { host: String::from("127.0.0.1"), ..server.endpoint() };
    let said = failure(&by_address, &config);
    assert!(matches!(said, TlsFailure::WrongHost(_)), "{said}");
}

#[test]
fn the_server_is_told_which_host_is_meant_unless_it_is_an_address() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let (send, named) = std::sync::mpsc::channel();
    let server = authority.serve(move |_, peer| {
        send.send(peer.server_name()).map_err(std::io::Error::other)?;
        peer.request()?;
        peer.send(&done(VERSION, Operation::DESTROY, "1"))
    });
    let settings = settings(&authority, directory.path());
    let configs = [
        settings.load().unwrap(),
        #[cfg(feature = "openssl")]
        settings.load_openssl().unwrap(),
    ];
    for config in configs {
        for (host, expected) in [("localhost", Some("localhost")), ("127.0.0.1", None)] {
            let endpoint = Endpoint { host: host.to_owned(), ..server.endpoint() };
            ask(&endpoint, &config).unwrap();
            assert_eq!(named.recv().unwrap().as_deref(), expected);
        }
    }
}

#[test]
fn a_server_says_what_it_thinks_of_our_certificate() {
    let (authority, directory) = (Authority::named("same"), tempfile::tempdir().unwrap());
    let other = tempfile::tempdir().unwrap();
    let server = start(authority.server());
    for protocol in [Protocol::Tls12, Protocol::Tls13] {
        let ours = Settings { protocol, ..settings(&authority, directory.path()) };
        for stranger in [Authority::new(), Authority::named("same")] {
            let stranger = settings(&stranger, other.path());
            let rejected = Settings {
                certificate: stranger.certificate.clone(),
                key: stranger.key.clone(),
                ..ours.clone()
            };
            let said = failure(&server.endpoint(), &rejected.load().unwrap());
            assert!(matches!(said, TlsFailure::CertificateRejected(_)), "{protocol:?}: {said}");
        }
        let nobody = Settings { certificate: None, key: None, ..ours };
        let said = failure(&server.endpoint(), &nobody.load().unwrap());
        assert!(matches!(said, TlsFailure::CertificateRequired), "{protocol:?}: {said}");
    }
    let open = start(authority.server_with(localhost(), false));
    let nobody =
        Settings { certificate: None, key: None, ..settings(&authority, directory.path()) };
    ask(&open.endpoint(), &nobody.load().unwrap()).unwrap();
}

#[test]
fn what_is_no_tls_is_said_to_be_none() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let config = settings(&authority, directory.path()).load().unwrap();
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let endpoint: Endpoint = listener.local_addr().unwrap().to_string().parse().unwrap();
        let serving = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let (mut socket, _) = listener.accept().unwrap();
            let hello = socket.read(&mut [0; 4096]).unwrap();
            assert!(hello > 0);
            socket.write_all(answer).unwrap();
        });
        let said = failure(&endpoint, &config);
        serving.join().unwrap();
        let right = if answer.is_empty() {
            matches!(said, TlsFailure::Ended(_))
        } else {
            matches!(said, TlsFailure::NotTls | TlsFailure::Ended(_))
        };
        assert!(right, "{said:?}");
    }
}

#[test]
fn key_and_chain_may_be_in_one_file() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let apart = settings(&authority, directory.path());
    let (certificate, key) = (apart.certificate.clone().unwrap(), apart.key.clone().unwrap());
    assert!(holds_private_key(&key).unwrap());
    assert!(!holds_private_key(&certificate).unwrap());
    let together = directory.path().join("client.pem");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let server = start(authority.server());
    for text in [read(&key) + &read(&certificate), read(&certificate) + &read(&key)] {
        std::fs::write(&together, text).unwrap();
        assert!(holds_private_key(&together).unwrap());
        let settings = Settings { certificate: Some(together.clone()), key: None, ..apart.clone() };
        ask(&server.endpoint(), &settings.load().unwrap()).unwrap();
    }
    let settings = Settings { key: None, ..apart.clone() };
    assert!(matches!(settings.load(), Err(Error::Pem { path, .. }) if path == certificate));
}

#[test]
fn a_key_of_another_certificate_is_refused_before_it_is_used() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let authority = Authority::new();
    let settings = settings(&authority, one.path());
    let key = self::settings(&authority, other.path()).key;
    let mixed = Settings { key: key.clone(), ..settings };
    assert!(matches!(mixed.load(), Err(Error::Pem { path, .. }) if Some(&path) == key.as_ref()));
}

/// The system's authorities come from where `SSL_CERT_FILE` says, which only a process of its own
/// may be told.
#[test]
fn the_system_s_authorities_are_trusted_where_that_is_asked_for() {
    const PORT: &str = "CLAVIGER_CLIENT_TEST_PORT";
    if let Some(port) = std::env::var_os(PORT) {
        let port = port.into_string().unwrap().parse().unwrap();
        let endpoint = Endpoint { host: String::from("localhost"), port };
        let settings = Settings { system_authorities: true, ..Settings::default() };
        ask(&endpoint, &settings.load().unwrap()).unwrap();
        return;
    }
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let files = authority.client(directory.path());
    let server = start(authority.server_with(localhost(), false));
    let run = |bundle: &Path| {
        let test = "trust::the_system_s_authorities_are_trusted_where_that_is_asked_for";
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env(PORT, server.endpoint().port.to_string())
            .env("SSL_CERT_FILE", bundle)
            .output()
            .unwrap()
    };
    let output = run(&files.ca);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(server.connections(), 1);
    assert!(!run(&files.key).status.success());
}

#[test]
fn passwords_are_in_no_debug_output() {
    let password = Some(Zeroizing::new(String::from("correct horse")));
    let settings = Settings { password, ..Settings::default() };
    let text = format!("{settings:?} {:?}", settings.load().unwrap());
    assert!(!text.contains("horse"), "{text}");
}
