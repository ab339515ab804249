//! Tokens of the HTTP API: who may call it, how long, and which token made which.
//!
//! Only a keyed hash of a token is stored; the token itself is shown once, when it is made. A token
//! that is not an orphan ends with its parent. Never knows a route, nor what a policy allows.

mod address;
mod lifetime;
mod new;
mod revoke;
mod role;
#[cfg(test)]
mod tests;
mod wrapped;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::policy::RESPONSE_WRAPPING;
use crate::record::{Edit, Kind, MethodId, RecordError, Records, Stored, base64_bytes, key};

pub use address::{AddressBlock, admits};
pub use lifetime::{TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX, Terms};
pub use new::{Created, NewToken, sanitised};
pub use role::TokenRole;
pub use wrapped::{ANSWER_BYTES_MAX, Wrapped};

/// Prefix of service tokens, as Vault's.
const TOKEN_PREFIX: &str = "hvs.";

/// Length of a root token that nobody chose, in bytes.
pub const ROOT_TOKEN_BYTES: usize = TOKEN_PREFIX.len() + new::TOKEN_CHARS;

/// The longest token that is looked up at all.
const TOKEN_BYTES_MAX: usize = 1024;

/// The one policy that allows everything.
pub const ROOT_POLICY: &str = "root";

/// Why tokens could not be read, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The wanted token cannot be one.
    #[error("a token has 1 to 1024 visible ASCII characters")]
    Unfit,
    /// The caller asks for what cannot be; says what.
    #[error("{0}")]
    BadInput(String),
    /// The parent ended before its child began.
    #[error("the parent token is not alive")]
    NoParent,
    /// Records could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The operating system gives no randomness.
    #[error("the cryptographic library gave no reason")]
    Random,
}

/// Which token, without being able to act as it: its keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct TokenId([u8; 16]);

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenId(…)")
    }
}

/// What a token is, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// Its place in the store, which its record does not repeat.
    #[serde(skip)]
    pub id: TokenId,
    /// A name that can be logged and used to revoke, but not to act.
    pub accessor: String,
    /// Who it is for.
    pub display_name: String,
    /// What it may do; `root` may do everything. Sorted.
    pub policies: Vec<String>,
    /// The API path that made it.
    pub path: String,
    /// Seconds since 1970.
    pub creation_time: i64,
    /// Seconds it lived for when it was made; 0 without end.
    pub creation_ttl: i64,
    /// When it ends, in seconds since 1970; `None` without end.
    #[serde(default)]
    pub expire_time: Option<i64>,
    /// Seconds after its creation beyond which it is not renewed; 0 for the system's.
    #[serde(default)]
    pub explicit_max_ttl: i64,
    /// Seconds that each renewal gives it, without a maximum; 0 if it is not periodic.
    #[serde(default)]
    pub period: i64,
    /// How many requests it is still good for; 0 without limit.
    #[serde(default)]
    pub num_uses: u32,
    /// Whether it can be renewed.
    #[serde(default)]
    pub renewable: bool,
    /// The token that it ends with; `None` for an orphan.
    #[serde(default)]
    pub parent: Option<TokenId>,
    /// When it was renewed last, in seconds since 1970.
    #[serde(default)]
    pub last_renewal_time: Option<i64>,
    /// What its maker noted.
    #[serde(default)]
    pub meta: BTreeMap<String, String>,
    /// The token role that it was made under; empty if under none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// Where it may be used from; anywhere if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bound_cidrs: Vec<AddressBlock>,
    /// The login that made it; `None` if a token did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
}

/// Who logged in to get a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// By which auth method.
    pub method: MethodId,
    /// As which of its users, roles or certificates.
    pub name: String,
    /// The public key that the client proved to hold, as its SHA-256: it must be shown again when
    /// the token is renewed. Empty where none was asked for.
    #[serde(default, with = "base64_bytes", skip_serializing_if = "Vec::is_empty")]
    pub public_key: Vec<u8>,
}

impl TokenInfo {
    /// Whether it is there to unwrap an answer, and for nothing else.
    pub fn is_wrapping(&self) -> bool {
        self.policies == [RESPONSE_WRAPPING]
    }

    /// Whether it may do everything.
    pub fn is_root(&self) -> bool {
        self.policies.iter().any(|policy| policy == ROOT_POLICY)
    }

    /// Seconds that are left to it; 0 for one without end.
    pub fn ttl(&self, now: i64) -> i64 {
        self.expire_time.map_or(0, |end| end.saturating_sub(now).max(0))
    }

    fn is_alive(&self, now: i64) -> bool {
        self.expire_time.is_none_or(|end| now < end)
    }
}

/// The tokens.
#[derive(Clone)]
pub struct Tokens {
    records: Records,
    clock: Arc<dyn Clock>,
    /// Shared by those who add to the tree, whose commits then go together; had alone by whoever
    /// changes or removes: no child may appear under a token that is going.
    tree: Arc<RwLock<()>>,
}

impl Tokens {
    /// On top of the records.
    pub fn new(records: Records, clock: Arc<dyn Clock>) -> Self {
        Self { records, clock, tree: Arc::default() }
    }

