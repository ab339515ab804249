//! What a server says, without the addresses in it: clients of S3 are not to learn where keys are kept.

use std::net::IpAddr;

/// The longest text of a server that is passed on, in characters.
const LENGTH_MAX: usize = 300;

/// The text with every word replaced that is or holds a host, an address, a URL or a path.
pub(super) fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if is_address(word) { "…" } else { word });
    let clean = words.collect::<Vec<_>>().join(" ");
    clean.chars().filter(|character| !character.is_control()).take(LENGTH_MAX).collect()
}

/// Whether a word says where something is. A word too many does no harm.
fn is_address(word: &str) -> bool {
    word.split(|c: char| !(c.is_alphanumeric() || ".:-_/%".contains(c))).any(|part| {
        let part = part.trim_matches(['.', ':', '-']);
        let bare = part.split(['%', '/']).next().unwrap_or_default();
        let host = match bare.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => {
                if !host.is_empty() {
                    return true;
                }
                host
            }
            _ => bare,
        };
        part.contains('/') || bare.parse::<IpAddr>().is_ok() || is_domain(host)
    })
}

/// Whether it is a name with dots: `kms-1.example.com`, but neither `1.4` nor the end of a sentence.
fn is_domain(word: &str) -> bool {
    let labels: Vec<&str> = word.split('.').collect();
    let letters = |label: &&str| label.contains(|c: char| c.is_alphabetic());
    labels.len() > 1 && labels.iter().all(|label| !label.is_empty()) && labels.iter().any(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_is_left_out() {
        for (text, told) in [
            ("Key is not active", "Key is not active"),
            ("KMIP 1.4: no such object.", "KMIP 1.4: no such object."),
            ("at 10.0.0.1 and 10.0.0.2:5696, or", "at … and … or"),
            ("host=[fe80::1%eth0]:5696", "…"),
            ("see https://kms.example.com/x", "see …"),
            ("ask (kms-1.internal) again", "ask … again"),
            ("ask localhost:5696", "ask …"),
            ("in /var/lib/kms", "in …"),
            ("a\tb\r\n c\u{7}d", "a b cd"),
            ("", ""),
        ] {
            assert_eq!(without_addresses(text), told, "{text}");
        }
        assert_eq!(without_addresses(&"é".repeat(1000)).chars().count(), LENGTH_MAX);
    }
}
