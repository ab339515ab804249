//! Binding and accepting.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::{ACCEPT_PAUSE, connection};
use crate::dispatch::Service;
use crate::record::MountId;

/// What the connections of one listener share.
pub(super) struct Shared {
    pub service: Arc<Service>,
    pub mount: MountId,
    pub tls: RwLock<Arc<ServerConfig>>,
    pub slots: Arc<Semaphore>,
    pub stopping: watch::Receiver<bool>,
}

/// A bound address; dropping it stops accepting there.
pub(super) struct Bound {
    /// As the configuration names it.
    pub asked: String,
    /// As the operating system does.
    pub local: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Bound {
    /// Stops accepting; the port is closed when this is done.
    pub(super) async fn close(mut self) {
        self.accepting.abort();
        // That it was aborted is what is waited for.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        self.accepting.abort();
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

/// Accepts connections until the result is dropped.
pub(super) fn start(
    runtime: &Handle,
    socket: Socket,
    shared: Arc<Shared>,
    mount_path: Arc<str>,
) -> Bound {
    let Socket { asked, local, listener } = socket;
    let task = runtime.spawn(async move {
        match TcpListener::from_std(listener) {
            Ok(listener) => accept_all(&listener, &shared, &mount_path).await,
            Err(error) => tracing::error!(%local, %error, "a KMIP listener cannot start"),
        }
    });
    Bound { asked, local, accepting: task }
}

async fn accept_all(listener: &TcpListener, shared: &Arc<Shared>, mount_path: &Arc<str>) {
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
        let tls = Arc::clone(&shared.tls.read().unwrap_or_else(PoisonError::into_inner));
        let shared = Arc::clone(shared);
        let mount_path = Arc::clone(mount_path);
        tokio::spawn(async move {
            connection::run(stream, remote, tls, &shared, mount_path).await;
            drop(slot);
        });
    }
}
