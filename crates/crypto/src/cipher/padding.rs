//! Filling up the last block and taking the filling away (KMIP Padding Method, KMIP 2.1 §11.31).
//!
//! Removal inspects the whole last block without an early exit. It must never tell which byte was wrong.

use claviger_kmip::enums::PaddingMethod;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};

use crate::error::CryptoError;
use crate::random::Rng;

/// The paddings of block modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    None,
    Pkcs5,
    AnsiX923,
    Iso10126,
    Zeros,
}

impl Padding {
    pub(crate) fn of(method: Option<PaddingMethod>) -> Result<Self, CryptoError> {
        match method {
            None | Some(PaddingMethod::NONE) => Ok(Self::None),
            Some(PaddingMethod::PKCS5) => Ok(Self::Pkcs5),
            Some(PaddingMethod::ANSIX9_23) => Ok(Self::AnsiX923),
            Some(PaddingMethod::ISO10126) => Ok(Self::Iso10126),
            Some(PaddingMethod::ZEROS) => Ok(Self::Zeros),
            Some(_) => {
                Err(CryptoError::UnsupportedCombination("this padding method in a block mode"))
            }
        }
    }

    /// Fills `data` up to a multiple of `block` bytes.
    pub(crate) fn add(
        self,
        data: &mut Vec<u8>,
        block: usize,
        rng: Option<&dyn Rng>,
    ) -> Result<(), CryptoError> {
        let rest = data.len() % block;
        let fill = block - rest;
        let count = u8::try_from(fill).map_err(|_| CryptoError::Internal("block length"))?;
        match self {
            Self::None if rest == 0 => {}
            Self::None => {
                return Err(CryptoError::BadParameters("data is not a whole number of blocks"));
            }
            Self::Zeros if rest == 0 => {}
            Self::Zeros => data.resize(data.len() + fill, 0),
            Self::Pkcs5 => data.resize(data.len() + fill, count),
            Self::AnsiX923 => {
                data.resize(data.len() + fill - 1, 0);
                data.push(count);
            }
            Self::Iso10126 => {
                let mut noise = [0_u8; 16];
                let noise =
                    noise.get_mut(..fill - 1).ok_or(CryptoError::Internal("block length"))?;
                rng.ok_or(CryptoError::Internal("padding without a random generator"))?
                    .fill(noise)?;
                data.extend_from_slice(noise);
                data.push(count);
            }
        }
        Ok(())
    }

    /// Takes the filling off; `data` must be a whole number of blocks.
    pub(crate) fn remove(self, data: &mut Vec<u8>, block: usize) -> Result<(), CryptoError> {
        let keep = match self {
            Self::None => data.len(),
            Self::Zeros => data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1),
            Self::Pkcs5 | Self::AnsiX923 | Self::Iso10126 => {
                let start =
                    data.len().checked_sub(block).ok_or(CryptoError::AuthenticationFailed)?;
                let tail = data.get(start..).unwrap_or_default();
                let fill = self.counted(tail)?;
                data.len() - fill
            }
        };
        zeroize::Zeroize::zeroize(data.get_mut(keep..).unwrap_or_default());
        data.truncate(keep);
        Ok(())
    }

    /// The number of filling bytes at the end of `tail`, the last block.
    fn counted(self, tail: &[u8]) -> Result<usize, CryptoError> {
        let last = tail.last().copied().unwrap_or(0);
        let block = u8::try_from(tail.len()).map_err(|_| CryptoError::Internal("block length"))?;
        let mut good: Choice = !last.ct_eq(&0) & !last.ct_gt(&block);
        let expected = match self {
            Self::AnsiX923 => 0,
            _ => last,
        };
        for (distance, byte) in (1..=block).zip(tail.iter().rev()) {
            let inside = !distance.ct_gt(&last) & !distance.ct_eq(&1);
            let fits = match self {
                Self::Iso10126 => Choice::from(1),
                _ => byte.ct_eq(&expected),
            };
            good &= !inside | fits;
        }
        let fill = u8::conditional_select(&0, &last, good);
        if bool::from(good) {
            Ok(usize::from(fill))
        } else {
            Err(CryptoError::AuthenticationFailed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRng;

    const COUNTED: [Padding; 3] = [Padding::Pkcs5, Padding::AnsiX923, Padding::Iso10126];

    #[test]
    fn what_is_added_is_removed() {
        let rng = SystemRng::new();
        for padding in COUNTED {
            for len in 0..=33 {
                let original = vec![0xA5; len];
                let mut data = original.clone();
                padding.add(&mut data, 16, Some(&rng)).unwrap();
                assert_eq!(data.len() % 16, 0);
                assert!(data.len() > len);
                padding.remove(&mut data, 16).unwrap();
                assert_eq!(data, original, "{padding:?} {len}");
            }
        }
    }

    #[test]
    fn exact_bytes() {
        let mut data = b"abcde".to_vec();
        Padding::Pkcs5.add(&mut data, 8, None).unwrap();
        assert_eq!(data, b"abcde\x03\x03\x03");
        let mut data = b"abcde".to_vec();
        Padding::AnsiX923.add(&mut data, 8, None).unwrap();
        assert_eq!(data, b"abcde\x00\x00\x03");
        let mut data = b"abcde".to_vec();
        Padding::Zeros.add(&mut data, 8, None).unwrap();
        assert_eq!(data, b"abcde\x00\x00\x00");
        assert!(Padding::None.add(&mut b"abc".to_vec(), 8, None).is_err());
    }

    #[test]
    fn wrong_filling_is_refused() {
        for (padding, bad) in [
            (Padding::Pkcs5, *b"abcde\x02\x03\x03"),
            (Padding::Pkcs5, *b"abcdefg\x00"),
            (Padding::Pkcs5, *b"\x09\x09\x09\x09\x09\x09\x09\x09"),
            (Padding::AnsiX923, *b"abcde\x00\x01\x03"),
            (Padding::Iso10126, *b"abcdefg\x09"),
        ] {
            assert_eq!(
                padding.remove(&mut bad.to_vec(), 8),
                Err(CryptoError::AuthenticationFailed),
                "{padding:?}"
            );
        }
        assert!(Padding::Pkcs5.remove(&mut Vec::new(), 8).is_err());
    }
}
