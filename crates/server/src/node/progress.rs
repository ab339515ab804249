//! The key shares given so far. Pure, but for the name of the attempt.

use zeroize::Zeroizing;

use crate::front::http::vault::KeeperError;
use crate::record::RequestId;
use crate::seal::shamir::Share;
use crate::seal::{ByShares, Gathering, SealConfig, SealError};

/// One attempt to unseal.
#[derive(Default)]
pub(super) struct Progress {
    gathered: Option<Gathering>,
}

impl Progress {
    /// How many shares have been given.
    pub(super) fn given(&self) -> usize {
        self.gathered.as_ref().map_or(0, Gathering::progress)
    }

    /// The name of the attempt; empty when nothing has been given.
    pub(super) fn nonce(&self) -> &str {
        self.gathered.as_ref().map_or("", Gathering::nonce)
    }

    /// Takes a share; what they have opened, once there are enough. The attempt is over then, right
    /// or wrong.
    pub(super) fn add(
        &mut self,
        share: Zeroizing<Vec<u8>>,
        config: &SealConfig,
    ) -> Result<Option<ByShares>, KeeperError> {
        let lengths = config.share_bytes();
        if !lengths.contains(&share.len()) {
            let lengths: Vec<String> = lengths.iter().map(usize::to_string).collect();
            let text = format!("invalid key: a key share has {} bytes", lengths.join(" or "));
            return Err(KeeperError::BadInput(text));
        }
        if self.gathered.is_none() {
            let nonce = RequestId::random().map_err(super::internal)?;
            self.gathered = Some(Gathering::new(nonce.to_string()));
        }
        let Some(gathered) = &mut self.gathered else { return Ok(None) };
        match config.open_with(gathered.add(Share::new(share))) {
            Ok(None) => Ok(None),
            Ok(Some(opened)) => {
                self.gathered = None;
                Ok(Some(opened))
            }
            Err(error) => {
                self.gathered = None;
                Err(match error {
                    SealError::WrongSealKey => KeeperError::WrongShares,
                    other => super::internal(other),
                })
            }
        }
    }
}
