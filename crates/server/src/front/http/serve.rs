//! Accepting connections and ending them. Knows HTTP/1.1 framing only.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::shaped::Shaped;

/// Administration needs few connections; more wait to be accepted.
const CONNECTIONS_MAX: usize = 512;
/// How long a client may take to send the head of a request, idle connections included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest request head: a token and a long path fit many times.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long requests may still run when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Wait after a failed accept (out of file descriptors, mostly), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` resolves, then lets running requests end.
///
/// # Errors
/// When the listener itself fails; what befalls one connection is not an error here.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok(Some((stream, slot))) => {
                let (router, stopped) = (router.clone(), stopped.clone());
                connections.spawn(async move {
                    connection(stream, router, stopped).await;
                    drop(slot);
                });
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, "the HTTP listener could not accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    // Nobody left to hear it is no error.
    let _ = stopping.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("HTTP requests were still running when the server stopped");
    }
    Ok(())
}

type Slot = tokio::sync::OwnedSemaphorePermit;

/// The next connection; `None` when there will be no more.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<Option<(TcpStream, Slot)>> {
    let Ok(slot) = slots.clone().acquire_owned().await else {
        return Ok(None);
    };
    let (stream, _) = listener.accept().await?;
    Ok(Some((stream, slot)))
}

async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    // Answers are small and complete: waiting to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let remote = stream.peer_addr().ok();
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        if let Some(remote) = remote {
            request.extensions_mut().insert(remote);
        }
        request.map(axum::body::Body::new)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(Shaped::new(TokioIo::new(stream)), TowerToHyperService::new(service));
    tokio::pin!(served);
    // A sender that is gone means the same as one that says so.
    let stop = async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let outcome = tokio::select! {
        outcome = &mut served => outcome,
        () = stop => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(?remote, %error, "an HTTP connection ended early");
    }
}
