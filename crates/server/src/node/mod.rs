//! The life of one server: initialised or not, sealed or not. The one place that changes either.
//!
//! *Sealed* there is a store and an API that refuses; *unsealed* there is everything ([`Unsealed`]).
//! Whether the store is initialised, and how its root key is kept, is read from the store each time:
//! what changes it need tell nobody. Knows no socket of the API and no command line.

mod asking;
mod error;
mod initialise;
mod progress;
mod unsealed;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use claviger_store::Engine;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use crate::audit::{AuditLog, DeviceConfig};
use crate::clock::Clock;
use crate::front::http::vault::{Initialised, Keeper, KeeperError, SealStatus, Services, Sharing};
use crate::limits::Limits;
use crate::mount::MountPath;
use crate::seal::{
    Barrier, Custodian, KeyFile, Peer, PeerError, PeerOptions, RootKey, SealConfig, SealError,
    SealKind, Token, TokenOptions,
};

pub use error::StartError;
pub use unsealed::Unsealed;

use progress::Progress;

/// Who opens the seal.
#[derive(Debug, Clone)]
pub enum SealSource {
    /// People with key shares, over the API.
    Shamir,
    /// The server itself, at its start, with a file.
    KeyFile(KeyFile),
    /// The server itself, at its start, with a PKCS#11 token.
    Pkcs11(TokenOptions),
    /// The server itself, once another KMIP server answers.
    Kmip(PeerOptions),
}

impl SealSource {
    fn kind(&self) -> SealKind {
        match self {
            Self::Shamir => SealKind::Shamir,
            Self::KeyFile(_) => SealKind::KeyFile,
            Self::Pkcs11(_) => SealKind::Pkcs11,
            Self::Kmip(_) => SealKind::Kmip,
        }
    }

    /// Who opens the seal without people.
    fn custodian(&self) -> Result<Option<Custodian>, SealError> {
        Ok(match self {
            Self::Shamir => None,
            Self::KeyFile(file) => Some(Custodian::KeyFile(file.clone())),
            Self::Pkcs11(options) => Some(Custodian::Pkcs11(Token::open(options.clone())?)),
            Self::Kmip(options) => Some(Custodian::Kmip(Peer::open(options.clone())?)),
        })
    }
}

/// What a server is told.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// Who opens the seal.
    pub seal: SealSource,
    /// Where the audit is written, besides what is enabled over the API.
    pub audit: Vec<DeviceConfig>,
    /// The limits.
    pub limits: Limits,
}

/// A server without its API.
pub struct Node {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    /// Runs the KMIP connections.
    runtime: Handle,
    options: NodeOptions,
    /// One initialisation, unsealing or sealing at a time; `life` is held for moments only.
    transition: Mutex<()>,
    life: RwLock<Life>,
}

#[derive(Default)]
struct Life {
    progress: Progress,
    unsealed: Option<Arc<Unsealed>>,
    /// Why another KMIP server has not opened it yet.
    hindrance: Option<PeerError>,
    /// Opened at the first unsealing and kept: requests that began before a sealing may still have
    /// something to record, in the one chain.
    audit: Option<AuditLog>,
}

impl Node {
    /// A sealed server on an open store.
    ///
    /// # Errors
    /// [`StartError::SealMismatch`] if the store's root key is kept by something else than
    /// `options.seal`; storage.
    pub fn open(
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        runtime: Handle,
        options: NodeOptions,
    ) -> Result<Self, StartError> {
        let (transition, life) = (Mutex::default(), RwLock::default());
        let node = Self { engine, clock, runtime, options, transition, life };
        match node.config()? {
            Some(config) if config.kept_by(node.options.seal.kind()).is_none() => {
                Err(StartError::SealMismatch { stored: config.kind })
            }
            _ => Ok(node),
        }
    }

    /// How the root key is kept; `None` before the initialisation.
    fn config(&self) -> Result<Option<SealConfig>, SealError> {
        if let Some((config, _)) = SealConfig::read(self.engine.as_ref())? {
            return Ok(Some(config));
        }
        // Stores of the first version have their root key in a file, and no record of it.
        let is_initialised = Barrier::is_initialised(self.engine.as_ref())?;
        Ok(is_initialised.then(SealConfig::key_file))
    }

