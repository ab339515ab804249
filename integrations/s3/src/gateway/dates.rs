//! The time of a signature: version 4 allows it in `Date` where `X-Amz-Date` is absent; s3s knows only the latter.

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, DATE};
use s3s::dto::{Timestamp, TimestampFormat};

const AMZ_DATE: &str = "x-amz-date";

/// Writes `Date` anew as `X-Amz-Date`. If it is not what was signed, the signature does not match.
pub(super) fn complete(headers: &mut HeaderMap) {
    if headers.contains_key(AMZ_DATE) || !headers.contains_key(AUTHORIZATION) {
        return;
    }
    let date = headers.get(DATE).and_then(|date| amz_date(date.to_str().ok()?));
    if let Some(date) = date.and_then(|date| date.parse().ok()) {
        headers.insert(AMZ_DATE, date);
    }
}

fn amz_date(date: &str) -> Option<String> {
    // botocore writes it as mail does.
    let mail = date.strip_suffix("-0000").or_else(|| date.strip_suffix("+0000"));
    let date = mail.map_or_else(|| date.to_owned(), |date| format!("{date}GMT"));
    let time = Timestamp::parse(TimestampFormat::HttpDate, &date).ok()?;
    let mut text = Vec::new();
    time.format(TimestampFormat::DateTime, &mut text).ok()?;
    let text = String::from_utf8(text).ok()?.replace(['-', ':'], "");
    let seconds = text.split(['.', 'Z']).next()?;
    Some(format!("{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_signatures_have_it() {
        let date = amz_date("Fri, 24 May 2013 00:00:07 GMT");
        assert_eq!(date.as_deref(), Some("20130524T000007Z"));
        let date = amz_date("Fri, 24 May 2013 00:00:07 -0000");
        assert_eq!(date.as_deref(), Some("20130524T000007Z"));
        assert_eq!(amz_date("yesterday"), None);
    }
}
