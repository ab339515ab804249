//! Requests to an endpoint of S3, and what its answers mean.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::mpsc;

use super::sign::{self, Credentials, Signed, UNSIGNED, encoded, sha256};
use super::xml::Element;
use crate::store::StoreError;

/// How long a connection may take to come about.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How long an endpoint may be silent.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long it may take to put the parts of an upload together.
const JOINING_TIME_MAX: Duration = Duration::from_secs(600);
/// Idle connections go before most endpoints close them.
const IDLE_TIME_MAX: Duration = Duration::from_secs(4);
/// How often a request is tried that changes nothing when it is done twice, and the pause before it is tried again.
const ATTEMPTS_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);
/// Longest answer that is not an object's content.
const ANSWER_LEN_MAX: usize = 16 << 20;

/// Where the store is, and who asks there.
pub struct Endpoint {
    /// `http://HOST[:PORT]` or `https://HOST[:PORT]`.
    pub url: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Who asks.
    pub credentials: Credentials,
    /// PEM file of the authorities that its certificate may come from; else those that the system trusts.
    pub authorities: Option<PathBuf>,
}

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It is no address of one.
    #[error("{0}: this is no http://HOST[:PORT] or https://HOST[:PORT]")]
    Url(String),
    /// The file of authorities.
    #[error("{path}: {reason}")]
    Authorities {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// The system trusts nobody.
    #[error("the system has no certificates of authorities: name a file")]
    NoAuthorities,
    /// The cryptographic library refuses.
    #[error("{0}")]
    Tls(#[from] rustls::Error),
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// None for the list of buckets.
    pub(super) bucket: &'a str,
    /// None for the bucket itself.
    pub(super) key: Option<&'a str>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl<'a> Ask<'a> {
    /// About a bucket.
    pub(super) fn bucket(method: Method, bucket: &'a str) -> Self {
        Self { method, bucket, key: None, query: Vec::new(), headers: Vec::new() }
    }

    /// About an object.
    pub(super) fn object(method: Method, bucket: &'a str, key: &'a str) -> Self {
        Self { method, bucket, key: Some(key), query: Vec::new(), headers: Vec::new() }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With the version, if one is named.
    pub(super) fn version(self, version: Option<&str>) -> Self {
        match version {
            Some(version) => self.query("versionId", version),
            None => self,
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Whether it may be done twice.
    fn repeatable(&self) -> bool {
        let conditional = |(name, _): &(&str, String)| name.starts_with("if-");
        self.method != Method::POST && !self.headers.iter().any(conditional)
    }
}

/// An answer that has been read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn xml(&self) -> Result<Element, StoreError> {
        Element::read(&String::from_utf8_lossy(&self.body))
    }

    /// The entity tag, without its quotes.
    pub(super) fn etag(&self) -> Result<String, StoreError> {
        let etag = self.header("etag").map(|etag| etag.trim_matches('"').to_owned());
        etag.ok_or_else(|| StoreError::Failed("an answer has no entity tag".to_owned()))
    }
}

/// What asks.
pub(super) struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Outgoing>,
    endpoint: Endpoint,
    /// Scheme and authority.
    base: String,
    host: HeaderValue,
}

impl Client {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, EndpointError> {
        let bad = || EndpointError::Url(endpoint.url.clone());
        let uri: Uri = endpoint.url.parse().map_err(|_| bad())?;
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        let plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !matches!(scheme, "http" | "https") || !plain || authority.contains('@') {
            return Err(bad());
        }
        let host = HeaderValue::from_str(authority).map_err(|_| bad())?;
        let base = format!("{scheme}://{authority}");
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME_MAX));
        let tls = tls(scheme == "https", &endpoint)?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIME_MAX)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { pool, endpoint, base, host })
    }

    /// The region that requests are signed for.
    pub(super) fn region(&self) -> &str {
        &self.endpoint.region
    }

    /// Asks, and reads the answer, which is none if it is a refusal.
    pub(super) async fn ask(&self, ask: Ask<'_>, body: Bytes) -> Result<Answer, StoreError> {
        let mut attempt = 1;
        loop {
            let answer = self.once(&ask, body.clone()).await;
            let again = matches!(answer, Err(StoreError::Unavailable(_)));
            if !again || attempt >= ATTEMPTS_MAX || !ask.repeatable() {
                return answer;
            }
            tokio::time::sleep(PAUSE.saturating_mul(attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Looks at an object: the status and the headers of the answer, whether it is there or not.
    pub(super) async fn look(&self, ask: &Ask<'_>) -> Result<(StatusCode, HeaderMap), StoreError> {
        let mut attempt = 1;
        loop {
            let payload = sha256(b"");
            let sent = self.send(ask, Outgoing::whole(Bytes::new()), &payload);
            let sent =
                tokio::time::timeout(SILENCE_MAX, sent).await.unwrap_or_else(|_| Err(silent()));
            let found = sent.and_then(|response| match response.status().as_u16() {
                200..=299 | 400 | 404 | 405 => Ok((response.status(), response.headers().clone())),
                _ => Err(refusal(response.status(), b"")),
            });
            let again = matches!(found, Err(StoreError::Unavailable(_)));
            if !again || attempt >= ATTEMPTS_MAX {
                return found;
            }
            tokio::time::sleep(PAUSE.saturating_mul(attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    async fn once(&self, ask: &Ask<'_>, body: Bytes) -> Result<Answer, StoreError> {
        let payload = sha256(&body);
        let time = if ask.method == Method::POST { JOINING_TIME_MAX } else { SILENCE_MAX };
        let exchange = async {
            let response = self.send(ask, Outgoing::whole(body), &payload).await?;
            accepted(response).await
        };
        tokio::time::timeout(time, exchange).await.unwrap_or_else(|_| Err(silent()))
    }

    /// Begins to send bytes that are not all there yet.
    pub(super) async fn stream(
        &self,
        ask: &Ask<'_>,
        bytes: mpsc::Receiver<Bytes>,
        len: u64,
    ) -> Result<Answer, StoreError> {
        accepted(
            self.send(ask, Outgoing { bytes: Some(bytes), whole: None, left: len }, UNSIGNED)
                .await?,
        )
        .await
    }

    /// Asks for content; the answer's body is still to come.
    pub(super) async fn open(&self, ask: &Ask<'_>) -> Result<Response<Incoming>, StoreError> {
        let payload = sha256(b"");
        let sent = self.send(ask, Outgoing::whole(Bytes::new()), &payload);
        let response = tokio::time::timeout(SILENCE_MAX, sent).await.map_err(|_| silent())??;
        if response.status().is_success() {
            return Ok(response);
        }
        match accepted(response).await {
            Err(error) => Err(error),
            Ok(_) => Err(StoreError::Failed("an answer makes no sense".to_owned())),
        }
    }

    async fn send(
        &self,
        ask: &Ask<'_>,
        body: Outgoing,
        payload: &str,
    ) -> Result<Response<Incoming>, StoreError> {
        let mut path = String::from("/");
        path.push_str(&encoded(ask.bucket, false));
        if let Some(key) = ask.key {
            path.push('/');
            path.push_str(&encoded(key, true));
        }
        let mut query: Vec<String> = ask
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name, false), encoded(value, false)))
            .collect();
        query.sort_unstable();
        let query = query.join("&");
        let mut headers = HeaderMap::new();
        headers.insert(HOST, self.host.clone());
        for (name, value) in &ask.headers {
            let value = HeaderValue::from_str(value);
            let value = value.map_err(|_| StoreError::Failed(format!("{name} cannot be sent")))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let method = ask.method.as_str();
        let signed = Signed { method, path: &path, query: &query, payload };
        let (credentials, region) = (&self.endpoint.credentials, &self.endpoint.region);
        sign::sign(credentials, region, &signed, &mut headers, SystemTime::now())?;
        let mut uri = format!("{}{path}", self.base);
        if !query.is_empty() {
            uri.push('?');
            uri.push_str(&query);
        }
        let mut request = Request::new(body);
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() =
            uri.parse().map_err(|_| StoreError::Failed("a name cannot be asked for".to_owned()))?;
        *request.headers_mut() = headers;
        self.pool.request(request).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            StoreError::Unavailable(format!("{error}: {}", cause.unwrap_or_default()))
        })
    }
}

fn tls(needed: bool, endpoint: &Endpoint) -> Result<ClientConfig, EndpointError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &endpoint.authorities {
        let wrong = |reason: String| EndpointError::Authorities {
            path: path.display().to_string(),
            reason,
        };
        let found =
            CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("there is no certificate in it".to_owned()));
        }
    } else if needed {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(EndpointError::NoAuthorities);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config?.with_root_certificates(roots).with_no_client_auth())
}

