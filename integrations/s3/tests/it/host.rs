//! A KMIP host in front of a Claviger server: it takes TLS apart, so that it can count what is asked, lose chosen answers,
//! fall silent, end sessions and die. Several of them before one server are a cluster.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use claviger_client::blocking::Connection;
use claviger_client::tls::{Config, Settings};
use claviger_client::{Endpoint, Timeouts};
use claviger_kmip::enums::{Operation, ResultReason, ResultStatus};
use claviger_kmip::message::RequestMessage;
use claviger_kmip::{Version, tags};
use claviger_s3::driver::Options;
use claviger_ttlv::{FrameLength, Limits, Message, Writer, frame_length};
use rcgen::{CertificateParams, KeyPair, SanType};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::claviger::Claviger;

/// A host.
pub(crate) struct Host {
    shared: Arc<Shared>,
    address: SocketAddr,
    ca: tempfile::NamedTempFile,
}

struct Shared {
    server: Endpoint,
    tls: Config,
    config: Arc<ServerConfig>,
    asked: Mutex<Vec<Operation>>,
    /// Operations whose next answer is lost.
    to_lose: Mutex<Vec<Operation>>,
    /// What is done instead of asking the server, for so many requests.
    mood: Mutex<(Mood, usize)>,
    is_dead: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

/// What a host does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Asks the server.
    Good,
    /// Takes them and says nothing.
    Mute,
    /// Says that the session has ended, once on each connection.
    Expired,
    /// Knows nothing younger than 1.1.
    Old,
}

impl Host {
    pub(crate) fn before(claviger: &Claviger) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let ca = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca.path(), certificate.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        let shared = Arc::new(Shared {
            server: claviger.endpoint.clone(),
            tls: claviger.tls.clone(),
            config: Arc::new(config),
            asked: Mutex::default(),
            to_lose: Mutex::default(),
            mood: Mutex::new((Mood::Good, 0)),
            is_dead: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || {
                    let _the_client_may_be_gone = shared.serve(socket);
                });
            }
        });
        Self { shared, address, ca }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.address.to_string().parse().unwrap()
    }

    /// What has been asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Operation> {
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }

    /// The next request for this is carried out, and its answer lost with the connection.
    pub(crate) fn lose(&self, operation: Operation) {
        self.shared.to_lose.lock().unwrap().push(operation);
    }

    /// Whether all answers that were to be lost are.
    pub(crate) fn has_lost(&self) -> bool {
        self.shared.to_lose.lock().unwrap().is_empty()
    }

    /// From now on, or for so many requests.
    pub(crate) fn turns(&self, mood: Mood, requests: usize) {
        *self.shared.mood.lock().unwrap() = (mood, requests);
    }

    /// Ends every connection, now and from now on.
    pub(crate) fn die(&self) {
        self.shared.is_dead.store(true, Ordering::SeqCst);
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            let _it_may_be_gone = connection.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn rise(&self) {
        self.shared.is_dead.store(false, Ordering::SeqCst);
    }
}

/// Options of a driver of these hosts.
pub(crate) fn options(claviger: &Claviger, hosts: &[&Host]) -> Options {
    let tls = Settings {
        authorities: hosts.iter().map(|host| host.ca.path().to_owned()).collect(),
        ..claviger.files.settings()
    };
    Options::new(hosts.iter().map(|host| host.endpoint()).collect(), tls)
}

impl Shared {
    fn serve(&self, socket: TcpStream) -> io::Result<()> {
        self.connections.lock().unwrap().push(socket.try_clone()?);
        if self.is_dead.load(Ordering::SeqCst) {
            return Ok(());
        }
        socket.set_nodelay(true)?;
        let session = ServerConnection::new(Arc::clone(&self.config)).unwrap();
        let mut stream = StreamOwned::new(session, socket);
        let mut server = Connection::open(&self.server, &self.tls, Timeouts::default())
            .map_err(io::Error::other)?;
        let mut has_expired = false;
        loop {
            let request = read_request(&mut stream)?;
            let (version, operation) = read(&request);
            if self.is_dead.load(Ordering::SeqCst) {
                return Ok(());
            }
            self.asked.lock().unwrap().push(operation);
            let answer = match self.mood() {
                Mood::Mute => {
                    io::copy(&mut stream.sock, &mut io::sink())?;
                    return Ok(());
                }
                Mood::Expired if !has_expired && operation != Operation::DISCOVER_VERSIONS => {
                    has_expired = true;
                    let words = "[NCERRUnauthorizedAccess]: Token has been revoked";
                    refused(version, operation, ResultReason::GENERAL_FAILURE, words)
                }
                Mood::Expired if has_expired => return Ok(()),
                Mood::Old => refused(
                    Version::V1_1,
                    operation,
                    ResultReason::INVALID_MESSAGE,
                    "Unsupported version",
                ),
                _ => server.exchange_bytes(&request).map_err(io::Error::other)?.to_vec(),
            };
            if self.loses(operation) {
                return stream.sock.shutdown(Shutdown::Both);
            }
            stream.write_all(&answer)?;
            stream.flush()?;
        }
    }

    fn mood(&self) -> Mood {
        let mut mood = self.mood.lock().unwrap();
        let now = mood.0;
        if now != Mood::Good {
            mood.1 = mood.1.saturating_sub(1);
            if mood.1 == 0 {
                mood.0 = Mood::Good;
            }
        }
        now
    }

    fn loses(&self, operation: Operation) -> bool {
        let mut to_lose = self.to_lose.lock().unwrap();
        let at = to_lose.iter().position(|it| *it == operation);
        at.map(|at| to_lose.remove(at)).is_some()
    }
}

fn read_request(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 8];
    stream.read_exact(&mut bytes)?;
    let length = match frame_length(&bytes, tags::REQUEST_MESSAGE, &Limits::default()) {
        Ok(FrameLength::Known(length)) => length,
        other => return Err(io::Error::other(format!("{other:?}"))),
    };
    bytes.resize(length, 0);
    stream.read_exact(&mut bytes[8..])?;
    Ok(bytes)
}

fn read(request: &[u8]) -> (Version, Operation) {
    let message = Message::parse(request, &Limits::default()).unwrap();
    let request = RequestMessage::parse(&message).unwrap();
    let item = request.items().next().unwrap().unwrap();
    (request.version, item.operation)
}

fn refused(version: Version, operation: Operation, reason: ResultReason, words: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.structure(tags::RESPONSE_MESSAGE, |writer| {
        writer.structure(tags::RESPONSE_HEADER, |writer| {
            writer.structure(tags::PROTOCOL_VERSION, |writer| {
                writer.integer(tags::PROTOCOL_VERSION_MAJOR, version.major);
                writer.integer(tags::PROTOCOL_VERSION_MINOR, version.minor);
            });
            writer.date_time(tags::TIME_STAMP, 1);
            writer.integer(tags::BATCH_COUNT, 1);
        });
        writer.structure(tags::BATCH_ITEM, |writer| {
            if reason != ResultReason::INVALID_MESSAGE {
                writer.enumeration(tags::OPERATION, operation.0);
            }
            writer.enumeration(tags::RESULT_STATUS, ResultStatus::OPERATION_FAILED.0);
            writer.enumeration(tags::RESULT_REASON, reason.0);
            writer.text(tags::RESULT_MESSAGE, words);
        });
    });
    writer.into_bytes()
}
