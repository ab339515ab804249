//! The unsealed stage: what there is once the root key is known. Read it top to bottom: records,
//! objects, access, mounts, tokens, doors.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use claviger_crypto::SystemRng;
use claviger_store::CommitError;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;

use super::StartError;
use crate::access::Access;
use crate::audit::AuditLog;
use crate::audit_devices::AuditDevices;
use crate::auth::AuthMethods;
use crate::clock::Clock;
use crate::dispatch::Service;
use crate::front::http::vault::Services;
use crate::front::kmip::KmipFront;
use crate::limits::Limits;
use crate::mount::{MountPath, Mounts};
use crate::object::Objects;
use crate::ops::Resources;
use crate::ops::stream::Streams;
use crate::policy::Policies;
use crate::record::{MountId, Records};
use crate::rotation::Rotation;
use crate::seal::{Barrier, Custody};
use crate::token::Tokens;
use crate::upkeep::Upkeep;

/// How often it is stored which objects have been handed out.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is asked whether the record key is to be rotated.
const ROTATION_INTERVAL: Duration = Duration::from_mins(1);
/// How often certificates are looked after.
const UPKEEP_INTERVAL: Duration = Duration::from_hours(1);
/// How often tokens whose time has come are removed, with what they made.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Everything behind the seal.
pub struct Unsealed {
    barrier: Arc<Barrier>,
    objects: Arc<Objects>,
    front: Arc<KmipFront>,
    services: Arc<Services>,
    cluster_id: String,
    tasks: [AbortHandle; 4],
}

impl Unsealed {
    /// Reads what the store holds. KMIP listens nowhere yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(
        barrier: Barrier,
        audit: AuditLog,
        clock: Arc<dyn Clock>,
        runtime: &Handle,
        limits: &Limits,
    ) -> Result<Self, StartError> {
        let barrier = Arc::new(barrier);
        let records = Records::new(Arc::clone(&barrier));
        // Before anything can be asked.
        let audit_devices = AuditDevices::open(records.clone(), audit.clone(), Arc::clone(&clock))?;
        let objects = Arc::new(Objects::new(Arc::clone(&barrier), limits.cache_bytes_max));
        let keeper: Arc<dyn crate::access::Objects> = Arc::<Objects>::clone(&objects);
        let access = Arc::new(Access::open(records.clone(), Arc::clone(&clock), keeper)?);
        let service = Arc::new(Service {
            resources: Resources {
                objects: Arc::clone(&objects),
                rng: Arc::new(SystemRng::new()),
                limits: limits.clone(),
                vendor_identification: String::from("Claviger"),
                streams: Streams::default(),
            },
            access: Arc::clone(&access),
            audit: audit.clone(),
            clock: Arc::clone(&clock),
            requests: AtomicU64::new(1),
        });
        let front = Arc::new(KmipFront::new(runtime.clone(), service));
        let listeners = Arc::<KmipFront>::clone(&front);
        let mounts = Arc::new(Mounts::open(records.clone(), Arc::clone(&clock), listeners)?);
        front.name_mounts(&mounts);
        let upkeep = Upkeep::new(Arc::clone(&mounts), Arc::clone(&access), Arc::clone(&clock));
        let tokens = Tokens::new(records.clone(), Arc::clone(&clock));
        // Before anybody is answered: a token whose parent has ended is not to be heard. A full disk
        // must not keep the server sealed, though; it is tried again every second.
        if let Err(error) = tokens.sweep() {
            tracing::error!(%error, "tokens that ended are not removed yet");
        }
        let policies = Policies::open(records.clone())?;
        let rotation_clock = Arc::clone(&clock);
        let logins_max = limits.logins_per_minute_max;
        let auth = Arc::new(AuthMethods::open(records, tokens.clone(), clock, logins_max)?);
        let custody = Arc::new(Custody::new(Arc::clone(&barrier)));
        let rotation = Arc::new(Rotation::open(Arc::clone(&barrier))?);
        let cluster_id = cluster_id(&barrier);
        let tasks = [
            runtime.spawn(flush(Arc::clone(&objects))).abort_handle(),
            runtime.spawn(sweep(tokens.clone())).abort_handle(),
            runtime.spawn(rotate(Arc::clone(&rotation), rotation_clock)).abort_handle(),
            runtime.spawn(look_after(upkeep, Arc::clone(&auth))).abort_handle(),
        ];
        let services = Arc::new(Services {
            mounts,
            access,
            objects: Arc::clone(&objects),
            tokens,
            policies,
            audit,
            audit_devices,
            custody,
            rotation,
            auth,
        });
        Ok(Self { barrier, objects, front, services, cluster_id, tasks })
    }

    /// Opens the KMIP listeners of every mount; which do not open, and why.
    pub(super) fn listen(&self) -> Vec<(MountPath, String)> {
        self.services.mounts.start_listeners()
    }

    /// What the API administers.
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// The same for the same store, and for no other.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The addresses that the listeners of a mount are bound to.
    pub fn addresses(&self, mount: MountId) -> Vec<SocketAddr> {
        self.front.addresses(mount)
    }

    /// Lets open KMIP connections finish their request and accepts no more.
    pub(super) async fn drain(&self) {
        self.front.drain().await;
    }

    /// Ends everything and forgets every key, whoever still holds a part of it.
    pub(super) async fn stop(&self) {
        self.drain().await;
        self.tasks.iter().for_each(AbortHandle::abort);
        if let Err(error) = flush_once(&self.objects).await {
            tracing::warn!(%error, "freshness of the last second is not stored");
        }
        self.barrier.seal();
        self.objects.forget();
    }
}

