//! The first keys of a store, and the first token: all of it in one batch, so that a crash leaves a
//! store that is initialised or one that is not.

use std::sync::Arc;

use claviger_store::{Batch, Engine, Expect, Memory, Put, Range};
use zeroize::Zeroizing;

use super::{SealSource, StartError};
use crate::clock::Clock;
use crate::front::http::vault::{KeeperError, Sharing};
use crate::record::Records;
use crate::seal::fault::{Point, point};
use crate::seal::{Barrier, Custodian, Peer, RootKey, SealConfig, SealError, Token, deal, shamir};
use crate::token::Tokens;

/// The keys of a store that is yet to be written.
pub(super) struct Keys {
    pub(super) root: RootKey,
    config: SealConfig,
    /// What people get.
    pub(super) shares: Vec<Zeroizing<Vec<u8>>>,
}

/// Whether there can be so many shares; Vault's words where there cannot.
pub(super) fn check(sharing: Sharing) -> Result<(), KeeperError> {
    let Sharing { shares, threshold } = sharing;
    let problem = match () {
        () if shares == 0 => "shares must be at least one",
        () if threshold == 0 => "threshold must be at least one",
        () if shares > 255 => "shares must be less than 256",
        () if threshold > 255 => "threshold must be less than 256",
        () if threshold > shares => "threshold cannot be larger than shares",
        () if shares > 1 && threshold == 1 => {
            "threshold must be greater than one for multiple shares"
        }
        () => return Ok(()),
    };
    Err(KeeperError::BadInput(format!("invalid seal configuration: {problem}")))
}

/// Fresh keys; of a key file that an initialisation cut off has left, its key.
pub(super) fn keys(seal: &SealSource, sharing: Sharing) -> Result<Keys, SealError> {
    match seal {
        SealSource::KeyFile(file) => {
            let root = if file.exists() { file.read()? } else { file.create()? };
            Ok(Keys { root, config: SealConfig::key_file(), shares: Vec::new() })
        }
        SealSource::Shamir => {
            let (shares, threshold) = (small(sharing.shares)?, small(sharing.threshold)?);
            let (root, (seal_key, dealt)) = (RootKey::generate()?, deal(shares, threshold)?);
            let config = SealConfig::shamir(shares, threshold, &seal_key, &root)?;
            let bytes = dealt.iter().map(|share| Zeroizing::new(share.bytes().to_vec()));
            Ok(Keys { root, config, shares: bytes.collect() })
        }
        SealSource::Pkcs11(options) => entrusted(&Custodian::Pkcs11(Token::open(options.clone())?)),
        SealSource::Kmip(options) => entrusted(&Custodian::Kmip(Peer::open(options.clone())?)),
    }
}

/// A fresh root key that somebody else keeps.
fn entrusted(custodian: &Custodian) -> Result<Keys, SealError> {
    custodian.prepare()?;
    let root = RootKey::generate()?;
    let config = custodian.keep(&root)?;
    Ok(Keys { root, config, shares: Vec::new() })
}

fn small(number: u32) -> Result<u8, SealError> {
    u8::try_from(number).map_err(|_| shamir::ShamirError::Numbers.into())
}

/// Initialises the store, without a token. Blocks until durable.
pub(super) fn store(
    engine: &Arc<dyn Engine>,
    clock: &dyn Clock,
    keys: &Keys,
) -> Result<(), StartError> {
    let draft: Arc<dyn Engine> = Arc::new(Memory::new());
    Barrier::initialise(Arc::clone(&draft), &keys.root, clock.now_us())?;
    publish(engine, &*draft, keys)
}

/// Initialises the store and makes the root token. Blocks until durable.
pub(super) fn store_with_token(
    engine: &Arc<dyn Engine>,
    clock: &Arc<dyn Clock>,
    keys: &Keys,
) -> Result<Zeroizing<String>, StartError> {
    let draft: Arc<dyn Engine> = Arc::new(Memory::new());
    let barrier = Barrier::initialise(Arc::clone(&draft), &keys.root, clock.now_us())?;
    let records = Records::new(Arc::new(barrier));
    let token = Tokens::new(records, Arc::clone(clock)).create_root(None)?;
    publish(engine, &*draft, keys)?;
    Ok(token)
}

/// Everything of the draft in one batch, if the store has nothing of it yet.
fn publish(engine: &Arc<dyn Engine>, draft: &dyn Engine, keys: &Keys) -> Result<(), StartError> {
    let mut batch = Batch::default();
    keys.config.change(None, &mut batch)?;
    for (key, record) in draft.scan(&Range::all()).map_err(SealError::from)? {
        batch.expect.push((key.clone(), Expect::Absent));
        batch.put.push(Put { key, version: record.version, value: record.value });
    }
    point(Point::InitialisationCommit);
    engine.commit(batch).wait()?;
    point(Point::InitialisationCommitted);
    Ok(())
}
