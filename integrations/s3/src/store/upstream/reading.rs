//! Stored bytes on their way out: one request for what is going to be read of a part.
//!
//! The store keeps no object that is replaced. Of one that is replaced all the time, the request for its bytes goes out
//! first, and what it is is looked up while they wait: they are *pinned*.

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::http::{Ask, SILENCE_MAX};
use super::{Inner, locked, random_name};
use crate::store::{Begun, Opening, Source, StoreError};

/// Where the bytes of a part are: a stretch of an object of which it is known which one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stretch {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) version: Option<String>,
    pub(super) etag: String,
    pub(super) offset: u64,
    pub(super) len: u64,
    /// All there is of the object.
    pub(super) total: u64,
    /// The request whose answer waits.
    pub(super) pin: Option<String>,
}

impl Stretch {
    /// As a part's name of its bytes.
    pub(super) fn name(&self) -> String {
        // Strings and numbers have a JSON text.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// How long an object is believed to be replaced all the time.
const CONTENDED: Duration = Duration::from_secs(10);
/// Of how many objects that is known.
const CONTENDED_MAX: usize = 1000;

/// Bytes of an object as they come.
pub(super) struct Coming {
    body: Option<Incoming>,
    /// What has come and is not read yet, and where in the object it begins.
    rest: Bytes,
    at: u64,
}

impl Coming {
    /// All bytes of an object, or those from an offset.
    pub(super) fn new(body: Option<Incoming>, at: u64) -> Self {
        Self { body, rest: Bytes::new(), at }
    }

    async fn next(&mut self) -> Result<Bytes, StoreError> {
        // There are fewer than there should be.
        let body = self.body.as_mut().ok_or(StoreError::Damaged)?;
        let frame = tokio::time::timeout(SILENCE_MAX, body.frame());
        let frame = frame
            .await
            .map_err(|_| StoreError::Unavailable("an answer does not go on".to_owned()))?;
        match frame.ok_or(StoreError::Damaged)? {
            Ok(frame) => Ok(frame.into_data().unwrap_or_default()),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }

    /// Fills a buffer from an offset, which must not be behind what has been read.
    async fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        if self.at > offset {
            return Err(StoreError::Failed("bytes are read out of their order".to_owned()));
        }
        let mut filled = 0_usize;
        while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            if self.rest.is_empty() {
                self.rest = self.next().await?;
                continue;
            }
            let skipped = usize::try_from(offset.saturating_sub(self.at)).unwrap_or(usize::MAX);
            let left = if skipped > 0 { skipped } else { room.len() };
            let piece = self.rest.split_to(left.min(self.rest.len()));
            self.at = self.at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if skipped == 0
                && let Some(place) = room.get_mut(..piece.len())
            {
                place.copy_from_slice(&piece);
                filled = filled.saturating_add(piece.len());
            }
        }
        Ok(())
    }
}

/// A stretch that is being read.
struct Opened {
    offset: u64,
    len: u64,
    /// The bytes, when the reading that began last has its own: each hands them on to the next. One that fails does not.
    turn: Mutex<Option<oneshot::Receiver<Coming>>>,
    /// Where the bytes go back to when they are pinned: the next part is behind this one.
    pinned: Option<(Arc<Inner>, String)>,
}

impl Opened {
    fn new(offset: u64, len: u64, coming: Coming, pinned: Option<(Arc<Inner>, String)>) -> Self {
        let (first, turn) = oneshot::channel();
        // The receiver is here.
        let _sent = first.send(coming);
        Self { offset, len, turn: Mutex::new(Some(turn)), pinned }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // With a reading that nobody waited for goes the whole answer.
        if let Some((inner, pin)) = self.pinned.take()
            && let Some(coming) =
                locked(&self.turn).take().and_then(|mut turn| turn.try_recv().ok())
            && let Some(place) = locked(&inner.pinned).get_mut(&pin)
        {
            *place = Some(coming);
        }
    }
}

/// What keeps pinned bytes.
pub(super) struct Pin {
    inner: Arc<Inner>,
    pub(super) name: String,
}

impl Drop for Pin {
    fn drop(&mut self) {
        drop(locked(&self.inner.pinned).remove(&self.name));
    }
}

impl Inner {
    /// Pins the bytes of an object.
    pub(super) fn pin(self: &Arc<Self>, body: Incoming) -> Result<Pin, StoreError> {
        let name = random_name()?;
        locked(&self.pinned).insert(name.clone(), Some(Coming::new(Some(body), 0)));
        Ok(Pin { inner: Arc::clone(self), name })
    }

