//! Tokens of the HTTP API: who may administer.
//!
//! Only a keyed hash of a token is stored; the token itself is shown once, when it is made. This
//! issue knows one kind, the root token. Never knows a route.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::record::{Edit, Kind, RecordError, Records, base62, key};

/// Random characters of a token: 24 out of 62 are 142 bits.
const TOKEN_CHARS: usize = 24;
const ACCESSOR_CHARS: usize = 24;

/// Prefix of service tokens, as Vault's.
const TOKEN_PREFIX: &str = "hvs.";

/// How long a random root token is.
pub const ROOT_TOKEN_BYTES: usize = TOKEN_PREFIX.len() + TOKEN_CHARS;

/// The longest token that is looked up at all.
const TOKEN_BYTES_MAX: usize = 1024;

/// Why tokens could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The wanted token cannot be one.
    #[error("a token has 1 to 1024 visible ASCII characters")]
    Unfit,
    /// Records could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The operating system gives no randomness.
    #[error("the cryptographic library gave no reason")]
    Random,
}

/// What a token is, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// A name that can be logged and used to revoke, but not to act.
    pub accessor: String,
    /// Who it is for.
    pub display_name: String,
    /// What it may do; `root` may do everything.
    pub policies: Vec<String>,
    /// The API path that made it.
    pub path: String,
    /// Seconds since 1970.
    pub creation_time: i64,
    /// Seconds it lives; 0 without end.
    pub creation_ttl: i64,
}

/// The tokens.
#[derive(Clone)]
pub struct Tokens {
    records: Records,
    clock: Arc<dyn Clock>,
}

impl Tokens {
    /// On top of the records.
    pub fn new(records: Records, clock: Arc<dyn Clock>) -> Self {
        Self { records, clock }
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
        let token = Zeroizing::new(match wanted {
            Some(wanted) => wanted.to_owned(),
            None => format!("{TOKEN_PREFIX}{}", random(TOKEN_CHARS)?),
        });
        let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX || !visible {
            return Err(TokenError::Unfit);
        }
        if self.lookup(&token)?.is_some() {
            return Ok(token);
        }
        let info = TokenInfo {
            accessor: random(ACCESSOR_CHARS)?,
            display_name: "root".to_owned(),
            policies: vec!["root".to_owned()],
            path: "auth/token/root".to_owned(),
            creation_time: self.clock.now(),
            creation_ttl: 0,
        };
        let mut edit = Edit::default();
        edit.create(self.token_key(&token), &info)?;
        self.records.commit(edit)?;
        Ok(token)
    }

    /// What a token is; `None` when it is not alive. Compares keyed hashes, never tokens.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn lookup(&self, token: &str) -> Result<Option<TokenInfo>, TokenError> {
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return Ok(None);
        }
        let stored = self.records.get::<TokenInfo>(&self.token_key(token))?;
        let alive = stored.map(|stored| stored.value).filter(|info| {
            info.creation_ttl == 0 || self.clock.now() < info.creation_time + info.creation_ttl
        });
        Ok(alive)
    }

    fn token_key(&self, token: &str) -> Vec<u8> {
        key(Kind::Token, &[&self.records.blind("token", token)])
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

fn random(characters: usize) -> Result<String, TokenError> {
    base62(characters).map_err(|_| TokenError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::record::testing::TestStore;

    #[test]
    fn a_root_token_outlives_a_restart_and_is_stored_only_as_a_hash() {
        let (store, records) = TestStore::new();
        let clock = Arc::new(ManualClock::at(1_800_000_000));
        let tokens = Tokens::new(records, clock.clone());
        assert!(!tokens.any().unwrap());
        let token = tokens.create_root(None).unwrap();
        assert!(token.starts_with(TOKEN_PREFIX) && token.len() == 28);
        let again = Tokens::new(store.reopen(), clock);
        assert!(again.any().unwrap());
        let info = again.lookup(&token).unwrap().unwrap();
        assert_eq!(info.policies, ["root"]);
        assert_eq!(info.creation_time, 1_800_000_000);
        assert_ne!(info.accessor, *token);
        for key in store.reopen().keys(b"t").unwrap() {
            let text = String::from_utf8_lossy(&key).into_owned();
            assert!(!text.contains(token.as_str()));
        }
    }

    #[test]
    fn a_wanted_token_is_taken_as_it_is_and_only_once() {
        let (_store, records) = TestStore::new();
        let tokens = Tokens::new(records, Arc::new(ManualClock::at(0)));
        assert_eq!(*tokens.create_root(Some("root")).unwrap(), "root");
        let first = tokens.lookup("root").unwrap().unwrap();
        tokens.create_root(Some("root")).unwrap();
        assert_eq!(tokens.lookup("root").unwrap().unwrap(), first);
        for other in ["", "Root", "root ", &"x".repeat(2000)] {
            assert!(tokens.lookup(other).unwrap().is_none(), "{other:?}");
        }
        for unfit in ["", "a b", "a\n", "ü", &"x".repeat(2000)] {
            assert!(matches!(tokens.create_root(Some(unfit)), Err(TokenError::Unfit)));
        }
    }
}
