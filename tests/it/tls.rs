//! A raw KMIP connection: TLS with a client certificate, and bytes.
//!
//! It reads record by record, because what a TLS record holds is part of the server's contract: one known client takes
//! each record for one whole response. It knows TTLV's length header and no more of KMIP. RFC 8446 §5.1.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, SupportedProtocolVersion,
};

/// No answer within this is a failure of the server, not a slow machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Who a connection comes from, and what it trusts.
pub(crate) struct Identity {
    roots: RootCertStore,
    client: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    versions: &'static [&'static SupportedProtocolVersion],
}

impl Identity {
    /// The credential in a directory that `--export-client` wrote.
    pub(crate) fn exported(directory: &Path) -> Self {
        let read = |name: &str| std::fs::read(directory.join(name)).unwrap();
        Self::from_pem(&read("ca.pem"), &read("cert.pem"), &read("key.pem"))
    }

    /// A credential as the API answers it.
    pub(crate) fn from_pem(ca: &[u8], certificate: &[u8], key: &[u8]) -> Self {
        let chain = CertificateDer::pem_slice_iter(certificate).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(key).unwrap();
        Self { client: Some((chain, key)), ..Self::anonymous(ca) }
    }

    /// Trusts the server, presents nothing.
    pub(crate) fn anonymous(ca: &[u8]) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca) {
            roots.add(certificate.unwrap()).unwrap();
        }
        Self { roots, client: None, versions: rustls::DEFAULT_VERSIONS }
    }

    /// The same client, with another CA file for the server.
    pub(crate) fn trusting(mut self, ca: &Path) -> Self {
        self.roots = Self::anonymous(&std::fs::read(ca).unwrap()).roots;
        self
    }

    /// The same client, with only these versions of TLS.
    pub(crate) fn only(mut self, versions: &'static [&'static SupportedProtocolVersion]) -> Self {
        self.versions = versions;
        self
    }

    pub(crate) fn config(&self) -> ClientConfig {
        self.config_with(self.versions)
    }

    /// With only that version of TLS.
    pub(crate) fn config_of(&self, version: &'static SupportedProtocolVersion) -> ClientConfig {
        self.config_with(&[version])
    }

    fn config_with(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots.clone());
        match &self.client {
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain.clone(), key.clone_key()).unwrap()
            }
            None => builder.with_no_client_auth(),
        }
    }
}

/// One response as it came off the wire.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The message, header included.
    pub(crate) bytes: Vec<u8>,
    /// How many TLS records carried it.
    pub(crate) records: usize,
    /// Whether its last record ended exactly with it.
    pub(crate) ends_record: bool,
}

/// A connection after its handshake.
pub(crate) struct Connection {
    tls: ClientConnection,
    tcp: TcpStream,
    /// Plaintext that belongs to the next response.
    pending: Vec<u8>,
}

impl Connection {
    /// Connects and completes the handshake. Under TLS 1.3 a client is done before the server has judged its
    /// certificate, so that a refusal may show only at the first [`Connection::receive`].
    pub(crate) fn open(address: SocketAddr, identity: &Identity) -> io::Result<Self> {
        Self::open_by(address, Arc::new(identity.config()))
    }

    /// The same; a configuration that was used before resumes its session.
    pub(crate) fn open_by(address: SocketAddr, config: Arc<ClientConfig>) -> io::Result<Self> {
        let mut tcp = TcpStream::connect(address)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(ANSWER_WITHIN))?;
        tcp.set_write_timeout(Some(ANSWER_WITHIN))?;
        let name = ServerName::from(address.ip());
        let mut tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        tls.set_buffer_limit(None);
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(Self { tls, tcp, pending: Vec::new() })
    }

    /// Whether the handshake took up an earlier session.
    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Sends bytes as they are; a message may come in several parts.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tls.writer().write_all(bytes)?;
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.tcp)?;
        }
        Ok(())
    }

    /// Says that nothing more will be sent: close_notify, then FIN.
    pub(crate) fn finish_sending(&mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.tcp)?;
        }
        self.tcp.shutdown(Shutdown::Write)
    }

    /// The next response. `UnexpectedEof` when the server closed instead, before or within it.
    pub(crate) fn receive(&mut self) -> io::Result<Frame> {
        let mut records = usize::from(!self.pending.is_empty());
        loop {
            if let Some(size) = frame_size(&self.pending)
                && self.pending.len() >= size
            {
                let rest = self.pending.split_off(size);
                let bytes = std::mem::replace(&mut self.pending, rest);
                return Ok(Frame { bytes, records, ends_record: self.pending.is_empty() });
            }
            if self.read_record()? {
                records += 1;
            }
        }
    }

    /// One request and its response.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> io::Result<Frame> {
        self.send(request)?;
        self.receive()
    }

    /// Whether the server has closed, or closes without another byte of plaintext.
    pub(crate) fn closes(&mut self) -> bool {
        matches!(self.receive(), Err(error) if error.kind() != io::ErrorKind::WouldBlock)
    }

    /// Reads one TLS record; true when it carried plaintext.
    fn read_record(&mut self) -> io::Result<bool> {
        let mut record = vec![0; 5];
        self.tcp.read_exact(&mut record)?;
        let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
        record.resize(5 + length, 0);
        self.tcp.read_exact(&mut record[5..])?;
        let mut rest = record.as_slice();
        while !rest.is_empty() {
            self.tls.read_tls(&mut rest)?;
        }
        let state = self.tls.process_new_packets().map_err(io::Error::other)?;
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.tcp)?;
        }
        let length = state.plaintext_bytes_to_read();
        let start = self.pending.len();
        self.pending.resize(start + length, 0);
        self.tls.reader().read_exact(&mut self.pending[start..])?;
        if state.peer_has_closed() && length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(length > 0)
    }
}

/// The size of the message whose first bytes these are.
fn frame_size(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(4..8)?;
    Some(8 + u32::from_be_bytes(length.try_into().unwrap()) as usize)
}
