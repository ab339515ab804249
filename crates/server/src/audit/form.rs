//! How entries are spelled for one device: its key for hashes, its options. Pure.

use super::chain;
use super::config::{DeviceConfig, Spelling};
use super::entry::{Entry, Object};
use aws_lc_rs::hmac;

/// Turns sensitive strings into keyed hashes: whoever knows a value can look for it, whoever reads
/// the audit cannot guess it without the key.
pub(super) struct Form {
    key: hmac::Key,
    spelling: Spelling,
}

impl Form {
    pub(super) fn new(key: &[u8; 32], spelling: Spelling) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), spelling }
    }

    /// `hmac-sha256:` and 64 hexadecimal digits, as Vault writes it.
    pub(super) fn hash(&self, text: &str) -> String {
        let tag = hmac::sign(&self.key, text.as_bytes());
        let mut hashed = b"hmac-sha256:".to_vec();
        chain::push_hex(&mut hashed, tag.as_ref());
        String::from_utf8(hashed).unwrap_or_default()
    }

    /// A string of request or response data, or a token.
    pub(super) fn secret(&self, text: &str) -> String {
        if self.spelling.raw { text.to_owned() } else { self.hash(text) }
    }

    pub(super) fn accessor(&self, text: &str) -> String {
        if self.spelling.plain_accessor { text.to_owned() } else { self.secret(text) }
    }

    pub(super) fn elides_list_responses(&self) -> bool {
        self.spelling.elide_list_responses
    }

    /// Writes the entries one behind the other; each ends at the next of `ends`.
    pub(super) fn spell(&self, entries: &[Entry<'_>], out: &mut Vec<u8>, ends: &mut Vec<usize>) {
        out.clear();
        ends.clear();
        for entry in entries {
            out.extend_from_slice(self.spelling.prefix.as_bytes());
            entry.write(out, self);
            ends.push(out.len());
        }
    }

    /// Writes the entry that says that the device is enabled from here on.
    pub(super) fn announce(&self, config: &DeviceConfig, now_us: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.spelling.prefix.as_bytes());
        let mut object = Object::begin(out, now_us, "enabled");
        object.text("path", &config.path);
        object.text("device_type", config.kind);
    }

    /// Whether the other device's lines are the same: nothing in an entry of KMIP is hashed, so that
    /// it is spelled once for all devices without a prefix of their own.
    pub(super) fn spells_alike(&self, other: &Self, entries: &[Entry<'_>]) -> bool {
        self.spelling.prefix == other.spelling.prefix
            && entries.iter().all(|entry| matches!(entry, Entry::Kmip(_)))
    }
}
