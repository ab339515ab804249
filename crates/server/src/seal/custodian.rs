//! Who keeps the key of the root key without people: a file, a token, or another KMIP server. People and their shares are
//! in `gathering` and `rekey`. Knows no storage. `docs/formats.md` §6, §10.

use super::shamir::Share;
use super::{KeyFile, Peer, RootKey, SealConfig, SealError, SealKind, Token};

/// Whoever can open the root key of a store right now.
#[derive(Debug)]
pub enum Opener {
    /// A file, a token or another server.
    Custodian(Custodian),
    /// People, who have brought their shares.
    Shares(Vec<Share>),
}

impl Opener {
    /// The root key of a store with that configuration, or with none, as stores of the first
    /// version.
    ///
    /// # Errors
    /// [`SealError::KeptOtherwise`], [`SealError::TooFewShares`], [`SealError::WrongSealKey`]; what
    /// the file, the token or the server refuses.
    pub fn open(&self, config: Option<&SealConfig>) -> Result<RootKey, SealError> {
        let shares = match self {
            Self::Custodian(custodian) => return custodian.open(config),
            Self::Shares(shares) => shares,
        };
        let kind = config.map_or(SealKind::KeyFile, |config| config.kind);
        let config = config.filter(|config| config.kept_by(SealKind::Shamir).is_some());
        let config = config.ok_or(SealError::KeptOtherwise(kind))?;
        for count in 1..=shares.len() {
            if let Some(opened) = config.open_with(shares.get(..count).unwrap_or_default())? {
                return Ok(opened.root);
            }
        }
        Err(SealError::TooFewShares { given: shares.len(), needed: config.threshold })
    }
}

/// Opens and closes the root key by itself.
#[derive(Debug, Clone)]
pub enum Custodian {
    /// A file.
    KeyFile(KeyFile),
    /// A key that never leaves a PKCS#11 token.
    Pkcs11(Token),
    /// A key that never leaves another KMIP server.
    Kmip(Peer),
}

impl Custodian {
    /// The kind that the seal's configuration names.
    pub fn kind(&self) -> SealKind {
        match self {
            Self::KeyFile(_) => SealKind::KeyFile,
            Self::Pkcs11(_) => SealKind::Pkcs11,
            Self::Kmip(_) => SealKind::Kmip,
        }
    }

    /// The root key of a store with that configuration, or with none, as stores of the first
    /// version.
    ///
    /// # Errors
    /// [`SealError::KeptOtherwise`] if somebody else keeps it; what the file, the token or the server refuses.
    pub fn open(&self, config: Option<&SealConfig>) -> Result<RootKey, SealError> {
        let legacy = SealConfig::key_file();
        let kept = config.unwrap_or(&legacy);
        let kept = kept.kept_by(self.kind()).ok_or(SealError::KeptOtherwise(kept.kind))?;
        match self {
            Self::KeyFile(file) if kept.root_is_elsewhere() => file.read(),
            Self::KeyFile(file) => {
                kept.open_root(file.read()?.bytes()).map_err(|error| match error {
                    SealError::WrongSealKey => SealError::WrongRootKey,
                    other => other,
                })
            }
            Self::Pkcs11(token) => token.unwrap(&kept.sealed_root()?),
            Self::Kmip(peer) => peer.unwrap(kept.kmip_key(), &kept.sealed_root()?),
        }
    }

    /// The configuration of a store whose root key is `root`, kept here. What keeps it must exist.
    ///
    /// # Errors
    /// What the file, the token or the server refuses.
    pub fn keep(&self, root: &RootKey) -> Result<SealConfig, SealError> {
        let config = match self {
            Self::KeyFile(file) => SealConfig::under_key_file(file.read()?.bytes(), root)?,
            Self::Pkcs11(token) => SealConfig::under_token(&token.wrap(root)?),
            Self::Kmip(peer) => {
                let (key, sealed) = peer.wrap(root)?;
                SealConfig::under_peer(key, &sealed)
            }
        };
        // What does not open again must not be relied on.
        if self.open(Some(&config))?.bytes() == root.bytes() {
            Ok(config)
        } else {
            Err(SealError::WrongSealKey)
        }
    }

    /// Makes what keeps root keys, unless it is there.
    ///
    /// # Errors
    /// What the file system, the token or the server refuses.
    pub fn prepare(&self) -> Result<(), SealError> {
        match self {
            Self::KeyFile(file) if file.exists() => file.read().map(drop),
            Self::KeyFile(file) => file.create().map(drop),
            Self::Pkcs11(token) => token.prepare(),
            Self::Kmip(peer) => peer.prepare(),
        }
    }
}
