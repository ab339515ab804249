//! Shamir's secret sharing over GF(2^8) with the polynomial 0x11b, byte for byte as Vault's: a share
//! is one y for each byte of the secret, then the x that all of them belong to.
//!
//! No branch and no index depends on a secret byte. Knows no key and no storage.

use super::SealError;
use std::fmt;
use zeroize::Zeroizing;

/// What a share is longer than the secret: its x.
pub const SHARE_OVERHEAD_BYTES: usize = 1;
/// The longest secret that is shared: larger than any key.
const SECRET_BYTES_MAX: usize = 1024;

/// One share of a secret. Whoever holds enough of them holds the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Share(Zeroizing<Vec<u8>>);

impl Share {
    /// As it was handed out.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// As it is handed out.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Share(…)")
    }
}

/// Why a secret is not shared, or shares do not combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShamirError {
    /// Parts and threshold do not fit each other.
    #[error("a secret has 2 to 255 shares, and takes 2 to all of them to combine")]
    Numbers,
    /// Nothing to share, or too much.
    #[error("a secret to share has 1 to 1024 bytes")]
    Secret,
    /// Fewer than two shares.
    #[error("it takes two shares at least to combine a secret")]
    TooFew,
    /// Shares of different secrets, or what is no share.
    #[error("these shares do not belong together")]
    Mismatch,
    /// The same share twice.
    #[error("a share is given twice")]
    Twice,
}

/// Splits a secret into `shares` of which any `threshold` combine to it. The x are distinct, random
/// and never 0.
///
/// # Errors
/// [`SealError::Shamir`] for numbers or secrets that cannot be; [`SealError::Crypto`] without
/// randomness.
pub fn split(secret: &[u8], shares: u8, threshold: u8) -> Result<Vec<Share>, SealError> {
    split_with(secret, shares, threshold, |bytes| Ok(aws_lc_rs::rand::fill(bytes)?))
}

/// [`split`] with the caller's randomness.
fn split_with(
    secret: &[u8],
    shares: u8,
    threshold: u8,
    mut random: impl FnMut(&mut [u8]) -> Result<(), SealError>,
) -> Result<Vec<Share>, SealError> {
    if threshold < 2 || shares < threshold {
        return Err(ShamirError::Numbers.into());
    }
    if secret.is_empty() || secret.len() > SECRET_BYTES_MAX {
        return Err(ShamirError::Secret.into());
    }
    // Row n holds, for every byte of the secret, the coefficient of x to the power n + 1.
    let degree = usize::from(threshold) - 1;
    let mut coefficients = Zeroizing::new(vec![0; secret.len().saturating_mul(degree)]);
    random(&mut coefficients)?;
    let mut made = Vec::with_capacity(usize::from(shares));
    for x in coordinates(shares, &mut random)? {
        let mut y = Zeroizing::new(vec![0; secret.len()]);
        // Horner's rule, all bytes of the secret at once.
        for row in coefficients.chunks_exact(secret.len()).rev().chain([secret]) {
            for (y, coefficient) in y.iter_mut().zip(row) {
                *y = multiply(*y, x) ^ coefficient;
            }
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(secret.len() + SHARE_OVERHEAD_BYTES));
        bytes.extend_from_slice(&y);
        bytes.push(x);
        made.push(Share(bytes));
    }
    Ok(made)
}

/// Distinct x, none of them 0. They are no secret: every share names its own.
fn coordinates(
    count: u8,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), SealError>,
) -> Result<Vec<u8>, SealError> {
    let mut found: Vec<u8> = Vec::with_capacity(usize::from(count));
    while found.len() < usize::from(count) {
        let mut drawn = [0; 64];
        random(&mut drawn)?;
        for x in drawn {
            if x != 0 && !found.contains(&x) && found.len() < usize::from(count) {
                found.push(x);
            }
        }
    }
    Ok(found)
}

/// The secret that shares combine to. Too few shares, or shares that belong to different secrets,
/// combine to something else without a sign of it: the caller must prove the result.
///
/// # Errors
/// [`ShamirError`] for what cannot be shares of one secret.
pub fn combine<'a>(
    shares: impl IntoIterator<Item = &'a Share>,
) -> Result<Zeroizing<Vec<u8>>, ShamirError> {
    let mut points: Vec<(u8, &[u8])> = Vec::new();
    for share in shares {
        let (&x, y) = share.0.split_last().ok_or(ShamirError::Mismatch)?;
        let unlike = points.first().is_some_and(|(_, first)| first.len() != y.len());
        if x == 0 || y.is_empty() || unlike {
            return Err(ShamirError::Mismatch);
        }
        if points.iter().any(|(known, _)| *known == x) {
            return Err(ShamirError::Twice);
        }
        points.push((x, y));
    }
    let length = match points.as_slice() {
        [(_, y), _, ..] => y.len(),
        _ => return Err(ShamirError::TooFew),
    };
    let mut secret = Zeroizing::new(vec![0; length]);
    for (x, y) in &points {
        let weight = weight(*x, points.iter().map(|(other, _)| *other));
        for (byte, y) in secret.iter_mut().zip(*y) {
            *byte ^= multiply(weight, *y);
        }
    }
    Ok(secret)
}

/// Lagrange's factor at 0 of the point at `x`, among points at `all`.
fn weight(x: u8, all: impl Iterator<Item = u8>) -> u8 {
    let others = all.filter(|other| *other != x);
    others.fold(1, |product, other| multiply(product, multiply(other, invert(other ^ x))))
}

/// The product in GF(2^8), in the same steps for all factors.
fn multiply(left: u8, right: u8) -> u8 {
    let mut product = 0;
    for bit in (0..8).rev() {
        // A bit of a number, negated, is a mask of all ones or none.
        let carry = (product >> 7) & 1u8;
        product = (product << 1) ^ (carry.wrapping_neg() & 0x1b);
        product ^= ((right >> bit) & 1).wrapping_neg() & left;
    }
    product
}

/// The inverse: the power of 254, as the order of the group is 255. Of 0 it is 0.
fn invert(value: u8) -> u8 {
    let mut power = value;
    let mut result = 1;
    // 254 is 0b1111_1110.
    for _ in 0..7 {
        power = multiply(power, power);
        result = multiply(result, power);
    }
    result
}

#[cfg(test)]
#[path = "shamir_tests.rs"]
mod tests;
