//! The hash chain: how a line ends and what its hash covers. Pure; `docs/formats.md` §7.
//!
//! A line is `BODY,"seq":N,"prev":"HEX","hash":"HEX"}` and a newline. The hash is the SHA-256 of
//! everything before `,"hash"`, and so of the previous line's hash too.

use aws_lc_rs::digest::{Context, SHA256};

/// What the first line of all has as its predecessor's hash.
const START: [u8; 32] = [0; 32];
const SEQ: &[u8] = b",\"seq\":";
const PREV: &[u8] = b",\"prev\":\"";
const HASH: &[u8] = b"\",\"hash\":\"";
const END: &[u8] = b"\"}";
const HEX_BYTES: usize = 64;

/// How far a chain has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Number of the last line; 0 before the first.
    pub(crate) seq: u64,
    /// Its hash.
    pub(crate) hash: [u8; 32],
}

impl Default for Chain {
    fn default() -> Self {
        Self { seq: 0, hash: START }
    }
}

/// The chain's fields of one line, as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    pub(crate) prev: [u8; 32],
    pub(crate) hash: [u8; 32],
}

impl Chain {
    /// Writes `body` (a JSON object without its closing brace) as the next line. `begun` has digested
    /// `body` already, which is done before any lock is taken.
    pub(crate) fn extend(&mut self, body: &[u8], mut begun: Context, out: &mut Vec<u8>) {
        out.extend_from_slice(body);
        let covered = out.len();
        self.seq = self.seq.saturating_add(1);
        out.extend_from_slice(SEQ);
        push_decimal(out, self.seq);
        out.extend_from_slice(PREV);
        push_hex(out, &self.hash);
        begun.update(out.get(covered..).unwrap_or_default());
        self.hash = finish(begun);
        out.extend_from_slice(HASH);
        push_hex(out, &self.hash);
        out.extend_from_slice(END);
        out.push(b'\n');
    }

    /// The chain after `link`, if it follows.
    pub(crate) fn followed_by(self, link: &Link) -> Option<Self> {
        let follows = link.prev == self.hash && Some(link.seq) == self.seq.checked_add(1);
        follows.then_some(Self { seq: link.seq, hash: link.hash })
    }
}

impl Link {
    /// Reads a line, without its newline; `None` if it is not one or its hash is not its own.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let rest = line.strip_suffix(END)?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(HEX_BYTES)?)?;
        let covered = rest.strip_suffix(HASH)?;
        let hash = parse_hex(hash)?;
        let (rest, prev) = covered.split_at_checked(covered.len().checked_sub(HEX_BYTES)?)?;
        let prev = parse_hex(prev)?;
        let rest = rest.strip_suffix(PREV)?;
        let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (body, seq) = rest.split_at_checked(rest.len().checked_sub(digits)?)?;
        body.strip_suffix(SEQ)?;
        let seq = std::str::from_utf8(seq).ok()?.parse().ok()?;
        let mut context = Context::new(&SHA256);
        context.update(covered);
        (finish(context) == hash).then_some(Self { seq, prev, hash })
    }
}

pub(crate) fn begin(body: &[u8]) -> Context {
    let mut context = Context::new(&SHA256);
    context.update(body);
    context
}

fn finish(context: Context) -> [u8; 32] {
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

pub(crate) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    // A block at a time: room is made once for each, not for each digit.
    for block in bytes.chunks(32) {
        let mut digits = [0; 64];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(block) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        out.extend_from_slice(digits.get(..block.len() * 2).unwrap_or_default());
    }
}

fn parse_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

/// Lower case only: a line has one spelling.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

pub(crate) fn push_decimal(out: &mut Vec<u8>, value: u64) {
    push_padded(out, value, 1);
}

/// A decimal number, with zeros in front up to `width` digits.
pub(crate) fn push_padded(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        length += 1;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    let length = width.clamp(length, digits.len());
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(chain: &mut Chain, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        chain.extend(body, begin(body), &mut out);
        assert_eq!(out.pop(), Some(b'\n'));
        out
    }

    #[test]
    fn a_line_reads_back_and_follows_its_predecessor() {
        let mut chain = Chain::default();
        let first = line(&mut chain, b"{\"a\":\",\\\"hash\\\":\"");
        let first = Link::parse(&first).unwrap();
        assert_eq!((first.seq, first.prev, first.hash), (1, START, chain.hash));
        let after = Chain::default().followed_by(&first).unwrap();
        let second = Link::parse(&line(&mut chain, b"{\"b\":1")).unwrap();
        assert_eq!(after.followed_by(&second), Some(chain));
        assert_eq!(Chain::default().followed_by(&second), None);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let good = line(&mut Chain::default(), b"{\"a\":\"b\"");
        assert!(Link::parse(&good).is_some());
        for index in 0..good.len() {
            for bit in [1, 0x20] {
                let mut bad = good.clone();
                bad[index] ^= bit;
                assert_eq!(Link::parse(&bad), None, "byte {index}");
            }
            assert_eq!(Link::parse(&good[..index]), None);
            assert_eq!(Link::parse(&good[index + 1..]), None);
        }
    }

    #[test]
    fn numbers_are_written_in_full() {
        for value in [0, 7, 10, 99, 100, u64::MAX] {
            let mut out = Vec::new();
            push_decimal(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
            out.clear();
            push_padded(&mut out, value, 4);
            assert_eq!(out, format!("{value:04}").as_bytes());
        }
    }
}
