//! The life of the root key while the store is unsealed: rotation, rekeying with new shares, another
//! custodian, and proof by shares for a new root token.
//!
//! What is under way is in memory only: sealing forgets it. Each change is one batch, so a crash leaves
//! the old state or the new one. Knows no route. `docs/formats.md` §10.

use super::fault::{Point, point};
use super::shamir::{ShamirError, Share};
use super::{
    Barrier, ByShares, Custodian, Gathering, RootKey, SealConfig, SealError, SealKey, SealKind,
    deal,
};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// What new shares are to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RekeyTerms {
    /// How many.
    pub shares: u8,
    /// How many of them combine.
    pub threshold: u8,
    /// Whether the new shares must prove themselves before they count.
    pub verify: bool,
}

/// How far a rekeying has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RekeyStatus {
    /// Names the attempt.
    pub nonce: String,
    /// What it is for.
    pub terms: RekeyTerms,
    /// How many of the present shares have been given.
    pub progress: usize,
    /// How many are needed.
    pub required: u8,
    /// Names the verification and says how many new shares it has seen, once it is due.
    pub verification: Option<(String, usize)>,
}

/// How far the proof for a root token has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootTokenStatus {
    /// Names the attempt.
    pub nonce: String,
    /// How many shares have been given.
    pub progress: usize,
    /// How many are needed.
    pub required: u8,
}

/// New shares.
pub struct Dealt {
    /// All of them.
    pub shares: Vec<Share>,
    /// Names the verification; `None` if they count already.
    pub verification: Option<String>,
}

impl fmt::Debug for Dealt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dealt({} shares)", self.shares.len())
    }
}

/// What became of a share that was given.
#[derive(Debug)]
pub enum Given<T> {
    /// More are needed.
    More,
    /// It was the last that was needed.
    Complete(T),
}

/// A rekeying under way.
struct Rekey {
    terms: RekeyTerms,
    present: Gathering,
    /// The new seal key and the shares of it that came back.
    proving: Option<(SealKey, Gathering)>,
}

/// Keeps the root key of an unsealed store.
pub struct Custody {
    barrier: Arc<Barrier>,
    rekey: Mutex<Option<Rekey>>,
    /// The attempt, and what its token will be hidden with.
    root_token: Mutex<Option<(Gathering, Zeroizing<String>)>>,
}

impl Custody {
    /// Over an unsealed barrier.
    pub fn new(barrier: Arc<Barrier>) -> Self {
        Self { barrier, rekey: Mutex::default(), root_token: Mutex::default() }
    }

    /// The barrier.
    pub fn barrier(&self) -> &Arc<Barrier> {
        &self.barrier
    }

    /// How the root key is kept.
    ///
    /// # Errors
    /// Storage; a configuration that does not parse.
    pub fn config(&self) -> Result<SealConfig, SealError> {
        let read = SealConfig::read(self.barrier.engine().as_ref())?;
        Ok(read.map_or_else(SealConfig::key_file, |(config, _)| config))
    }

    /// The rekeying under way.
    ///
    /// # Errors
    /// As [`Custody::config`].
    pub fn rekey_status(&self) -> Result<Option<RekeyStatus>, SealError> {
        let required = self.config()?.threshold;
        Ok(lock(&self.rekey).as_ref().map(|rekey| RekeyStatus {
            nonce: rekey.present.nonce().to_owned(),
            terms: rekey.terms,
            progress: rekey.present.progress(),
            required,
            verification: rekey
                .proving
                .as_ref()
                .map(|(_, proof)| (proof.nonce().to_owned(), proof.progress())),
        }))
    }

    /// Begins a rekeying.
    ///
    /// # Errors
    /// [`SealError::UnderWay`]; [`SealError::KeptOtherwise`] where there are no shares;
    /// [`SealError::Shamir`] for numbers that cannot be.
    pub fn rekey_start(&self, terms: RekeyTerms, nonce: String) -> Result<(), SealError> {
        self.require_shares()?;
        let RekeyTerms { shares, threshold, .. } = terms;
        if threshold == 0 || threshold > shares || (threshold == 1) != (shares == 1) {
            return Err(ShamirError::Numbers.into());
        }
        let mut rekey = lock(&self.rekey);
        if rekey.is_some() {
            return Err(SealError::UnderWay);
        }
        *rekey = Some(Rekey { terms, present: Gathering::new(nonce), proving: None });
        Ok(())
    }

    /// Ends a rekeying; nothing has changed.
    pub fn rekey_cancel(&self) {
        *lock(&self.rekey) = None;
    }

    /// Takes a present share. The last that is needed makes the new ones: they count at once, and the
    /// present ones until the new have opened the store; or they count once verified under
    /// `verification`, and the present ones no more. Blocks.
    ///
    /// # Errors
    /// [`SealError::NotUnderWay`] under another nonce or none; [`SealError::WrongSealKey`], which
    /// begins the gathering anew.
    pub fn rekey_give(
        &self,
        nonce: &str,
        share: Share,
        verification: String,
    ) -> Result<Given<Dealt>, SealError> {
        let mut held = lock(&self.rekey);
        let rekey = held.as_mut().filter(|it| it.present.nonce() == nonce && it.proving.is_none());
        let rekey = rekey.ok_or(SealError::NotUnderWay)?;
        let Some(proof) = self.prove(&mut rekey.present, share)? else { return Ok(Given::More) };
        let terms = rekey.terms;
        let (seal_key, shares) = deal(terms.shares, terms.threshold)?;
        if terms.verify {
            rekey.proving = Some((seal_key, Gathering::new(verification.clone())));
            return Ok(Given::Complete(Dealt { shares, verification: Some(verification) }));
        }
        self.barrier.change_root(|root, present| {
            let before = present.ok_or(SealError::NotInitialised)?;
            let before = if proof.is_present { Some(&before) } else { before.previous() };
            let mut before = before.cloned().ok_or(SealError::NotInitialised)?;
            before.seal_root(&proof.seal_key, root)?;
            let next = SealConfig::shamir(terms.shares, terms.threshold, &seal_key, root)?;
            Ok(next.besides(before))
        })?;
        *held = None;
        Ok(Given::Complete(Dealt { shares, verification: None }))
    }

