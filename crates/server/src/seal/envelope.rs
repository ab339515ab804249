//! How one value is sealed: `docs/formats.md` §3. Knows keys by number and bytes, nothing else.

use super::SealError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// The version byte of the format below.
const FORMAT: u8 = 1;
/// Version byte, record key's number, nonce.
const HEADER_BYTES: usize = 1 + 4 + NONCE_LEN;
/// What authenticates the rest.
const TAG_BYTES: usize = 16;
/// What sealing adds to a value.
pub(super) const OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;

/// An AES-256-GCM key ready for use.
pub(super) fn aead_key(bytes: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes)?))
}

/// Binds a value to its place: a record copied to another key, or an old value under a newer
/// version, does not open.
fn associated(record_key: &[u8], version: u64) -> Vec<u8> {
    let mut data = Vec::with_capacity(record_key.len().saturating_add(8));
    data.extend_from_slice(record_key);
    data.extend_from_slice(&version.to_be_bytes());
    data
}

/// Seals `plain` for `record_key` at `version`.
///
/// The nonce is always fresh randomness of the library, never handed in: one repeated nonce would
/// give the key away.
pub(super) fn seal(
    key: &LessSafeKey,
    key_id: u32,
    record_key: &[u8],
    version: u64,
    plain: &[u8],
) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE_LEN];
    aws_lc_rs::rand::fill(&mut nonce)?;
    let mut body = Zeroizing::new(plain.to_vec());
    let nonce_used = Nonce::assume_unique_for_key(nonce);
    let aad = Aad::from(associated(record_key, version));
    let tag = key.seal_in_place_separate_tag(nonce_used, aad, &mut body)?;
    let mut value = Vec::with_capacity(body.len().saturating_add(OVERHEAD_BYTES));
    value.push(FORMAT);
    value.extend_from_slice(&key_id.to_be_bytes());
    value.extend_from_slice(&nonce);
    value.extend_from_slice(&body);
    value.extend_from_slice(tag.as_ref());
    Ok(value)
}

/// The number of the key a value is sealed with.
pub(super) fn key_id(record_key: &[u8], value: &[u8]) -> Result<u32, SealError> {
    match value.split_first() {
        Some((&FORMAT, rest)) if value.len() >= OVERHEAD_BYTES => {
            let id = rest.first_chunk().ok_or_else(|| SealError::damaged(record_key))?;
            Ok(u32::from_be_bytes(*id))
        }
        Some((&FORMAT, _)) | None => Err(SealError::damaged(record_key)),
        Some((&found, _)) => Err(SealError::Format { what: "a record", found }),
    }
}

/// Opens what [`seal`] made for the same key and version.
pub(super) fn open(
    key: &LessSafeKey,
    record_key: &[u8],
    version: u64,
    value: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let damaged = || SealError::damaged(record_key);
    let (header, body) = value.split_at_checked(HEADER_BYTES).ok_or_else(damaged)?;
    let (body, tag) = body.split_last_chunk::<TAG_BYTES>().ok_or_else(damaged)?;
    let nonce = header.last_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let aad = Aad::from(associated(record_key, version));
    // Not in place: what is kept in memory is as long as the record, without the tag.
    let mut plain = Zeroizing::new(vec![0; body.len()]);
    key.open_separate_gather(nonce, aad, body, tag, &mut plain).map_err(|_| damaged())?;
    Ok(plain)
}
