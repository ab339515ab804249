//! A TLS server that demands a client certificate and does with each connection what a test says.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use claviger_client::Endpoint;
use claviger_client::tls::Files;
use claviger_kmip::tags;
use claviger_ttlv::{FrameLength, Limits, frame_length};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// An authority that issues what both sides need.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        Self::named(&format!("authority {}", COUNT.fetch_add(1, Ordering::SeqCst)))
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Its certificate, in PEM.
    #[cfg(feature = "openssl")]
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes the files of a client that trusts this authority.
    pub(crate) fn client(&self, directory: &Path) -> Files {
        let params = CertificateParams::new(vec![String::from("client")]).unwrap();
        let (certificate, key) = self.issue(params);
        std::fs::write(directory.join("ca.pem"), self.issuer.pem()).unwrap();
        std::fs::write(directory.join("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
        Files::in_directory(directory)
    }

    /// A server for `localhost` that demands a certificate of this authority.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        self.server_with(localhost(), true)
    }

    /// A server with a certificate of one's own.
    pub(crate) fn server_with(
        &self,
        params: CertificateParams,
        demands_certificate: bool,
    ) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(params);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.issuer.der().to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if demands_certificate {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }

    /// Serves every connection with the function: the number of the connection, and its stream.
    pub(crate) fn serve(
        &self,
        serve: impl Fn(usize, &mut Peer) -> io::Result<()> + Send + Sync + 'static,
    ) -> Server {
        Server::start(self.server(), serve)
    }
}

/// The certificate parameters of a server for `localhost` and 127.0.0.1.
pub(crate) fn localhost() -> CertificateParams {
    let mut params = CertificateParams::new(vec![String::from("localhost")]).unwrap();
    let address = SanType::IpAddress([127, 0, 0, 1].into());
    params.subject_alt_names.push(address);
    params
}

/// One connection of the server, after the handshake.
pub(crate) struct Peer {
    stream: StreamOwned<ServerConnection, TcpStream>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Peer {
    /// The next request; an error once the client is gone.
    pub(crate) fn request(&mut self) -> io::Result<Vec<u8>> {
        let request = read_request(&mut self.stream)?;
        self.requests.lock().unwrap().push(request.clone());
        Ok(request)
    }

    /// The host that the client named in the handshake.
    pub(crate) fn server_name(&self) -> Option<String> {
        self.stream.conn.server_name().map(str::to_owned)
    }

    /// Sends bytes, in a TLS record of their own.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends bytes that are not TLS.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.sock.write_all(bytes)
    }

    /// Says goodbye, as a server that ends an idle connection does.
    pub(crate) fn goodbye(&mut self) -> io::Result<()> {
        self.stream.conn.send_close_notify();
        self.stream.flush()
    }

    /// Says nothing until the client goes.
    pub(crate) fn be_silent(&mut self) -> io::Result<()> {
        io::copy(&mut self.stream.sock, &mut io::sink()).map(|_| ())
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(
        config: Arc<ServerConfig>,
        serve: impl Fn(usize, &mut Peer) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::default());
        let ends = Arc::<AtomicBool>::default();
        let serve = Arc::new(serve);
        let (count, all, end) =
            (Arc::clone(&connections), Arc::clone(&requests), Arc::clone(&ends));
        let thread = std::thread::spawn(move || {
            for socket in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let nth = count.fetch_add(1, Ordering::SeqCst);
                let session = ServerConnection::new(Arc::clone(&config)).unwrap();
                let stream = StreamOwned::new(session, socket.unwrap());
                let mut peer = Peer { stream, requests: Arc::clone(&all) };
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || {
                    let shaken = peer.stream.conn.complete_io(&mut peer.stream.sock);
                    if shaken.is_ok() {
                        let _the_client_may_be_gone = serve(nth, &mut peer);
                    } else {
                        // Closing with bytes unread would reset the connection and lose the alert.
                        let _until_the_client_goes = peer.be_silent();
                    }
                });
            }
        });
        Self { address, connections, requests, ends, thread: Some(thread) }
    }

    /// Where it is, by the name that its certificate has.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { host: String::from("localhost"), port: self.address.port() }
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests that were read, of all connections.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _wakes_it = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

pub(crate) fn read_request(stream: &mut impl Read) -> io::Result<Vec<u8>> {
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

/// A server that hangs up on whom it does not let in, with their bytes unread: the connection is
/// reset behind its alert, while they still write.
pub(crate) fn hangs_up(config: Arc<ServerConfig>) -> Endpoint {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            session.complete_io(&mut socket.unwrap()).unwrap_err();
        }
    });
    Endpoint { host: String::from("localhost"), port }
}

/// An address where nobody listens.
pub(crate) fn nobody() -> Endpoint {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    Endpoint { host: String::from("127.0.0.1"), port: listener.local_addr().unwrap().port() }
}