    /// Takes a new share. The last that is needed makes the new shares count, and the old ones no
    /// more. Blocks.
    ///
    /// # Errors
    /// As [`Custody::rekey_give`].
    pub fn rekey_verify(&self, nonce: &str, share: Share) -> Result<Given<()>, SealError> {
        let mut held = lock(&self.rekey);
        let rekey = held.as_mut().ok_or(SealError::NotUnderWay)?;
        let RekeyTerms { shares, threshold, .. } = rekey.terms;
        let proving = rekey.proving.as_mut().filter(|(_, proof)| proof.nonce() == nonce);
        let (seal_key, proof) = proving.ok_or(SealError::NotUnderWay)?;
        // A root key of no store: that it opens is the proof.
        let trial = SealConfig::shamir(shares, threshold, seal_key, &RootKey::generate()?)?;
        let proven = trial.open_with(proof.add(share)).inspect_err(|_| proof.clear())?;
        if proven.is_none() {
            return Ok(Given::More);
        }
        self.barrier
            .change_root(|root, _| SealConfig::shamir(shares, threshold, seal_key, root))?;
        *held = None;
        Ok(Given::Complete(()))
    }

    /// Begins the verification anew, or the rekeying where there is none.
    pub fn rekey_verify_reset(&self, nonce: String) {
        if let Some((_, proof)) = lock(&self.rekey).as_mut().and_then(|it| it.proving.as_mut()) {
            *proof = Gathering::new(nonce);
        }
    }

    /// Gives the root key, a fresh one, to another custodian, or to the same. Blocks.
    ///
    /// # Errors
    /// What the custodian refuses; storage.
    pub fn entrust(&self, custodian: &Custodian) -> Result<(), SealError> {
        custodian.prepare()?;
        point(Point::KeyFileWritten);
        self.barrier.change_root(|root, _| custodian.keep(root))?;
        self.rekey_cancel();
        Ok(())
    }

    /// Splits the key of the root key, a fresh one, among people. `from`, who keeps it now, keeps it
    /// too until the shares have opened the store. Blocks.
    ///
    /// # Errors
    /// As [`Custody::entrust`]; [`SealError::Shamir`] for numbers that cannot be.
    pub fn entrust_to_people(
        &self,
        from: &Custodian,
        shares: u8,
        threshold: u8,
    ) -> Result<Vec<Share>, SealError> {
        let (seal_key, dealt) = deal(shares, threshold)?;
        self.barrier.change_root(|root, _| {
            let next = SealConfig::shamir(shares, threshold, &seal_key, root)?;
            Ok(next.besides(from.keep(root)?))
        })?;
        Ok(dealt)
    }

    /// The proof for a root token that is under way.
    ///
    /// # Errors
    /// As [`Custody::config`].
    pub fn root_token_status(&self) -> Result<Option<RootTokenStatus>, SealError> {
        let required = self.config()?.threshold;
        Ok(lock(&self.root_token).as_ref().map(|(proof, _)| RootTokenStatus {
            nonce: proof.nonce().to_owned(),
            progress: proof.progress(),
            required,
        }))
    }

    /// Begins it; `one_time_pad` is handed back when it is complete.
    ///
    /// # Errors
    /// [`SealError::UnderWay`]; [`SealError::KeptOtherwise`] where there are no shares.
    pub fn root_token_start(
        &self,
        nonce: String,
        one_time_pad: Zeroizing<String>,
    ) -> Result<(), SealError> {
        self.require_shares()?;
        let mut proof = lock(&self.root_token);
        if proof.is_some() {
            return Err(SealError::UnderWay);
        }
        *proof = Some((Gathering::new(nonce), one_time_pad));
        Ok(())
    }

    /// Ends it.
    pub fn root_token_cancel(&self) {
        *lock(&self.root_token) = None;
    }

    /// Takes a share; complete when enough of them have proven that they open the store.
    ///
    /// # Errors
    /// As [`Custody::rekey_give`].
    pub fn root_token_give(
        &self,
        nonce: &str,
        share: Share,
    ) -> Result<Given<Zeroizing<String>>, SealError> {
        let mut held = lock(&self.root_token);
        let proof = held.as_mut().map(|(proof, _)| proof).filter(|proof| proof.nonce() == nonce);
        if self.prove(proof.ok_or(SealError::NotUnderWay)?, share)?.is_none() {
            return Ok(Given::More);
        }
        let (_, one_time_pad) = held.take().ok_or(SealError::NotUnderWay)?;
        Ok(Given::Complete(one_time_pad))
    }

    /// Adds a share to those gathered; `None` while more are needed.
    fn prove(&self, gathered: &mut Gathering, share: Share) -> Result<Option<ByShares>, SealError> {
        let opened = self.config()?.open_with(gathered.add(share));
        opened.inspect_err(|_| gathered.clear())
    }

    fn require_shares(&self) -> Result<(), SealError> {
        match self.config()?.kind {
            SealKind::Shamir => Ok(()),
            other => Err(SealError::KeptOtherwise(other)),
        }
    }
}

impl fmt::Debug for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Custody(…)")
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "custody_tests.rs"]
mod tests;
