//! Bodies of requests: how long they may be silent, and what becomes of one that an answer came before the end of.
//!
//! A connection that is closed over unread bytes loses the answer on its way, and a client that does not know that it will be
//! closed sends its next request into it. So what is left of a small body is read and dropped; else the answer says that the
//! connection ends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use s3s::StdError;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// What is read of a refused body at most, and for how long.
const LEFT_LEN_MAX: u64 = 256 << 10;
const LEFT_TIME_MAX: Duration = Duration::from_secs(1);

/// A client sends nothing of its body for too long. s3s hands errors on as text: this one has to be found in it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("BodySilent")]
pub(super) struct Silent;

/// A body that must not be silent for too long, and comes back if it is dropped before its end.
pub(super) struct Watched {
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
    silence_max: Duration,
    /// The end of a silence.
    silence: Option<Pin<Box<Sleep>>>,
}

/// Where it comes back.
pub(super) struct Unread {
    returned: oneshot::Receiver<Incoming>,
    /// The client waits to be told that it may send.
    waits: bool,
}

impl Watched {
    /// A body; `waits` if its request has `Expect: 100-continue`.
    pub(super) fn new(body: Incoming, waits: bool, silence_max: Duration) -> (Self, Unread) {
        let (back, returned) = oneshot::channel();
        let watched = Self { body: Some(body), back: Some(back), silence_max, silence: None };
        (watched, Unread { returned, waits })
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let Self { body, silence, silence_max, .. } = &mut *self;
        let Some(body) = body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            *silence = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let silence = silence.get_or_insert_with(|| Box::pin(sleep(*silence_max)));
        std::task::ready!(silence.as_mut().poll(context));
        Poll::Ready(Some(Err(Box::new(Silent))))
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

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// What is made of a request whose body comes in pieces, with a pause before each.
    async fn made_of(pieces: &[&str], pause: Duration) -> String {
        let (mut near, far) = duplex(1 << 10);
        let service = service_fn(|request: Request<Incoming>| async {
            let (body, unread) = Watched::new(request.into_body(), false, Duration::from_secs(3));
            let said = match body.collect().await {
                Ok(body) => format!("whole {}", body.to_bytes().len()),
                Err(error) => error.to_string(),
            };
            drop(unread);
            Ok::<_, StdError>(Response::new(Full::new(Bytes::from(said))))
        });
        let server =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
        let client = async {
            near.write_all(
                b"PUT / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 6\r\n\r\n",
            )
            .await?;
            for piece in pieces {
                sleep(pause).await;
                near.write_all(piece.as_bytes()).await?;
            }
            let mut answer = String::new();
            near.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let (_served, answer) = tokio::join!(server, client);
        let answer = answer.unwrap();
        answer.rsplit_once("\r\n").unwrap().1.to_owned()
    }

    #[tokio::test]
    async fn a_body_may_be_slow_but_not_silent() {
        let pause = Duration::from_millis(1200);
        assert_eq!(made_of(&["ab", "cd", "ef"], pause).await, "whole 6");
        assert_eq!(made_of(&["ab"], pause).await, Silent.to_string());
    }
}
