//! What becomes of a body that an answer came before the end of.
//!
//! A connection that is closed over unread bytes loses the answer on its way, and a client that does not know that it will be
//! closed sends its next request into it. So what is left of a small body is read and dropped; else the answer says that the
//! connection ends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;

/// What is read of a refused body at most, and for how long.
const LEFT_LEN_MAX: u64 = 256 << 10;
const LEFT_TIME_MAX: Duration = Duration::from_secs(1);

/// A body that comes back if it is dropped before its end.
pub(super) struct Watched {
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

/// Where it comes back.
pub(super) struct Unread {
    returned: oneshot::Receiver<Incoming>,
    /// The client waits to be told that it may send.
    waits: bool,
}

impl Watched {
    /// A body; `waits` if its request has `Expect: 100-continue`.
    pub(super) fn new(body: Incoming, waits: bool) -> (Self, Unread) {
        let (back, returned) = oneshot::channel();
        (Self { body: Some(body), back: Some(back) }, Unread { returned, waits })
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take())
            && !body.is_end_stream()
        {
            // If nobody waits for it, it is dropped.
            drop(back.send(body));
        }
    }
}

impl Unread {
    /// Whether the connection can go on: the body has been read, or is now.
    pub(super) async fn drain(mut self) -> bool {
        let Ok(mut body) = self.returned.try_recv() else { return true };
        if self.waits || body.size_hint().upper().is_none_or(|left| left > LEFT_LEN_MAX) {
            return false;
        }
        let rest = async move {
            while let Some(frame) =
                std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
            {
                if frame.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(LEFT_TIME_MAX, rest).await.unwrap_or(false)
    }
}
