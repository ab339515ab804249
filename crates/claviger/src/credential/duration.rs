//! When a certificate ends, and lengths of time as people write them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

/// The end of a certificate's life.
pub(super) struct Expiry(ASN1Time);

impl Expiry {
    /// Of the first certificate in a PEM text.
    pub(super) fn of(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        Some(Self(certificate.validity().not_after))
    }

    /// Whether it comes within so many seconds, or is past.
    pub(super) fn is_within(&self, seconds: i64) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        self.0.timestamp() <= now.saturating_add(seconds)
    }
}

impl fmt::Display for Expiry {
    /// RFC 3339, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.0.to_datetime();
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Reads `90`, `90s`, `15m`, `12h`, `30d` or `2w` as seconds.
pub(super) fn duration(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        Some("d") => 86_400,
        Some("w") => 604_800,
        _ => return Err(String::from("write a number and s, m, h, d or w, as in 30d")),
    };
    let count: u32 = digits.parse().map_err(|_| String::from("write a number, as in 30d"))?;
    i64::from(count).checked_mul(unit).ok_or_else(|| String::from("that is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        assert_eq!(duration("90"), Ok(90));
        assert_eq!(duration("15m"), Ok(900));
        assert_eq!(duration("30d"), Ok(2_592_000));
        assert_eq!(duration("2w"), Ok(1_209_600));
        for bad in ["", "d", "-1d", "1.5h", "1y", "1 d", "99999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
