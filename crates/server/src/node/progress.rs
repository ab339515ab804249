//! The key shares given so far. Pure, but for the name of the attempt.

use zeroize::Zeroizing;

use crate::front::http::vault::KeeperError;
use crate::record::RequestId;
use crate::seal::SealKey;
use crate::seal::shamir::{self, SHARE_OVERHEAD_BYTES, Share};

const KEY_BYTES: usize = 32;

/// One attempt to unseal.
#[derive(Default)]
pub(super) struct Progress {
    nonce: String,
    shares: Vec<Share>,
}

impl Progress {
    /// How many shares have been given.
    pub(super) fn given(&self) -> usize {
        self.shares.len()
    }

    /// The name of the attempt; empty when nothing has been given.
    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Takes a share of a key that is in `shares` of them; what `threshold` of them combine to, right
    /// or wrong. The attempt is over then.
    pub(super) fn add(
        &mut self,
        share: Zeroizing<Vec<u8>>,
        shares: u8,
        threshold: u8,
    ) -> Result<Option<SealKey>, KeeperError> {
        let is_split = shares > 1;
        let expected = if is_split { KEY_BYTES + SHARE_OVERHEAD_BYTES } else { KEY_BYTES };
        if share.len() != expected {
            let text = format!("invalid key: a key share has {expected} bytes");
            return Err(KeeperError::BadInput(text));
        }
        let share = Share::new(share);
        if self.shares.contains(&share) {
            return Ok(None);
        }
        if self.shares.is_empty() {
            let nonce = RequestId::random().map_err(super::internal)?;
            self.nonce = nonce.to_string();
        }
        self.shares.push(share);
        if self.shares.len() < usize::from(threshold) {
            return Ok(None);
        }
        let attempt = std::mem::take(self);
        let key = match attempt.shares.as_slice() {
            [only] if !is_split => Zeroizing::new(only.bytes().to_vec()),
            all => shamir::combine(all).map_err(|_| KeeperError::WrongShares)?,
        };
        let key = key.first_chunk().ok_or(KeeperError::WrongShares)?;
        Ok(Some(Zeroizing::new(*key)))
    }
}
