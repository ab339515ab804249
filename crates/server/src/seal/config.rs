//! The seal's configuration: how the root key is kept. The one record that is read while sealed, so
//! nothing in it is secret: a root key in it is itself sealed. `docs/formats.md` §10.

use super::envelope::{aead_key, open, seal};
use super::fault::{Point, point};
use super::layout;
use super::shamir::{self, SHARE_OVERHEAD_BYTES, ShamirError, Share};
use super::{RootKey, SealError, random_key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_store::{Batch, CommitError, Engine, Expect, Put};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The version byte of the record.
const FORMAT: u8 = 1;
/// The seal key's number in the envelope of the root key, and the version it is bound to: the record
/// is rewritten whole, so the envelope needs no version of its own.
const SEAL_KEY_ID: u32 = 0;
const ENVELOPE_VERSION: u64 = 0;
/// What binds an envelope to its use.
const ROOT_KEY: &[u8] = b"root key";

const KEY_BYTES: usize = 32;

/// Who keeps what opens the root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealKind {
    /// People, a share each.
    Shamir,
    /// A file beside the data.
    KeyFile,
    /// A PKCS#11 token.
    Pkcs11,
    /// Another KMIP server.
    Kmip,
}

impl std::fmt::Display for SealKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shamir => "key shares",
            Self::KeyFile => "a key file",
            Self::Pkcs11 => "a PKCS#11 token",
            Self::Kmip => "another KMIP server",
        })
    }
}

/// How the root key of a store is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealConfig {
    /// By whom.
    pub kind: SealKind,
    /// Into how many shares the seal key is split; 0 where there are none.
    pub shares: u8,
    /// How many of them combine to it; 0 where there are none.
    pub threshold: u8,
    /// The root key, sealed with what the shares combine to, with the key in the file, by the token
    /// or by the KMIP server; empty where the file holds the root key itself. Base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    root_key: String,
    /// The identifier of the key of the KMIP server that sealed it; empty elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    kmip_key: String,
    /// The same root key as it was kept before: it stays until the new shares have opened the store,
    /// so that shares which reached nobody are no loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Box<Self>>,
}

/// The key that seals the root key: what shares combine to.
pub type SealKey = Zeroizing<[u8; 32]>;

impl SealConfig {
    /// Shares of `seal_key`, which seals `root`.
    ///
    /// # Errors
    /// [`SealError::Crypto`] without randomness.
    pub fn shamir(
        shares: u8,
        threshold: u8,
        seal_key: &SealKey,
        root: &RootKey,
    ) -> Result<Self, SealError> {
        let mut config = Self::bare(SealKind::Shamir);
        (config.shares, config.threshold) = (shares, threshold);
        config.seal_root(seal_key, root)?;
        Ok(config)
    }

    fn bare(kind: SealKind) -> Self {
        let (root_key, kmip_key) = (String::new(), String::new());
        Self { kind, shares: 0, threshold: 0, root_key, kmip_key, previous: None }
    }

    /// A file that holds the root key itself.
    pub fn key_file() -> Self {
        Self::bare(SealKind::KeyFile)
    }

    /// A file whose key seals `root`.
    pub(super) fn under_key_file(key: &[u8; 32], root: &RootKey) -> Result<Self, SealError> {
        let mut config = Self::key_file();
        config.seal_root(key, root)?;
        Ok(config)
    }

    /// A root key as a token has sealed it.
    pub(super) fn under_token(sealed: &[u8]) -> Self {
        let mut config = Self::bare(SealKind::Pkcs11);
        config.root_key = STANDARD.encode(sealed);
        config
    }

    /// A root key as a KMIP server has sealed it with the key of that identifier.
    pub(super) fn under_peer(key: String, sealed: &[u8]) -> Self {
        let mut config = Self::bare(SealKind::Kmip);
        config.root_key = STANDARD.encode(sealed);
        config.kmip_key = key;
        config
    }

    /// The same, with the root key also kept as `previous` says, until [`SealConfig::settled`].
    #[must_use]
    pub(super) fn besides(mut self, mut previous: Self) -> Self {
        previous.previous = None;
        self.previous = Some(Box::new(previous));
        self
    }

    /// The same without the way before, if there is one.
    pub fn settled(&self) -> Option<Self> {
        self.previous.as_ref()?;
        Some(Self { previous: None, ..self.clone() })
    }

    /// How the root key was kept before, while that still opens the store.
    pub fn previous(&self) -> Option<&Self> {
        self.previous.as_deref()
    }

    /// The way that the root key is kept by that kind, now or before.
    pub fn kept_by(&self, kind: SealKind) -> Option<&Self> {
        [Some(self), self.previous()].into_iter().flatten().find(|kept| kept.kind == kind)
    }

