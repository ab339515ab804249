//! One request message, from bytes to bytes.

use std::sync::atomic::{AtomicBool, Ordering};

use claviger_kmip::codec::{DateTime, Encoder, Wire};
use claviger_kmip::enums::{BatchErrorContinuationOption, Operation, ResultStatus};
use claviger_kmip::message::{RefusedMessage, RequestMessage, ResponseHeader};
use claviger_kmip::{Version, tags};
use claviger_ttlv::{Mark, Message, Writer};

use super::item::{self, Item};
use super::salvage::salvage;
use super::{Next, Peer, Service};
use crate::failure::{Failure, Reason};
use crate::ops::Batch;

/// The response message that is being written.
pub(super) struct Answer<'w> {
    pub(super) writer: &'w mut Writer,
    pub(super) version: Version,
    message: Mark,
    batch_count: usize,
    items: i32,
}

impl<'w> Answer<'w> {
    fn begin(
        writer: &'w mut Writer,
        version: Version,
        now: i64,
        client_correlation_value: Option<String>,
    ) -> Self {
        let message = writer.begin(tags::RESPONSE_MESSAGE);
        let header = ResponseHeader {
            protocol_version: version.into(),
            time_stamp: DateTime(now),
            nonce: None,
            server_hashed_password: None,
            attestation_type: Vec::new(),
            client_correlation_value,
            server_correlation_value: None,
            batch_count: 0,
        };
        header.encode(&mut Encoder::new(writer, version), tags::RESPONSE_HEADER);
        // Batch Count is the header's last item: four bytes of value, four of padding.
        let batch_count = writer.len().saturating_sub(8);
        Self { writer, version, message, batch_count, items: 0 }
    }

    /// Begins an item of the answer; what fails later is cut off again at its start.
    pub(super) fn begin_item(
        &mut self,
        operation: Option<Operation>,
        unique_batch_item_id: Option<&[u8]>,
        status: ResultStatus,
    ) -> OpenItem {
        let start = self.writer.len();
        let mark = self.writer.begin(tags::BATCH_ITEM);
        if let Some(operation) = operation {
            // An echo: it may be younger than the version, or unknown to us.
            self.writer.enumeration(tags::OPERATION, operation.0);
        }
        if let Some(id) = unique_batch_item_id {
            self.writer.bytes(tags::UNIQUE_BATCH_ITEM_ID, id);
        }
        self.writer.enumeration(tags::RESULT_STATUS, status.0);
        OpenItem { start, mark }
    }

    /// Ends an item and counts it.
    pub(super) fn end_item(&mut self, item: OpenItem) {
        self.writer.end(item.mark);
        self.items = self.items.saturating_add(1);
    }

    /// Writes a failed item.
    pub(super) fn fail_item(
        &mut self,
        operation: Option<Operation>,
        unique_batch_item_id: Option<&[u8]>,
        failure: &Failure,
    ) {
        let item = self.begin_item(operation, unique_batch_item_id, ResultStatus::OPERATION_FAILED);
        let reason = failure.reason.result_reason(self.version);
        self.writer.enumeration(tags::RESULT_REASON, reason.0);
        self.writer.text(tags::RESULT_MESSAGE, &failure.message);
        self.end_item(item);
    }

    /// A place to return to, when a whole batch is tried again.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { length: self.writer.len(), items: self.items }
    }

    /// Forgets what was written since.
    pub(super) fn roll_back(&mut self, checkpoint: Checkpoint) {
        self.writer.truncate(checkpoint.length);
        self.items = checkpoint.items;
    }

    fn finish(self) {
        self.writer.patch(self.batch_count, self.items.cast_unsigned());
        self.writer.end(self.message);
    }
}

/// A place in an answer.
#[derive(Copy, Clone)]
pub(super) struct Checkpoint {
    length: usize,
    items: i32,
}

/// Where an item of the answer begins.
pub(super) struct OpenItem {
    pub(super) start: usize,
    mark: Mark,
}

