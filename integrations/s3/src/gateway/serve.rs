//! Sockets and HTTP/1.1, and what is refused before s3s sees it.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, EXPECT, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result, s3_error};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::chunks::{Chunked, is_chunked};
use super::ranges::Unranged;
use super::service::Service;
use super::unread::Watched;
use super::{Credentials, Gateway, answers, dates, failure, random_id};

/// What a gateway takes at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait.
    pub connections_max: usize,
    /// All headers of a request, in bytes.
    pub headers_len_max: usize,
    /// How long a request's headers may take, and a handshake of TLS.
    pub headers_time_max: Duration,
    /// How long a client may send nothing of its body, or take nothing of its answer.
    pub silence_max: Duration,
    /// How long transfers may go on after the gateway has been told to end.
    pub drain_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            headers_len_max: 16 << 10,
            headers_time_max: Duration::from_secs(30),
            silence_max: Duration::from_secs(60),
            drain_time_max: Duration::from_secs(30),
        }
    }
}

/// Longest XML body: CompleteMultipartUpload with 10,000 parts and their checksums.
const XML_LEN_MAX: usize = 4 << 20;
/// What a connection holds of its body at once, and of a request's head: a chunk of an object, which is then one write, and
/// leaves before the next one is asked for. What is wrong with that cuts an answer that has begun.
const BUFFER_LEN_MAX: usize = 256 << 10;
/// How long a presigned URL may be valid: a week.
const PRESIGNED_SECONDS_MAX: u32 = 604_800;
/// The pause after the system had no more sockets for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers on a socket, behind TLS if there is an acceptor, until `ended`; then lets transfers finish.
pub async fn serve(
    gateway: Arc<Gateway>,
    credentials: Credentials,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    ended: impl Future<Output = ()>,
) {
    let service = build(Arc::clone(&gateway), credentials);
    let upkeep = tokio::spawn(async move { gateway.upkeep().await });
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let mut ended = std::pin::pin!(ended);
    loop {
        let accepted = tokio::select! {
            () = &mut ended => break,
            accepted = accept(&listener, &places, limits.silence_max) => accepted,
        };
        let Some((socket, place)) = accepted else { continue };
        let service = service.clone();
        let watcher = graceful.watcher();
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => converse(socket, service, limits, watcher).await,
                Some(tls) => {
                    let shaken = tokio::time::timeout(limits.headers_time_max, tls.accept(socket));
                    match shaken.await {
                        Ok(Ok(socket)) => converse(socket, service, limits, watcher).await,
                        Ok(Err(error)) => tracing::debug!(%error, "no TLS came about"),
                        Err(_) => tracing::debug!("no TLS came about in time"),
                    }
                }
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_time_max, graceful.shutdown()).await.is_err() {
        tracing::warn!("transfers did not finish in time and are cut");
    }
    upkeep.abort();
}

