//! Range headers that are no single range of bytes: S3 ignores them, as RFC 9110 §14.2 lets it, and answers with the whole object.
//!
//! s3s refuses them, and cannot be kept from seeing them, for they may be signed. Once the signature of such a request is checked,
//! a service that checks none answers it without the header.

use async_trait::async_trait;
use hyper::header::{AUTHORIZATION, HeaderMap, RANGE};
use hyper::http::Extensions;
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Request, Uri};
use s3s::dto::Range;
use s3s::route::S3Route;
use s3s::service::S3Service;
use s3s::{Body, S3Error, S3Request, S3Response, S3Result, s3_error};

/// Answers without a range; the service in it asks for no signature.
pub(super) struct Unranged(pub(super) S3Service);

#[async_trait]
impl S3Route for Unranged {
    fn is_match(
        &self,
        method: &Method,
        _uri: &Uri,
        headers: &HeaderMap,
        _extensions: &mut Extensions,
    ) -> bool {
        matches!(*method, Method::GET | Method::HEAD) && is_ignored(headers)
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let mut inner = Request::new(request.input);
        *inner.method_mut() = request.method;
        *inner.uri_mut() = unsigned(request.uri)?;
        *inner.headers_mut() = request.headers;
        inner.headers_mut().remove(RANGE);
        inner.headers_mut().remove(AUTHORIZATION);
        let response = self.0.call(inner).await.map_err(|_| s3_error!(InternalError))?;
        let (head, body) = response.into_parts();
        let mut answer = S3Response::with_status(body, head.status);
        answer.headers = head.headers;
        Ok(answer)
    }
}

fn is_ignored(headers: &HeaderMap) -> bool {
    let mut ranges = headers.get_all(RANGE).iter();
    let Some(range) = ranges.next() else { return false };
    // s3s takes a range without any number for the last zero bytes.
    let is_single = |range: &str| range != "bytes=-" && Range::parse(range).is_ok();
    let single = range.to_str().is_ok_and(is_single);
    !single || ranges.next().is_some()
}

/// The address without the signature of a presigned one.
fn unsigned(uri: Uri) -> S3Result<Uri> {
    let Some(query) = uri.query() else { return Ok(uri) };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("X-Amz-")).collect();
    let place = format!("{}?{}", uri.path(), kept.join("&"));
    let place = PathAndQuery::try_from(place).map_err(S3Error::internal_error)?;
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(place);
    Uri::from_parts(parts).map_err(S3Error::internal_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_range_is_minded() {
        let ignored = |ranges: &[&str]| {
            let mut headers = HeaderMap::new();
            for range in ranges {
                headers.append(RANGE, range.parse().unwrap());
            }
            is_ignored(&headers)
        };
        for range in ["bytes=0-0", "bytes=5-", "bytes=-5", "bytes=-0"] {
            assert!(!ignored(&[range]), "{range}");
        }
        assert!(!ignored(&[]));
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=0-1",
        ] {
            assert!(ignored(&[range]), "{range}");
        }
        assert!(ignored(&["bytes=0-1", "bytes=0-1"]));
    }

    #[test]
    fn the_signature_of_an_address_goes_and_nothing_else() {
        let of = |uri: &str| unsigned(uri.parse().unwrap()).unwrap().to_string();
        assert_eq!(of("/b/k"), "/b/k");
        assert_eq!(
            of("/b/k%20?X-Amz-Date=1&versionId=%2B&X-Amz-Signature=2"),
            "/b/k%20?versionId=%2B"
        );
        assert_eq!(of("/b/k?X-Amz-Date=1"), "/b/k?");
    }
}
