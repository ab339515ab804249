//! The HTTP door: sockets and HTTP/1.1 on one side, [`vault::Api`] on the other.
//!
//! Knows headers and bodies, no path and no field. Plain HTTP is meant for loopback.

mod download;
mod serve;
mod shaped;
mod tls;
pub mod vault;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use axum::http::{Response, StatusCode};

use vault::{Answer, Api, Incoming, JSON, Payload};

pub use serve::serve;
pub use tls::{Tls, TlsError, TlsFiles};

/// The longest body of whoever has a token: Vault's limit.
const BODY_BYTES_MAX: usize = 32 << 20;
/// The longest body of anybody else: no request that needs no token has one worth reading.
const BODY_BYTES_MAX_ANONYMOUS: usize = 64 << 10;

/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The verified certificate of a connection's client, then those shown with it, in DER, on each of
/// its requests.
#[derive(Clone, Debug)]
struct ClientCertificates(Arc<[Vec<u8>]>);

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const WRAP_TTL: HeaderName = HeaderName::from_static("x-vault-wrap-ttl");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");

/// Everything that arrives goes to the API, whatever its method and path.
pub fn router(api: Arc<Api>) -> Router {
    Router::new().fallback(respond).with_state(api)
}

async fn respond(State(api): State<Arc<Api>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let text = |name| header(&parts.headers, name);
    let token = text(TOKEN).or_else(|| {
        let authorization = text(AUTHORIZATION)?;
        let (scheme, token) = authorization.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    let body = read(&api, token.clone(), body).await;
    let certificates = parts.extensions.get::<ClientCertificates>();
    let incoming = Incoming {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        namespace: one_text(&parts.headers, NAMESPACE),
        wrap_ttl: one_text(&parts.headers, WRAP_TTL),
        content_type: text(CONTENT_TYPE),
        remote: parts.extensions.get::<SocketAddr>().copied(),
        client_certificates: certificates.map(|shown| Arc::clone(&shown.0)).unwrap_or_default(),
        token,
        body,
    };
    let answered = tokio::task::spawn_blocking(move || api.handle(&incoming)).await;
    render(answered.unwrap_or_else(|_| Answer {
        status: 500,
        content_type: JSON,
        body: b"{\"errors\":[\"internal error\"]}\n".to_vec(),
        download: None,
    }))
}

/// The body, as far as whoever sends it may.
async fn read(api: &Arc<Api>, token: Option<String>, body: Body) -> Payload {
    let expected = body.size_hint().upper();
    let is_short = expected.is_some_and(|bytes| bytes <= BODY_BYTES_MAX_ANONYMOUS as u64);
    let most = match token {
        Some(token) if !is_short => {
            let api = api.clone();
            let known = tokio::task::spawn_blocking(move || api.knows_token(&token)).await;
            if known.unwrap_or(false) { BODY_BYTES_MAX } else { BODY_BYTES_MAX_ANONYMOUS }
        }
        _ => BODY_BYTES_MAX_ANONYMOUS,
    };
    tokio::time::timeout(BODY_TIMEOUT, collect(body, most)).await.unwrap_or(Payload::Cut)
}

async fn collect(mut body: Body, most: usize) -> Payload {
    let mut whole = Vec::new();
    loop {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        // What is no data is a trailer.
        let data = match frame.map(|frame| frame.map(|frame| frame.into_data())) {
            None => return Payload::Whole(whole),
            Some(Err(_)) => return Payload::Cut,
            Some(Ok(Err(_))) => continue,
            Some(Ok(Ok(data))) => data,
        };
        if whole.len().saturating_add(data.len()) > most {
            return Payload::TooLong;
        }
        whole.extend_from_slice(&data);
    }
}

/// The header's text; what is no text, and more than one, is no duration and no namespace either, and must
/// not be taken for no header.
fn one_text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(match (first.to_str(), values.next()) {
        (Ok(text), None) => text.to_owned(),
        _ => "not one text".to_owned(),
    })
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn render(answer: Answer) -> Response<Body> {
    let is_empty = answer.body.is_empty();
    if let Some(file) = answer.download {
        return download::render(file);
    }
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !is_empty {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    }
    response
}
