//! How the bytes of an object rest: segments of 64 KiB, each encrypted and authenticated by itself, so that a range is
//! read without the rest and no wrong byte leaves (`docs/formats.md` §11).
//!
//! A *stream* is what one PUT or one part of an upload wrote. Its key is derived from the object's data key and the
//! stream's random identifier, and is used for nothing else: nonces can be counters. Each segment's nonce has its index and
//! whether it is the last, so that segments which are missing, moved or cut off do not open. A *seal* authenticates what is
//! stored beside the streams. Pure: no IO, no clock, no store's name.

mod span;

pub use span::{Span, stored_len};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, hkdf, hmac};
use zeroize::Zeroizing;

/// Plaintext bytes of every segment but the last.
pub const SEGMENT_LEN: usize = 64 * 1024;
/// How much longer a segment is when it rests.
pub const TAG_LEN: usize = 16;

/// What tells a stream from all others under the same data key: 16 random bytes.
pub type StreamId = [u8; 16];

/// A stored segment is not what was written: changed, moved, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored object is damaged")]
pub struct Damaged;

/// The key of one stream.
#[derive(Debug)]
pub struct Stream {
    key: LessSafeKey,
}

impl Stream {
    /// The key of the stream under a data key.
    ///
    /// # Errors
    /// [`Damaged`] never happens with 32-byte keys; it stands for a refusal of the cryptographic library.
    pub fn new(data_key: &[u8; 32], stream: &StreamId) -> Result<Self, Damaged> {
        let key = derive(data_key, stream, b"claviger-s3 segments 1")?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| Damaged)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Puts a segment behind what is in `stored`, encrypted, and its tag behind it.
    ///
    /// # Errors
    /// [`Damaged`] if the segment is too long.
    pub fn seal(
        &self,
        index: u32,
        last: bool,
        segment: &[u8],
        stored: &mut Vec<u8>,
    ) -> Result<(), Damaged> {
        if segment.len() > SEGMENT_LEN {
            return Err(Damaged);
        }
        let start = stored.len();
        stored.extend_from_slice(segment);
        let place = stored.get_mut(start..).ok_or(Damaged)?;
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(index, last), Aad::empty(), place)
            .map_err(|_| Damaged)?;
        stored.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens a stored segment in place; its plaintext is what is returned.
    ///
    /// # Errors
    /// [`Damaged`] if it is not the segment of that index.
    pub fn open<'a>(
        &self,
        index: u32,
        last: bool,
        segment: &'a mut [u8],
    ) -> Result<&'a mut [u8], Damaged> {
        self.key.open_in_place(nonce(index, last), Aad::empty(), segment).map_err(|_| Damaged)
    }
}

/// What authenticates the description of an object, its place included, under its data key.
///
/// # Errors
/// As [`Stream::new`].
pub fn seal(data_key: &[u8; 32], parts: &[&[u8]]) -> Result<[u8; 32], Damaged> {
    let tag = hmac::sign(&seal_key(data_key)?, &joined(parts));
    tag.as_ref().try_into().map_err(|_| Damaged)
}

/// Checks a seal.
///
/// # Errors
/// [`Damaged`] if it is of something else.
pub fn check_seal(data_key: &[u8; 32], parts: &[&[u8]], found: &[u8]) -> Result<(), Damaged> {
    let expected = seal(data_key, parts)?;
    constant_time::verify_slices_are_equal(&expected, found).map_err(|_| Damaged)
}

fn seal_key(data_key: &[u8; 32]) -> Result<hmac::Key, Damaged> {
    let key = derive(data_key, &[], b"claviger-s3 seal 1")?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
}

/// Each part behind its length: no two lists of parts give the same bytes.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// HKDF with SHA-256, 32 bytes.
fn derive(
    data_key: &[u8; 32],
    salt: &[u8],
    purpose: &[u8],
) -> Result<Zeroizing<[u8; 32]>, Damaged> {
    let mut key = Zeroizing::new([0; 32]);
    let purpose = [purpose];
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(data_key)
        .expand(&purpose, hkdf::HKDF_SHA256)
        .and_then(|output| output.fill(key.as_mut_slice()))
        .map_err(|_| Damaged)?;
    Ok(key)
}

