//! What the API needs of whoever keeps the seal: its state, and the five things that change it. Knows
//! no storage and no share's arithmetic.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Services;

/// Keeps the seal of one server. Every call but [`Keeper::services`] and [`Keeper::status`] may block.
pub trait Keeper: Send + Sync + fmt::Debug {
    /// What there is to administer; `None` while sealed.
    fn services(&self) -> Option<Arc<Services>>;

    /// The state of the seal.
    fn status(&self) -> SealStatus;

    /// Makes the keys of an empty store.
    ///
    /// # Errors
    /// [`KeeperError::Initialised`], [`KeeperError::BadInput`] for numbers that cannot be,
    /// [`KeeperError::Away`] and [`KeeperError::Refused`] where something else is to keep the root
    /// key; ours.
    fn initialise(&self, sharing: Sharing) -> Result<Initialised, KeeperError>;

    /// Takes one key share; the last that is needed unseals. Sharing the same one again, and unsealing
    /// an unsealed server, changes nothing.
    ///
    /// # Errors
    /// [`KeeperError::BadInput`] for what is no share, [`KeeperError::WrongShares`]; ours.
    fn unseal(&self, share: Zeroizing<Vec<u8>>) -> Result<(), KeeperError>;

    /// Forgets the shares given so far.
    fn reset_unseal(&self);

    /// Stops everything behind the seal and forgets its keys.
    fn seal(&self);
}

/// How many shares an initialisation makes, and how many of them unseal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// All.
    pub shares: u32,
    /// Enough.
    pub threshold: u32,
}

/// What an initialisation hands out, once.
pub struct Initialised {
    /// The key shares; none where the seal is kept by something else than people.
    pub shares: Vec<Zeroizing<Vec<u8>>>,
    /// The first token.
    pub root_token: Zeroizing<String>,
}

impl fmt::Debug for Initialised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Initialised({} shares)", self.shares.len())
    }
}

/// The state of a seal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealStatus {
    /// Kind of seal, in Vault's word, such as `shamir`.
    pub kind: &'static str,
    /// Whether the store has keys.
    pub initialised: bool,
    /// Whether they are locked away.
    pub sealed: bool,
    /// How many key shares there are.
    pub shares: u8,
    /// How many of them unseal.
    pub threshold: u8,
    /// How many have been given.
    pub progress: usize,
    /// Names this attempt to unseal; empty when there is none.
    pub nonce: String,
    /// Why a server that unseals itself has not, if it asks again; names no place and no key.
    pub hindrance: Option<&'static str>,
    /// Identifier of the cluster; known while unsealed.
    pub cluster_id: Option<String>,
}

/// Why the seal stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeeperError {
    /// The caller's input cannot be.
    #[error("{0}")]
    BadInput(String),
    /// The store has keys already.
    #[error("Vault is already initialized")]
    Initialised,
    /// The store has no keys yet.
    #[error("Vault is not initialized")]
    NotInitialised,
    /// The shares given do not combine to the key; all of them are forgotten.
    #[error("Unseal failed, invalid key")]
    WrongShares,
    /// What is to keep the root key does not answer; names no place.
    #[error("{0}; the server's log says more")]
    Away(&'static str),
    /// What is to keep the root key does not; names no place and no key.
    #[error("{0}; the server's log says more")]
    Refused(&'static str),
    /// Ours.
    #[error("{0}")]
    Internal(String),
}
