//! What an entry says and how it is spelled in JSON. Pure. An entry is written as a JSON object
//! without its closing brace: the chain's fields come last. `docs/formats.md` §7.

use super::api::Api;
use super::chain::{push_decimal, push_padded};
use super::form::Form;
use std::net::{IpAddr, SocketAddr};

/// Longest string of a client that is written out, in bytes; the rest is cut off and marked. No
/// identifier of ours is near it.
const TEXT_BYTES_MAX: usize = 512;

/// Before or after the operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Before it is carried out.
    #[default]
    Request,
    /// Before its response leaves.
    Response,
}

impl Phase {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// One line of the audit.
#[derive(Clone, Debug)]
pub enum Entry<'a> {
    /// A KMIP batch item.
    Kmip(Kmip<'a>),
    /// A request of the HTTP API.
    Api(Box<Api<'a>>),
}

/// A KMIP batch item. What is not known (yet) is `None` and left out.
#[derive(Clone, Debug)]
pub struct Kmip<'a> {
    /// Before or after.
    pub phase: Phase,
    /// Microseconds since 1970.
    pub time_us: i64,
    /// The same in both entries of a request: our own number of it.
    pub id: &'a str,
    /// Which batch item of the request, from 0.
    pub item: u32,
    /// The mount's path, such as `kmip/`.
    pub mount: &'a str,
    /// The scope's name.
    pub scope: Option<&'a str>,
    /// The role's name.
    pub role: Option<&'a str>,
    /// The client certificate's serial number.
    pub serial: Option<&'a str>,
    /// The operation's name in the specification.
    pub operation: &'a str,
    /// The managed object concerned.
    pub unique_identifier: Option<&'a str>,
    /// Its type's name in the specification.
    pub object_type: Option<&'a str>,
    /// The protocol version of the request, major and minor.
    pub version: (u32, u32),
    /// Why it was refused, by the specification's name; `None` in a response is success.
    pub result_reason: Option<&'a str>,
    /// The client's address.
    pub remote: Option<SocketAddr>,
}

impl Entry<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>, form: &Form) {
        match self {
            Self::Kmip(kmip) => kmip.write(out),
            Self::Api(api) => api.write(out, form),
        }
    }

    /// Microseconds since 1970.
    pub(super) fn time_us(&self) -> i64 {
        match self {
            Self::Kmip(kmip) => kmip.time_us,
            Self::Api(api) => api.time_us,
        }
    }
}

impl Kmip<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::begin(out, self.time_us, "kmip");
        object.text("phase", self.phase.text());
        object.text("id", self.id);
        object.number("item", u64::from(self.item));
        object.text("mount_point", self.mount);
        object.optional("scope", self.scope);
        object.optional("role", self.role);
        object.optional("serial", self.serial);
        object.text("operation", self.operation);
        object.optional("unique_identifier", self.unique_identifier);
        object.optional("object_type", self.object_type);
        object.key("version");
        object.out.push(b'"');
        push_decimal(object.out, u64::from(self.version.0));
        object.out.push(b'.');
        push_decimal(object.out, u64::from(self.version.1));
        object.out.push(b'"');
        if self.phase == Phase::Response {
            object.text("result", if self.result_reason.is_none() { "success" } else { "failure" });
        }
        object.optional("result_reason", self.result_reason);
        object.remote(self.remote);
    }
}

/// A JSON object being written, field by field.
pub(super) struct Object<'o> {
    pub(super) out: &'o mut Vec<u8>,
}

impl<'o> Object<'o> {
    /// Every line begins with when and what.
    pub(super) fn begin(out: &'o mut Vec<u8>, time_us: i64, kind: &str) -> Self {
        out.extend_from_slice(b"{\"time\":\"");
        push_time(out, time_us);
        out.push(b'"');
        let mut object = Self { out };
        object.text("type", kind);
        object
    }

    pub(super) fn key(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        push_text(self.out, value);
    }

    pub(super) fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(super) fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        push_decimal(self.out, value);
    }

    fn remote(&mut self, remote: Option<SocketAddr>) {
        if let Some(remote) = remote {
            self.key("remote_address");
            self.out.push(b'"');
            push_address(self.out, remote.ip());
            self.out.push(b'"');
            self.number("remote_port", u64::from(remote.port()));
        }
    }
}

fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (place, octet) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                push_decimal(out, u64::from(octet));
            }
        }
        IpAddr::V6(address) => out.extend_from_slice(address.to_string().as_bytes()),
    }
}

/// A JSON string; cut off, with an ellipsis, where it is longer than [`TEXT_BYTES_MAX`].
fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if text.len() <= TEXT_BYTES_MAX && text.as_bytes().iter().all(plain) {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    let mut written = 0;
    for character in text.chars() {
        written += character.len_utf8();
        if written > TEXT_BYTES_MAX {
            out.extend_from_slice("…".as_bytes());
            break;
        }
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            // Control characters, and what would break lines in some readers.
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// A moment in microseconds since 1970, as entries write it.
pub fn timestamp(time_us: i64) -> String {
    let mut text = Vec::new();
    push_time(&mut text, time_us);
    String::from_utf8_lossy(&text).into_owned()
}

/// RFC 3339 with microseconds, in UTC.
pub(super) fn push_time(out: &mut Vec<u8>, time_us: i64) {
    let (seconds, micros) = (time_us.div_euclid(1_000_000), time_us.rem_euclid(1_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let fields = [(year, 4, b'-'), (month, 2, b'-'), (day, 2, b'T')];
    let clock = [(second / 3600, 2, b':'), (second / 60 % 60, 2, b':'), (second % 60, 2, b'.')];
    for (value, width, after) in fields.into_iter().chain(clock).chain([(micros, 6, b'Z')]) {
        push_padded(out, value.unsigned_abs(), width);
        out.push(after);
    }
}

/// RFC 3339 with whole seconds, in UTC.
pub(crate) fn seconds_text(seconds: i64) -> String {
    let mut out = Vec::new();
    push_time(&mut out, seconds.saturating_mul(1_000_000));
    let text = String::from_utf8(out).unwrap_or_default();
    text.replace(".000000Z", "Z")
}

/// The date of a day counted from 1970-01-01, by counting years from March so that the leap day is
/// the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(time_us: i64) -> String {
        let mut out = Vec::new();
        push_time(&mut out, time_us);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(time(951_827_696_000_001), "2000-02-29T12:34:56.000001Z");
        assert_eq!(time(1_795_305_599_999_999), "2026-11-21T23:59:59.999999Z");
        assert_eq!(time(4_107_542_400_000_000), "2100-03-01T00:00:00.000000Z");
        assert_eq!(time(-1), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn hostile_text_stays_one_json_string() {
        for text in ["", "a\"b\\c", "\n\r\t\0\x7f", "\u{2028}é😀", "\",\"hash\":\""] {
            let mut out = Vec::new();
            push_text(&mut out, text);
            assert!(!out.contains(&b'\n'));
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
        let mut out = Vec::new();
        push_text(&mut out, &"é".repeat(100_000));
        let cut: String = serde_json::from_slice(&out).unwrap();
        assert!(cut.len() < 520 && cut.ends_with("é…"));
    }
}