/// Seven zero bytes, the index, 1 for the last segment.
fn nonce(index: u32, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    if let Some(place) = nonce.get_mut(7..11) {
        place.copy_from_slice(&index.to_be_bytes());
    }
    if let Some(flag) = nonce.last_mut() {
        *flag = u8::from(last);
    }
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = [7; 32];
    const ID: StreamId = [9; 16];

    fn stored(content: &[u8]) -> Vec<Vec<u8>> {
        let stream = Stream::new(&KEY, &ID).unwrap();
        let mut segments: Vec<&[u8]> = content.chunks(SEGMENT_LEN).collect();
        if segments.is_empty() {
            segments.push(&[]);
        }
        let sealed = segments.iter().enumerate().map(|(index, segment)| {
            let mut stored = Vec::new();
            stream.seal(index as u32, index + 1 == segments.len(), segment, &mut stored).unwrap();
            stored
        });
        sealed.collect()
    }

    fn opened(segments: &[Vec<u8>]) -> Result<Vec<u8>, Damaged> {
        let stream = Stream::new(&KEY, &ID)?;
        let mut content = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            let mut segment = segment.clone();
            let last = index + 1 == segments.len();
            content.extend_from_slice(stream.open(index as u32, last, &mut segment)?);
        }
        Ok(content)
    }

    #[test]
    fn content_of_every_length_comes_back_and_has_the_length_that_is_computed() {
        for len in [0, 1, SEGMENT_LEN - 1, SEGMENT_LEN, SEGMENT_LEN + 1, 3 * SEGMENT_LEN + 5] {
            let content: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let segments = stored(&content);
            let len_stored: usize = segments.iter().map(Vec::len).sum();
            assert_eq!(len_stored as u64, stored_len(len as u64));
            assert_eq!(opened(&segments).unwrap(), content);
        }
    }

    #[test]
    fn segments_that_are_cut_off_moved_repeated_or_of_another_stream_do_not_open() {
        let content = vec![5; 3 * SEGMENT_LEN];
        let segments = stored(&content);
        assert_eq!(opened(&segments[..2]), Err(Damaged));
        assert_eq!(opened(&segments[1..]), Err(Damaged));
        let swapped = [segments[1].clone(), segments[0].clone(), segments[2].clone()];
        assert_eq!(opened(&swapped), Err(Damaged));
        let repeated = [&segments[..2], &segments[1..]].concat();
        assert_eq!(opened(&repeated), Err(Damaged));
        let other = Stream::new(&KEY, &[8; 16]).unwrap();
        assert!(other.open(0, false, &mut segments[0].clone()).is_err());
        let other = Stream::new(&[6; 32], &ID).unwrap();
        assert!(other.open(0, false, &mut segments[0].clone()).is_err());
    }

    /// What was written once must open for ever: computed with Python's cryptography package.
    #[test]
    fn the_format_is_the_documented_one() {
        let segments = stored(b"claviger");
        assert_eq!(hex(&segments[0]), VECTOR);
        assert_eq!(hex(&seal(&KEY, &[b"a", b"bc"]).unwrap()), SEAL_VECTOR);
    }
    const VECTOR: &str = "e930d2d09051ba651e12641eb6e5baeabceb83092fcb5b6b";
    const SEAL_VECTOR: &str = "ba5dbbbf732d50e8ef4dce08a3f3edb5015c924e4e330a76245c5f0d18dcb32b";

    #[test]
    fn a_seal_is_of_its_parts_and_their_borders() {
        let sealed = seal(&KEY, &[b"a", b"bc"]).unwrap();
        assert_eq!(check_seal(&KEY, &[b"a", b"bc"], &sealed), Ok(()));
        assert_eq!(check_seal(&KEY, &[b"ab", b"c"], &sealed), Err(Damaged));
        assert_eq!(check_seal(&[6; 32], &[b"a", b"bc"], &sealed), Err(Damaged));
        assert_eq!(check_seal(&KEY, &[b"a", b"bc"], &sealed[..31]), Err(Damaged));
    }

    proptest! {
        #[test]
        fn no_changed_bit_opens(at in 0_usize..2 * SEGMENT_LEN, bit in 0_u8..8) {
            let mut segments = stored(&vec![1; SEGMENT_LEN + 100]);
            let segment = &mut segments[at / SEGMENT_LEN];
            let place = at % segment.len();
            segment[place] ^= 1 << bit;
            prop_assert_eq!(opened(&segments), Err(Damaged));
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