    /// Whether there is any token: false in a store just initialised.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn any(&self) -> Result<bool, TokenError> {
        Ok(!self.records.keys(&key(Kind::Token, &[]))?.is_empty())
    }

    /// Makes a root token: a random one, or exactly `wanted`. Making the same one again changes
    /// nothing. Blocks until durable.
    ///
    /// # Errors
    /// [`TokenError::Unfit`] for a wanted token that could not be sent in a header.
    pub fn create_root(&self, wanted: Option<&str>) -> Result<Zeroizing<String>, TokenError> {
        if let Some(wanted) = wanted
            && self.lookup(wanted)?.is_some()
        {
            return Ok(Zeroizing::new(wanted.to_owned()));
        }
        let new = NewToken {
            id: wanted.map(|wanted| Zeroizing::new(wanted.to_owned())),
            display_name: ROOT_POLICY.to_owned(),
            policies: vec![ROOT_POLICY.to_owned()],
            path: "auth/token/root".to_owned(),
            ..NewToken::default()
        };
        Ok(self.create(new)?.token)
    }

    /// What a token is; `None` when it is not alive. Compares keyed hashes, never tokens.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn lookup(&self, token: &str) -> Result<Option<TokenInfo>, TokenError> {
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return Ok(None);
        }
        self.lookup_id(self.id_of(token))
    }

    /// The same of a token known by its identifier.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn lookup_id(&self, id: TokenId) -> Result<Option<TokenInfo>, TokenError> {
        Ok(self.stored(id)?.map(|stored| stored.value))
    }

    /// The same of a token known by its accessor.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn lookup_accessor(&self, accessor: &str) -> Result<Option<TokenInfo>, TokenError> {
        if accessor.is_empty() || accessor.len() > TOKEN_BYTES_MAX {
            return Ok(None);
        }
        match self.records.get::<AccessorRecord>(&self.accessor_key(accessor))? {
            Some(stored) => self.lookup_id(stored.value.token),
            None => Ok(None),
        }
    }

    /// Takes one use of a token for a request from an address: none of a token that may not be used
    /// from there. The last use ends the token: the request that has it is carried out, and no other.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn spend(
        &self,
        token: &str,
        from: Option<IpAddr>,
    ) -> Result<Option<TokenInfo>, TokenError> {
        let Some(info) = self.lookup(token)? else { return Ok(None) };
        if !admits(&info.bound_cidrs, from) {
            return Ok(None);
        }
        // The one use of a wrapping token goes with its answer: see [`Tokens::take_wrapped`].
        if info.num_uses == 0 || info.is_wrapping() {
            return Ok(Some(info));
        }
        let _one = self.writer();
        // Read again: the uses may have gone before the turn came.
        let Some(Stored { version, value: mut info }) = self.stored(info.id)? else {
            return Ok(None);
        };
        if info.num_uses <= 1 {
            info.num_uses = 0;
            self.remove_tree(&info)?;
            return Ok(Some(info));
        }
        info.num_uses -= 1;
        let mut edit = Edit::default();
        edit.update(token_key(info.id), version, &info)?;
        self.records.commit(edit)?;
        Ok(Some(info))
    }

    /// The accessors of all tokens that are alive.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn accessors(&self) -> Result<Vec<String>, TokenError> {
        let now = self.clock.now();
        let stored = self.records.scan::<TokenInfo>(&key(Kind::Token, &[]))?;
        let infos = stored.into_iter().map(|(_, stored)| stored.value);
        Ok(infos.filter(|info| info.is_alive(now)).map(|info| info.accessor).collect())
    }

    /// The record of a token that is alive.
    fn stored(&self, id: TokenId) -> Result<Option<Stored<TokenInfo>>, TokenError> {
        let stored = self.records.get::<TokenInfo>(&token_key(id))?;
        let now = self.clock.now();
        Ok(stored.filter(|stored| stored.value.is_alive(now)).map(|mut stored| {
            stored.value.id = id;
            stored
        }))
    }

    fn writer(&self) -> RwLockWriteGuard<'_, ()> {
        self.tree.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn id_of(&self, token: &str) -> TokenId {
        TokenId(self.records.blind("token", token))
    }

    fn accessor_key(&self, accessor: &str) -> Vec<u8> {
        key(Kind::Accessor, &[&self.records.blind("accessor", accessor)])
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// Which token an accessor means.
#[derive(Serialize, Deserialize)]
struct AccessorRecord {
    token: TokenId,
}

fn token_key(id: TokenId) -> Vec<u8> {
    key(Kind::Token, &[&id.0])
}

/// The row of a child, and without one the beginning of the rows of all children.
fn child_key(parent: TokenId, child: Option<TokenId>) -> Vec<u8> {
    match child {
        Some(child) => key(Kind::Child, &[&parent.0, &child.0]),
        None => key(Kind::Child, &[&parent.0]),
    }
}

/// The row of the answer that a token unwraps.
fn wrapped_key(id: TokenId) -> Vec<u8> {
    key(Kind::Wrapped, &[&id.0])
}

/// The row of a token's end. Times before 1970 are not asked for.
fn expiry_key(end: i64, id: TokenId) -> Vec<u8> {
    key(Kind::Expiry, &[&end.max(0).to_be_bytes(), &id.0])
}
