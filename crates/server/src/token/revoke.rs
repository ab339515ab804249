//! Ending tokens: on request with all that they made, or because their time has come.
//!
//! A tree goes from its leaves to its root, in batches: cut off in between, it is a smaller tree
//! under a token that is still there, never a child without its parent.

use super::{
    TokenError, TokenId, TokenInfo, Tokens, child_key, expiry_key, token_key, wrapped_key,
};
use crate::record::{Edit, Kind, MethodId, Stored, key};

/// Tokens in one batch: each has at most four rows, and a batch takes 1000.
const TOKENS_PER_BATCH: usize = 200;

impl Tokens {
    /// Ends a token and all below it; whether there was one. Blocks until durable.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn revoke(&self, id: TokenId) -> Result<bool, TokenError> {
        let _one = self.writer();
        let Some(stored) = self.any_state(id)? else { return Ok(false) };
        self.remove_tree(&stored.value)?;
        Ok(true)
    }

    /// Ends a token alone: its children become orphans; whether there was one. Blocks until durable.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn revoke_orphaning(&self, id: TokenId) -> Result<bool, TokenError> {
        let _one = self.writer();
        let Some(stored) = self.any_state(id)? else { return Ok(false) };
        for batch in self.children(id)?.chunks(TOKENS_PER_BATCH) {
            let mut edit = Edit::default();
            for child in batch {
                edit.delete(child_key(id, Some(*child)));
                if let Some(Stored { version, value: mut info }) = self.any_state(*child)? {
                    info.parent = None;
                    edit.update(token_key(*child), version, &info)?;
                }
            }
            self.records.commit(edit)?;
        }
        self.remove_tree(&stored.value)?;
        Ok(true)
    }

    /// Ends the tokens that logins by an auth method made, with all below them; how many. Blocks until
    /// durable.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn revoke_logins(&self, method: MethodId) -> Result<usize, TokenError> {
        let is_its = |info: &TokenInfo| info.login.as_ref().is_some_and(|it| it.method == method);
        let mut ended = 0usize;
        for (row, stored) in self.records.scan::<TokenInfo>(&key(Kind::Token, &[]))? {
            let id = row.last_chunk().copied().map(TokenId);
            if let Some(id) = id.filter(|_| is_its(&stored.value))
                && self.revoke(id)?
            {
                ended = ended.saturating_add(1);
            }
        }
        Ok(ended)
    }

    /// Removes the tokens whose time has come, with all below them; how many had ended. Blocks.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn sweep(&self) -> Result<usize, TokenError> {
        let beyond = self.clock.now().saturating_add(1);
        let start = key(Kind::Expiry, &[]);
        let end = key(Kind::Expiry, &[&beyond.max(0).to_be_bytes()]);
        let due = self.records.keys_between(&start, &end)?;
        let mut ended = 0usize;
        for row in due {
            let _one = self.writer();
            let id = row.last_chunk().copied().map(TokenId).unwrap_or_default();
            let now = self.clock.now();
            match self.any_state(id)? {
                Some(stored) if !stored.value.is_alive(now) => {
                    self.remove_tree(&stored.value)?;
                    ended = ended.saturating_add(1);
                }
                // Renewed, or gone, since the rows were read.
                _ => {}
            }
        }
        Ok(ended)
    }

    /// Removes a token and all below it. The caller holds the writer.
    pub(super) fn remove_tree(&self, top: &TokenInfo) -> Result<(), TokenError> {
        let mut tree = vec![top.clone()];
        let mut at = 0;
        while let Some(id) = tree.get(at).map(|info| info.id) {
            for child in self.children(id)? {
                let found = self.any_state(child)?;
                tree.extend(found.map(|stored| stored.value));
            }
            at = at.saturating_add(1);
        }
        tree.reverse();
        for batch in tree.chunks(TOKENS_PER_BATCH) {
            let mut edit = Edit::default();
            for info in batch {
                edit.delete(token_key(info.id));
                edit.delete(self.accessor_key(&info.accessor));
                if let Some(end) = info.expire_time {
                    edit.delete(expiry_key(end, info.id));
                }
                if info.is_wrapping() {
                    edit.delete(wrapped_key(info.id));
                }
                if let Some(parent) = info.parent {
                    edit.delete(child_key(parent, Some(info.id)));
                }
            }
            self.records.commit(edit)?;
        }
        Ok(())
    }

    fn children(&self, id: TokenId) -> Result<Vec<TokenId>, TokenError> {
        let rows = self.records.keys(&child_key(id, None))?;
        Ok(rows.iter().filter_map(|row| row.last_chunk().copied()).map(TokenId).collect())
    }

    /// The record of a token, alive or not.
    fn any_state(&self, id: TokenId) -> Result<Option<Stored<TokenInfo>>, TokenError> {
        let stored = self.records.get::<TokenInfo>(&token_key(id))?;
        Ok(stored.map(|mut stored| {
            stored.value.id = id;
            stored
        }))
    }
}