    /// An object has been replaced between two looks at it.
    pub(super) fn contend(&self, bucket: &str, key: &str) {
        let mut contended = locked(&self.contended);
        if contended.len() >= CONTENDED_MAX {
            contended.clear();
        }
        contended.insert((bucket.to_owned(), key.to_owned()), Instant::now());
    }

    pub(super) fn is_contended(&self, bucket: &str, key: &str) -> bool {
        let contended = locked(&self.contended);
        let since = contended.get(&(bucket.to_owned(), key.to_owned()));
        since.is_some_and(|since| since.elapsed() < CONTENDED)
    }

    pub(super) async fn open(
        self: &Arc<Self>,
        name: &str,
        range: Range<u64>,
    ) -> Result<Box<dyn Source>, StoreError> {
        let stretch: Stretch = serde_json::from_str(name).map_err(|_| StoreError::Damaged)?;
        let Stretch { offset, len, .. } = stretch;
        if let Some(pin) = stretch.pin {
            let coming = locked(&self.pinned).get_mut(&pin).and_then(Option::take);
            let coming = coming.ok_or(StoreError::Busy)?;
            let pinned = Some((Arc::clone(self), pin));
            return Ok(Box::new(Opened::new(offset, len, coming, pinned)));
        }
        let first = offset.saturating_add(range.start);
        let end = offset.saturating_add(range.end.min(len));
        let mut body = None;
        if first < end {
            let last = end.saturating_sub(1);
            let whole = first == 0 && end == stretch.total;
            let ask = Ask::object(Method::GET, &stretch.bucket, &stretch.key)
                .version(stretch.version.as_deref())
                .header("if-match", format!("\"{}\"", stretch.etag));
            let ask =
                if whole { ask } else { ask.header("range", format!("bytes={first}-{last}")) };
            let response = match self.client.open(&ask).await {
                // It has been replaced, or deleted.
                Err(
                    StoreError::Precondition
                    | StoreError::NoSuchKey { .. }
                    | StoreError::NoSuchVersion,
                ) => {
                    self.contend(&stretch.bucket, &stretch.key);
                    return Err(StoreError::Busy);
                }
                response => response?,
            };
            check(&response, if whole { None } else { Some((first, last)) })?;
            body = Some(response.into_body());
        }
        Ok(Box::new(Opened::new(offset, len, Coming::new(body, first), None)))
    }
}

/// Whether the answer is the range that was asked for.
fn check(response: &Response<Incoming>, range: Option<(u64, u64)>) -> Result<(), StoreError> {
    let found = response.headers().get("content-range").and_then(|range| range.to_str().ok());
    let right = match range {
        None => response.status() == StatusCode::OK,
        Some((first, last)) => {
            response.status() == StatusCode::PARTIAL_CONTENT
                && found.is_some_and(|found| found.starts_with(&format!("bytes {first}-{last}/")))
        }
    };
    if right { Ok(()) } else { Err(StoreError::Damaged) }
}

#[async_trait]
impl Source for Opened {
    fn read(&self, offset: u64, mut buffer: Vec<u8>, open: Opening) -> Begun {
        let offset = self.offset.saturating_add(offset);
        let (ended, end) = oneshot::channel();
        let turn = locked(&self.turn).replace(end);
        // Goes on by itself, and ends with whoever waits for it.
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            let gone = || StoreError::Failed("the reading before has failed".to_owned());
            let mut coming = turn.ok_or_else(gone)?.await.map_err(|_| gone())?;
            coming.read(offset, &mut buffer).await?;
            let _nobody_reads_on = ended.send(coming);
            open(&mut buffer)?;
            Ok(buffer)
        });
        Box::pin(async move {
            let read = reading.join_next().await.and_then(Result::ok);
            read.unwrap_or_else(|| Err(StoreError::Failed("a reading ended".to_owned())))
        })
    }

    async fn size(&self) -> Result<u64, StoreError> {
        Ok(self.len)
    }
}
