//! Answers: matched to what was asked, and read.
//!
//! It must never know how bytes travel.

use std::fmt;

use claviger_kmip::enums::{Operation, ResultStatus};
use claviger_kmip::message::{ResponseHeader, ResponseItem, ResponseMessage};
use claviger_kmip::payload::Request;
use claviger_ttlv::{Limits, Message};
use zeroize::Zeroizing;

use crate::request::{Expected, Slot};
use crate::{Error, Malformed, Refusal};

/// The bytes of an answer, with what they answer.
pub struct Answer {
    bytes: Zeroizing<Vec<u8>>,
    expected: Expected,
}

/// An answer whose items have been matched to those of the request.
pub struct Replies<'a> {
    message: ResponseMessage<'a>,
    /// Per item of the request, where in the message its answer is.
    places: Vec<Option<usize>>,
    /// The server's word on the whole message.
    refusal: Option<Refusal>,
}

impl Answer {
    /// Puts an answer beside what it answers.
    #[must_use]
    pub const fn new(bytes: Zeroizing<Vec<u8>>, expected: Expected) -> Self {
        Self { bytes, expected }
    }

    /// The message as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads the header and matches the items.
    ///
    /// # Errors
    /// The bytes are no response, or no response to this request.
    pub fn replies(&self) -> Result<Replies<'_>, Error> {
        Replies::parse(&self.bytes, &self.expected)
    }

    /// Reads the answer to the only item of the request.
    ///
    /// # Errors
    /// As [`Answer::replies`] and [`Replies::take`].
    pub fn only<R: Request>(&self) -> Result<R::Response, Error> {
        self.replies()?.take(Expected::only::<R>())
    }
}

impl fmt::Debug for Answer {
    /// What it answers, without what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("expected", &self.expected).finish_non_exhaustive()
    }
}

impl fmt::Debug for Replies<'_> {
    /// How the items are matched, without what they say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("places", &self.places)
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

impl<'a> Replies<'a> {
    /// Reads a response and matches its items: by Unique Batch Item ID where the server echoes
    /// it, else by order.
    ///
    /// # Errors
    /// The bytes are no response, or no response to this request.
    pub fn parse(bytes: &'a [u8], expected: &Expected) -> Result<Self, Error> {
        // The connection has bounded the size already.
        let limits = Limits { size_max: bytes.len(), ..Limits::default() };
        let message = ResponseMessage::parse(&Message::parse(bytes, &limits)?)?;
        let mut places = vec![None; expected.operations.len()];
        if let Some(refusal) = of_whole_message(&message) {
            return Ok(Self { message, places, refusal: Some(refusal) });
        }
        for (place, item) in message.items.iter().enumerate() {
            let position = position(item, place)?;
            let operation = expected.operations.get(position).ok_or(Malformed::UnknownItem)?;
            check_operation(item, *operation)?;
            match places.get_mut(position) {
                Some(slot @ None) => *slot = Some(place),
                _ => return Err(Malformed::RepeatedItem.into()),
            }
        }
        Ok(Self { message, places, refusal: None })
    }

    /// The header of the response.
    #[must_use]
    pub const fn header(&self) -> &ResponseHeader {
        &self.message.header
    }

    /// Whether the server said no to the whole message.
    pub(crate) const fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// The frame of an item's answer, if there is one.
    #[must_use]
    pub fn item<R>(&self, slot: Slot<R>) -> Option<&ResponseItem<'a>> {
        let place = (*self.places.get(slot.position)?)?;
        self.message.items.get(place)
    }

    /// Reads the answer to one item.
    ///
    /// # Errors
    /// The server said no, or nothing to this item, or its payload is wrong.
    pub fn take<R: Request>(&self, slot: Slot<R>) -> Result<R::Response, Error> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone().into());
        }
        let item = self.item(slot).ok_or(Error::NotDone)?;
        match item.result_status {
            ResultStatus::SUCCESS => Ok(item.payload(self.message.version)?),
            ResultStatus::OPERATION_PENDING => {
                let value = item.asynchronous_correlation_value.clone();
                Err(Error::Pending(value.unwrap_or_default()))
            }
            ResultStatus::OPERATION_UNDONE => Err(Error::Undone),
            _ => Err(refusal(item).into()),
        }
    }
}

/// A server that cannot read a message answers with one item that names no operation.
fn of_whole_message(message: &ResponseMessage<'_>) -> Option<Refusal> {
    let [item] = message.items.as_slice() else { return None };
    let is_failure = item.result_status == ResultStatus::OPERATION_FAILED;
    let is_anonymous = item.operation.is_none() && item.unique_batch_item_id.is_none();
    (is_failure && is_anonymous).then(|| refusal(item))
}

fn refusal(item: &ResponseItem<'_>) -> Refusal {
    Refusal {
        operation: item.operation,
        reason: item.result_reason,
        message: item.result_message.clone(),
    }
}

fn position(item: &ResponseItem<'_>, place: usize) -> Result<usize, Malformed> {
    match &item.unique_batch_item_id {
        None => Ok(place),
        Some(id) => {
            let id = <[u8; 4]>::try_from(id.0.as_slice()).map_err(|_| Malformed::UnknownItem)?;
            usize::try_from(u32::from_be_bytes(id)).map_err(|_| Malformed::UnknownItem)
        }
    }
}

/// The operation is echoed, except that Poll's answer is that of the operation that was pending,
/// and a failure may leave it out.
fn check_operation(item: &ResponseItem<'_>, asked: Operation) -> Result<(), Malformed> {
    let is_failure = item.result_status != ResultStatus::SUCCESS;
    match item.operation {
        Some(operation) if operation == asked => Ok(()),
        Some(_) if asked == Operation::POLL => Ok(()),
        None if is_failure => Ok(()),
        other => Err(Malformed::OtherOperation(other)),
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