impl Service {
    /// Answers a request message that is framed: its bytes are exactly one item. The answer is
    /// appended to `writer`; what it says has been made durable.
    pub async fn answer(&self, peer: &Peer, request: &[u8], writer: &mut Writer) -> Next {
        let now_us = self.clock.now_us();
        let message = match Message::parse(request, &self.resources.limits.ttlv()) {
            Ok(message) => message,
            Err(error) => {
                let found = salvage(request);
                let failure = claviger_kmip::Error::from(error).into();
                self.refuse_message(peer, now_us, writer, &found, &failure);
                // What follows a broken message cannot be trusted to be one (KMIP 2.1 §10.2).
                return if found.version.is_1x() { Next::Continue } else { Next::Close };
            }
        };
        let message = match RequestMessage::parse(&message) {
            Ok(message) => message,
            Err(refused) => {
                let mut found = salvage(request);
                found.version = refused.version;
                self.refuse_message(peer, now_us, writer, &found, &why(&refused));
                return Next::Continue;
            }
        };
        if message.items().len() > self.resources.limits.batch_items_max {
            let text = format!("a batch can have {} items", self.resources.limits.batch_items_max);
            let failure = Failure::new(Reason::InvalidMessage, text);
            let mut found = salvage(request);
            found.version = message.version;
            self.refuse_message(peer, now_us, writer, &found, &failure);
            return Next::Continue;
        }
        let start = writer.len();
        let (next, traced) = self.answer_batch(peer, now_us, &message, writer).await;
        if traced {
            self.trace(peer, request, writer.as_bytes().get(start..).unwrap_or_default());
        }
        next
    }

    fn refuse_message(
        &self,
        peer: &Peer,
        now_us: i64,
        writer: &mut Writer,
        found: &super::salvage::Salvaged<'_>,
        failure: &Failure,
    ) {
        item::log(peer, None, found.version, found.operation, failure);
        let seconds = now_us.div_euclid(1_000_000);
        let mut answer = Answer::begin(writer, found.version, seconds, None);
        answer.fail_item(found.operation, found.unique_batch_item_id, failure);
        answer.finish();
    }

    async fn answer_batch(
        &self,
        peer: &Peer,
        now_us: i64,
        message: &RequestMessage<'_>,
        writer: &mut Writer,
    ) -> (Next, bool) {
        let header = &message.header;
        let start = writer.len();
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let request = item::Request {
            service: self,
            peer,
            number,
            now_us,
            version: message.version,
            response_end_max: start.saturating_add(self.response_bytes_max(header)),
            traced: AtomicBool::new(false),
        };
        let option =
            header.batch_error_continuation_option.unwrap_or(BatchErrorContinuationOption::STOP);
        let correlation = header.client_correlation_value.clone();
        let seconds = now_us.div_euclid(1_000_000);
        let mut answer = Answer::begin(writer, message.version, seconds, correlation);
        let next = if option == BatchErrorContinuationOption::UNDO && message.items().len() > 1 {
            request.run_undoable(message, &mut answer).await
        } else {
            request.run_all(message, option, &mut answer).await
        };
        answer.finish();
        (next, request.traced.into_inner())
    }

    fn response_bytes_max(&self, header: &claviger_kmip::message::RequestHeader) -> usize {
        let asked = header.maximum_response_size.and_then(|size| usize::try_from(size).ok());
        asked.unwrap_or(usize::MAX).min(self.resources.limits.response_bytes_max)
    }
}

impl item::Request<'_> {
    /// Carries out item after item, each in a transaction of its own.
    async fn run_all(
        &self,
        message: &RequestMessage<'_>,
        option: BatchErrorContinuationOption,
        answer: &mut Answer<'_>,
    ) -> Next {
        let mut batch = Batch::default();
        let mut next = Next::Continue;
        for (position, parsed) in message.items().enumerate() {
            if position > 0 {
                // A long batch is not to keep others waiting.
                tokio::task::yield_now().await;
            }
            let item = Item::new(position, parsed);
            let outcome = self.run(&item, &mut batch, answer).await;
            batch.end_item();
            if !outcome.succeeded && item.operation().is_some_and(says_which) {
                batch.clear_placeholder();
            }
            if outcome.next == Next::Close {
                next = Next::Close;
            }
            if !outcome.succeeded && option != BatchErrorContinuationOption::CONTINUE {
                break;
            }
        }
        next
    }
}

/// Whether what follows in a batch is about the object that the operation finds, or finds fit: if it
/// finds none, that is not another one.
const fn says_which(operation: Operation) -> bool {
    matches!(operation, Operation::LOCATE | Operation::CHECK)
}

fn why(refused: &RefusedMessage) -> Failure {
    match &refused.error {
        Some(error) => {
            let mut failure = Failure::from(*error);
            if failure.reason == Reason::InvalidAttribute {
                failure.reason = Reason::InvalidMessage;
            }
            failure
        }
        None => Failure::new(
            Reason::UnsupportedVersion,
            "this protocol version is not spoken; 1.0 to 1.4, 2.0 and 2.1 are",
        ),
    }
}
