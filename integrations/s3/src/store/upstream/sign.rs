//! Signatures, version 4, in headers. Pure: the time is given.
//!
//! Libraries that sign keep addresses as URLs, which take `.` and `..` in a key for steps on a path; keys have no such steps.

use std::fmt::Write as _;
use std::time::SystemTime;

use aws_lc_rs::{digest, hmac};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use s3s::auth::SecretKey;
use s3s::dto::{Timestamp, TimestampFormat};

use crate::store::StoreError;

/// What stands for the hash of bytes that are not known when the request begins.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Who asks.
pub struct Credentials {
    /// The name of the key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: SecretKey,
    /// What goes with it, if it is only for a while.
    pub session_token: Option<String>,
}

/// What is signed of a request, beside its headers.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// Encoded.
    pub(super) path: &'a str,
    /// Encoded, in the order of its names.
    pub(super) query: &'a str,
    /// The hash of the payload, in hexadecimal, or [`UNSIGNED`].
    pub(super) payload: &'a str,
}

/// Signs a request: adds the headers that do.
pub(super) fn sign(
    credentials: &Credentials,
    region: &str,
    request: &Signed<'_>,
    headers: &mut HeaderMap,
    now: SystemTime,
) -> Result<(), StoreError> {
    let time = compact_time(now)?;
    let day = time.split('T').next().unwrap_or_default();
    let mut set = |name: &'static str, text: &str| -> Result<(), StoreError> {
        let value = HeaderValue::from_str(text);
        let value = value.map_err(|_| StoreError::Failed(format!("{name} cannot be sent")))?;
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    };
    set("x-amz-date", &time)?;
    set("x-amz-content-sha256", request.payload)?;
    if let Some(token) = &credentials.session_token {
        set("x-amz-security-token", token)?;
    }
    let (names, canonical) = canonical_headers(headers);
    let canonical = format!(
        "{}\n{}\n{}\n{canonical}\n{names}\n{}",
        request.method, request.path, request.query, request.payload
    );
    let scope = format!("{day}/{region}/s3/aws4_request");
    let hash = sha256(canonical.as_bytes());
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hash}");
    let secret = format!("AWS4{}", credentials.secret_key.expose());
    let secret = zeroize::Zeroizing::new(secret);
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    for step in [day, region, "s3", "aws4_request"] {
        key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, step.as_bytes()).as_ref());
    }
    let signature = hex(hmac::sign(&key, text.as_bytes()).as_ref());
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        credentials.access_key
    );
    let value = HeaderValue::from_str(&authorization);
    let mut value = value.map_err(|_| StoreError::Failed("the access key is none".to_owned()))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
}

/// The names of the headers that are signed, and a line for each.
fn canonical_headers(headers: &HeaderMap) -> (String, String) {
    let mut signed: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| *name == HOST || name.as_str().starts_with("x-amz-"))
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default().trim()))
        .collect();
    signed.sort_unstable();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let mut lines = String::new();
    for (name, value) in &signed {
        lines.push_str(&format!("{name}:{value}\n"));
    }
    (names.join(";"), lines)
}

/// `20130524T000000Z`
fn compact_time(now: SystemTime) -> Result<String, StoreError> {
    let mut text = Vec::new();
    Timestamp::from(now)
        .format(TimestampFormat::DateTime, &mut text)
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&text);
    let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
    Ok(seconds.chars().filter(|character| !"-:".contains(*character)).collect::<String>() + "Z")
}

/// A path or a query as signatures want it: every byte but letters, digits and `-._~` as `%XX`; of a path, `/` stays.
pub(super) fn encoded(text: &str, is_path: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b'/' if is_path => encoded.push('/'),
            // A String takes everything.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

/// SHA-256 in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Amazon's own example: "Signature Calculations for the Authorization Header", GET Object and List Objects.
    #[test]
    fn the_examples_of_amazons_documentation_come_out() {
        let credentials = Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: SecretKey::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            session_token: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        let empty = sha256(b"");
        let signature = |path: &str, query: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("examplebucket.s3.amazonaws.com"));
            let request = Signed { method: "GET", path, query, payload: &empty };
            sign(&credentials, "us-east-1", &request, &mut headers, now).unwrap();
            assert_eq!(headers["x-amz-date"], "20130524T000000Z");
            let authorization = headers[AUTHORIZATION].to_str().unwrap().to_owned();
            authorization.rsplit('=').next().unwrap().to_owned()
        };
        assert_eq!(
            signature("/", "max-keys=2&prefix=J"),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
        assert_eq!(
            signature("/", "lifecycle="),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
    }

    #[test]
    fn every_byte_of_a_key_is_encoded_but_those_that_are_plain() {
        assert_eq!(encoded("a/../é +~", true), "a/../%C3%A9%20%2B~");
        assert_eq!(encoded("a/b=", false), "a%2Fb%3D");
    }
}
