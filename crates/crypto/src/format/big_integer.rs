//! KMIP's Big Integer (KMIP 2.1 §9.1.1.4): two's complement, big-endian; here for numbers that are not negative.
//!
//! The encoder of messages pads to a multiple of eight bytes; this module must never do that
//! itself, but reads it.

use zeroize::Zeroizing;

use crate::error::CryptoError;

/// Two's complement of a magnitude: a zero byte in front if the first bit is set.
pub fn from_magnitude(magnitude: &[u8]) -> Zeroizing<Vec<u8>> {
    let magnitude = trim(magnitude);
    let mut out = Zeroizing::new(Vec::with_capacity(magnitude.len() + 1));
    if magnitude.first().is_none_or(|first| first & 0x80 != 0) {
        out.push(0);
    }
    out.extend_from_slice(magnitude);
    out
}

/// The magnitude of a two's complement number, without leading zeros; negative numbers are refused.
pub fn to_magnitude(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    match bytes.first() {
        None => Err(CryptoError::BadKey("empty big integer")),
        Some(first) if first & 0x80 != 0 => Err(CryptoError::BadKey("negative big integer")),
        Some(_) => Ok(Zeroizing::new(trim(bytes).to_vec())),
    }
}

/// The bytes without leading zeros; zero itself becomes empty.
pub(crate) fn trim(magnitude: &[u8]) -> &[u8] {
    let start = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
    magnitude.get(start..).unwrap_or_default()
}

/// The magnitude in exactly `len` bytes, if it fits.
pub(crate) fn fixed(magnitude: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let magnitude = trim(magnitude);
    let zeros = len.checked_sub(magnitude.len()).ok_or(CryptoError::BadKey("number too large"))?;
    let mut out = Zeroizing::new(Vec::with_capacity(len));
    out.resize(zeros, 0);
    out.extend_from_slice(magnitude);
    Ok(out)
}

/// How many bits a magnitude has.
pub(crate) fn bits(magnitude: &[u8]) -> usize {
    let magnitude = trim(magnitude);
    let first = magnitude.first().copied().unwrap_or(0);
    (magnitude.len() * 8).saturating_sub(first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_s_complement_both_ways() {
        for (magnitude, two) in [
            (&[][..], &[0][..]),
            (&[0x7F], &[0x7F]),
            (&[0x80], &[0, 0x80]),
            (&[0x01, 0x00, 0x01], &[0x01, 0x00, 0x01]),
            (&[0xFF, 0x00], &[0, 0xFF, 0x00]),
        ] {
            assert_eq!(from_magnitude(magnitude).as_slice(), two);
            assert_eq!(to_magnitude(two).unwrap().as_slice(), magnitude);
        }
        assert_eq!(to_magnitude(&[0, 0, 0, 0, 0, 1, 0, 1]).unwrap().as_slice(), [1, 0, 1]);
        assert!(to_magnitude(&[0x80]).is_err());
        assert!(to_magnitude(&[]).is_err());
    }

    #[test]
    fn widths() {
        assert_eq!(fixed(&[0, 1], 3).unwrap().as_slice(), [0, 0, 1]);
        assert!(fixed(&[1, 1], 1).is_err());
        assert_eq!(bits(&[0, 0x80, 0]), 16);
        assert_eq!(bits(&[1]), 1);
        assert_eq!(bits(&[]), 0);
    }
}
