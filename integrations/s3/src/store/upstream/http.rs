//! Requests to an endpoint of S3, and what its answers mean.

use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc;

use super::endpoint::{Connections, Endpoint, EndpointError};
use super::outgoing::Outgoing;
use super::sign::{self, Signed, UNSIGNED, encoded, sha256};
use super::xml::Element;
use crate::store::StoreError;

/// How long an endpoint may be silent.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long it may take to put the parts of an upload together.
const JOINING_TIME_MAX: Duration = Duration::from_secs(600);
/// How often a request is tried that changes nothing when it is done twice, and the pause before it is tried again.
const ATTEMPTS_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);
/// Longest answer that is not an object's content.
const ANSWER_LEN_MAX: usize = 16 << 20;

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
    pool: Connections,
    endpoint: Endpoint,
    /// Scheme and authority.
    base: String,
    host: HeaderValue,
}

impl Client {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, EndpointError> {
        let (base, host) = endpoint.base()?;
        let pool = endpoint.connections()?;
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
        accepted(self.send(ask, Outgoing::coming(bytes, len), UNSIGNED).await?).await
    }

    /// Asks for content; the answer's body is still to come.
    pub(super) async fn open(&self, ask: &Ask<'_>) -> Result<Response<Incoming>, StoreError> {
        let mut attempt = 1;
        loop {
            let opened = self.open_once(ask).await;
            let again = matches!(opened, Err(StoreError::Unavailable(_)));
            if !again || attempt >= ATTEMPTS_MAX {
                return opened;
            }
            tokio::time::sleep(PAUSE.saturating_mul(attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    async fn open_once(&self, ask: &Ask<'_>) -> Result<Response<Incoming>, StoreError> {
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
