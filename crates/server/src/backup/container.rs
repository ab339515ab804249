//! The file of a backup, part by part: a chain of digests binds their order, the last part their
//! number. Knows no seal but the tag that it is handed. `docs/formats.md` §11.

use std::io::{self, Read, Write};

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::hmac;
use claviger_store::{KEY_BYTES_MAX, Key, Record, VALUE_BYTES_MAX};

use super::BackupError;

const MAGIC: &[u8; 8] = b"CLVGBKUP";
/// The version byte of the format below.
const FORMAT: u8 = 1;
/// Magic, format, time, revision.
const HEADER_BYTES: usize = 8 + 1 + 8 + 8;
/// Kind and length before a part's body, the digest after it.
const PART_HEAD_BYTES: usize = 1 + 4;
const DIGEST_BYTES: usize = 32;
const ROW_HEAD_BYTES: usize = 2 + 8 + 4;
/// A part is closed when it has as much.
pub(super) const PART_BYTES: usize = 1 << 20;
/// A part that lacked one byte to that, and the largest row.
pub(super) const PART_BYTES_MAX: usize =
    PART_BYTES + ROW_HEAD_BYTES + KEY_BYTES_MAX + VALUE_BYTES_MAX;
const END_BYTES: usize = 8 + DIGEST_BYTES;

type Digest = [u8; DIGEST_BYTES];

/// What a part is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Rows = b'r',
    End = b'e',
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = digest::Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

/// What only the store that the backup is of can say of it.
fn tag(key: &[u8; 32], chain: &Digest, records: u64) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    context.update(chain);
    context.update(&records.to_be_bytes());
    context.sign()
}

/// Appends a row to a part.
pub(super) fn push_row(
    part: &mut Vec<u8>,
    key: &[u8],
    version: u64,
    value: &[u8],
) -> io::Result<()> {
    let too_long = |_| io::Error::other("a record is longer than a backup takes");
    let key_bytes = u16::try_from(key.len()).map_err(too_long)?;
    let value_bytes = u32::try_from(value.len()).map_err(too_long)?;
    part.extend_from_slice(&key_bytes.to_be_bytes());
    part.extend_from_slice(key);
    part.extend_from_slice(&version.to_be_bytes());
    part.extend_from_slice(&value_bytes.to_be_bytes());
    part.extend_from_slice(value);
    Ok(())
}

/// A row: key, version, value.
pub(super) type Row<'a> = (&'a [u8], u64, &'a [u8]);

/// The rows of a part; `None` if it is not made of rows.
pub(super) fn take_rows(part: &[u8]) -> Option<Vec<Row<'_>>> {
    let mut rows = Vec::new();
    let mut fields = Fields(part);
    while !fields.0.is_empty() {
        let key_bytes = u16::from_be_bytes(fields.take()?);
        let key = fields.bytes(usize::from(key_bytes))?;
        let version = u64::from_be_bytes(fields.take()?);
        let value_bytes = u32::from_be_bytes(fields.take()?);
        rows.push((key, version, fields.bytes(usize::try_from(value_bytes).ok()?)?));
    }
    Some(rows)
}

/// Writes a backup.
pub(super) struct Writer<W> {
    out: W,
    chain: Digest,
    part: Vec<u8>,
    records: u64,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins one. `created` is in microseconds since 1970.
    pub(super) fn begin(mut out: W, created: i64, revision: u64) -> io::Result<Self> {
        let header =
            [MAGIC.as_slice(), &[FORMAT], &created.to_be_bytes(), &revision.to_be_bytes()].concat();
        out.write_all(&header)?;
        let chain = sha256(&[&header]);
        Ok(Self { out, chain, part: Vec::new(), records: 0, bytes: header.len() as u64 })
    }

    /// Adds a record; they come in the order of their keys. Says whether a part was closed by it.
    pub(super) fn add(&mut self, key: &[u8], record: &Record) -> io::Result<bool> {
        push_row(&mut self.part, key, record.version, &record.value)?;
        self.records = self.records.saturating_add(1);
        let is_full = self.part.len() >= PART_BYTES;
        if is_full {
            self.close(Kind::Rows)?;
        }
        Ok(is_full)
    }

    /// Ends it; records and bytes.
    pub(super) fn end(mut self, key: &[u8; 32]) -> io::Result<(u64, u64)> {
        if !self.part.is_empty() {
            self.close(Kind::Rows)?;
        }
        self.part.extend_from_slice(&self.records.to_be_bytes());
        self.part.extend_from_slice(tag(key, &self.chain, self.records).as_ref());
        self.close(Kind::End)?;
        self.out.flush()?;
        Ok((self.records, self.bytes))
    }

