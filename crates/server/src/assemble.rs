//! How the parts are put together. Read it top to bottom: storage, seal, services, doors.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use claviger_crypto::SystemRng;
use claviger_store::{Durability, Engine, Memory, OpenError, Sqlite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::access::{Access, AccessError, Name, RoleChange};
use crate::audit::{AuditError, AuditLog};
use crate::clock::{Clock, SystemClock};
use crate::dispatch::Service;
use crate::export::{self, ExportError};
use crate::front::http;
use crate::front::http::vault::{Api, Node, Services};
use crate::front::kmip::KmipFront;
use crate::limits::Limits;
use crate::mount::{ConfigChange, Mount, MountError, MountPath, Mounts};
use crate::object::Objects;
use crate::ops::Resources;
use crate::ops::stream::Streams;
use crate::record::{Change, Records};
use crate::seal::{Barrier, KeyFile, RootKey, SealError};
use crate::token::{TokenError, Tokens};
use crate::upkeep::Upkeep;

/// How often certificates are looked after.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(3600);

/// How often it is stored which objects have been handed out.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

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

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum StartError {
    #[error("storage: {0}")]
    Open(#[from] OpenError),
    #[error("seal: {0}")]
    Seal(#[from] SealError),
    #[error("audit: {0}")]
    Audit(#[from] AuditError),
    #[error("mount: {0}")]
    Mount(#[from] MountError),
    #[error("access: {0}")]
    Access(#[from] AccessError),
    #[error("token: {0}")]
    Token(#[from] TokenError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("api {address}: {source}")]
    Api { address: String, source: io::Error },
}

/// A server that accepts requests.
pub struct Running {
    /// Where KMIP listens.
    pub kmip: Vec<SocketAddr>,
    /// Where the API listens.
    pub api: SocketAddr,
    /// The root token, if it was made or given at this start.
    pub root_token: Option<Zeroizing<String>>,
    front: Arc<KmipFront>,
    objects: Arc<Objects>,
    stop_api: oneshot::Sender<()>,
    api_task: JoinHandle<io::Result<()>>,
    flush_task: JoinHandle<()>,
    upkeep_task: JoinHandle<()>,
}

/// The services behind the doors.
struct Parts {
    barrier: Arc<Barrier>,
    objects: Arc<Objects>,
    access: Arc<Access>,
    mounts: Arc<Mounts>,
    front: Arc<KmipFront>,
    audit: AuditLog,
    records: Records,
    clock: Arc<dyn Clock>,
}

/// Starts a server that is initialised, unsealed, mounted and listening.
///
/// # Errors
/// The first thing that hinders it.
pub async fn start_dev(options: DevOptions) -> Result<Running, StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let barrier = Arc::new(open_storage(&options, &*clock)?);
    let audit = open_audit(&options, &barrier, &*clock)?;
    let parts = build(&options, barrier, audit, clock)?;

    let mount = mount_kmip(&parts, &options.kmip_addr)?;
    let tokens = Tokens::new(parts.records.clone(), Arc::clone(&parts.clock));
    let root_token = make_root_token(&tokens, &options)?;
    if let Some(directory) = &options.export_client {
        export::client(&parts.access, &mount, "default", "admin", directory)?;
    }
    let kmip = parts.front.addresses(mount.id());
    serve(&options, parts, tokens, kmip, root_token).await
}

/// The store and its barrier; a new store is initialised.
fn open_storage(options: &DevOptions, clock: &dyn Clock) -> Result<Barrier, StartError> {
    let Some(directory) = &options.data_dir else {
        let engine: Arc<dyn Engine> = Arc::new(Memory::new());
        let root = RootKey::generate()?;
        return Ok(Barrier::initialise(engine, &root, clock.now_us())?);
    };
    let engine: Arc<dyn Engine> = Arc::new(Sqlite::open(directory, options.durability)?);
    let key_file = KeyFile::new(directory.join("seal.key"));
    let initialised = Barrier::is_initialised(&*engine)?;
    // A start that was cut off between the two leaves a key file without a keyring.
    let root =
        if initialised || key_file.exists() { key_file.read()? } else { key_file.create()? };
    let barrier = if initialised {
        Barrier::unseal(engine, &root)?
    } else {
        Barrier::initialise(engine, &root, clock.now_us())?
    };
    Ok(barrier)
}

fn open_audit(
    options: &DevOptions,
    barrier: &Barrier,
    clock: &dyn Clock,
) -> Result<AuditLog, StartError> {
    let Some(directory) = &options.data_dir else {
        tracing::warn!("no audit device is enabled: use --data-dir to record who does what");
        return Ok(AuditLog::disabled());
    };
    let key = barrier.derived_key(b"audit");
    Ok(AuditLog::open(&directory.join("audit.log"), &key, clock.now_us())?)
}

fn build(
    options: &DevOptions,
    barrier: Arc<Barrier>,
    audit: AuditLog,
    clock: Arc<dyn Clock>,
) -> Result<Parts, StartError> {
    let records = Records::new(Arc::clone(&barrier));
    let objects = Arc::new(Objects::new(Arc::clone(&barrier), options.limits.cache_bytes_max));
    let keeper: Arc<dyn crate::access::Objects> = Arc::<Objects>::clone(&objects);
    let access = Arc::new(Access::open(records.clone(), Arc::clone(&clock), keeper)?);
    let service = Arc::new(Service {
        resources: Resources {
            objects: Arc::clone(&objects),
            rng: Arc::new(SystemRng::new()),
            limits: options.limits.clone(),
            vendor_identification: String::from("Claviger"),
            streams: Streams::default(),
        },
        access: Arc::clone(&access),
        audit: audit.clone(),
        clock: Arc::clone(&clock),
        requests: AtomicU64::new(1),
    });
    let front = Arc::new(KmipFront::new(tokio::runtime::Handle::current(), service));
    let listeners = Arc::<KmipFront>::clone(&front);
    let mounts = Arc::new(Mounts::open(records.clone(), Arc::clone(&clock), listeners)?);
    front.name_mounts(&mounts);
    Ok(Parts { barrier, objects, access, mounts, front, audit, records, clock })
}

/// `kmip/` with the scope `default` and the role `admin`, listening; other mounts as they were.
fn mount_kmip(parts: &Parts, address: &str) -> Result<Arc<Mount>, StartError> {
    let path = MountPath::parse("kmip/")?;
    if parts.mounts.at(&path).is_none() {
        parts.mounts.create(&path, "")?;
    }
    let listens = vec![address.to_owned()];
    let configured = parts
        .mounts
        .at(&path)
        .and_then(|mount| mount.engine().map(|engine| engine.config().listen_addrs == listens))
        .unwrap_or(false);
    if !configured {
        let change = ConfigChange { listen_addrs: Change::To(listens), ..ConfigChange::default() };
        parts.mounts.configure(&path, change, true)?;
    }
    for (failed, reason) in parts.mounts.start_listeners() {
        if failed == path {
            return Err(MountError::Listen(reason).into());
        }
        tracing::error!(mount = failed.as_str(), reason, "a listener does not start");
    }
    let mount = parts.mounts.at(&path).ok_or(MountError::Missing(path))?;
    let scope = Name::parse("default")?;
    let role = Name::parse("admin")?;
    if parts.access.scope_id(mount.id(), scope.as_str()).is_none() {
        parts.access.create_scope(mount.id(), &scope, Change::Keep)?;
    }
    if parts.access.read_role(mount.id(), scope.as_str(), role.as_str()).is_none() {
        parts.access.write_role(&mount, scope.as_str(), &role, RoleChange::everything())?;
    }
    Ok(mount)
}

/// A given token is made valid; else a new store gets a random one and an old one keeps its own.
fn make_root_token(
    tokens: &Tokens,
    options: &DevOptions,
) -> Result<Option<Zeroizing<String>>, StartError> {
    if let Some(wanted) = &options.root_token {
        return Ok(Some(tokens.create_root(Some(wanted))?));
    }
    if tokens.any()? {
        return Ok(None);
    }
    Ok(Some(tokens.create_root(None)?))
}

async fn serve(
    options: &DevOptions,
    parts: Parts,
    tokens: Tokens,
    kmip: Vec<SocketAddr>,
    root_token: Option<Zeroizing<String>>,
) -> Result<Running, StartError> {
    let refused = |source| StartError::Api { address: options.api_addr.clone(), source };
    let listener = TcpListener::bind(&options.api_addr).await.map_err(refused)?;
    let api_addr = listener.local_addr().map_err(refused)?;
    let api = Arc::new(Api::new(node(options, &parts.barrier), Arc::clone(&parts.clock), true));
    let (mounts, access) = (Arc::clone(&parts.mounts), Arc::clone(&parts.access));
    let upkeep = Upkeep::new(mounts, access, Arc::clone(&parts.clock));
    api.unseal(Services { mounts: parts.mounts, access: parts.access, tokens, audit: parts.audit });
    let upkeep_task = tokio::spawn(look_after(upkeep));
    let (stop_api, stopped) = oneshot::channel();
    let stop: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
        // A sender that is dropped stops the door too.
        let _ = stopped.await;
    });
    let api_task = tokio::spawn(http::serve(listener, http::router(api), stop));
    let objects = Arc::clone(&parts.objects);
    let flush_task = tokio::spawn(async move {
        let mut interval = tokio::time::interval(FLUSH_INTERVAL);
        loop {
            interval.tick().await;
            if let Err(error) = objects.flush_served().await {
                tracing::warn!(%error, "freshness is not stored; trying again");
            }
        }
    });
    Ok(Running {
        kmip,
        api: api_addr,
        root_token,
        front: parts.front,
        objects: parts.objects,
        stop_api,
        api_task,
        flush_task,
        upkeep_task,
    })
}

/// Runs the upkeep now and then, where it may block.
async fn look_after(mut upkeep: Upkeep) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        let run = tokio::task::spawn_blocking(move || {
            upkeep.run();
            upkeep
        });
        let Ok(done) = run.await else {
            tracing::error!("the upkeep of certificates has ended: restart the server");
            return;
        };
        upkeep = done;
    }
}

fn node(options: &DevOptions, barrier: &Barrier) -> Node {
    let in_memory = options.data_dir.is_none();
    Node {
        cluster_name: String::from("claviger"),
        cluster_id: cluster_id(barrier),
        storage_type: String::from(if in_memory { "inmem" } else { "sqlite" }),
        seal_type: String::from(if in_memory { "shamir" } else { "keyfile" }),
    }
}

/// The same for the same store, and for no other.
fn cluster_id(barrier: &Barrier) -> String {
    let key = barrier.derived_key(b"cluster identifier");
    let id = key.first_chunk::<16>().copied().unwrap_or_default();
    crate::object::ObjectId::from_bytes(id).to_string()
}

impl Running {
    /// Stops accepting, lets running requests end, and closes the store.
    pub async fn stop(self) {
        // A door that is closed already needs no word.
        let _ = self.stop_api.send(());
        self.front.drain().await;
        if let Ok(Err(error)) = self.api_task.await {
            tracing::warn!(%error, "the API ended early");
        }
        self.flush_task.abort();
        self.upkeep_task.abort();
        if let Err(error) = self.objects.flush_served().await {
            tracing::warn!(%error, "freshness of the last second is not stored");
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("kmip", &self.kmip).field("api", &self.api).finish()
    }
}
