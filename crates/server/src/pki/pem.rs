//! PEM text (RFC 7468): writing any block, reading certificates and requests.
//!
//! Never knows what the bytes mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, Zeroizing};

const LINE_CHARS: usize = 64;

/// One PEM block without a newline at its end, as Vault prints them.
pub fn encode(label: &str, der: &[u8]) -> String {
    let mut body = STANDARD.encode(der);
    let text = wrap(label, &body);
    body.zeroize();
    text
}

/// Like [`encode`], for private keys: the text is wiped when dropped.
pub fn encode_secret(label: &str, der: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(encode(label, der))
}

fn wrap(label: &str, body: &str) -> String {
    // Sized once, so that no partly filled copy of a secret is left behind by growth.
    let lines = body.len() / LINE_CHARS + 1;
    let mut text = String::with_capacity(body.len() + lines + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = body;
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(LINE_CHARS).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----");
    text
}

/// The bytes of the first block in `text` whose label is one of `labels`; `None` when there is
/// none, or when it is not base64.
pub fn decode(labels: &[&str], text: &str) -> Option<Vec<u8>> {
    let (label, rest) = labels.iter().find_map(|label| {
        let begin = format!("-----BEGIN {label}-----");
        text.split_once(&begin).map(|(_, rest)| (label, rest))
    })?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let compact: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok()
}

/// The bytes of every block in `text` with this label; `None` when one is cut off or not base64.
pub fn decode_all(label: &str, text: &str) -> Option<Vec<Vec<u8>>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, from)) = rest.split_once(&begin) {
        let (body, after) = from.split_once(&end)?;
        let compact: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        blocks.push(STANDARD.decode(compact).ok()?);
        rest = after;
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_at_line_boundaries() {
        for length in [0, 1, 47, 48, 49, 96, 97, 500] {
            let der = vec![0xa5; length];
            let text = encode("CERTIFICATE", &der);
            assert!(text.lines().all(|line| line.len() <= LINE_CHARS));
            assert!(!text.contains("\n\n") && !text.ends_with('\n'));
            assert_eq!(decode(&["CERTIFICATE"], &text), Some(der));
        }
    }

    #[test]
    fn other_labels_and_damage_are_refused() {
        let text = encode("CERTIFICATE", b"abc");
        assert_eq!(decode(&["CERTIFICATE REQUEST"], &text), None);
        assert_eq!(decode(&["CERTIFICATE"], &text.replace("-----END", "----")), None);
        assert_eq!(
            decode(&["CERTIFICATE"], "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----"),
            None
        );
    }
}
