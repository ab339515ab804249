//! The file of an export: parts sealed under a key that a passphrase gives, bound in order and number.
//! `docs/formats.md` §12. Never knows a record.

use std::io::{self, Read, Write};
use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use super::BackupError;
use super::container::{PART_BYTES, PART_BYTES_MAX};

const MAGIC: &[u8; 8] = b"CLVGEXPT";
/// The version byte of the format below.
const FORMAT: u8 = 1;
const SALT_BYTES: usize = 32;
/// Magic, format, iterations, salt.
const HEADER_BYTES: usize = 8 + 1 + 4 + SALT_BYTES;
const TAG_BYTES: usize = 16;
/// Of PBKDF2 with HMAC-SHA-512: about half a second, thrice what OWASP asks for.
const ITERATIONS: u32 = 600_000;
/// A file that asks for more is not one that anybody wrote to be read.
const ITERATIONS_MAX: u32 = 10_000_000;
/// The shortest passphrase that an export is made under.
pub const PASSPHRASE_BYTES_MIN: usize = 12;
const WHAT: &str = "an export of Claviger";

/// What a part is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Rows = b'r',
    End = b'e',
}

/// The key of one file and the number of its next part.
struct Sealing {
    key: LessSafeKey,
    header: [u8; HEADER_BYTES],
    next: u64,
}

impl Sealing {
    fn derive(passphrase: &[u8], header: [u8; HEADER_BYTES]) -> Result<Self, BackupError> {
        let (_, rest) = header.split_at(MAGIC.len() + 1);
        let (iterations, salt) = rest.split_first_chunk().ok_or(BackupError::NotOurs(WHAT))?;
        let iterations = NonZeroU32::new(u32::from_be_bytes(*iterations));
        let iterations = iterations.filter(|it| it.get() <= ITERATIONS_MAX);
        let iterations = iterations.ok_or(BackupError::NotOurs(WHAT))?;
        let mut key = Zeroizing::new([0; 32]);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA512;
        pbkdf2::derive(algorithm, iterations, salt, passphrase, key.as_mut_slice());
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(io::Error::other)?;
        Ok(Self { key: LessSafeKey::new(key), header, next: 0 })
    }

    /// A nonce is the part's number: the key belongs to this file alone, as its salt does.
    fn nonce(&mut self) -> io::Result<Nonce> {
        let mut nonce = [0; NONCE_LEN];
        if let Some(end) = nonce.last_chunk_mut() {
            *end = self.next.to_be_bytes();
        }
        self.next = self.next.checked_add(1).ok_or_else(|| io::Error::other("too many parts"))?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    fn associated(&self, head: &[u8]) -> Aad<Vec<u8>> {
        Aad::from([self.header.as_slice(), head].concat())
    }
}

fn head(kind: Kind, sealed_bytes: usize) -> io::Result<[u8; 5]> {
    let length = u32::try_from(sealed_bytes).map_err(io::Error::other)?.to_be_bytes();
    let mut head = [kind as u8; 5];
    if let Some(end) = head.last_chunk_mut() {
        *end = length;
    }
    Ok(head)
}

/// Writes an export.
pub(super) struct Writer<W> {
    out: W,
    sealing: Sealing,
    part: Zeroizing<Vec<u8>>,
    rows: u64,
}

impl<W: Write> Writer<W> {
    /// Begins one.
    pub(super) fn begin(mut out: W, passphrase: &[u8]) -> Result<Self, BackupError> {
        if passphrase.len() < PASSPHRASE_BYTES_MIN {
            return Err(BackupError::ShortPassphrase);
        }
        let mut salt = [0; SALT_BYTES];
        aws_lc_rs::rand::fill(&mut salt).map_err(io::Error::other)?;
        let iterations = ITERATIONS.to_be_bytes();
        let header = [MAGIC.as_slice(), &[FORMAT], iterations.as_slice(), &salt].concat();
        let header = header.first_chunk().copied().ok_or(BackupError::Malformed)?;
        out.write_all(&header)?;
        let part = Zeroizing::new(Vec::with_capacity(PART_BYTES_MAX));
        Ok(Self { out, sealing: Sealing::derive(passphrase, header)?, part, rows: 0 })
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &[u8]) -> Result<(), BackupError> {
        self.part.extend_from_slice(row);
        self.rows = self.rows.saturating_add(1);
        if self.part.len() >= PART_BYTES { self.close(Kind::Rows) } else { Ok(()) }
    }

