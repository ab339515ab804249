//! The KMIP door: sockets and TLS on one side, [`Service::answer`] on the other.
//!
//! Frames requests by their TTLV length, answers them in order, and writes each answer at once:
//! an answer of up to 16 KiB is exactly one TLS record, which some clients depend on. Knows no
//! operation and no object.

mod connection;
mod listener;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::dispatch::Service;
use crate::mount::{ListenerPlan, Listeners, Mounts};
use crate::record::MountId;
use listener::{Bound, Shared};

/// The KMIP listeners of all mounts.
pub struct KmipFront {
    runtime: Handle,
    service: Arc<Service>,
    /// Who knows the paths of mounts; set once, after both are made.
    mounts: OnceLock<Weak<Mounts>>,
    slots: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
    running: Mutex<HashMap<(MountId, String), Running>>,
}

/// One listener of a mount.
struct Running {
    shared: Arc<Shared>,
    bound: Vec<Bound>,
}

impl KmipFront {
    /// No listener yet. `runtime` runs the connections.
    #[must_use]
    pub fn new(runtime: Handle, service: Arc<Service>) -> Self {
        let slots = Arc::new(Semaphore::new(service.resources.limits.connections_max));
        let (stopping, _) = watch::channel(false);
        Self {
            runtime,
            service,
            mounts: OnceLock::new(),
            slots,
            stopping,
            running: Mutex::default(),
        }
    }

    /// Says who knows the paths of mounts.
    pub fn name_mounts(&self, mounts: &Arc<Mounts>) {
        // A second call would say the same.
        let _ = self.mounts.set(Arc::downgrade(mounts));
    }

    /// The addresses that the listeners of a mount are bound to.
    #[must_use]
    pub fn addresses(&self, mount: MountId) -> Vec<std::net::SocketAddr> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let own = running.iter().filter(|((owner, _), _)| *owner == mount);
        own.flat_map(|(_, running)| running.bound.iter().map(|bound| bound.local)).collect()
    }

    /// Accepts no more connections and ends the open ones when their request is answered.
    pub async fn drain(&self) {
        // Before the listeners go, so that no new one is opened after them.
        self.stopping.send_replace(true);
        let gone =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for bound in gone.into_values().flat_map(|running| running.bound) {
            bound.close().await;
        }
        let all = u32::try_from(self.service.resources.limits.connections_max).unwrap_or(u32::MAX);
        let drained = self.slots.acquire_many(all);
        if tokio::time::timeout(self.service.resources.limits.drain_timeout, drained).await.is_err()
        {
            tracing::warn!("KMIP requests were still running when the server stopped");
        }
    }

    fn path_of(&self, mount: MountId) -> Arc<str> {
        let mounts = self.mounts.get().and_then(Weak::upgrade);
        let named = mounts.and_then(|mounts| {
            let found = mounts.list().into_iter().find(|it| it.id() == mount)?;
            Some(Arc::from(found.path().as_str()))
        });
        named.unwrap_or_else(|| Arc::from(""))
    }
}

impl Listeners for KmipFront {
    fn apply(&self, mount: MountId, plan: &ListenerPlan) -> Result<(), String> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.stopping.borrow() {
            return Err("the server is being sealed".to_owned());
        }
        let key = (mount, plan.name.clone());
        let kept = running.get(&key).map_or(&[][..], |running| running.bound.as_slice());
        let is_kept = |address: &&String| kept.iter().any(|bound| bound.asked == **address);
        let mut fresh = Vec::new();
        for address in plan.addresses.iter().filter(|address| !is_kept(address)) {
            fresh.extend(listener::bind(address)?);
        }
        // Nothing can fail any more.
        let entry = running.entry(key).or_insert_with(|| Running {
            shared: Arc::new(Shared {
                service: Arc::clone(&self.service),
                mount,
                tls: RwLock::new(Arc::clone(&plan.tls)),
                slots: Arc::clone(&self.slots),
                stopping: self.stopping.subscribe(),
            }),
            bound: Vec::new(),
        });
        *entry.shared.tls.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&plan.tls);
        entry.bound.retain(|bound| plan.addresses.contains(&bound.asked));
        let path = self.path_of(mount);
        for socket in fresh {
            let shared = Arc::clone(&entry.shared);
            entry.bound.push(listener::start(&self.runtime, socket, shared, Arc::clone(&path)));
        }
        Ok(())
    }

    fn close(&self, mount: MountId) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|(owner, _), _| *owner != mount);
    }
}

impl std::fmt::Debug for KmipFront {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KmipFront").finish_non_exhaustive()
    }
}

/// Wait after a failed accept (out of file descriptors, mostly), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
