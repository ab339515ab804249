//! Checksums of content: those that clients send along, and S3's of uploads in parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::ChecksumType;
use s3s::{S3Result, s3_error};

use crate::store::Checksum;

/// S3's checksum algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// S3's name, the end of the header's name, the length in bytes.
const ALGORITHMS: [(Algorithm, &str, &str, usize); 5] = [
    (Algorithm::Crc32, "CRC32", "crc32", 4),
    (Algorithm::Crc32c, "CRC32C", "crc32c", 4),
    (Algorithm::Crc64Nvme, "CRC64NVME", "crc64nvme", 8),
    (Algorithm::Sha1, "SHA1", "sha1", 20),
    (Algorithm::Sha256, "SHA256", "sha256", 32),
];

impl Algorithm {
    /// By S3's name.
    pub(super) fn parse(name: &str) -> S3Result<Self> {
        let found = ALGORITHMS.iter().find(|(_, known, ..)| known.eq_ignore_ascii_case(name));
        found
            .map(|(algorithm, ..)| *algorithm)
            .ok_or_else(|| s3_error!(InvalidRequest, "The checksum algorithm is none that S3 has"))
    }

    /// By the name of the header that has its value.
    pub(super) fn of_header(header: &str) -> Option<Self> {
        let suffix = header.trim().strip_prefix("x-amz-checksum-")?;
        let found = ALGORITHMS.iter().find(|(_, _, known, _)| *known == suffix);
        found.map(|(algorithm, ..)| *algorithm)
    }

    pub(super) fn name(self) -> &'static str {
        ALGORITHMS.iter().find(|(known, ..)| *known == self).map_or("", |(_, name, ..)| name)
    }

    fn crc(self) -> Option<Crc> {
        let (polynomial, width) = match self {
            Self::Crc32 => (0xedb8_8320, 32),
            Self::Crc32c => (0x82f6_3b78, 32),
            Self::Crc64Nvme => (0x9a6c_9329_ac4b_c9b5, 64),
            Self::Sha1 | Self::Sha256 => return None,
        };
        Some(Crc { polynomial, width })
    }

    fn len(self) -> usize {
        ALGORITHMS.iter().find(|(known, ..)| *known == self).map_or(0, |(.., len)| *len)
    }
}

/// A checksum that is being computed.
pub(super) enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64Nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc32(hasher) => hasher.finalize().to_vec(),
            Self::Crc32c(hasher) => hasher.finalize().to_vec(),
            Self::Crc64Nvme(hasher) => hasher.finalize().to_vec(),
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
        }
    }
}

/// The checksum that one of a request's headers has: an algorithm and its value in base64.
pub(super) fn of_headers(headers: [(Algorithm, Option<&String>); 5]) -> S3Result<Option<Checksum>> {
    let mut found = None;
    for (algorithm, value) in headers {
        let Some(value) = value else { continue };
        let decoded = BASE64.decode(value).map(|bytes| bytes.len());
        if decoded != Ok(algorithm.len()) {
            let name = algorithm.name();
            return Err(s3_error!(InvalidRequest, "The value of the {name} checksum is invalid"));
        }
        let checksum = Checksum { algorithm: algorithm.name().to_owned(), value: value.clone() };
        if found.replace(checksum).is_some() {
            return Err(s3_error!(InvalidRequest, "Only one checksum can be given"));
        }
    }
    Ok(found)
}

/// Whether a checksum is of the content, or of the checksums of its parts.
pub(super) fn kind(checksum: &Checksum) -> ChecksumType {
    let kind = if checksum.value.contains('-') { "COMPOSITE" } else { "FULL_OBJECT" };
    ChecksumType::from(kind.to_owned())
}

/// Takes the number of parts off a checksum's value, where there is one.
pub(super) fn without_count(values: [&mut Option<String>; 5]) {
    for value in values.into_iter().flatten() {
        value.truncate(value.find('-').unwrap_or(value.len()));
    }
}

/// Writes a checksum into the five fields that S3's answers have for it.
macro_rules! set_checksum {
    ($output:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let value = Some(checksum.value.clone());
            match checksum.algorithm.as_str() {
                "CRC32" => $output.checksum_crc32 = value,
                "CRC32C" => $output.checksum_crc32c = value,
                "CRC64NVME" => $output.checksum_crc64nvme = value,
                "SHA1" => $output.checksum_sha1 = value,
                "SHA256" => $output.checksum_sha256 = value,
                _ => {}
            }
        }
    };
}

/// Reads the five fields of a request; the other way of [`set_checksum`].
macro_rules! given_checksum {
    ($input:expr) => {
        $crate::gateway::checksums::of_headers([
            ($crate::gateway::checksums::Algorithm::Crc32, $input.checksum_crc32.as_ref()),
            ($crate::gateway::checksums::Algorithm::Crc32c, $input.checksum_crc32c.as_ref()),
            ($crate::gateway::checksums::Algorithm::Crc64Nvme, $input.checksum_crc64nvme.as_ref()),
            ($crate::gateway::checksums::Algorithm::Sha1, $input.checksum_sha1.as_ref()),
            ($crate::gateway::checksums::Algorithm::Sha256, $input.checksum_sha256.as_ref()),
        ])
    };
}

pub(super) use {given_checksum, set_checksum};