    pub(super) fn root_is_elsewhere(&self) -> bool {
        self.root_key.is_empty()
    }

    pub(super) fn kmip_key(&self) -> &str {
        &self.kmip_key
    }

    pub(super) fn sealed_root(&self) -> Result<Vec<u8>, SealError> {
        STANDARD.decode(&self.root_key).map_err(|_| damaged())
    }

    /// The root key, once enough shares are given: of the present ones, or of those before. `None`
    /// while more are needed.
    ///
    /// # Errors
    /// [`SealError::WrongSealKey`] if enough are given and they are not the right ones.
    pub fn open_with(&self, given: &[Share]) -> Result<Option<ByShares>, SealError> {
        let schemes = || {
            let both = [Some(self), self.previous()].into_iter().flatten();
            both.filter(|scheme| scheme.kind == SealKind::Shamir)
        };
        for scheme in schemes().filter(|it| usize::from(it.threshold) == given.len()) {
            let Ok(seal_key) = scheme.combine(given) else { continue };
            if let Ok(root) = scheme.open_root(&seal_key) {
                return Ok(Some(ByShares {
                    root,
                    seal_key,
                    is_present: std::ptr::eq(scheme, self),
                }));
            }
        }
        let most = schemes().map(|scheme| scheme.threshold).max().unwrap_or_default();
        if given.len() < usize::from(most) { Ok(None) } else { Err(SealError::WrongSealKey) }
    }

    /// How long a share may be.
    pub fn share_bytes(&self) -> Vec<usize> {
        let both = [Some(self), self.previous()].into_iter().flatten();
        let schemes = both.filter(|scheme| scheme.kind == SealKind::Shamir);
        let bytes = schemes.map(|scheme| match scheme.shares {
            1 => KEY_BYTES,
            _ => KEY_BYTES + SHARE_OVERHEAD_BYTES,
        });
        bytes.collect::<std::collections::BTreeSet<usize>>().into_iter().collect()
    }

    fn combine(&self, given: &[Share]) -> Result<SealKey, SealError> {
        let combined = match given {
            [only] if self.shares == 1 => Zeroizing::new(only.bytes().to_vec()),
            all => shamir::combine(all)?,
        };
        let key = combined.as_slice().try_into().map_err(|_| SealError::WrongSealKey)?;
        Ok(Zeroizing::new(key))
    }

    /// Takes another root key, or the same under another seal key.
    ///
    /// # Errors
    /// [`SealError::Crypto`] without randomness.
    pub fn seal_root(&mut self, seal_key: &[u8; 32], root: &RootKey) -> Result<(), SealError> {
        let key = aead_key(seal_key)?;
        let sealed = seal(&key, SEAL_KEY_ID, ROOT_KEY, ENVELOPE_VERSION, root.bytes())?;
        self.root_key = STANDARD.encode(sealed);
        Ok(())
    }

    /// The root key.
    ///
    /// # Errors
    /// [`SealError::WrongSealKey`] if `seal_key` is not the one it was sealed with.
    pub fn open_root(&self, seal_key: &[u8; 32]) -> Result<RootKey, SealError> {
        let sealed = self.sealed_root()?;
        let key = aead_key(seal_key)?;
        let opened =
            open(&key, ROOT_KEY, ENVELOPE_VERSION, &sealed).map_err(|_| SealError::WrongSealKey)?;
        let root = Zeroizing::new(*opened.first_chunk().ok_or(SealError::WrongSealKey)?);
        Ok(RootKey::new(root))
    }

    /// The record of a store and its version; `None` in one that has none: it is not initialised, or
    /// its root key is in a key file since before there was this record.
    ///
    /// # Errors
    /// [`SealError::Format`], [`SealError::Damaged`]; storage.
    pub fn read(engine: &dyn Engine) -> Result<Option<(Self, u64)>, SealError> {
        let Some(record) = engine.get(&layout::seal_config())? else { return Ok(None) };
        let config = match record.value.split_first() {
            Some((&FORMAT, json)) => serde_json::from_slice(json).map_err(|_| damaged())?,
            Some((&found, _)) => {
                return Err(SealError::Format { what: "the seal's configuration", found });
            }
            None => return Err(damaged()),
        };
        Ok(Some((config, record.version)))
    }

    /// The record, to be written in a batch: over the one of `version`, or as the first.
    ///
    /// # Errors
    /// [`SealError::Damaged`] if it does not encode, which would be a defect of ours.
    pub fn change(&self, version: Option<u64>, batch: &mut Batch) -> Result<(), SealError> {
        let key = layout::seal_config();
        let mut value = vec![FORMAT];
        serde_json::to_writer(&mut value, self).map_err(|_| damaged())?;
        let (expect, next) = match version {
            None => (Expect::Absent, 1),
            Some(version) => (Expect::Version(version), version.saturating_add(1)),
        };
        batch.expect.push((key.clone(), expect));
        batch.put.push(Put { key, version: next, value });
        Ok(())
    }

