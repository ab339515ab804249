//! Certificate serial numbers (RFC 5280 §4.1.2.2): 20 octets, positive, shown in decimal.
//!
//! Never knows who holds the certificate.

use std::fmt;

use x509_parser::prelude::{FromDer, X509Certificate};

/// Octets of a serial number; RFC 5280 allows no more.
const SERIAL_LEN: usize = 20;

/// A certificate serial number, big-endian, padded with zeros on the left.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial([u8; SERIAL_LEN]);

impl Serial {
    /// A fresh random serial: positive (the top bit is clear) and never zero.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0u8; SERIAL_LEN];
        aws_lc_rs::rand::fill(&mut bytes)?;
        if let Some(first) = bytes.first_mut() {
            // A leading octet of 0x40..=0x7f keeps the encoding at exactly 20 octets.
            *first = (*first & 0x7f) | 0x40;
        }
        Ok(Self(bytes))
    }

    /// The serial of a DER certificate; `None` when it is not one, or its serial is too long.
    pub fn of_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Self::from_be_bytes(certificate.raw_serial())
    }

    /// From big-endian octets with or without leading zeros; `None` beyond 20 octets.
    pub fn from_be_bytes(bytes: &[u8]) -> Option<Self> {
        let start = bytes.iter().position(|byte| *byte != 0)?;
        let digits = bytes.get(start..)?;
        let mut padded = [0u8; SERIAL_LEN];
        padded.get_mut(SERIAL_LEN.checked_sub(digits.len())?..)?.copy_from_slice(digits);
        Some(Self(padded))
    }

    /// From the decimal form that the API shows.
    pub fn from_decimal(text: &str) -> Option<Self> {
        // 2^160 has 49 decimal digits.
        if text.is_empty() || text.len() > 49 {
            return None;
        }
        let mut bytes = [0u8; SERIAL_LEN];
        for character in text.chars() {
            let mut carry = character.to_digit(10)?;
            for byte in bytes.iter_mut().rev() {
                let value = u32::from(*byte) * 10 + carry;
                *byte = (value & 0xff) as u8;
                carry = value >> 8;
            }
            if carry != 0 {
                return None;
            }
        }
        Some(Self(bytes))
    }

    /// All 20 octets.
    pub fn as_bytes(&self) -> &[u8; SERIAL_LEN] {
        &self.0
    }
}

impl From<[u8; SERIAL_LEN]> for Serial {
    fn from(bytes: [u8; SERIAL_LEN]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0;
        let mut digits = Vec::with_capacity(49);
        while bytes.iter().any(|byte| *byte != 0) {
            let mut remainder = 0u32;
            for byte in &mut bytes {
                let value = remainder << 8 | u32::from(*byte);
                *byte = (value / 10) as u8;
                remainder = value % 10;
            }
            digits.push(b'0' + remainder as u8);
        }
        if digits.is_empty() {
            digits.push(b'0');
        }
        digits.iter().rev().try_for_each(|digit| {
            use fmt::Write as _;
            f.write_char(char::from(*digit))
        })
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_matches_known_values() {
        let text = "728181095563584845125173905844944137943705466376";
        let serial = Serial::from_decimal(text).unwrap();
        assert_eq!(serial.to_string(), text);
        assert_eq!(Serial::from_be_bytes(&[1, 0]).unwrap().to_string(), "256");
        assert_eq!(
            Serial::from([0xff; 20]).to_string(),
            "1461501637330902918203684832716283019655932542975"
        );
    }

    #[test]
    fn random_serials_are_positive_full_length_and_differ() {
        let serials: Vec<Serial> = (0..64).map(|_| Serial::random().unwrap()).collect();
        for serial in &serials {
            assert!((0x40..0x80).contains(&serial.as_bytes()[0]));
            assert_eq!(Serial::from_decimal(&serial.to_string()), Some(*serial));
        }
        let distinct: std::collections::HashSet<_> = serials.iter().collect();
        assert_eq!(distinct.len(), serials.len());
    }

    #[test]
    fn what_is_not_a_serial_is_refused() {
        for text in [
            "",
            "x",
            "-1",
            "0x10",
            "1461501637330902918203684832716283019655932542976",
            "99999999999999999999999999999999999999999999999999",
        ] {
            assert_eq!(Serial::from_decimal(text), None, "{text}");
        }
        assert_eq!(Serial::from_be_bytes(&[1; 21]), None);
        assert_eq!(Serial::from_be_bytes(&[]), None);
    }
}
