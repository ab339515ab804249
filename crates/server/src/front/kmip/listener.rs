//! Binding and accepting.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::{ACCEPT_PAUSE, connection};
use crate::dispatch::Service;
use crate::mount::{ListenerPlan, Mounts, TrustedClients};
use crate::record::MountId;

/// What the connections of one listener share.
pub(super) struct Shared {
    pub service: Arc<Service>,
    pub mount: MountId,
    /// Who knows the mount's path, which may change.
    pub mounts: Weak<Mounts>,
    pub doorway: RwLock<Doorway>,
    pub slots: Arc<Semaphore>,
}

/// What a connection is accepted with.
#[derive(Clone)]
pub(super) struct Doorway {
    pub tls: Arc<ServerConfig>,
    pub clients: Arc<TrustedClients>,
    /// Says to the connections that were accepted with it that they are to end.
    stopping: Arc<watch::Sender<bool>>,
}

impl Doorway {
    pub(super) fn of(plan: &ListenerPlan) -> Self {
        Self {
            tls: Arc::clone(&plan.tls),
            clients: Arc::clone(&plan.clients),
            stopping: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Becomes true when the connection is to end.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    fn end(&self) {
        // Kept for who hears of it later: a connection may be on its way in.
        self.stopping.send_replace(true);
    }
}

impl Shared {
    /// Ends open connections once they are idle.
    pub(super) fn end_connections(&self) {
        self.doorway.read().unwrap_or_else(PoisonError::into_inner).end();
    }

    /// Accepts by another plan from now on. Who is connected stays, unless the plan takes fewer
    /// clients than the one before.
    pub(super) fn admit_by(&self, plan: &ListenerPlan) {
        let mut doorway = self.doorway.write().unwrap_or_else(PoisonError::into_inner);
        if plan.clients.includes(&doorway.clients) {
            doorway.tls = Arc::clone(&plan.tls);
            doorway.clients = Arc::clone(&plan.clients);
        } else {
            let before = std::mem::replace(&mut *doorway, Doorway::of(plan));
            before.end();
        }
    }

    fn path(&self) -> Arc<str> {
        let path = self.mounts.upgrade().and_then(|mounts| mounts.path_of(self.mount));
        path.map_or_else(|| Arc::from(""), |path| Arc::from(path.as_str()))
    }
}

/// A bound address; dropping it stops accepting there.
pub(super) struct Bound {
    /// As the configuration names it.
    pub asked: String,
    /// As the operating system does.
    pub local: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

impl Bound {
    /// Stops accepting; the address is free when the task has ended.
    pub(super) fn end(mut self) -> Option<JoinHandle<()>> {
        self.accepting.take().inspect(JoinHandle::abort)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// A socket that listens and accepts nothing yet.
pub(super) struct Socket {
    asked: String,
    local: SocketAddr,
    listener: StdListener,
}

/// Binds every address that a name stands for.
pub(super) fn bind(address: &str) -> Result<Vec<Socket>, String> {
    let resolved = address
        .to_socket_addrs()
        .map_err(|error| format!("listen tcp {address}: lookup: {}", reason(&error)))?;
    let mut sockets = Vec::new();
    for resolved in resolved {
        sockets.push(bind_one(address, resolved).map_err(|error| {
            let family = if resolved.is_ipv4() { "tcp4" } else { "tcp6" };
            format!("listen {family} {resolved}: bind: {}", reason(&error))
        })?);
    }
    Ok(sockets)
}

fn bind_one(address: &str, resolved: SocketAddr) -> io::Result<Socket> {
    let listener = StdListener::bind(resolved)?;
    listener.set_nonblocking(true)?;
    let local = listener.local_addr()?;
    Ok(Socket { asked: address.to_owned(), local, listener })
}

/// The operating system's words, in the lower case that Vault's users know.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}

/// Accepts connections until the result is told to end.
pub(super) fn start(runtime: &Handle, socket: Socket, shared: Arc<Shared>) -> Bound {
    let Socket { asked, local, listener } = socket;
    let task = runtime.spawn(async move {
        match TcpListener::from_std(listener) {
            Ok(listener) => accept_all(&listener, &shared).await,
            Err(error) => tracing::error!(%local, %error, "a KMIP listener cannot start"),
        }
    });
    Bound { asked, local, accepting: Some(task) }
}

async fn accept_all(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a KMIP listener could not accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
            tracing::warn!(
                target: "claviger::refused",
                peer = %remote,
                limit = shared.service.resources.limits.connections_max,
                hint = "find out who opens so many",
                "connection refused: too many are open"
            );
            continue;
        };
        let doorway = shared.doorway.read().unwrap_or_else(PoisonError::into_inner).clone();
        // Heard from before the handshake on: a listener that is closed meanwhile ends it too.
        let stopping = doorway.stopping();
        let shared = Arc::clone(shared);
        let mount_path = shared.path();
        tokio::spawn(async move {
            let accepted = connection::Accepted { remote, mount_path, doorway, stopping };
            connection::run(stream, accepted, &shared).await;
            drop(slot);
        });
    }
}
