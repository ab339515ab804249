//! The KMIP door with small limits: who is silent, slow, too many or too large is turned away, and nobody else.
//!
//! Real sockets and TLS; timeouts of the server are real time, kept short, and waited for.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_kmip::Version;
use claviger_kmip::attributes::values::CryptographicParameters;
use claviger_kmip::enums::{HashingAlgorithm, ResultReason, ResultStatus};
use claviger_kmip::message::{RequestHeader, RequestItem, write_request};
use claviger_kmip::payload::{HashRequest, Request};
use claviger_server::front::kmip::KmipFront;
use claviger_server::limits::Limits;
use claviger_server::mount::{ListenerPlan, Listeners};
use claviger_server::record::MountId;
use claviger_ttlv::Writer;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::fixture::{Answer, Fixture, answers, create_request, name};

/// The limit under test, where it is a time.
const SHORT: Duration = Duration::from_secs(1);
/// No condition takes longer; far below the limits that are not under test.
const SOON: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_mins(10);
/// Bytes of a request that are too few.
const PART: usize = 40;

/// A front with one listener, and how to reach it.
struct Door {
    front: Arc<KmipFront>,
    address: SocketAddr,
    client: TlsConnector,
    mount: MountId,
    #[expect(dead_code, reason = "holds the service")]
    fixture: Fixture,
}

impl Door {
    /// Every time is long unless `limit` shortens it.
    fn open(limit: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits {
            handshake_timeout: LONG,
            idle_timeout: LONG,
            transfer_timeout: LONG,
            drain_timeout: LONG,
            ..Limits::default()
        };
        limit(&mut limits);
        let fixture = Fixture::limited(limits);
        let front = Arc::new(KmipFront::new(Handle::current(), Arc::clone(&fixture.service)));
        // Any free port: a configuration would have to name one.
        let plan = ListenerPlan { addresses: vec!["127.0.0.1:0".into()], ..fixture.plan.clone() };
        front.apply(fixture.peer.mount, &plan).unwrap();
        let address = front.addresses(fixture.peer.mount)[0];
        let client = connector(&fixture);
        Self { front, address, client, mount: fixture.peer.mount, fixture }
    }

    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn connect(&self) -> io::Result<Client> {
        let name = ServerName::try_from("localhost").unwrap();
        soon(self.client.connect(name, self.tcp().await)).await.map(|stream| Client { stream })
    }

    /// A connection that has been served.
    async fn client(&self) -> Client {
        let mut client = self.connect().await.unwrap();
        client.is_served().await;
        client
    }
}

/// TLS as the holder of the fixture's credential.
fn connector(fixture: &Fixture) -> TlsConnector {
    let credential = &fixture.credential;
    let mut roots = RootCertStore::empty();
    for certificate in &credential.chain {
        roots.add(CertificateDer::from(certificate.clone())).unwrap();
    }
    let chain = vec![CertificateDer::from(credential.certificate.clone())];
    let key = credential.private_key.as_ref().unwrap().der().to_vec();
    let key = PrivateKeyDer::try_from(key).unwrap();
    let config = ClientConfig::builder_with_provider(claviger_server::pki::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    TlsConnector::from(Arc::new(config))
}

struct Client {
    stream: TlsStream<TcpStream>,
}

impl Client {
    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn receive(&mut self) -> io::Result<Vec<Answer>> {
        let mut bytes = vec![0; 8];
        self.stream.read_exact(&mut bytes).await?;
        let length = u32::from_be_bytes(bytes[4..8].try_into().unwrap()) as usize;
        bytes.resize(8 + length, 0);
        self.stream.read_exact(&mut bytes[8..]).await?;
        Ok(answers(&bytes))
    }

    async fn exchange(&mut self, bytes: &[u8]) -> Vec<Answer> {
        self.send(bytes).await;
        soon(self.receive()).await.unwrap()
    }

    /// Sends a request and the first [`PART`] of its like, together: the answer to the one shows
    /// that the server has both.
    async fn send_one_and_a_part(&mut self) {
        let bytes = request(1, &create_request(vec![]));
        let answers = self.exchange(&[&bytes, &bytes[..PART]].concat()).await;
        assert_eq!(answers[0].status, ResultStatus::SUCCESS);
    }

    async fn is_served(&mut self) {
        let answers = self.exchange(&request(1, &create_request(vec![]))).await;
        assert_eq!(answers[0].status, ResultStatus::SUCCESS);
    }

    /// Waits for the server to close the connection, without another answer.
    async fn is_closed(&mut self) {
        assert_eq!(soon(end(&mut self.stream)).await, 0, "bytes before the end");
    }
}

/// Bytes that come until the end, whether that is a close_notify, a FIN or a reset.
async fn end(stream: &mut (impl AsyncReadExt + Unpin)) -> usize {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    rest.len()
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.expect("in time")
}

/// A message of `count` equal items.
fn request<R: Request>(count: i32, item: &R) -> Vec<u8> {
    let mut writer = Writer::new();
    write_request(&mut writer, &RequestHeader::new(Version::V1_4, count), |encoder| {
        for _ in 0..count {
            RequestItem::write(encoder, None, item);
        }
    })
    .unwrap();
    writer.into_bytes()
}

/// A request that fails has this reason.
fn refused_for(answers: &[Answer], reason: ResultReason) {
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].reason, Some(reason), "{answers:?}");
}

