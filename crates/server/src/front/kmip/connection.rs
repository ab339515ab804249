//! One connection: handshake, then request after request.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use claviger_kmip::tags;
use claviger_ttlv::{FrameLength, Writer, frame_length};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::listener::{Doorway, Shared};
use crate::dispatch::{Next, Peer, Service};
use crate::mount::Identity;

/// What a buffer begins with: most requests and answers fit.
const BUFFER_BYTES: usize = 4 << 10;
/// A buffer that grew larger is given back when it is empty.
const BUFFER_BYTES_KEPT: usize = 64 << 10;

/// A connection that was accepted.
pub(super) struct Accepted {
    pub remote: SocketAddr,
    pub mount_path: Arc<str>,
    pub doorway: Doorway,
    pub stopping: watch::Receiver<bool>,
}

/// Serves one connection until it ends.
pub(super) async fn run(stream: TcpStream, accepted: Accepted, shared: &Shared) {
    let Accepted { remote, mount_path, doorway, stopping } = accepted;
    // Answers are written whole: waiting to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let service = &shared.service;
    let handshake = TlsAcceptor::from(doorway.tls.clone()).accept(stream);
    let shaken = tokio::select! {
        shaken = timeout(service.resources.limits.handshake_timeout, handshake) => shaken,
        () = stopped(stopping.clone()) => return,
    };
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return refuse_handshake(remote, &mount_path, &error),
        Err(_) => {
            let error = io::Error::new(io::ErrorKind::TimedOut, "no handshake in time");
            return refuse_handshake(remote, &mount_path, &error);
        }
    };
    let Some(identity) = identify(&stream, &doorway, service.clock.now()) else {
        let error = io::Error::other("the client certificate has no usable serial number");
        return refuse_handshake(remote, &mount_path, &error);
    };
    let serial_text = identity.serial().to_string().into();
    let peer = Peer { mount: shared.mount, mount_path, identity, serial_text, remote };
    // Who is refused hears it from `dispatch`, in the answer to its first request: an end without
    // a word would be taken for an outage. The handshake is no place for it, as a session that is
    // resumed shows no certificate.
    let is_refused =
        service.access.authenticate(peer.mount, &peer.identity).is_err_and(|refusal| {
            tracing::info!(
                target: "claviger::refused",
                peer = %remote,
                serial = %peer.serial_text,
                hint = %refusal,
                "credential refused"
            );
            refusal.is_final()
        });
    let limits = &service.resources.limits;
    let idle_timeout = if is_refused { limits.handshake_timeout } else { limits.idle_timeout };
    let mut connection = Connection {
        stream,
        request: Vec::with_capacity(BUFFER_BYTES),
        answer: Writer::with_buffer(Vec::with_capacity(BUFFER_BYTES)),
        begun: None,
        is_refused,
        idle_timeout,
        patience: Patience::new(after(Instant::now(), idle_timeout)),
    };
    let outcome = connection.serve(service, &peer, stopping).await;
    if let Err(error) = outcome {
        tracing::debug!(peer = %remote, %error, "a KMIP connection ended early");
    }
    let _ = timeout(Duration::from_secs(1), connection.stream.shutdown()).await;
}

fn refuse_handshake(remote: SocketAddr, mount: &str, error: &io::Error) {
    tracing::info!(
        target: "claviger::refused",
        peer = %remote,
        mount,
        reason = %error,
        hint = hint(error),
        "handshake refused"
    );
}

/// What an operator can do about a handshake that failed.
fn hint(error: &io::Error) -> &'static str {
    let text = error.to_string().to_lowercase();
    let has = |word: &str| text.contains(word);
    if has("nocertificatespresented") || has("no certificates") || has("no client") {
        "the client sends no certificate: give it one of this mount's credentials"
    } else if has("unknownissuer") || has("unknown issuer") || has("badsignature") {
        "the client's certificate is not of this mount's CA: generate a credential here"
    } else if has("expired") {
        "the client's certificate has expired: generate a new credential"
    } else if has("unknownca") || has("unknown ca") || has("badcertificate") {
        "the client does not trust this server: give it the mount's CA"
    } else if has("nociphersuites") || has("protocol") || has("version") {
        "the client and the server share no TLS version or cipher suite"
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        "the client went away: it may not trust this server, or not be a TLS client"
    } else if error.kind() == io::ErrorKind::TimedOut {
        "the client connected and then kept silent"
    } else {
        "the client's side of the connection may say more"
    }
}

fn identify(stream: &TlsStream<TcpStream>, doorway: &Doorway, now: i64) -> Option<Identity> {
    let (_, session) = stream.get_ref();
    doorway.clients.identify(session.peer_certificates()?, now)
}

struct Connection {
    stream: TlsStream<TcpStream>,
    /// Bytes that came and are not answered yet.
    request: Vec<u8>,
    answer: Writer,
    /// When the request that is incomplete began to come.
    begun: Option<Instant>,
    /// The client's certificate was refused when it came: one answer, and no more.
    is_refused: bool,
    /// How long the next request is waited for.
    idle_timeout: Duration,
    patience: Patience,
}