/// The entity tag of an upload in parts: MD5 of the parts' MD5s, and their number.
pub(super) fn etag_of_parts<'a>(etags: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = etags.len();
    let mut md5 = Md5::new();
    for etag in etags {
        md5.update(&hex_bytes(etag).unwrap_or_default());
    }
    format!("{}-{count}", hex(&md5.finalize()))
}

/// The checksum of an upload in parts: that of the parts' checksums, and their number.
pub(super) fn of_parts(algorithm: Algorithm, parts: &[&Checksum]) -> Checksum {
    let mut hasher = Hasher::new(algorithm);
    for part in parts {
        hasher.update(&BASE64.decode(&part.value).unwrap_or_default());
    }
    let value = format!("{}-{}", BASE64.encode(hasher.finish()), parts.len());
    Checksum { algorithm: algorithm.name().to_owned(), value }
}

/// The checksum of a content whose parts' checksums and sizes are these; of CRCs only.
pub(super) fn of_content(algorithm: Algorithm, parts: &[(&Checksum, u64)]) -> Option<Checksum> {
    let crc = algorithm.crc()?;
    let mut whole = 0_u64;
    for (part, size) in parts {
        let value = BASE64.decode(&part.value).ok()?;
        let value = value.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        whole = crc.shifted(whole, *size) ^ value;
    }
    let bytes = whole.to_be_bytes();
    let bytes = bytes.get(bytes.len().checked_sub(algorithm.len())?..)?;
    Some(Checksum { algorithm: algorithm.name().to_owned(), value: BASE64.encode(bytes) })
}

/// A reflected CRC: its polynomial, lowest power in the highest bit, and its width.
#[derive(Clone, Copy)]
struct Crc {
    polynomial: u64,
    width: u32,
}

impl Crc {
    /// The product of two remainders.
    fn product(self, left: u64, right: u64) -> u64 {
        let top = 1_u64 << self.width.saturating_sub(1);
        let mut product = 0;
        let mut power = right;
        let mut bit = top;
        while bit > 0 {
            if left & bit != 0 {
                product ^= power;
            }
            power = if power & 1 == 1 { (power >> 1) ^ self.polynomial } else { power >> 1 };
            bit >>= 1;
        }
        product
    }

    /// What a CRC becomes with so many zero bytes behind its content: it times x to the power of eight times their number.
    /// Start and end values cancel out in the sum with the CRC of what is there instead.
    fn shifted(self, value: u64, bytes: u64) -> u64 {
        // x^8, squared again and again.
        let mut square = 1_u64 << self.width.saturating_sub(9);
        let mut power = 1_u64 << self.width.saturating_sub(1);
        let mut left = bytes;
        while left > 0 {
            if left & 1 == 1 {
                power = self.product(power, square);
            }
            square = self.product(square, square);
            left >>= 1;
        }
        self.product(value, power)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes of an even number of hexadecimal digits.
pub(super) fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| (high << 4) | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's zlib and hashlib.
    #[test]
    fn checksums_of_parts() {
        let part = |content: &str| {
            let mut hasher = Hasher::new(Algorithm::Crc32);
            hasher.update(content.as_bytes());
            Checksum { algorithm: "CRC32".to_owned(), value: BASE64.encode(hasher.finish()) }
        };
        let (a, b) = (part("a"), part("b"));
        assert_eq!((a.value.as_str(), b.value.as_str()), ("6Le+Qw==", "cb7v+Q=="));
        assert_eq!(of_parts(Algorithm::Crc32, &[&a, &b]).value, COMPOSITE);
        let md5s = ["0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f"];
        assert_eq!(etag_of_parts(md5s.into_iter()), ETAG);
    }
    const COMPOSITE: &str = "7pJxdw==-2";
    const ETAG: &str = "96e024ba2074fe77e8e965ba43a704be-2";

    #[test]
    fn crcs_of_parts_make_that_of_the_content() {
        let content: Vec<u8> = (0..100_000_u32).map(|at| (at * 7) as u8).collect();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let checksum = |bytes: &[u8]| {
                let mut hasher = Hasher::new(algorithm);
                hasher.update(bytes);
                let value = BASE64.encode(hasher.finish());
                Checksum { algorithm: algorithm.name().to_owned(), value }
            };
            let parts: Vec<&[u8]> =
                vec![&content[..1], &content[1..70_000], &[], &content[70_000..]];
            let sums: Vec<Checksum> = parts.iter().map(|part| checksum(part)).collect();
            let sized: Vec<(&Checksum, u64)> =
                sums.iter().zip(&parts).map(|(sum, part)| (sum, part.len() as u64)).collect();
            assert_eq!(of_content(algorithm, &sized), Some(checksum(&content)));
        }
        assert_eq!(of_content(Algorithm::Sha1, &[]), None);
    }

    #[test]
    fn headers_with_two_checksums_or_a_wrong_one_are_refused() {
        let value = "6Le+Qw==".to_owned();
        let headers = |crc32, crc32c, sha1| {
            of_headers([
                (Algorithm::Crc32, crc32),
                (Algorithm::Crc32c, crc32c),
                (Algorithm::Crc64Nvme, None),
                (Algorithm::Sha1, sha1),
                (Algorithm::Sha256, None),
            ])
        };
        assert_eq!(headers(Some(&value), None, None).unwrap().unwrap().value, value);
        assert_eq!(headers(None, None, None).unwrap(), None);
        assert!(headers(Some(&value), Some(&value), None).is_err());
        assert!(headers(None, None, Some(&value)).is_err());
        assert!(headers(Some(&"~".to_owned()), None, None).is_err());
    }
}
