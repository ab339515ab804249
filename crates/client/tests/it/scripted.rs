//! A TLS server that demands a client certificate and answers from a script.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use claviger_client::tls::Files;
use claviger_kmip::tags;
use claviger_ttlv::{FrameLength, Limits, frame_length};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// An authority that issues what both sides need.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Writes the files of a client that trusts this authority.
    pub(crate) fn client(&self, directory: &Path) -> Files {
        let (certificate, key) = self.issue("client");
        std::fs::write(directory.join("ca.pem"), self.issuer.pem()).unwrap();
        std::fs::write(directory.join("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
        Files::in_directory(directory)
    }

    fn server(&self) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue("localhost");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.issuer.der().to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }

    /// Serves one connection: the n-th request gets the n-th answer; then it is closed.
    pub(crate) fn serve(&self, answers: Vec<Vec<u8>>) -> (SocketAddr, JoinHandle<usize>) {
        let listener = TcpListener::bind(("localhost", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let config = self.server();
        let served = std::thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let session = ServerConnection::new(config).unwrap();
            let mut stream = StreamOwned::new(session, socket);
            let mut served = 0;
            for answer in answers {
                if read_request(&mut stream).is_none() {
                    // Closing with bytes unread would reset the connection and lose the alert.
                    let _until_the_client_goes =
                        std::io::copy(&mut stream.sock, &mut std::io::sink());
                    return served;
                }
                stream.write_all(&answer).unwrap();
                stream.flush().unwrap();
                served += 1;
            }
            stream.conn.send_close_notify();
            let _the_client_may_be_gone = stream.flush();
            served
        });
        (address, served)
    }
}

fn read_request(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 8];
    stream.read_exact(&mut bytes).ok()?;
    let length = match frame_length(&bytes, tags::REQUEST_MESSAGE, &Limits::default()).ok()? {
        FrameLength::Known(length) => length,
        FrameLength::Unknown => return None,
    };
    bytes.resize(length, 0);
    stream.read_exact(&mut bytes[8..]).ok()?;
    Some(bytes)
}