    /// Ends it; how many rows it has.
    pub(super) fn end(mut self) -> Result<u64, BackupError> {
        if !self.part.is_empty() {
            self.close(Kind::Rows)?;
        }
        self.part.extend_from_slice(&self.rows.to_be_bytes());
        self.close(Kind::End)?;
        self.out.flush()?;
        Ok(self.rows)
    }

    fn close(&mut self, kind: Kind) -> Result<(), BackupError> {
        let head = head(kind, self.part.len().saturating_add(TAG_BYTES))?;
        let (nonce, associated) = (self.sealing.nonce()?, self.sealing.associated(&head));
        let sealed = self.sealing.key.seal_in_place_separate_tag(nonce, associated, &mut self.part);
        let tag = sealed.map_err(io::Error::other)?;
        for bytes in [head.as_slice(), &self.part, tag.as_ref()] {
            self.out.write_all(bytes)?;
        }
        self.part.clear();
        Ok(())
    }
}

/// What comes next.
pub(super) enum Part {
    Rows(Zeroizing<Vec<u8>>),
    End { rows: u64 },
}

/// Reads an export.
pub(super) struct Reader<R> {
    input: R,
    sealing: Sealing,
    offset: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning.
    pub(super) fn begin(mut input: R, passphrase: &[u8]) -> Result<Self, BackupError> {
        let mut header = [0; HEADER_BYTES];
        input.read_exact(&mut header).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BackupError::NotOurs(WHAT),
            _ => error.into(),
        })?;
        match header.strip_prefix(MAGIC).and_then(<[u8]>::first) {
            Some(&FORMAT) => {}
            Some(&found) => return Err(BackupError::Format { what: "the export", found }),
            None => return Err(BackupError::NotOurs(WHAT)),
        }
        let sealing = Sealing::derive(passphrase, header)?;
        Ok(Self { input, sealing, offset: HEADER_BYTES as u64 })
    }

    /// The next part.
    pub(super) fn next(&mut self) -> Result<Part, BackupError> {
        let from = self.offset;
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        let is_end = kind == Kind::End as u8;
        let known = is_end || kind == Kind::Rows as u8;
        if !known || length > PART_BYTES_MAX.saturating_add(TAG_BYTES) {
            return Err(BackupError::Damaged { from, to: self.offset });
        }
        let mut body = Zeroizing::new(vec![0; length]);
        self.fill(&mut body)?;
        let (nonce, associated) = (self.sealing.nonce()?, self.sealing.associated(&head));
        let opened = self.sealing.key.open_in_place(nonce, associated, &mut body);
        let length = match opened {
            Ok(plain) => plain.len(),
            // The first part tells a wrong passphrase; it cannot tell it from damage.
            Err(_) if from == HEADER_BYTES as u64 => return Err(BackupError::WrongPassphrase),
            Err(_) => return Err(BackupError::Damaged { from, to: self.offset }),
        };
        body.truncate(length);
        if !is_end {
            return Ok(Part::Rows(body));
        }
        let rows = body.as_slice().try_into().map(u64::from_be_bytes);
        let mut more = [0];
        match (rows, self.input.read(&mut more)?) {
            (Ok(rows), 0) => Ok(Part::End { rows }),
            (Ok(_), _) => Err(BackupError::Trailing(self.offset)),
            (Err(_), _) => Err(BackupError::Malformed),
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        self.input.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BackupError::CutOff(self.offset),
            _ => error.into(),
        })?;
        self.offset = self.offset.saturating_add(bytes.len() as u64);
        Ok(())
    }
}
