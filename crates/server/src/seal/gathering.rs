//! Shares that are being gathered, under a name of the attempt. Pure: the name comes in.

use super::shamir::Share;

/// One attempt to bring shares together.
#[derive(Debug)]
pub struct Gathering {
    nonce: String,
    given: Vec<Share>,
}

impl Gathering {
    /// An attempt under a fresh name.
    pub fn new(nonce: String) -> Self {
        Self { nonce, given: Vec::new() }
    }

    /// The attempt's name.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// How many shares have been given.
    pub fn progress(&self) -> usize {
        self.given.len()
    }

    /// Takes a share; the same one again changes nothing. Gives all that are there.
    pub fn add(&mut self, share: Share) -> &[Share] {
        if !self.given.contains(&share) {
            self.given.push(share);
        }
        &self.given
    }

    /// Forgets the shares; the attempt goes on.
    pub fn clear(&mut self) {
        self.given.clear();
    }
}