    /// Unseals with what the server itself has the key of, if it has. `before_listening` may still
    /// change what KMIP will be. Listeners that do not start are logged, named, and hinder nothing.
    /// Blocks.
    ///
    /// # Errors
    /// What stays sealed and why.
    pub fn unseal_at_start(
        &self,
        before_listening: impl FnOnce(&Unsealed) -> Result<(), StartError>,
    ) -> Result<Vec<(MountPath, String)>, StartError> {
        let _one = self.one_transition();
        let Some(custodian) = self.options.seal.custodian()? else { return Ok(Vec::new()) };
        let Some(config) = self.config()? else { return Ok(Vec::new()) };
        match custodian.open(Some(&config)) {
            // The API answers while the other server does not.
            Err(SealError::Peer(error)) => {
                tracing::error!(%error, "the server stays sealed, and asks again");
                self.write().hindrance = Some(error);
                Ok(Vec::new())
            }
            opened => self.open_with(&opened?, before_listening),
        }
    }

    /// Initialises and unseals a store that nobody else will: for development. Makes no token.
    /// Blocks.
    ///
    /// # Errors
    /// What hinders it.
    pub fn unseal_new(
        &self,
        before_listening: impl FnOnce(&Unsealed) -> Result<(), StartError>,
    ) -> Result<Vec<(MountPath, String)>, StartError> {
        let _one = self.one_transition();
        let sharing = Sharing { shares: 1, threshold: 1 };
        let keys = initialise::keys(&self.options.seal, sharing)?;
        initialise::store(&self.engine, &*self.clock, &keys)?;
        self.open_with(&keys.root, before_listening)
    }

    /// What is behind the seal, while it is open.
    pub fn unsealed(&self) -> Option<Arc<Unsealed>> {
        self.read().unsealed.clone()
    }

    /// The time, as this server knows it.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Opens audit files again that were renamed or could not be opened. Blocks on them.
    pub fn reopen_audit(&self) {
        let audit = self.read().audit.clone();
        if let Some(audit) = audit {
            audit.reopen(self.clock.now_us());
        }
    }

    /// Lets open KMIP connections finish their request and accepts no more.
    pub async fn drain(&self) {
        if let Some(unsealed) = self.unsealed() {
            unsealed.drain().await;
        }
    }

    /// From a sealed server to an unsealed one. The caller holds the transition.
    fn open_with(
        &self,
        root: &RootKey,
        before_listening: impl FnOnce(&Unsealed) -> Result<(), StartError>,
    ) -> Result<Vec<(MountPath, String)>, StartError> {
        let barrier = Barrier::unseal(Arc::clone(&self.engine), root)?;
        let audit = self.audit(&barrier)?;
        let clock = Arc::clone(&self.clock);
        let unsealed = Unsealed::open(barrier, audit, clock, &self.runtime, &self.options.limits)?;
        if let Err(error) = before_listening(&unsealed) {
            self.runtime.block_on(unsealed.stop());
            return Err(error);
        }
        let failed = unsealed.listen();
        for (mount, reason) in &failed {
            tracing::error!(mount = mount.as_str(), reason, "a listener does not start");
        }
        let mut life = self.write();
        life.progress = Progress::default();
        life.hindrance = None;
        life.unsealed = Some(Arc::new(unsealed));
        tracing::info!("unsealed");
        Ok(failed)
    }

    /// The present shares have opened the store: the way before is needed no more.
    fn settle(&self) -> Result<(), SealError> {
        let Some((config, version)) = SealConfig::read(self.engine.as_ref())? else {
            return Ok(());
        };
        let Some(settled) = config.settled() else { return Ok(()) };
        settled.write(self.engine.as_ref(), Some(version))?;
        tracing::info!(
            "the new key shares have opened the store: what kept its root key before does no more"
        );
        Ok(())
    }

    fn audit(&self, barrier: &Barrier) -> Result<AuditLog, StartError> {
        if let Some(audit) = &self.read().audit {
            return Ok(audit.clone());
        }
        let (audit, key) = (AuditLog::disabled(), barrier.derived_key(b"audit"));
        for device in &self.options.audit {
            audit.add(device.clone(), &key, self.clock.now_us())?;
        }
        self.write().audit = Some(audit.clone());
        Ok(audit)
    }