async fn flush(objects: Arc<Objects>) {
    let mut interval = tokio::time::interval(FLUSH_INTERVAL);
    loop {
        interval.tick().await;
        if let Err(error) = flush_once(&objects).await {
            tracing::warn!(%error, "freshness is not stored; trying again");
        }
    }
}

async fn flush_once(objects: &Arc<Objects>) -> Result<(), CommitError> {
    let objects = Arc::clone(objects);
    let flushed = tokio::task::spawn_blocking(move || objects.flush_served()).await;
    flushed.unwrap_or_else(|error| Err(CommitError::Failed(error.to_string())))
}

/// Runs the upkeep now and then, where it may block, and removes secret IDs whose time has come.
async fn look_after(mut upkeep: Upkeep, auth: Arc<AuthMethods>) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        let auth = Arc::clone(&auth);
        let run = tokio::task::spawn_blocking(move || {
            upkeep.run();
            if let Err(error) = auth.tidy() {
                tracing::warn!(%error, "secret IDs that ended are not removed yet");
            }
            upkeep
        });
        let Ok(done) = run.await else {
            tracing::error!("the upkeep of certificates has ended: restart the server");
            return;
        };
        upkeep = done;
    }
}

async fn rotate(rotation: Arc<Rotation>, clock: Arc<dyn Clock>) {
    let mut interval = tokio::time::interval(ROTATION_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let (rotation, now) = (Arc::clone(&rotation), clock.now_us());
        match tokio::task::spawn_blocking(move || rotation.look(now)).await {
            Ok(Ok(Some(number))) => {
                tracing::info!(number, "a new record key seals what is written from now on");
            }
            Ok(Err(error)) => tracing::warn!(%error, "the record key is not rotated; trying again"),
            // A panic in it has said what it has to say.
            Ok(Ok(None)) | Err(_) => {}
        }
    }
}

async fn sweep(tokens: Tokens) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let tokens = tokens.clone();
        // A panic in it has said what it has to say.
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || tokens.sweep()).await {
            tracing::warn!(%error, "tokens that ended are not removed; trying again");
        }
    }
}

fn cluster_id(barrier: &Barrier) -> String {
    let key = barrier.derived_key(b"cluster identifier");
    let id = key.first_chunk::<16>().copied().unwrap_or_default();
    crate::object::ObjectId::from_bytes(id).to_string()
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsealed").field("services", &self.services).finish_non_exhaustive()
    }
}
