//! Response messages, as a client reads them.

use claviger_ttlv::{Item, Message, Tag};

use super::{MessageExtension, ResponseHeader};
use crate::codec::{ByteString, Decoder, Field, Wire};
use crate::enums::{Operation, ResultReason, ResultStatus};
use crate::error::{Error, Problem};
use crate::{Version, tags};

/// A response whose header and items were understood.
#[derive(Clone, Debug)]
pub struct ResponseMessage<'a> {
    /// The header.
    pub header: ResponseHeader,
    /// The version of the message.
    pub version: Version,
    /// The answers, in the order of the request's items.
    pub items: Vec<ResponseItem<'a>>,
}

/// The answer to one batch item.
#[derive(Clone, Debug)]
pub struct ResponseItem<'a> {
    /// The operation of the request, if the server could read it.
    pub operation: Option<Operation>,
    /// The client's name for the item.
    pub unique_batch_item_id: Option<ByteString>,
    /// Whether it was done.
    pub result_status: ResultStatus,
    /// Why not.
    pub result_reason: Option<ResultReason>,
    /// Why not, for people.
    pub result_message: Option<String>,
    /// Under which name to ask for the answer later.
    pub asynchronous_correlation_value: Option<ByteString>,
    /// The payload, not looked into.
    pub payload: Option<Item<'a>>,
    /// Extensions.
    pub message_extensions: Vec<MessageExtension>,
}

impl<'a> ResponseMessage<'a> {
    /// Reads a response.
    ///
    /// # Errors
    /// The message is no response, or its header or an item is wrong.
    pub fn parse(message: &Message<'a>) -> Result<Self, Error> {
        const KNOWN: &[Tag] = &[tags::RESPONSE_HEADER, tags::BATCH_ITEM];
        let root = message.root();
        if root.tag != tags::RESPONSE_MESSAGE {
            return Err(Error::new(Problem::UnknownField, root.tag));
        }
        let mut decoder = Decoder::new(&root, Version::V2_1, KNOWN)?;
        let header: ResponseHeader = Field::take(&mut decoder, tags::RESPONSE_HEADER)?;
        let version = Version::from(&header.protocol_version);
        let mut items = Vec::new();
        while let Some(item) = decoder.next_if(tags::BATCH_ITEM)? {
            items.push(ResponseItem::parse(&item, version)?);
        }
        decoder.finish()?;
        if usize::try_from(header.batch_count).ok() != Some(items.len()) {
            return Err(Error::new(Problem::BadValue, tags::BATCH_COUNT));
        }
        Ok(Self { header, version, items })
    }
}

impl<'a> ResponseItem<'a> {
    fn parse(item: &Item<'a>, version: Version) -> Result<Self, Error> {
        const KNOWN: &[Tag] = &[
            tags::OPERATION,
            tags::UNIQUE_BATCH_ITEM_ID,
            tags::RESULT_STATUS,
            tags::RESULT_REASON,
            tags::RESULT_MESSAGE,
            tags::ASYNCHRONOUS_CORRELATION_VALUE,
            tags::RESPONSE_PAYLOAD,
            tags::MESSAGE_EXTENSION,
        ];
        let mut decoder = Decoder::new(item, version, KNOWN)?;
        let item = Self {
            operation: Field::take(&mut decoder, tags::OPERATION)?,
            unique_batch_item_id: Field::take(&mut decoder, tags::UNIQUE_BATCH_ITEM_ID)?,
            result_status: Field::take(&mut decoder, tags::RESULT_STATUS)?,
            result_reason: Field::take(&mut decoder, tags::RESULT_REASON)?,
            result_message: Field::take(&mut decoder, tags::RESULT_MESSAGE)?,
            asynchronous_correlation_value: Field::take(
                &mut decoder,
                tags::ASYNCHRONOUS_CORRELATION_VALUE,
            )?,
            payload: decoder.next_if(tags::RESPONSE_PAYLOAD)?,
            message_extensions: Field::take(&mut decoder, tags::MESSAGE_EXTENSION)?,
        };
        decoder.finish()?;
        Ok(item)
    }

    /// Reads the payload of a success.
    ///
    /// # Errors
    /// The payload is missing or wrong.
    pub fn payload<T: Wire>(&self, version: Version) -> Result<T, Error> {
        match &self.payload {
            Some(item) => T::decode(item, version),
            None => Err(Error::new(Problem::MissingField, tags::RESPONSE_PAYLOAD)),
        }
    }
}