    /// Writes the record by itself; see [`Self::change`]. Blocks until durable.
    ///
    /// # Errors
    /// [`SealError::Commit`], a conflict if another change came first.
    pub fn write(&self, engine: &dyn Engine, version: Option<u64>) -> Result<(), SealError> {
        let mut batch = Batch::default();
        self.change(version, &mut batch)?;
        point(Point::SealConfigCommit);
        engine.commit(batch).wait().map_err(|error: CommitError| SealError::from(error))?;
        point(Point::SealConfigCommitted);
        Ok(())
    }
}

/// What shares have opened.
#[derive(Debug)]
pub struct ByShares {
    /// The root key.
    pub root: RootKey,
    /// What the shares combine to.
    pub seal_key: SealKey,
    /// Whether they are the present shares, not those before.
    pub is_present: bool,
}

/// A fresh seal key and its shares, of which `threshold` combine to it; the only share of one is the
/// key itself.
///
/// # Errors
/// [`SealError::Shamir`] for numbers that cannot be; [`SealError::Crypto`] without randomness.
pub fn deal(shares: u8, threshold: u8) -> Result<(SealKey, Vec<Share>), SealError> {
    let key = random_key()?;
    let dealt = match (shares, threshold) {
        (1, 1) => vec![Share::new(Zeroizing::new(key.to_vec()))],
        (1, _) => return Err(ShamirError::Numbers.into()),
        _ => shamir::split(key.as_slice(), shares, threshold)?,
    };
    Ok((key, dealt))
}

fn damaged() -> SealError {
    SealError::damaged(&layout::seal_config())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::random_key;
    use claviger_store::{Memory, Record};

    fn plant(engine: &Memory, value: &[u8]) {
        let version =
            engine.get(&layout::seal_config()).unwrap().map_or(1, |it: Record| it.version + 1);
        let put = vec![Put { key: layout::seal_config(), version, value: value.to_vec() }];
        engine.commit(Batch { put, ..Batch::default() }).wait().unwrap();
    }

    #[test]
    fn only_the_seal_key_opens_the_root_key() {
        let (engine, seal_key) = (Memory::new(), random_key().unwrap());
        let root = RootKey::generate().unwrap();
        assert_eq!(SealConfig::read(&engine).unwrap(), None);
        let config = SealConfig::shamir(5, 3, &seal_key, &root).unwrap();
        config.write(&engine, None).unwrap();
        let (mut read, version) = SealConfig::read(&engine).unwrap().unwrap();
        assert_eq!((&read, version), (&config, 1));
        assert_eq!(read.open_root(&seal_key).unwrap().bytes(), root.bytes());
        let other = random_key().unwrap();
        assert!(matches!(read.open_root(&other), Err(SealError::WrongSealKey)));

        read.seal_root(&other, &root).unwrap();
        assert!(
            matches!(read.write(&engine, None), Err(SealError::Commit(_))),
            "never replaced unasked"
        );
        read.write(&engine, Some(version)).unwrap();
        let (again, version) = SealConfig::read(&engine).unwrap().unwrap();
        assert_eq!(version, 2);
        assert_eq!(again.open_root(&other).unwrap().bytes(), root.bytes());
        assert!(again.open_root(&seal_key).is_err());
        let key_file = SealConfig::key_file();
        assert!(matches!(key_file.open_root(&other), Err(SealError::WrongSealKey)));
    }

    #[test]
    fn an_unknown_format_or_kind_is_refused_and_nothing_secret_is_in_the_record() {
        let engine = Memory::new();
        plant(&engine, b"\x02{}");
        assert!(matches!(SealConfig::read(&engine), Err(SealError::Format { found: 2, .. })));
        for bad in [&b""[..], b"\x01", b"\x01{\"kind\":\"sun\",\"shares\":1,\"threshold\":1}"] {
            plant(&engine, bad);
            assert!(matches!(
                SealConfig::read(&engine),
                Err(SealError::Damaged { kind: Some('y') })
            ));
        }
        let root = RootKey::new(Zeroizing::new([0x41; 32]));
        let seal_key = Zeroizing::new([0x42; 32]);
        let text = format!("{:?}", SealConfig::shamir(1, 1, &seal_key, &root).unwrap());
        for secret in [STANDARD.encode([0x41; 32]), STANDARD.encode([0x42; 32])] {
            assert!(!text.contains(&secret));
        }
    }
}
