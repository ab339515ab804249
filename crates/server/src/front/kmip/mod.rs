//! The KMIP door: sockets and TLS on one side, [`Service::answer`] on the other.
//!
//! Frames requests by their TTLV length, answers them in order, and writes each answer at once:
//! an answer of up to 16 KiB is exactly one TLS record, which some clients depend on. Knows no
//! operation and no object.

mod connection;
mod listener;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::dispatch::Service;
use crate::mount::{ListenerPlan, Listeners, Mounts};
use crate::record::MountId;
use listener::{Bound, Doorway, Shared};

/// The KMIP listeners of all mounts.
pub struct KmipFront {
    runtime: Handle,
    service: Arc<Service>,
    /// Who knows the paths of mounts; set once, after both are made.
    mounts: OnceLock<Weak<Mounts>>,
    slots: Arc<Semaphore>,
    /// Accepting tasks that were told to end and may hold their address a moment longer.
    ending: Mutex<Vec<JoinHandle<()>>>,
    /// Set for good by [`Self::drain`].
    draining: AtomicBool,
    running: Mutex<HashMap<(MountId, String), Running>>,
}

/// One listener of a mount.
struct Running {
    shared: Arc<Shared>,
    bound: Vec<Bound>,
}

impl Running {
    /// Stops accepting; whoever is connected ends when its request is answered.
    fn end(self, ending: &mut Vec<JoinHandle<()>>) {
        self.shared.end_connections();
        ending.extend(self.bound.into_iter().filter_map(Bound::end));
    }
}

impl KmipFront {
    /// No listener yet. `runtime` runs the connections.
    #[must_use]
    pub fn new(runtime: Handle, service: Arc<Service>) -> Self {
        let slots = Arc::new(Semaphore::new(service.resources.limits.connections_max));
        Self {
            runtime,
            service,
            mounts: OnceLock::new(),
            slots,
            ending: Mutex::default(),
            draining: AtomicBool::new(false),
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
        self.draining.store(true, Ordering::SeqCst);
        self.end(|_| true);
        let ending =
            std::mem::take(&mut *self.ending.lock().unwrap_or_else(PoisonError::into_inner));
        for task in ending {
            // That it was aborted is what is waited for: then its port is closed.
            let _ = task.await;
        }
        let all = u32::try_from(self.service.resources.limits.connections_max).unwrap_or(u32::MAX);
        let drained = self.slots.acquire_many(all);
        if tokio::time::timeout(self.service.resources.limits.drain_timeout, drained).await.is_err()
        {
            tracing::warn!("KMIP requests were still running when the server stopped");
        }
    }

    /// Ends the listeners that `chosen` says.
    fn end(&self, chosen: impl Fn(&(MountId, String)) -> bool) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<_> = running.keys().filter(|key| chosen(key)).cloned().collect();
        for key in keys {
            if let Some(listener) = running.remove(&key) {
                listener.end(&mut ending);
            }
        }
    }

    /// Binds an address, after what is ending has let go of it.
    fn bind(&self, address: &str) -> Result<Vec<listener::Socket>, String> {
        let patience = Instant::now() + LET_GO_MAX;
        loop {
            let bound = listener::bind(address);
            let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
            ending.retain(|task| !task.is_finished());
            if bound.is_ok() || ending.is_empty() || Instant::now() > patience {
                // What has ended meanwhile may have been what was in the way.
                return bound.or_else(|_| listener::bind(address));
            }
            drop(ending);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Listeners for KmipFront {
    fn apply(&self, mount: MountId, plan: &ListenerPlan) -> Result<(), String> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.draining.load(Ordering::SeqCst) {
            return Err("the server is being sealed".to_owned());
        }
        let key = (mount, plan.name.clone());
        let kept = running.get(&key).map_or(&[][..], |running| running.bound.as_slice());
        let is_kept = |address: &&String| kept.iter().any(|bound| bound.asked == **address);
        let mut fresh = Vec::new();
        for address in plan.addresses.iter().filter(|address| !is_kept(address)) {
            fresh.extend(self.bind(address)?);
        }
        // Nothing can fail any more.
        let entry = running.entry(key).or_insert_with(|| Running {
            shared: Arc::new(Shared {
                service: Arc::clone(&self.service),
                mount,
                mounts: self.mounts.get().cloned().unwrap_or_default(),
                doorway: RwLock::new(Doorway::of(plan)),
                slots: Arc::clone(&self.slots),
            }),
            bound: Vec::new(),
        });
        entry.shared.admit_by(plan);
        let bound = std::mem::take(&mut entry.bound).into_iter();
        let (kept, gone): (Vec<Bound>, Vec<Bound>) =
            bound.partition(|bound| plan.addresses.contains(&bound.asked));
        entry.bound = kept;
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        ending.extend(gone.into_iter().filter_map(Bound::end));
        for socket in fresh {
            let shared = Arc::clone(&entry.shared);
            entry.bound.push(listener::start(&self.runtime, socket, shared));
        }
        Ok(())
    }

    fn close(&self, mount: MountId) {
        self.end(|(owner, _)| *owner == mount);
    }

    fn close_one(&self, mount: MountId, name: &str) {
        self.end(|(owner, listener)| *owner == mount && listener == name);
    }
}

impl std::fmt::Debug for KmipFront {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KmipFront").finish_non_exhaustive()
    }
}

/// Wait after a failed accept (out of file descriptors, mostly), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long an address that another listener gives up is waited for.
const LET_GO_MAX: Duration = Duration::from_secs(1);
