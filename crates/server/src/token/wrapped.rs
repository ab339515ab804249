//! Answers that are wrapped: put away until whoever holds the wrapping token takes them out, once.
//!
//! The token and its answer are made and removed in one batch, so that there is never the one without
//! the other.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Created, NewToken, TokenError, TokenInfo, Tokens, wrapped_key};
use crate::policy::RESPONSE_WRAPPING;

/// The longest answer that is wrapped, in bytes of JSON: whoever has a token can wrap something.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// An answer of the API, as it would have been sent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped {
    /// Its `data`.
    pub data: Option<Map<String, Value>>,
    /// Its `auth`.
    pub auth: Option<Value>,
    /// Its `warnings`.
    pub warnings: Vec<String>,
}

impl Wrapped {
    /// The accessor of the token that it holds, if it is the answer of a login or the like.
    pub fn accessor(&self) -> Option<String> {
        Some(self.auth.as_ref()?.get("accessor")?.as_str()?.to_owned())
    }
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapped(…)")
    }
}

impl Tokens {
    /// Puts an answer away for `ttl` seconds; the token that unwraps it. `path` is the API path that it
    /// answers. Blocks until durable.
    ///
    /// # Errors
    /// [`TokenError::BadInput`] when it is too long.
    pub fn wrap(&self, answer: Wrapped, ttl: i64, path: &str) -> Result<Created, TokenError> {
        let length = serde_json::to_vec(&answer).map(Zeroizing::new).map_or(0, |json| json.len());
        if length > ANSWER_BYTES_MAX {
            return Err(TokenError::BadInput(format!(
                "an answer of more than {ANSWER_BYTES_MAX} bytes cannot be wrapped"
            )));
        }
        self.create(NewToken {
            policies: vec![RESPONSE_WRAPPING.to_owned()],
            ttl,
            explicit_max_ttl: ttl,
            num_uses: 1,
            path: path.to_owned(),
            wrapped: Some(answer),
            ..NewToken::default()
        })
    }

    /// What a wrapping token is; `None` when it is not alive, or no wrapping token.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn lookup_wrapping(&self, token: &str) -> Result<Option<TokenInfo>, TokenError> {
        Ok(self.lookup(token)?.filter(TokenInfo::is_wrapping))
    }

    /// Takes out the answer of a wrapping token, which ends it: of several who try, one gets it. Blocks
    /// until that is durable.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn take_wrapped(&self, token: &str) -> Result<Option<Wrapped>, TokenError> {
        let Some(info) = self.lookup_wrapping(token)? else { return Ok(None) };
        let _one = self.writer();
        // Looked up again: somebody else may have had it before the turn came.
        if self.lookup_id(info.id)?.is_none() {
            return Ok(None);
        }
        let answer = self.records.get::<Wrapped>(&wrapped_key(info.id))?;
        self.remove_tree(&info)?;
        Ok(answer.map(|stored| stored.value))
    }

    /// Puts the answer of a wrapping token under a new one, for as long as it was given first, or for
    /// `ttl` seconds if that is shorter and not 0; the new one, and the accessor that the answer holds.
    /// Blocks until durable.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn rewrap(
        &self,
        token: &str,
        ttl: i64,
    ) -> Result<Option<(Created, Option<String>)>, TokenError> {
        let Some(info) = self.lookup_wrapping(token)? else { return Ok(None) };
        let ttl = if ttl > 0 { ttl.min(info.creation_ttl) } else { info.creation_ttl };
        self.wrap_again(token, ttl, &info.path)
    }

    /// Puts the answer of a wrapping token under a new one, for `ttl` seconds, as the answer of another
    /// path; the new one, and the accessor that the answer holds. Blocks until durable.
    ///
    /// # Errors
    /// When storage does not answer: then the old one is as good as before.
    pub fn wrap_again(
        &self,
        token: &str,
        ttl: i64,
        path: &str,
    ) -> Result<Option<(Created, Option<String>)>, TokenError> {
        let Some(info) = self.lookup_wrapping(token)? else { return Ok(None) };
        let Some(stored) = self.records.get::<Wrapped>(&wrapped_key(info.id))? else {
            return Ok(None);
        };
        let accessor = stored.value.accessor();
        // The new one first: until the old one is gone nobody knows of it.
        let created = self.wrap(stored.value, ttl, path)?;
        if self.take_wrapped(token)?.is_none() {
            self.revoke(created.info.id)?;
            return Ok(None);
        }
        Ok(Some((created, accessor)))
    }
}