fn silent() -> StoreError {
    StoreError::Unavailable("no answer in time".to_owned())
}

/// The answer, or what its refusal means.
async fn accepted(response: Response<Incoming>) -> Result<Answer, StoreError> {
    let (head, body) = response.into_parts();
    let body = tokio::time::timeout(JOINING_TIME_MAX, Limited::new(body, ANSWER_LEN_MAX).collect());
    let body = body.await.map_err(|_| silent())?;
    let body = body.map_err(|error| StoreError::Unavailable(error.to_string()))?.to_bytes();
    let is_error =
        || Element::read(&String::from_utf8_lossy(&body)).is_ok_and(|it| it.name() == "Error");
    // What takes long begins with 200 and says later that it failed.
    if !head.status.is_success() || (!body.is_empty() && is_error()) {
        return Err(refusal(head.status, &body));
    }
    Ok(Answer { headers: head.headers, body })
}

fn refusal(status: StatusCode, body: &[u8]) -> StoreError {
    let answer = Element::read(&String::from_utf8_lossy(body)).ok();
    let code = answer.as_ref().and_then(|answer| answer.text("Code")).unwrap_or_default();
    let text = || format!("{} {code}", status.as_u16());
    match (status.as_u16(), code) {
        (_, "NoSuchBucket") => StoreError::NoSuchBucket,
        (_, "NoSuchKey") => StoreError::NoSuchKey { delete_marker: None },
        (_, "NoSuchVersion") => StoreError::NoSuchVersion,
        (_, "NoSuchUpload") => StoreError::NoSuchUpload,
        (_, "InvalidPart") => StoreError::InvalidPart,
        (_, "BucketNotEmpty") => StoreError::BucketNotEmpty,
        (_, "BucketAlreadyOwnedByYou") => StoreError::BucketExists,
        (412, _) => StoreError::Precondition,
        (_, "ConditionalRequestConflict" | "OperationAborted") => StoreError::Busy,
        // The gateway's own credentials are no matter of its clients.
        (
            _,
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "RequestTimeTooSkewed"
            | "SlowDown",
        ) => StoreError::Unavailable(text()),
        (501, _) => StoreError::Refused { status: 501, code: "NotImplemented".to_owned() },
        (507, _) => StoreError::Full,
        (404, "") => StoreError::NoSuchKey { delete_marker: None },
        (403, "") => StoreError::Refused { status: 403, code: "AccessDenied".to_owned() },
        (400..=499, "") => {
            StoreError::Refused { status: status.as_u16(), code: "InvalidRequest".to_owned() }
        }
        (400..=499, code) if code.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            StoreError::Refused { status: status.as_u16(), code: code.to_owned() }
        }
        _ => StoreError::Unavailable(text()),
    }
}

/// What is sent: all at once, or as it comes.
pub(super) struct Outgoing {
    whole: Option<Bytes>,
    bytes: Option<mpsc::Receiver<Bytes>>,
    left: u64,
}

/// The bytes ended before they were all there: nothing of them shall be kept.
#[derive(Debug, thiserror::Error)]
#[error("a transfer was given up")]
pub(super) struct GivenUp;

impl Outgoing {
    fn whole(bytes: Bytes) -> Self {
        let left = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { whole: Some(bytes).filter(|bytes| !bytes.is_empty()), bytes: None, left }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        let mut next = self.whole.take();
        if let (None, Some(bytes)) = (&next, &mut self.bytes) {
            next = std::task::ready!(bytes.poll_recv(context));
        }
        match next {
            Some(bytes) => {
                let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                self.left = self.left.saturating_sub(len);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            None if self.left == 0 => Poll::Ready(None),
            None => Poll::Ready(Some(Err(GivenUp))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
