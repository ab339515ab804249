//! Accepting connections and ending them. Knows TLS and HTTP/1.1 framing only.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::ClientCertificates;
use super::shaped::Shaped;
use super::tls::Tls;

/// Administration needs few connections; more wait to be accepted.
const CONNECTIONS_MAX: usize = 512;
/// How long a client may take to send the head of a request, idle connections included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest request head: a token and a long path fit many times.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long a client may take for its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests may still run when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Wait after a failed accept (out of file descriptors, mostly), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` resolves, then lets running requests end. Plain HTTP without `tls`.
///
/// # Errors
/// When the listener itself fails; what befalls one connection is not an error here.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok(Some((stream, slot))) => {
                let (router, stopped) = (router.clone(), stopped.clone());
                let tls = tls.as_ref().map(|tls| TlsAcceptor::from(tls.current()));
                connections.spawn(async move {
                    connection(stream, router, tls, stopped).await;
                    drop(slot);
                });
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, "the HTTP listener could not accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    // Nobody left to hear it is no error.
    let _ = stopping.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("HTTP requests were still running when the server stopped");
    }
    Ok(())
}

type Slot = tokio::sync::OwnedSemaphorePermit;

/// The next connection; `None` when there will be no more.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<Option<(TcpStream, Slot)>> {
    let Ok(slot) = slots.clone().acquire_owned().await else {
        return Ok(None);
    };
    let (stream, _) = listener.accept().await?;
    Ok(Some((stream, slot)))
}

/// Who is at the other end.
#[derive(Clone)]
struct Client {
    remote: Option<SocketAddr>,
    certificates: Option<ClientCertificates>,
}