/// Answers the requests of a connection.
async fn converse(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: S3Service,
    limits: Limits,
    watcher: Watcher,
) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers_time_max)
        .max_buf_size(BUFFER_LEN_MAX)
        .serve_connection(
            TokioIo::new(socket),
            service_fn(move |request| respond(service.clone(), request, limits)),
        );
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    silence_max: Duration,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((socket, _)) => {
            // Only a matter of speed.
            drop(socket.set_nodelay(true));
            // It would keep the answer's buffers and files.
            if let Err(error) = SockRef::from(&socket).set_tcp_user_timeout(Some(silence_max)) {
                tracing::warn!(%error, "a client that takes nothing of its answer is waited for");
            }
            Some((socket, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection was not accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn build(gateway: Arc<Gateway>, credentials: Credentials) -> S3Service {
    let mut config = S3Config::default();
    config.xml_max_body_size = XML_LEN_MAX;
    let config = Arc::new(StaticConfigProvider::new(Arc::new(config)));
    let mut unsigned = S3ServiceBuilder::new(Service(Arc::clone(&gateway)));
    unsigned.set_config(Arc::clone(&config) as _);
    let mut builder = S3ServiceBuilder::new(Service(gateway));
    builder.set_auth(credentials);
    builder.set_config(config);
    builder.set_route(Unranged(unsigned.build()));
    builder.build()
}

async fn respond(
    service: S3Service,
    request: Request<Incoming>,
    limits: Limits,
) -> Result<Response<Body>, Failed> {
    let method = request.method().clone();
    let attributes = Query(request.uri()).get("attributes").is_some();
    let waits = request.headers().contains_key(EXPECT);
    let admitted = admissible(&request, limits.headers_len_max);
    let (mut head, body) = request.into_parts();
    dates::complete(&mut head.headers);
    let (body, unread) = Watched::new(body, waits, limits.silence_max);
    let id = random_id().unwrap_or_default();
    let mut response = match admitted {
        Ok(()) => {
            let body = if is_chunked(&head.headers) {
                Body::http_body_unsync(Chunked::new(body))
            } else {
                Body::http_body_unsync(body)
            };
            let request = Request::from_parts(head, body);
            service.call(request).await.map_err(|_| Failed)?
        }
        Err(error) => {
            drop(body);
            error.to_http_response().map_err(|_| Failed)?
        }
    };
    if !unread.drain().await {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    tracing::debug!(%method, status = response.status().as_u16(), id, "answered");
    answers::name_request(&mut response, &id);
    if attributes && response.status().is_success() {
        answers::unquote_etag(&mut response);
    }
    if let Ok(id) = id.parse() {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    Ok(response)
}

/// An answer could not be made; the connection ends.
#[derive(Debug, thiserror::Error)]
#[error("no answer could be made")]
struct Failed;

/// Refuses what s3s would take and must not be taken.
fn admissible(request: &Request<Incoming>, headers_len_max: usize) -> S3Result<()> {
    let headers = request.headers();
    let lengths =
        headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len()));
    if lengths.fold(0, usize::saturating_add) > headers_len_max {
        return Err(failure::custom(
            "RequestHeaderSectionTooLarge",
            StatusCode::BAD_REQUEST,
            "Your request header section exceeds the maximum allowed size",
        ));
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let query = Query(request.uri());
    let form = text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("multipart/form-data"));
    if request.method() == Method::POST && form {
        // It would be held in memory.
        return Err(s3_error!(NotImplemented, "Uploads by forms are not implemented"));
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && headers.contains_key("x-amz-server-side-encryption") {
        return Err(s3_error!(
            InvalidArgument,
            "x-amz-server-side-encryption header is not supported for this operation."
        ));
    }
    if headers.get("content-md5").is_some_and(HeaderValue::is_empty) {
        return Err(s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid"));
    }
    let authorization = text(AUTHORIZATION).unwrap_or_default();
    if authorization.starts_with("AWS ") || query.get("AWSAccessKeyId").is_some() {
        return Err(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        ));
    }
    let in_header = |name: &str| {
        let mut parts = authorization.split([',', ' ']);
        parts.find_map(|part| part.trim().strip_prefix(name)).map(str::to_owned)
    };
    let in_query = query.get("X-Amz-Credential");
    let in_query = in_query.map(|scope| scope.replace("%2F", "/").replace("%2f", "/"));
    let mut scopes = in_header("Credential=").into_iter().chain(in_query);
    if scopes.any(|scope| scope.rsplit('/').nth(1) != Some("s3")) {
        // A signature for another service is over the body, which would be read before it is checked.
        return Err(s3_error!(
            AuthorizationHeaderMalformed,
            "The authorization is malformed; its scope must be of the service s3"
        ));
    }
    if let Some(expires) = query.get("X-Amz-Expires")
        && !expires.parse::<u32>().is_ok_and(|seconds| seconds <= PRESIGNED_SECONDS_MAX)
    {
        return Err(s3_error!(
            AuthorizationQueryParametersError,
            "X-Amz-Expires must be a number of seconds that is at most a week"
        ));
    }
    let in_query =
        query.get("X-Amz-SignedHeaders").map(|names| names.replace("%3B", ";").replace("%3b", ";"));
    let Some(signed) = in_header("SignedHeaders=").or(in_query) else { return Ok(()) };
    let signed: Vec<&str> = signed.split(';').collect();
    let mut bound =
        headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    if !signed.contains(&"host") || bound.any(|name| !signed.contains(&name)) {
        return Err(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed"
        ));
    }
    Ok(())
}

/// The parameters of a query, as they were sent.
struct Query<'a>(&'a Uri);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.query()?.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then_some(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SILENCE_MAX: Duration = Duration::from_millis(400);
    const SENT: usize = 32 << 20;

    /// A connection whose client does what it does, and what comes of an answer.
    async fn answer<F: Future>(
        client: impl FnOnce(TcpStream) -> F,
    ) -> (std::io::Result<()>, F::Output) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let places = Arc::new(Semaphore::new(1));
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut socket, _place) = accept(&listener, &places, SILENCE_MAX).await.unwrap();
        let content = vec![7; SENT];
        let sent = async move {
            socket.write_all(&content).await?;
            socket.shutdown().await
        };
        tokio::join!(sent, client(near))
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_loses_its_connection() {
        let (sent, near) = answer(|near| async { near }).await;
        assert_eq!(sent.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        drop(near);
    }

    #[tokio::test]
    async fn who_takes_little_of_an_answer_keeps_its_connection() {
        let slowly = |mut near: TcpStream| async move {
            let mut taken = Vec::new();
            let began = std::time::Instant::now();
            while began.elapsed() < SILENCE_MAX * 5 {
                tokio::time::sleep(SILENCE_MAX / 20).await;
                let mut some = vec![0; 64 << 10];
                near.read_exact(&mut some).await.unwrap();
                taken.extend(some);
            }
            near.read_to_end(&mut taken).await.unwrap();
            taken.len()
        };
        let (sent, taken) = answer(slowly).await;
        sent.unwrap();
        assert_eq!(taken, SENT);
    }
}
