//! A server that hangs up while the client still writes has said why: that is what counts, and not
//! that the connection broke.

use claviger_client::blocking::Connection;
use claviger_client::tls::{Config, Protocol, Settings, TlsFailure};
use claviger_client::{Endpoint, Error, Outgoing, Timeouts};
use claviger_kmip::Version;
use claviger_kmip::payload::EncryptRequest;

use crate::scripted::{Authority, hangs_up};

const VERSION: Version = Version::V1_4;
/// More than any network between the two takes in.
const BYTES: usize = 16 << 20;

fn large_request() -> Outgoing {
    let data = Some(vec![0; BYTES].into());
    Outgoing::single(VERSION, &EncryptRequest { data, ..EncryptRequest::default() }).unwrap()
}

/// A client whose certificate the server does not take; it says so when the handshake is over.
fn stranger(authority: &Authority) -> Vec<Config> {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let ours = authority.client(directories[0].path()).settings();
    let stranger = Authority::new().client(directories[1].path()).settings();
    let settings =
        Settings { authorities: ours.authorities, protocol: Protocol::Tls13, ..stranger };
    all_libraries(&settings)
}

fn all_libraries(settings: &Settings) -> Vec<Config> {
    vec![
        settings.load().unwrap(),
        #[cfg(feature = "openssl")]
        settings.load_openssl().unwrap(),
    ]
}

/// A client whose certificate has so long a chain that the server stops reading in the middle.
#[cfg(feature = "openssl")]
fn long_winded(authority: &Authority, protocol: Protocol) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let settings = authority.client(directory.path()).settings();
    let path = settings.certificate.clone().unwrap();
    let chain = std::fs::read_to_string(&path).unwrap() + &authority.pem().repeat(BYTES / 512);
    std::fs::write(&path, chain).unwrap();
    Settings { protocol, ..settings }.load().unwrap()
}

fn ask(endpoint: &Endpoint, config: &Config) -> Result<(), Error> {
    let mut connection = Connection::open(endpoint, config, Timeouts::default())?;
    connection.exchange(large_request()).map(|_| ())
}

#[cfg(feature = "tokio")]
fn ask_awaited(endpoint: &Endpoint, config: &Config) -> Result<(), Error> {
    use claviger_client::tokio::Connection;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = Connection::open(endpoint, config, Timeouts::default()).await?;
        connection.exchange(large_request()).await.map(|_| ())
    })
}

type Ask = fn(&Endpoint, &Config) -> Result<(), Error>;

const WAYS: &[Ask] = &[
    ask,
    #[cfg(feature = "tokio")]
    ask_awaited,
];

#[test]
fn a_certificate_that_is_refused_while_a_request_is_written() {
    let authority = Authority::new();
    let endpoint = hangs_up(authority.server());
    for config in stranger(&authority) {
        for ask in WAYS {
            let error = ask(&endpoint, &config).unwrap_err();
            assert!(matches!(error, Error::Tls(TlsFailure::CertificateRejected(_))), "{error}");
        }
    }
}

/// A server that takes a certificate and chain of 100 KiB at most, as OpenSSL does, and hangs up on
/// more.
#[cfg(feature = "openssl")]
fn takes_short_chains(authority: &Authority) -> Endpoint {
    use openssl::pkey::PKey;
    use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
    use openssl::x509::X509;
    let (certificate, key) = authority.issue(crate::scripted::localhost());
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_certificate(&X509::from_der(certificate.der()).unwrap()).unwrap();
    let key = PKey::private_key_from_der(&key.serialize_der()).unwrap();
    builder.set_private_key(&key).unwrap();
    builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    let acceptor = builder.build();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            acceptor.accept(socket.unwrap()).map(|_| ()).unwrap_err();
        }
    });
    Endpoint { host: String::from("localhost"), port }
}

#[cfg(feature = "openssl")]
#[test]
fn a_handshake_that_is_refused_while_it_is_written() {
    let authority = Authority::new();
    let endpoint = takes_short_chains(&authority);
    for protocol in [Protocol::Tls12, Protocol::Tls13] {
        let config = long_winded(&authority, protocol);
        for ask in WAYS {
            let error = ask(&endpoint, &config).unwrap_err();
            let Error::Tls(TlsFailure::Other(said)) = &error else {
                panic!("{protocol:?}: {error:?}")
            };
            assert!(said.contains("alert"), "{protocol:?}: {said}");
        }
    }
}