async fn connection(
    stream: TcpStream,
    router: Router,
    tls: Option<TlsAcceptor>,
    stopped: watch::Receiver<bool>,
) {
    // Answers are small and complete: waiting to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let remote = stream.peer_addr().ok();
    let Some(tls) = tls else {
        return exchange(stream, router, Client { remote, certificates: None }, stopped).await;
    };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            let certificates = session.peer_certificates().map(|chain| {
                ClientCertificates(chain.iter().map(|shown| shown.to_vec()).collect())
            });
            exchange(stream, router, Client { remote, certificates }, stopped).await;
        }
        Ok(Err(error)) => tracing::info!(?remote, %error, "an HTTPS handshake was refused"),
        Err(_) => tracing::debug!(?remote, "no HTTPS handshake in time"),
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    client: Client,
    mut stopped: watch::Receiver<bool>,
) {
    let remote = client.remote;
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        let extensions = request.extensions_mut();
        if let Some(remote) = client.remote {
            extensions.insert(remote);
        }
        if let Some(certificates) = &client.certificates {
            extensions.insert(certificates.clone());
        }
        request.map(axum::body::Body::new)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(Shaped::new(TokioIo::new(stream)), TowerToHyperService::new(service));
    tokio::pin!(served);
    // A sender that is gone means the same as one that says so.
    let stop = async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let outcome = tokio::select! {
        outcome = &mut served => outcome,
        () = stop => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(?remote, %error, "an HTTP connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use rustls::ClientConfig;
    use rustls_pki_types::{PrivateKeyDer, ServerName};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::clock::ManualClock;
    use crate::front::http::vault::tests::FixedKeeper;
    use crate::front::http::vault::{Api, NodeName};
    use crate::front::http::{TlsFiles, router};

    /// A sealed server on a real socket, and what stops it.
    async fn start() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<io::Result<()>>) {
        let node = NodeName { cluster_name: "test".to_owned(), storage_type: "inmem".to_owned() };
        let api = Arc::new(Api::new(
            node,
            Arc::new(ManualClock::at(1_800_000_000)),
            Arc::new(FixedKeeper::sealed()),
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = serve(listener, router(api), None, async {
            let _ = stopped.await;
        });
        (address, stop, tokio::spawn(served))
    }

    /// Sends bytes and reads until the server closes.
    async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn what_is_not_http_gets_an_error_that_clients_can_read() {
        let (address, _stop, _served) = start().await;
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000));
        for garbage in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n"[..],
            b"hello\r\n\r\n",
            b"GET /v1/sys/health HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
            b"PUT /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            long.as_bytes(),
        ] {
            let answer = exchange(address, garbage).await;
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
            assert!(answer.contains("\r\ncontent-type: application/json\r\n"), "{answer}");
            assert!(answer.ends_with("\r\n\r\n{\"errors\":[\"malformed HTTP request\"]}\n"));
        }
    }

    #[tokio::test]
    async fn a_body_that_is_cut_is_not_taken_for_one_that_is_too_long() {
        let (address, _stop, _served) = start().await;
        let head = "PUT /v1/sys/unseal HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n";
        for chunks in ["zz\r\n", "1\r\n{\r\nz", "ffffffffffffffff1\r\nx"] {
            let answer = exchange(address, format!("{head}\r\n{chunks}").as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{chunks:?}: {answer}");
            assert!(answer.contains("body did not come whole"), "{chunks:?}: {answer}");
        }
    }

    #[tokio::test]
    async fn head_has_the_status_and_no_body() {
        let (address, _stop, _served) = start().await;
        let request = b"HEAD /v1/sys/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answer = exchange(address, request).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[tokio::test]
    async fn stopping_closes_idle_connections_and_returns() {
        let (address, stop, served) = start().await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET /v1/sys/init HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut head = [0; 12];
        idle.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        stop.send(()).unwrap();
        served.await.unwrap().unwrap();
        let mut rest = Vec::new();
        idle.read_to_end(&mut rest).await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    /// One request over TLS; the answer's body, or why there is none.
    async fn exchange_tls(address: SocketAddr, config: ClientConfig) -> io::Result<String> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream =
            tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = String::from_utf8(answer).unwrap();
        Ok(answer.rsplit("\r\n").next().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_client_may_show_a_certificate_that_the_api_trusts_and_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (known, stranger) = (own_client(), own_client());
        for (name, text) in [
            ("cert", own.cert.pem()),
            ("key", own.signing_key.serialize_pem()),
            ("ca", known.cert.pem()),
        ] {
            std::fs::write(path(name), text).unwrap();
        }
        let files =
            TlsFiles { certificate: path("cert"), key: path("key"), client_ca: Some(path("ca")) };
        let tls = Arc::new(Tls::open(&files).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shown = |request: axum::extract::Request| async move {
            let shown = request.extensions().get::<ClientCertificates>();
            shown.map_or(0, |shown| shown.0[0].len()).to_string()
        };
        let router = Router::new().fallback(shown);
        tokio::spawn(serve(listener, router, Some(tls), std::future::pending()));

        let ask = |client: Option<&rcgen::CertifiedKey<rcgen::KeyPair>>| {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(own.cert.der().clone()).unwrap();
            let builder = ClientConfig::builder_with_provider(crate::pki::tls::provider())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots);
            let config = match client {
                None => builder.with_no_client_auth(),
                Some(client) => {
                    let key = PrivateKeyDer::Pkcs8(client.signing_key.serialize_der().into());
                    builder.with_client_auth_cert(vec![client.cert.der().clone()], key).unwrap()
                }
            };
            exchange_tls(address, config)
        };
        assert_eq!(ask(None).await.unwrap(), "0");
        assert_eq!(ask(Some(&known)).await.unwrap(), known.cert.der().len().to_string());
        assert!(ask(Some(&stranger)).await.is_err());
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        plain.read_to_end(&mut answer).await.unwrap();
        assert!(!answer.starts_with(b"HTTP"), "no plain HTTP on the same port");
    }

    fn own_client() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(vec!["client".to_owned()]).unwrap()
    }
}
