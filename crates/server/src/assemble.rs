//! How a server is started and stopped: the store, the node on it, the doors. What is behind the seal
//! is put together in [`crate::node`]. Read it top to bottom.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use claviger_store::{DATABASE_FILE, Durability, Engine, Memory, OpenError, Sqlite};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::access::{Name, RoleChange};
use crate::audit::DeviceConfig;
use crate::clock::{Clock, SystemClock};
use crate::export;
use crate::front::http::vault::{Api, Keeper as _, NodeName};
use crate::front::http::{self, Tls};
use crate::limits::Limits;
use crate::mount::{ConfigChange, Mount, MountError, MountPath};
use crate::node::{Node, NodeOptions, SealSource, Unsealed};
use crate::record::Change;
use crate::seal::KeyFile;
use crate::token::Tokens;

pub use crate::front::http::{TlsError, TlsFiles};
pub use crate::node::StartError;

/// What `server --dev` is told.
#[derive(Clone, Debug)]
pub struct DevOptions {
    /// Where everything is kept; `None` keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// Where KMIP listens.
    pub kmip_addr: String,
    /// Where the API listens.
    pub api_addr: String,
    /// The root token; a random one if absent.
    pub root_token: Option<Zeroizing<String>>,
    /// Where to write the files of a client.
    pub export_client: Option<PathBuf>,
    /// How commits reach the disk: only a test has a reason to change it.
    pub durability: Durability,
    /// The limits.
    pub limits: Limits,
}

/// What a server with a configuration file is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the database; `None` keeps everything in memory.
    pub data_dir: Option<PathBuf>,
    /// How commits reach the disk: only a test has a reason to change it.
    pub durability: Durability,
    /// Where the API listens.
    pub api_addr: String,
    /// Its certificate; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Whether `sys/raw` is there.
    pub raw_storage: bool,
    /// Seal, audit, limits.
    pub node: NodeOptions,
}

/// A server whose API answers.
pub struct Running {
    /// Where KMIP listens; known in development only.
    pub kmip: Vec<SocketAddr>,
    /// Where the API listens.
    pub api: SocketAddr,
    /// The root token, if it was made or given at this start.
    pub root_token: Option<Zeroizing<String>>,
    node: Arc<Node>,
    tls: Option<Arc<Tls>>,
    stop_api: oneshot::Sender<()>,
    api_task: JoinHandle<io::Result<()>>,
}

/// Starts a server as it is configured. It is sealed, unless the seal is one that it opens itself.
///
/// # Errors
/// The first thing that hinders it.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let tls = options.tls.as_ref().map(Tls::open).transpose()?.map(Arc::new);
    let (api_addr, raw_storage) = (options.api_addr.clone(), options.raw_storage);
    let runtime = Handle::current();
    let storage_type = storage_type(options.data_dir.as_ref());
    let node = blocking(move || {
        let engine = open_engine(options.data_dir, options.durability)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let node = Node::open(engine, clock, runtime, options.node)?;
        node.unseal_at_start(|_| Ok(()))?;
        Ok(node)
    });
    let node = Arc::new(node.await?);
    node.keep_asking().map_err(|source| StartError::Api { address: api_addr.clone(), source })?;
    serve(node, storage_type, &api_addr, tls, raw_storage).await
}

/// Starts a server that is initialised, unsealed, mounted and listening.
///
/// # Errors
/// The first thing that hinders it.
pub async fn start_dev(options: DevOptions) -> Result<Running, StartError> {
    let runtime = Handle::current();
    let storage_type = storage_type(options.data_dir.as_ref());
    let api_addr = options.api_addr.clone();
    let prepared = blocking(move || prepare_dev(options, runtime)).await?;
    let running = serve(prepared.node, storage_type, &api_addr, None, false).await?;
    Ok(Running { kmip: prepared.kmip, root_token: prepared.root_token, ..running })
}

/// Storage and start-up block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn open_engine(
    data_dir: Option<PathBuf>,
    durability: Durability,
) -> Result<Arc<dyn Engine>, StartError> {
    Ok(match data_dir {
        Some(directory) => Arc::new(Sqlite::open(&directory, durability)?),
        None => Arc::new(Memory::new()),
    })
}

/// The store in the data directory of a server that does not run; it must be there.
///
/// # Errors
/// [`OpenError`], also if there is none.
pub fn open_store(directory: &Path) -> Result<Arc<dyn Engine>, OpenError> {
    let path = directory.join(DATABASE_FILE);
    if !path.exists() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        return Err(OpenError::File { path, source });
    }
    Ok(Arc::new(Sqlite::open(directory, Durability::Full)?))
}

/// In Vault's words.
fn storage_type(data_dir: Option<&PathBuf>) -> String {
    String::from(if data_dir.is_none() { "inmem" } else { "sqlite" })
}

/// A node that is unsealed, and what development asks of it besides.
struct Prepared {
    node: Arc<Node>,
    kmip: Vec<SocketAddr>,
    root_token: Option<Zeroizing<String>>,
}