#[tokio::test]
async fn who_makes_no_handshake_is_closed() {
    let door = Door::open(|limits| limits.handshake_timeout = SHORT);
    let mut served = door.client().await;
    let begun = Instant::now();
    let mut silent = door.tcp().await;
    assert_eq!(soon(end(&mut silent)).await, 0);
    assert!(begun.elapsed() >= SHORT, "closed after {:?}", begun.elapsed());
    served.is_served().await;
}

#[tokio::test]
async fn who_is_idle_is_closed() {
    let door = Door::open(|limits| limits.idle_timeout = SHORT);
    let mut client = door.client().await;
    let begun = Instant::now();
    client.is_closed().await;
    assert!(begun.elapsed() >= SHORT / 2, "closed after {:?}", begun.elapsed());
}

#[tokio::test]
async fn who_sends_half_a_request_is_closed() {
    let door = Door::open(|limits| limits.transfer_timeout = SHORT);
    let mut idle = door.client().await;
    for part in [1, 7, 8, PART] {
        let mut client = door.client().await;
        let begun = Instant::now();
        client.send(&request(1, &create_request(vec![]))[..part]).await;
        client.is_closed().await;
        assert!(begun.elapsed() >= SHORT, "{part} bytes: after {:?}", begun.elapsed());
    }
    // Being silent between requests is another matter.
    idle.is_served().await;
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once() {
    let door = Door::open(|limits| limits.connections_max = 2);
    let mut first = door.client().await;
    let second = door.client().await;
    let mut third = door.tcp().await;
    assert_eq!(soon(end(&mut third)).await, 0);
    first.is_served().await;
    drop(second);
    // The server has to notice that it left.
    let mut fourth = soon(async {
        loop {
            if let Ok(client) = door.connect().await {
                break client;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    fourth.is_served().await;
    first.is_served().await;
}

#[tokio::test]
async fn a_drain_ends_idle_connections_and_accepts_no_more() {
    let door = Door::open(|_| {});
    let mut idle = door.client().await;
    soon(door.front.drain()).await;
    idle.is_closed().await;
    assert!(soon(TcpStream::connect(door.address)).await.is_err(), "still listening");
}

#[tokio::test]
async fn a_drain_waits_for_a_request_no_longer_than_it_may() {
    let door = Door::open(|limits| limits.drain_timeout = SHORT);
    let mut slow = door.client().await;
    slow.send_one_and_a_part().await;
    let begun = Instant::now();
    soon(door.front.drain()).await;
    assert!(begun.elapsed() >= SHORT, "drained after {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_drain_lets_a_request_finish() {
    let door = Door::open(|_| {});
    let mut client = door.client().await;
    let bytes = request(1, &create_request(vec![]));
    client.send_one_and_a_part().await;
    let front = Arc::clone(&door.front);
    let drained = tokio::spawn(async move { front.drain().await });
    soon(async {
        while TcpStream::connect(door.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!drained.is_finished(), "the half request was not waited for");
    assert_eq!(client.exchange(&bytes[PART..]).await[0].status, ResultStatus::SUCCESS);
    client.is_closed().await;
    soon(drained).await.unwrap();
}

#[tokio::test]
async fn a_client_that_never_pauses_ends_with_its_listener() {
    let door = Door::open(|_| {});
    let mut client = door.client().await;
    let bytes = request(1, &create_request(vec![]));
    client.send_one_and_a_part().await;
    door.front.close(door.mount);
    // The end of one request comes with the beginning of the next: there is no moment between them.
    let more = [&bytes[PART..], &bytes[..], &bytes[..PART]].concat();
    let answers = client.exchange(&more).await;
    assert_eq!(answers[0].status, ResultStatus::SUCCESS, "what had begun is answered");
    assert_eq!(soon(client.receive()).await.unwrap()[0].status, ResultStatus::SUCCESS);
    client.is_closed().await;
}

#[tokio::test]
async fn a_request_above_its_size_is_answered_and_closed() {
    let bytes = request(1, &create_request(vec![]));
    let door = Door::open(|limits| limits.request_bytes_max = bytes.len());
    let mut client = door.client().await;
    // By its length alone: nothing of it has to come.
    let mut header = bytes[..8].to_vec();
    header[4..8].copy_from_slice(&(u32::try_from(bytes.len()).unwrap()).to_be_bytes());
    let answers = client.exchange(&header).await;
    refused_for(&answers, ResultReason::INVALID_MESSAGE);
    client.is_closed().await;
}

#[tokio::test]
async fn a_batch_has_exactly_so_many_items() {
    let door = Door::open(|limits| limits.batch_items_max = 3);
    let mut client = door.client().await;
    let answers = client.exchange(&request(3, &create_request(vec![]))).await;
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|answer| answer.status == ResultStatus::SUCCESS), "{answers:?}");
    let answers = client.exchange(&request(4, &create_request(vec![]))).await;
    refused_for(&answers, ResultReason::INVALID_MESSAGE);
    client.is_served().await;
}

#[tokio::test]
async fn an_attribute_has_exactly_so_many_bytes() {
    const BYTES: usize = 256;
    let door = Door::open(|limits| limits.attribute_bytes_max = BYTES);
    let mut client = door.client().await;
    let named = |length| request(1, &create_request(vec![name(&"n".repeat(length))]));
    // A Name is a structure: three headers and the Name Type's padded value count too.
    let longest = BYTES - 3 * 8 - 8;
    assert_eq!(client.exchange(&named(longest)).await[0].status, ResultStatus::SUCCESS);
    refused_for(&client.exchange(&named(longest + 1)).await, ResultReason::INVALID_FIELD);
    client.is_served().await;
}

#[tokio::test]
async fn an_object_is_given_exactly_so_many_attribute_values() {
    const VALUES: usize = 40;
    let door = Door::open(|limits| limits.attributes_max = VALUES);
    let mut client = door.client().await;
    let named = |count| {
        let names = (0..count).map(|at| name(&format!("{at} of {count}")));
        request(1, &create_request(names.collect()))
    };
    // Beside algorithm, length and usage mask.
    let most = VALUES - 3;
    assert_eq!(client.exchange(&named(most)).await[0].status, ResultStatus::SUCCESS);
    refused_for(&client.exchange(&named(most + 1)).await, ResultReason::INDEX_OUT_OF_BOUNDS);
    client.is_served().await;
}

#[tokio::test]
async fn so_many_messages_in_parts_are_under_way() {
    let door = Door::open(|limits| limits.streams_max = 2);
    let mut client = door.client().await;
    let first_part = HashRequest {
        cryptographic_parameters: CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::SHA_256),
            ..CryptographicParameters::none()
        },
        data: Some(b"part".to_vec().into()),
        correlation_value: None,
        init_indicator: Some(true),
        final_indicator: None,
    };
    let begin = request(1, &first_part);
    for _ in 0..2 {
        assert_eq!(client.exchange(&begin).await[0].status, ResultStatus::SUCCESS);
    }
    refused_for(&client.exchange(&begin).await, ResultReason::GENERAL_FAILURE);
    client.is_served().await;
}
