//! A server whose root key another KMIP server keeps, and which did not get it at its start: it asks
//! again, ever more seldom, until it is unsealed. Knows nothing of KMIP.

use std::sync::Arc;
use std::time::Duration;

use super::{Node, StartError};
use crate::seal::SealError;

/// How long to wait before another KMIP server is asked again: twice as long each time, up to a bound.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MOST: Duration = Duration::from_secs(30);

impl Node {
    /// Asks the other KMIP server again until it opens the seal, on a thread of its own, if it did
    /// not at the start.
    ///
    /// # Errors
    /// The thread does not start.
    pub fn keep_asking(self: &Arc<Self>) -> std::io::Result<()> {
        if self.read().hindrance.is_none() {
            return Ok(());
        }
        let node = Arc::downgrade(self);
        let ask = move || {
            let mut pause = PAUSE_FIRST;
            loop {
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(PAUSE_MOST);
                let Some(node) = node.upgrade() else { return };
                if node.ask_again(pause) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("unseal".to_owned()).spawn(ask).map(drop)
    }

    /// Whether nothing is left to ask for.
    fn ask_again(&self, pause: Duration) -> bool {
        let _one = self.one_transition();
        if self.read().unsealed.is_some() {
            return true;
        }
        let opened = self.options.seal.custodian().and_then(|custodian| {
            let Some(custodian) = custodian else { return Err(SealError::Sealed) };
            custodian.open(self.config()?.as_ref())
        });
        let error = match opened {
            Ok(root) => match self.open_with(&root, |_| Ok(())) {
                Ok(_) => return true,
                Err(error) => error,
            },
            Err(error) => error.into(),
        };
        let pause_seconds = pause.as_secs_f32();
        tracing::warn!(%error, pause_seconds, "the server stays sealed, and asks again");
        if let StartError::Seal(SealError::Peer(error)) = error {
            self.write().hindrance = Some(error);
        }
        false
    }
}