fn prepare_dev(options: DevOptions, runtime: Handle) -> Result<Prepared, StartError> {
    let seal = match &options.data_dir {
        Some(directory) => SealSource::KeyFile(KeyFile::new(directory.join("seal.key"))),
        None => SealSource::Shamir,
    };
    let audit =
        options.data_dir.iter().map(|directory| DeviceConfig::file(&directory.join("audit.log")));
    let audit = audit.collect::<Result<_, _>>()?;
    let node_options = NodeOptions { seal, audit, limits: options.limits.clone() };
    let engine = open_engine(options.data_dir.clone(), options.durability)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let node = Arc::new(Node::open(engine, clock, runtime, node_options)?);
    let mount_kmip = |unsealed: &Unsealed| mount_kmip(unsealed, &options.kmip_addr);
    let failed = if node.status().initialised {
        node.unseal_at_start(mount_kmip)?
    } else {
        node.unseal_new(mount_kmip)?
    };
    let path = MountPath::parse("kmip/")?;
    if let Some((_, reason)) = failed.into_iter().find(|(failed, _)| *failed == path) {
        return Err(MountError::Listen(reason).into());
    }
    let unsealed = node.unsealed().ok_or(crate::seal::SealError::Sealed)?;
    let services = unsealed.services();
    let mount = services.mounts.at(&path).ok_or(MountError::Missing(path))?;
    let root_token = make_root_token(&services.tokens, options.root_token.as_ref())?;
    if let Some(directory) = &options.export_client {
        export::client(&services.access, &mount, "default", "admin", directory)?;
    }
    let kmip = unsealed.addresses(mount.id());
    Ok(Prepared { node, kmip, root_token })
}

/// `kmip/` with the scope `default` and the role `admin`, listening; other mounts as they were.
fn mount_kmip(unsealed: &Unsealed, address: &str) -> Result<(), StartError> {
    let services = unsealed.services();
    let (mounts, access) = (&services.mounts, &services.access);
    let path = MountPath::parse("kmip/")?;
    if mounts.at(&path).is_none() {
        mounts.create(&path, "")?;
    }
    let listens = vec![address.to_owned()];
    let is_configured = |mount: &Mount| {
        mount.engine().is_some_and(|engine| engine.config().listen_addrs == listens)
    };
    if !mounts.at(&path).is_some_and(|mount| is_configured(&mount)) {
        let change =
            ConfigChange { listen_addrs: Change::To(listens.clone()), ..ConfigChange::default() };
        mounts.configure(&path, change, true)?;
    }
    let mount = mounts.at(&path).ok_or(MountError::Missing(path))?;
    let scope = Name::parse("default")?;
    let role = Name::parse("admin")?;
    if access.scope_id(mount.id(), scope.as_str()).is_none() {
        access.create_scope(mount.id(), &scope, Change::Keep)?;
    }
    if access.read_role(mount.id(), scope.as_str(), role.as_str()).is_none() {
        access.write_role(&mount, scope.as_str(), &role, RoleChange::everything())?;
    }
    Ok(())
}

/// A given token is made valid; else a new store gets a random one and an old one keeps its own.
fn make_root_token(
    tokens: &Tokens,
    wanted: Option<&Zeroizing<String>>,
) -> Result<Option<Zeroizing<String>>, StartError> {
    if let Some(wanted) = wanted {
        return Ok(Some(tokens.create_root(Some(wanted))?));
    }
    if tokens.any()? {
        return Ok(None);
    }
    Ok(Some(tokens.create_root(None)?))
}

/// Opens the API, the door that is there while sealed.
async fn serve(
    node: Arc<Node>,
    storage_type: String,
    address: &str,
    tls: Option<Arc<Tls>>,
    raw_storage: bool,
) -> Result<Running, StartError> {
    let refused = |source| StartError::Api { address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let api_addr = listener.local_addr().map_err(refused)?;
    let name = NodeName { cluster_name: String::from("claviger"), storage_type };
    let api = Arc::new(Api::new(name, node.clock(), Arc::<Node>::clone(&node)));
    api.set_raw_storage(raw_storage);
    let (stop_api, stopped) = oneshot::channel();
    let stop: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
        // A sender that is dropped stops the door too.
        let _ = stopped.await;
    });
    let api_task = tokio::spawn(http::serve(listener, http::router(api), tls.clone(), stop));
    let (kmip, root_token) = (Vec::new(), None);
    Ok(Running { kmip, api: api_addr, root_token, node, tls, stop_api, api_task })
}

impl Running {
    /// Reads the API's certificate again; without TLS there is none, until a restart.
    ///
    /// # Errors
    /// What cannot be used; the one so far stays then.
    pub fn reload_tls(&self, files: &TlsFiles) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.reload(files))
    }

    /// Opens audit files again that were renamed or could not be opened. Blocks on them.
    pub fn reopen_audit(&self) {
        self.node.reopen_audit();
    }

    /// Stops accepting, lets running requests end, and closes the store.
    pub async fn stop(self) {
        // A door that is closed already needs no word.
        let _ = self.stop_api.send(());
        self.node.drain().await;
        if let Ok(Err(error)) = self.api_task.await {
            tracing::warn!(%error, "the API ended early");
        }
        let node = self.node;
        // Sealing blocks; a panic in it has said what it has to say.
        let _ = tokio::task::spawn_blocking(move || node.seal()).await;
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("kmip", &self.kmip).field("api", &self.api).finish()
    }
}
