//! Bodies of requests.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

/// What is sent: all at once, or as it comes.
pub(super) struct Outgoing {
    whole: Option<Bytes>,
    bytes: Option<mpsc::Receiver<Bytes>>,
    left: u64,
}

/// The bytes ended before they were all there: nothing of them shall be kept.
#[derive(Debug, thiserror::Error)]
#[error("a transfer was given up")]
pub(super) struct GivenUp;

impl Outgoing {
    pub(super) fn whole(bytes: Bytes) -> Self {
        let left = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { whole: Some(bytes).filter(|bytes| !bytes.is_empty()), bytes: None, left }
    }

    pub(super) fn coming(bytes: mpsc::Receiver<Bytes>, len: u64) -> Self {
        Self { whole: None, bytes: Some(bytes), left: len }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        let mut next = self.whole.take();
        if let (None, Some(bytes)) = (&next, &mut self.bytes) {
            next = std::task::ready!(bytes.poll_recv(context));
        }
        match next {
            Some(bytes) => {
                let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                self.left = self.left.saturating_sub(len);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            None if self.left == 0 => Poll::Ready(None),
            None => Poll::Ready(Some(Err(GivenUp))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
