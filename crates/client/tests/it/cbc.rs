//! A server that offers only CBC suites, as stock PyKMIP with an RSA certificate does: rustls
//! finds nothing in common with it, OpenSSL does.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use claviger_client::blocking::{Client, Connection};
use claviger_client::tls::{Files, Settings, TlsFailure};
use claviger_client::{Endpoint, Error, Options, Timeouts};
use claviger_kmip::Version;
use claviger_kmip::enums::{CryptographicAlgorithm, Operation};
use claviger_kmip::masks::CryptographicUsageMask as Usage;
use claviger_kmip::payload::DestroyRequest;
use openssl::pkey::PKey;
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use rcgen::CertificateParams;

use crate::answers::done;
use crate::process::ServerProcess;
use crate::scripted::{Authority, localhost, read_request};

const VERSION: Version = Version::V1_2;

/// Serves so many connections, each with one answer and a goodbye.
fn serve(
    authority: &Authority,
    params: CertificateParams,
    connections: usize,
) -> (Endpoint, JoinHandle<()>) {
    let (certificate, key) = authority.issue(params);
    let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls_server()).unwrap();
    builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    builder.set_cipher_list("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384").unwrap();
    builder.set_certificate(&X509::from_der(certificate.der()).unwrap()).unwrap();
    let key = PKey::private_key_from_der(&key.serialize_der()).unwrap();
    builder.set_private_key(&key).unwrap();
    let issuer = X509::from_pem(authority.pem().as_bytes()).unwrap();
    builder.cert_store_mut().add_cert(issuer).unwrap();
    builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    let acceptor = Arc::new(builder.build());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint =
        Endpoint { host: String::from("localhost"), port: listener.local_addr().unwrap().port() };
    let served = std::thread::spawn(move || {
        for _ in 0..connections {
            use std::io::Write;
            let (socket, _) = listener.accept().unwrap();
            let Ok(mut stream) = acceptor.accept(socket) else { continue };
            while read_request(&mut stream).is_ok() {
                stream.write_all(&done(VERSION, Operation::DESTROY, "1")).unwrap();
            }
        }
    });
    (endpoint, served)
}

fn failure(endpoint: &Endpoint, settings: &Settings) -> TlsFailure {
    let opened = Connection::open(endpoint, &settings.load_openssl().unwrap(), Timeouts::default());
    match opened.and_then(|mut connection| connection.call(VERSION, &DestroyRequest::default())) {
        Err(Error::Tls(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_openssl_reaches_it() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let settings = authority.client(directory.path()).settings();
    let (endpoint, served) = serve(&authority, localhost(), 2);
    let rustls = Connection::open(&endpoint, &settings.load().unwrap(), Timeouts::default());
    let Err(Error::Tls(TlsFailure::NothingInCommon(_))) = rustls else { panic!("{rustls:?}") };
    let config = settings.load_openssl().unwrap();
    let mut connection = Connection::open(&endpoint, &config, Timeouts::default()).unwrap();
    assert!(connection.tls_description().starts_with("TLSv1_2 ECDHE-ECDSA-AES"));
    for _ in 0..3 {
        connection.call(VERSION, &DestroyRequest::default()).unwrap();
        assert!(connection.is_ready());
    }
    drop(connection);
    served.join().unwrap();
}

#[test]
fn the_server_s_certificate_is_checked() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let other = tempfile::tempdir().unwrap();
    let ours = authority.client(directory.path()).settings();
    let stranger = Settings {
        authorities: Authority::new().client(other.path()).settings().authorities,
        ..ours.clone()
    };
    let (endpoint, served) = serve(&authority, localhost(), 1);
    let said = failure(&endpoint, &stranger);
    assert!(matches!(said, TlsFailure::UnknownAuthority), "{said}");
    served.join().unwrap();

    let mut expired = localhost();
    expired.not_before = rcgen::date_time_ymd(2001, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let (endpoint, served) = serve(&authority, expired, 1);
    let said = failure(&endpoint, &ours);
    assert!(matches!(said, TlsFailure::Expired), "{said}");
    served.join().unwrap();

    let of_kms = CertificateParams::new(vec![String::from("kms.example")]).unwrap();
    let (endpoint, served) = serve(&authority, of_kms, 2);
    let said = failure(&endpoint, &ours);
    assert!(matches!(said, TlsFailure::WrongHost(_)), "{said}");
    let named = Settings { server_name: Some(String::from("kms.example")), ..ours };
    let config = named.load_openssl().unwrap();
    let mut connection = Connection::open(&endpoint, &config, Timeouts::default()).unwrap();
    connection.call(VERSION, &DestroyRequest::default()).unwrap();
    drop(connection);
    served.join().unwrap();
}

#[test]
fn the_server_says_what_it_thinks_of_our_certificate() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let other = tempfile::tempdir().unwrap();
    let ours = authority.client(directory.path()).settings();
    let stranger = Authority::new().client(other.path()).settings();
    let (endpoint, served) = serve(&authority, localhost(), 1);
    let rejected = Settings { authorities: ours.authorities.clone(), ..stranger };
    let said = failure(&endpoint, &rejected);
    assert!(matches!(said, TlsFailure::CertificateRejected(_)), "{said}");
    served.join().unwrap();
}

#[test]
fn a_stock_pykmip_server_with_an_rsa_certificate_is_understood() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("client");
    let Some(server) = ServerProcess::pykmip_rsa(&directory) else { return };
    let servers: Vec<Endpoint> = vec![server.address.parse().unwrap()];
    let files = Files::in_directory(&directory);
    let rustls = Client::new(Options::new(servers.clone(), files.load().unwrap()));
    let refused = rustls.query([]).unwrap_err();
    assert!(matches!(refused.cause(), Error::Tls(TlsFailure::NothingInCommon(_))), "{refused}");
    let tls = files.settings().load_openssl().unwrap();
    let client = Client::new(Options::new(servers, tls));
    let aes = CryptographicAlgorithm::AES;
    let made = client.create_symmetric_key(aes, 256, Usage::ENCRYPT, []).unwrap();
    client.activate(made.unique_identifier.clone()).unwrap();
    let key = client.get(made.unique_identifier).unwrap().object;
    assert_eq!(key.key_block().unwrap().cryptographic_length, Some(256));
}

#[cfg(feature = "tokio")]
#[test]
fn tokio_reaches_it_too() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().unwrap());
    let config = authority.client(directory.path()).settings().load_openssl().unwrap();
    let (endpoint, served) = serve(&authority, localhost(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let timeouts = Timeouts::default();
        let mut connection =
            claviger_client::tokio::Connection::open(&endpoint, &config, timeouts).await.unwrap();
        for _ in 0..3 {
            connection.call(VERSION, &DestroyRequest::default()).await.unwrap();
            assert!(connection.is_ready());
        }
        connection.close().await.unwrap();
    });
    served.join().unwrap();
}