    fn close(&mut self, kind: Kind) -> io::Result<()> {
        let length = u32::try_from(self.part.len()).map_err(io::Error::other)?.to_be_bytes();
        self.chain = sha256(&[&self.chain, &[kind as u8], &length, &self.part]);
        for bytes in [&[kind as u8], length.as_slice(), &self.part, &self.chain] {
            self.out.write_all(bytes)?;
            self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        }
        self.part.clear();
        Ok(())
    }
}

/// How a backup ends.
pub(super) struct End {
    pub(super) records: u64,
    chain: Digest,
    tag: Digest,
}

impl End {
    /// Whether the store with that key has put it together.
    pub(super) fn is_of(&self, key: &[u8; 32]) -> bool {
        let expected = tag(key, &self.chain, self.records);
        subtle::ConstantTimeEq::ct_eq(expected.as_ref(), self.tag.as_slice()).into()
    }
}

/// What comes next.
pub(super) enum Part {
    Rows(Vec<(Key, Record)>),
    End(End),
}

/// Reads a backup; nothing is handed out before its part has proved whole.
pub(super) struct Reader<R> {
    input: R,
    chain: Digest,
    offset: u64,
    records: u64,
    last: Option<Key>,
    /// Microseconds since 1970.
    pub(super) created: i64,
    pub(super) revision: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning.
    pub(super) fn begin(mut input: R) -> Result<Self, BackupError> {
        let what = "a backup of Claviger";
        let mut header = [0; HEADER_BYTES];
        input.read_exact(&mut header).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BackupError::NotOurs(what),
            _ => error.into(),
        })?;
        let rest = header.strip_prefix(MAGIC).ok_or(BackupError::NotOurs(what))?;
        let mut fields = Fields(rest);
        let malformed = || BackupError::NotOurs(what);
        let [format] = fields.take().ok_or_else(malformed)?;
        if format != FORMAT {
            return Err(BackupError::Format { what: "the backup", found: format });
        }
        let created = i64::from_be_bytes(fields.take().ok_or_else(malformed)?);
        let revision = u64::from_be_bytes(fields.take().ok_or_else(malformed)?);
        let (chain, offset) = (sha256(&[&header]), HEADER_BYTES as u64);
        Ok(Self { input, chain, offset, records: 0, last: None, created, revision })
    }

    /// The next part.
    pub(super) fn next(&mut self) -> Result<Part, BackupError> {
        let from = self.offset;
        let mut head = [0; PART_HEAD_BYTES];
        self.fill(&mut head)?;
        let (kind, length) = head.split_at(1);
        let bytes = u32::from_be_bytes(length.try_into().unwrap_or_default()) as usize;
        let damaged = |to| BackupError::Damaged { from, to };
        let is_end = match kind {
            [kind] if *kind == Kind::Rows as u8 => false,
            [kind] if *kind == Kind::End as u8 => true,
            _ => return Err(damaged(self.offset)),
        };
        if bytes > PART_BYTES_MAX || (is_end && bytes != END_BYTES) {
            return Err(damaged(self.offset));
        }
        let mut body = vec![0; bytes];
        self.fill(&mut body)?;
        let mut found = Digest::default();
        self.fill(&mut found)?;
        let before = self.chain;
        self.chain = sha256(&[&before, kind, length, &body]);
        if self.chain != found {
            return Err(damaged(self.offset));
        }
        if is_end {
            return self.end(&body, before).transpose().unwrap_or(Err(damaged(self.offset)));
        }
        self.rows(&body).map(Part::Rows).ok_or_else(|| damaged(self.offset))
    }

    /// `None` if the last part contradicts the others.
    fn end(&mut self, body: &[u8], chain: Digest) -> Result<Option<Part>, BackupError> {
        let mut fields = Fields(body);
        let ends = fields.take().map(u64::from_be_bytes).zip(fields.take());
        let Some((records, tag)) = ends.filter(|(records, _)| *records == self.records) else {
            return Ok(None);
        };
        let mut more = [0];
        match self.input.read(&mut more)? {
            0 => Ok(Some(Part::End(End { records, chain, tag }))),
            _ => Err(BackupError::Trailing(self.offset)),
        }
    }

    /// `None` if a part is whole, but was never one of ours.
    fn rows(&mut self, body: &[u8]) -> Option<Vec<(Key, Record)>> {
        let mut rows = Vec::new();
        for (key, version, value) in take_rows(body)? {
            if self.last.as_ref().is_some_and(|last| last.as_slice() >= key) {
                return None;
            }
            self.last = Some(key.to_vec());
            self.records = self.records.saturating_add(1);
            rows.push((key.to_vec(), Record { version, value: value.to_vec() }));
        }
        Some(rows)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => return Err(BackupError::CutOff(self.offset)),
                Ok(count) => {
                    done = done.saturating_add(count);
                    self.offset = self.offset.saturating_add(count as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Bytes taken from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