/// A timer for deadlines that move with every request. It is set anew only when a deadline comes
/// sooner than it would go off, or when it goes off too soon: most requests leave it alone.
struct Patience(Pin<Box<Sleep>>);

impl Patience {
    fn new(deadline: Instant) -> Self {
        Self(Box::pin(sleep_until(deadline)))
    }

    /// Waits for what is done before the deadline.
    async fn within<T>(
        &mut self,
        deadline: Instant,
        work: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        tokio::select! {
            biased;
            done = work => done,
            () = self.end(deadline) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn end(&mut self, deadline: Instant) {
        if deadline < self.0.deadline() {
            self.0.as_mut().reset(deadline);
        }
        loop {
            self.0.as_mut().await;
            if deadline <= Instant::now() {
                return;
            }
            self.0.as_mut().reset(deadline);
        }
    }
}

/// The end of a time-out; one that is too long to count never ends.
fn after(begun: Instant, timeout: Duration) -> Instant {
    const FAR: Duration = Duration::from_hours(24 * 365);
    begun.checked_add(timeout.min(FAR)).unwrap_or(begun)
}

impl Connection {
    async fn serve(
        &mut self,
        service: &Service,
        peer: &Peer,
        stopping: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let limits = service.resources.limits.ttlv();
        let stopping_now = stopping.clone();
        let mut stopped = pin!(stopped(stopping));
        // Whether the server stops, and a request has been answered since.
        let mut is_last = false;
        loop {
            match frame_length(&self.request, tags::REQUEST_MESSAGE, &limits) {
                Ok(FrameLength::Known(length)) if length <= self.request.len() => {
                    let next = self.answer_one(service, peer, length).await?;
                    if next == Next::Close || self.is_refused {
                        return Ok(());
                    }
                    is_last = *stopping_now.borrow();
                }
                // What has only begun behind it is not waited for: a client that never pauses would
                // hold up a listener that closes, and a server that seals.
                Ok(_) if is_last => return Ok(()),
                Ok(_) => {
                    if !self.receive(service, stopped.as_mut()).await? {
                        return Ok(());
                    }
                }
                Err(_) => {
                    // Where the next request would begin is not known: this is the last answer.
                    self.answer_one(service, peer, self.request.len()).await?;
                    return Ok(());
                }
            }
        }
    }

    /// Answers the first `length` bytes.
    async fn answer_one(
        &mut self,
        service: &Service,
        peer: &Peer,
        length: usize,
    ) -> io::Result<Next> {
        let request = self.request.get(..length).unwrap_or_default();
        let next = service.answer(peer, request, &mut self.answer).await;
        let deadline = after(Instant::now(), service.resources.limits.transfer_timeout);
        let Self { stream, answer, patience, .. } = self;
        let sent = patience.within(deadline, async {
            // One write: one TLS record, unless it is larger than a record can be.
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await
        });
        let sent = sent.await;
        self.begun = None;
        // Either may have held a key.
        let answered = self.answer.len();
        self.answer.truncate(0);
        if answered > BUFFER_BYTES_KEPT {
            self.answer = Writer::with_buffer(Vec::with_capacity(BUFFER_BYTES));
        }
        if let Some(done) = self.request.get_mut(..length) {
            done.fill(0);
        }
        // What came behind it moves to the front, and leaves no copy of itself.
        let length = length.min(self.request.len());
        self.request.rotate_left(length);
        self.request.truncate(self.request.len().saturating_sub(length));
        if self.request.is_empty() && self.request.capacity() > BUFFER_BYTES_KEPT {
            self.request = Vec::with_capacity(BUFFER_BYTES);
        }
        sent.map(|()| next)
    }

    /// Waits for more bytes; `false` if the connection has ended well or the server stops.
    async fn receive(
        &mut self,
        service: &Service,
        stopped: Pin<&mut impl Future<Output = ()>>,
    ) -> io::Result<bool> {
        let limits = &service.resources.limits;
        let now = Instant::now();
        let is_between = self.request.is_empty();
        let deadline = if is_between {
            self.begun = None;
            after(now, self.idle_timeout)
        } else {
            // For the whole request: a byte now and then does not buy more.
            after(*self.begun.get_or_insert(now), limits.transfer_timeout)
        };
        let Self { stream, request, patience, .. } = self;
        let received = tokio::select! {
            biased;
            received = patience.within(deadline, stream.read_buf(request)) => received,
            () = stopped, if is_between => return Ok(false),
        };
        match received {
            Ok(bytes) => Ok(bytes > 0),
            // A client that ends without close_notify is common, and fine between requests.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && is_between => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Resolves when the server stops.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    // The sender lives as long as the server: an error means that it is gone.
    let _ = stopping.wait_for(|stopping| *stopping).await.map(|_| ());
}
