//! What s3s leaves out of answers, or writes otherwise than S3.

use hyper::Response;
use hyper::body::Bytes;
use s3s::Body;

/// Puts the request's identifier into the XML of a refusal, where clients look for it.
pub(super) fn name_request(response: &mut Response<Body>, id: &str) {
    if response.status().is_success() {
        return;
    }
    change(response, |xml| {
        let (before, after) = xml.rsplit_once("</Error>")?;
        Some(format!("{before}<RequestId>{id}</RequestId></Error>{after}"))
    });
}

/// In GetObjectAttributes, and only there, an entity tag has no quotes.
pub(super) fn unquote_etag(response: &mut Response<Body>) {
    change(response, |xml| {
        let (before, rest) = xml.split_once("<ETag>")?;
        let (etag, after) = rest.split_once("</ETag>")?;
        let etag = etag.replace("&quot;", "").replace('"', "");
        Some(format!("{before}<ETag>{etag}</ETag>{after}"))
    });
}

/// Changes a body that is XML and whole in memory.
fn change(response: &mut Response<Body>, change: impl Fn(&str) -> Option<String>) {
    let Some(bytes) = response.body().bytes() else { return };
    if let Some(changed) = str::from_utf8(&bytes).ok().and_then(change) {
        *response.body_mut() = Body::from(Bytes::from(changed));
    }
}