    fn one_transition(&self) -> MutexGuard<'_, ()> {
        self.transition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Life> {
        self.life.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Life> {
        self.life.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper for Node {
    fn services(&self) -> Option<Arc<Services>> {
        self.read().unsealed.as_ref().map(|unsealed| Arc::clone(unsealed.services()))
    }

    fn status(&self) -> SealStatus {
        let config = self.config().unwrap_or_else(|error| {
            tracing::error!(%error, "the seal's configuration cannot be read");
            None
        });
        let kind = match config.as_ref().map_or(self.options.seal.kind(), |config| config.kind) {
            SealKind::Shamir => "shamir",
            SealKind::KeyFile => "keyfile",
            SealKind::Pkcs11 => "pkcs11",
            SealKind::Kmip => "kmip",
        };
        let life = self.read();
        SealStatus {
            kind,
            initialised: config.is_some(),
            sealed: life.unsealed.is_none(),
            shares: config.as_ref().map_or(0, |config| config.shares),
            threshold: config.as_ref().map_or(0, |config| config.threshold),
            progress: life.progress.given(),
            nonce: life.progress.nonce().to_owned(),
            hindrance: life.hindrance.as_ref().map(PeerError::summary),
            cluster_id: life.unsealed.as_ref().map(|unsealed| unsealed.cluster_id().to_owned()),
        }
    }

    fn initialise(&self, sharing: Sharing) -> Result<Initialised, KeeperError> {
        let _one = self.one_transition();
        if self.config().map_err(internal)?.is_some() {
            return Err(KeeperError::Initialised);
        }
        if let SealSource::Shamir = self.options.seal {
            initialise::check(sharing)?;
        }
        let keys = initialise::keys(&self.options.seal, sharing).map_err(hindered)?;
        let token = initialise::store_with_token(&self.engine, &self.clock, &keys);
        let root_token = token.map_err(internal)?;
        tracing::info!("initialised");
        if !matches!(self.options.seal, SealSource::Shamir)
            && let Err(error) = self.open_with(&keys.root, |_| Ok(()))
        {
            // The token must reach its owner whatever else: there is no second one.
            tracing::error!(%error, "the new store stays sealed");
        }
        Ok(Initialised { shares: keys.shares, root_token })
    }

    fn unseal(&self, share: Zeroizing<Vec<u8>>) -> Result<(), KeeperError> {
        let _one = self.one_transition();
        let config = self.config().map_err(internal)?.ok_or(KeeperError::NotInitialised)?;
        if self.read().unsealed.is_some() {
            return Ok(());
        }
        if config.kept_by(SealKind::Shamir).is_none() {
            return Err(KeeperError::BadInput(
                "this server unseals itself when it starts: restart it".to_owned(),
            ));
        }
        let complete = self.write().progress.add(share, &config)?;
        let Some(opened) = complete else { return Ok(()) };
        self.open_with(&opened.root, |_| Ok(())).map_err(internal)?;
        if opened.is_present
            && let Err(error) = self.settle()
        {
            tracing::warn!(%error, "the way before still opens the store, until the next unsealing");
        }
        Ok(())
    }

    fn reset_unseal(&self) {
        self.write().progress = Progress::default();
    }

    fn seal(&self) {
        let _one = self.one_transition();
        let unsealed = {
            let mut life = self.write();
            life.progress = Progress::default();
            life.unsealed.take()
        };
        if let Some(unsealed) = unsealed {
            self.runtime.block_on(unsealed.stop());
            tracing::info!("sealed");
        }
    }
}

/// Why there is no root key. Whoever initialises has no token yet, and is told of no place.
fn hindered(error: SealError) -> KeeperError {
    let told = match &error {
        SealError::Peer(peer @ PeerError::Unreachable(_)) => KeeperError::Away(peer.summary()),
        SealError::Peer(peer) => KeeperError::Refused(peer.summary()),
        SealError::Token(token) => KeeperError::Refused(token.summary()),
        SealError::KeyFilePermissions { .. } => {
            KeeperError::Refused("the key file can be used by others than its owner")
        }
        SealError::KeyFileDamaged(_) => KeeperError::Refused("the key file is not one, or damaged"),
        SealError::File { .. } => KeeperError::Refused("the key file cannot be made or read"),
        _ => return internal(error),
    };
    tracing::error!(%error, "the store is not initialised");
    told
}

fn internal(error: impl fmt::Display) -> KeeperError {
    KeeperError::Internal(error.to_string())
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("options", &self.options).finish_non_exhaustive()
    }
}
