//! Blocks of addresses, which bind a token to where it may be used from. Pure.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const BLOCK_BYTES_MAX: usize = 64;

/// A network such as `10.0.0.0/8` or `fd00::/8`, or one address. Shown as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressBlock {
    text: String,
    first: u128,
    prefix: u32,
    is_v6: bool,
}

impl AddressBlock {
    /// From its text; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > BLOCK_BYTES_MAX {
            return None;
        }
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            // "+8" is a number to the standard library, but no length of a prefix.
            Some((address, prefix)) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address, Some(prefix.parse::<u32>().ok()?))
            }
            Some(_) => return None,
        };
        let address: IpAddr = address.parse().ok()?;
        let (mut bits, mut is_v6) = bits_of(address);
        let mut width = if is_v6 { 128 } else { 32 };
        let mut prefix = prefix.unwrap_or(width);
        if prefix > width {
            return None;
        }
        // IPv4 within IPv6 is what it is without, as in `contains`.
        if is_v6 && address.to_canonical().is_ipv4() && prefix >= 96 {
            (bits, is_v6) = bits_of(address.to_canonical());
            (width, prefix) = (32, prefix.saturating_sub(96));
        }
        let first = bits & mask(prefix, width);
        Some(Self { text: text.to_owned(), first, prefix, is_v6 })
    }

    /// Whether an address lies in it. An IPv4 address within IPv6 is what it is without.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (bits, is_v6) = bits_of(address.to_canonical());
        is_v6 == self.is_v6 && bits & self.mask() == self.first
    }

    /// Whether every address of another block lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        other.is_v6 == self.is_v6
            && other.prefix >= self.prefix
            && other.first & self.mask() == self.first
    }

    fn mask(&self) -> u128 {
        mask(self.prefix, if self.is_v6 { 128 } else { 32 })
    }
}

/// Whether one may come from an address: from anywhere if there are no blocks, and from none if it
/// is not known.
pub fn admits(blocks: &[AddressBlock], from: Option<IpAddr>) -> bool {
    blocks.is_empty()
        || from.is_some_and(|address| blocks.iter().any(|block| block.contains(address)))
}

fn bits_of(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), false),
        IpAddr::V6(address) => (address.to_bits(), true),
    }
}

fn mask(prefix: u32, width: u32) -> u128 {
    let host = width.saturating_sub(prefix);
    u128::MAX.checked_shl(host).unwrap_or(0)
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for AddressBlock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for AddressBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a block of addresses"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_what_they_say_and_nothing_beside_it() {
        for (block, inside, outside) in [
            ("10.0.0.0/8", &["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"][..], "11.0.0.0"),
            ("10.1.2.3/8", &["10.9.9.9"], "9.255.255.255"),
            ("::ffff:10.0.0.0/104", &["10.9.9.9", "::ffff:10.9.9.9"], "11.0.0.0"),
            ("192.168.1.1", &["192.168.1.1"], "192.168.1.2"),
            ("192.168.1.1/32", &["192.168.1.1"], "192.168.1.0"),
            ("0.0.0.0/0", &["1.2.3.4", "255.255.255.255"], "::1"),
            ("::/0", &["::1", "fe80::1"], "127.0.0.1"),
            ("fd00::/8", &["fd12::1"], "fe00::"),
            ("::1", &["::1"], "::2"),
        ] {
            let parsed = AddressBlock::parse(block).unwrap();
            assert_eq!(parsed.to_string(), block);
            for address in inside {
                assert!(parsed.contains(address.parse().unwrap()), "{block} {address}");
            }
            assert!(!parsed.contains(outside.parse().unwrap()), "{block} {outside}");
        }
        for wrong in ["", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10/8", "x"] {
            assert_eq!(AddressBlock::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_block_covers_what_is_within_it() {
        let block = |text| AddressBlock::parse(text).unwrap();
        assert!(block("10.0.0.0/8").covers(&block("10.1.0.0/16")));
        assert!(block("10.0.0.0/8").covers(&block("10.0.0.0/8")));
        assert!(!block("10.0.0.0/8").covers(&block("10.0.0.0/7")));
        assert!(!block("10.0.0.0/8").covers(&block("11.0.0.1")));
        assert!(!block("0.0.0.0/0").covers(&block("::1")));
    }

    #[test]
    fn whoever_is_bound_to_addresses_must_have_one() {
        let blocks = [AddressBlock::parse("127.0.0.0/8").unwrap()];
        assert!(admits(&[], None));
        assert!(!admits(&blocks, None));
        assert!(admits(&blocks, Some("127.0.0.9".parse().unwrap())));
    }
}
