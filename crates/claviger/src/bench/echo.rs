//! A server that does nothing but TLS and framing: what no KMIP server can be faster than.
//!
//! Same TLS set-up, same runtime, same sizes as the real server, and like it a process of its own;
//! it must never look into a request.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use claviger_kmip::codec::{DateTime, Encoder, Secret, Wire};
use claviger_kmip::enums::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, Operation, ResultStatus,
};
use claviger_kmip::message::ResponseHeader;
use claviger_kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
use claviger_kmip::payload::GetResponse;
use claviger_kmip::{Version, tags};
use claviger_server::pki::tls::{ServerIdentity, TlsVersion, kmip_server_config};
use claviger_server::pki::trust::ClientTrust;
use claviger_server::pki::{Authority, ClientKey, KeySpec, PrivateKey, ServerNames, Subject, pem};
use claviger_ttlv::{FrameLength, Limits, Writer, frame_length};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::failure::{Failure, Outcome};
use crate::output;

/// A unique identifier as long as the real server's.
pub(super) const UNIQUE_IDENTIFIER: &str = "01234567-89ab-7def-8123-456789abcdef";

/// A running echo server: this program, started again. It ends when this is dropped.
pub(super) struct Echo {
    pub(super) address: SocketAddr,
    process: Child,
}

impl Echo {
    /// Starts it; it writes the files of its client to the directory.
    pub(super) fn start(version: Version, directory: &Path) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe().map_err(Failure::new)?)
            .args(["bench", "limit", "--kmip-version", &version.to_string(), "--echo"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::new)?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(Failure::new)?;
        }
        let address = line.trim().parse();
        let address = address.map_err(|_| Failure::new("the echo server does not start"))?;
        Ok(Self { address, process })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It ends by itself when its input does; waiting leaves no process behind.
        drop(self.process.stdin.take());
        let _ended = self.process.wait();
    }
}

/// Is the echo server until its input ends.
pub(super) fn run(version: Version, directory: &Path) -> Outcome {
    let config = credentials(directory)?;
    let answer: Arc<[u8]> = answer(version).into();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::new)?;
    let listener = runtime
        .block_on(TcpListener::bind(("127.0.0.1", 0)))
        .map_err(|error| Failure::new(format_args!("127.0.0.1: {error}")))?;
    output::line(listener.local_addr().map_err(Failure::new)?)?;
    runtime.spawn(serve(listener, TlsAcceptor::from(config), answer));
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).map_err(Failure::new)?;
    Ok(())
}

/// Throw-away certificates of the same kind as the real ones.
fn credentials(directory: &Path) -> Outcome<Arc<ServerConfig>> {
    let now = super::now();
    let spec = KeySpec::Ec256;
    let authority = Authority::generate("bench", spec, now).map_err(Failure::new)?;
    let key = PrivateKey::generate(spec).map_err(Failure::new)?;
    let names = ServerNames {
        hostnames: vec![String::from("localhost")],
        addresses: vec![std::net::Ipv4Addr::LOCALHOST.into()],
    };
    let issued = authority.issue_server(&names, &key, now).map_err(Failure::new)?;
    let [intermediate, _] = authority.chain();
    let identity = ServerIdentity { chain: vec![issued.certificate, intermediate], key };

    let client_key = PrivateKey::generate(spec).map_err(Failure::new)?;
    let subject = Subject {
        scope_id: String::from("bench"),
        role_id: String::from("bench"),
        uri: String::from("kmip://bench/bench"),
        names: ServerNames::default(),
    };
    let client = authority
        .issue_client(&subject, &ClientKey::Private(&client_key), 86_400, now)
        .map_err(Failure::new)?;
    let chain: String = authority.chain_pem().concat();
    let certificate = format!("{}{chain}", pem::encode("CERTIFICATE", &client.certificate));
    for (name, text) in
        [("ca.pem", &chain), ("cert.pem", &certificate), ("key.pem", &client_key.pem())]
    {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
    }
    let trust = ClientTrust::new(authority.chain().to_vec(), Vec::new()).map_err(Failure::new)?;
    kmip_server_config(&identity, &trust, &TlsVersion::Tls12.into()).map_err(Failure::new)
}

/// The answer to Get of an AES-256 key.
fn answer(version: Version) -> Vec<u8> {
    let key_block = KeyBlock {
        key_format_type: KeyFormatType::RAW,
        key_compression_type: None,
        key_value: Some(KeyValue::plain(KeyMaterial::Bytes(Secret::new(vec![0; 32])))),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(256),
        key_wrapping_data: None,
    };
    let payload = GetResponse {
        object_type: ObjectType::SYMMETRIC_KEY,
        unique_identifier: UNIQUE_IDENTIFIER.into(),
        object: Object::SymmetricKey(Key { key_block: Some(key_block) }),
    };
    let header = ResponseHeader {
        protocol_version: version.into(),
        time_stamp: DateTime(super::now()),
        nonce: None,
        server_hashed_password: None,
        attestation_type: Vec::new(),
        client_correlation_value: None,
        server_correlation_value: None,
        batch_count: 1,
    };
    let mut writer = Writer::new();
    let mut encoder = Encoder::new(&mut writer, version);
    encoder.structure(tags::RESPONSE_MESSAGE, |encoder| {
        header.encode(encoder, tags::RESPONSE_HEADER);
        encoder.structure(tags::BATCH_ITEM, |encoder| {
            Operation::GET.encode(encoder, tags::OPERATION);
            ResultStatus::SUCCESS.encode(encoder, tags::RESULT_STATUS);
            payload.encode(encoder, tags::RESPONSE_PAYLOAD);
        });
    });
    writer.into_bytes()
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, answer: Arc<[u8]>) {
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
        tokio::spawn(async move {
            // A client that goes away ends its own connection and nothing else.
            let _its_end = connection(socket, acceptor, &answer).await;
        });
    }
}

async fn connection(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    answer: &[u8],
) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = acceptor.accept(socket).await?;
    let limits = Limits::default();
    let mut bytes = Vec::with_capacity(16 << 10);
    loop {
        while let Ok(FrameLength::Known(length)) =
            frame_length(&bytes, tags::REQUEST_MESSAGE, &limits)
            && length <= bytes.len()
        {
            bytes.drain(..length);
            stream.write_all(answer).await?;
            stream.flush().await?;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return stream.shutdown().await;
        }
    }
}
