//! The root key and the keyring it seals: record keys by number, and the key of keyed hashes.
//! `docs/formats.md` §4.

use super::SealError;
use super::envelope::{self, aead_key};
use super::layout;
use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::hmac;
use std::fmt;
use zeroize::Zeroizing;

/// The version byte of the keyring's plaintext.
const FORMAT: u8 = 1;
/// Number of the root key in the keyring's own envelope: it is no record key.
const ROOT_KEY_ID: u32 = 0;
/// Record keys a keyring may hold. Rotating daily, that is eleven years.
const RECORD_KEYS_MAX: usize = 4096;

/// The key that opens the keyring.
#[derive(Clone)]
pub struct RootKey(Zeroizing<[u8; 32]>);

impl RootKey {
    /// From 32 bytes that a seal has kept.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// A fresh one.
    ///
    /// # Errors
    /// [`SealError::Crypto`] without randomness.
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self(random_key()?))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RootKey(…)")
    }
}

/// One key that records are sealed with.
struct RecordKey {
    id: u32,
    /// Microseconds since 1970.
    created: i64,
    bytes: Zeroizing<[u8; 32]>,
    ready: LessSafeKey,
}

/// All keys below the root key, and the root key, so that a rotation needs nobody who keeps it. The
/// last record key is the active one.
pub(super) struct Keyring {
    root: RootKey,
    hash_bytes: Zeroizing<[u8; 32]>,
    hash: hmac::Key,
    records: Vec<RecordKey>,
}

impl Keyring {
    pub(super) fn generate(root: &RootKey, now: i64) -> Result<Self, SealError> {
        let mut keyring = Self::with_hash_key(root.clone(), random_key()?);
        keyring.add(now)?;
        Ok(keyring)
    }

    fn with_hash_key(root: RootKey, hash_bytes: Zeroizing<[u8; 32]>) -> Self {
        let hash = hmac::Key::new(hmac::HMAC_SHA256, hash_bytes.as_slice());
        Self { root, hash_bytes, hash, records: Vec::new() }
    }

    /// The same keyring with one more record key, which is then the active one.
    pub(super) fn rotated(&self, now: i64) -> Result<Self, SealError> {
        let mut next = self.under(self.root.clone())?;
        next.add(now)?;
        Ok(next)
    }

    /// The same keyring under another root key.
    pub(super) fn under(&self, root: RootKey) -> Result<Self, SealError> {
        let mut next = Self::with_hash_key(root, self.hash_bytes.clone());
        for key in &self.records {
            next.push(key.id, key.created, key.bytes.clone())?;
        }
        Ok(next)
    }

    /// The key that opens it.
    pub(super) fn root(&self) -> &RootKey {
        &self.root
    }

    /// When the active key was made, in microseconds since 1970.
    pub(super) fn active_since(&self) -> i64 {
        self.records.last().map_or(0, |key| key.created)
    }

    fn add(&mut self, now: i64) -> Result<(), SealError> {
        let id = self.records.last().map_or(0, |key| key.id).checked_add(1);
        self.push(id.ok_or(SealError::Crypto)?, now, random_key()?)
    }

    fn push(&mut self, id: u32, created: i64, bytes: Zeroizing<[u8; 32]>) -> Result<(), SealError> {
        if self.records.len() >= RECORD_KEYS_MAX {
            return Err(SealError::Crypto);
        }
        let ready = aead_key(&bytes)?;
        self.records.push(RecordKey { id, created, bytes, ready });
        Ok(())
    }

    pub(super) fn active_id(&self) -> u32 {
        self.records.last().map_or(0, |key| key.id)
    }

    pub(super) fn seal(
        &self,
        record_key: &[u8],
        version: u64,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let key = self.records.last().ok_or(SealError::Crypto)?;
        envelope::seal(&key.ready, key.id, record_key, version, plain)
    }

    pub(super) fn open(
        &self,
        record_key: &[u8],
        version: u64,
        value: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let id = envelope::key_id(record_key, value)?;
        // The active key is the likely one and the last.
        let key = self.records.iter().rev().find(|key| key.id == id);
        let key = key.ok_or(SealError::UnknownKey(id))?;
        envelope::open(&key.ready, record_key, version, value)
    }

    /// HMAC-SHA-256 over the parts, each with its length in front.
    pub(super) fn keyed_hash(&self, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.hash);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context.sign()
    }

    /// The keyring's record value, sealed with the root key.
    pub(super) fn to_record(&self, version: u64) -> Result<Vec<u8>, SealError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(64 + 44 * self.records.len()));
        plain.push(FORMAT);
        plain.extend_from_slice(self.hash_bytes.as_slice());
        for key in &self.records {
            plain.extend_from_slice(&key.id.to_be_bytes());
            plain.extend_from_slice(&key.created.to_be_bytes());
            plain.extend_from_slice(key.bytes.as_slice());
        }
        let ready = aead_key(self.root.bytes())?;
        envelope::seal(&ready, ROOT_KEY_ID, &layout::keyring(), version, &plain)
    }

    /// Opens the keyring's record.
    pub(super) fn from_record(
        root: &RootKey,
        version: u64,
        value: &[u8],
    ) -> Result<Self, SealError> {
        let record_key = layout::keyring();
        if envelope::key_id(&record_key, value)? != ROOT_KEY_ID {
            return Err(SealError::damaged(&record_key));
        }
        let ready = aead_key(root.bytes())?;
        let plain = envelope::open(&ready, &record_key, version, value)
            .map_err(|_| SealError::WrongRootKey)?;
        Self::from_plain(root, &plain)
    }

    fn from_plain(root: &RootKey, plain: &[u8]) -> Result<Self, SealError> {
        let damaged = || SealError::damaged(&layout::keyring());
        let (&format, rest) = plain.split_first().ok_or_else(damaged)?;
        if format != FORMAT {
            return Err(SealError::Format { what: "the keyring", found: format });
        }
        let (hash_bytes, mut rest) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
        let mut keyring = Self::with_hash_key(root.clone(), Zeroizing::new(*hash_bytes));
        while !rest.is_empty() {
            let (id, tail) = rest.split_first_chunk().ok_or_else(damaged)?;
            let (created, tail) = tail.split_first_chunk().ok_or_else(damaged)?;
            let (bytes, tail) = tail.split_first_chunk::<32>().ok_or_else(damaged)?;
            let (id, created) = (u32::from_be_bytes(*id), i64::from_be_bytes(*created));
            if id <= keyring.active_id() {
                return Err(damaged());
            }
            keyring.push(id, created, Zeroizing::new(*bytes))?;
            rest = tail;
        }
        if keyring.records.is_empty() { Err(damaged()) } else { Ok(keyring) }
    }
}

/// A fresh key of 32 random bytes.
///
/// # Errors
/// [`SealError::Crypto`] without randomness.
pub fn random_key() -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut bytes = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice())?;
    Ok(bytes)
}
