//! Request messages.

use claviger_ttlv::{Item, Message, Tag, Writer};

use super::{MessageExtension, ProtocolVersion, RequestHeader};
use crate::codec::{Decoder, Encoder, Field, TooYoung, Wire};
use crate::enums::Operation;
use crate::error::{Error, Problem};
use crate::payload::Request;
use crate::{Version, tags};

/// A request whose header and frame were understood.
#[derive(Clone, Debug)]
pub struct RequestMessage<'a> {
    /// The header.
    pub header: RequestHeader,
    /// The version of the message, one that this crate speaks.
    pub version: Version,
    items: Vec<Item<'a>>,
}

/// A message that cannot be answered item by item.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedMessage {
    /// The version to answer in: the message's where it is known, else the closest.
    pub version: Version,
    /// What is wrong; `None` if only the version is not spoken.
    pub error: Option<Error>,
}

/// One batch item whose frame was understood.
#[derive(Clone, Debug)]
pub struct RequestItem<'a> {
    /// What is asked.
    pub operation: Operation,
    /// Whether the object is to be kept in memory only (KMIP 2.0 and later).
    pub ephemeral: Option<bool>,
    /// The client's name for the item.
    pub unique_batch_item_id: Option<&'a [u8]>,
    /// The payload, not looked into.
    pub payload: Option<Item<'a>>,
    /// Extensions.
    pub message_extensions: Vec<MessageExtension>,
}

/// A batch item that was not understood, with what could be read of it.
#[derive(Clone, Debug)]
pub struct RefusedItem<'a> {
    /// What was asked.
    pub operation: Option<Operation>,
    /// The client's name for the item.
    pub unique_batch_item_id: Option<&'a [u8]>,
    /// What is wrong.
    pub error: Error,
}

impl<'a> RequestMessage<'a> {
    /// Reads the header and the frame of a message.
    ///
    /// # Errors
    /// The version is not spoken, or the header or the number of items is wrong.
    pub fn parse(message: &Message<'a>) -> Result<Self, RefusedMessage> {
        let root = message.root();
        let version = peek_version(&root).unwrap_or(Version::V1_0);
        if !version.is_supported() {
            return Err(RefusedMessage { version: closest(version), error: None });
        }
        let refuse = |error| RefusedMessage { version, error: Some(error) };
        let (header, items) = parse_parts(&root, version).map_err(refuse)?;
        if usize::try_from(header.batch_count).ok() != Some(items.len()) {
            let error = Error::new(Problem::BadValue, tags::BATCH_COUNT);
            return Err(refuse(error.within(tags::REQUEST_HEADER)));
        }
        Ok(Self { header, version, items })
    }

    /// The batch items, each understood or refused on its own.
    pub fn items(&self) -> impl ExactSizeIterator<Item = Result<RequestItem<'a>, RefusedItem<'a>>> {
        let version = self.version;
        self.items.iter().map(move |item| RequestItem::parse(item, version))
    }
}

fn parse_parts<'a>(
    root: &Item<'a>,
    version: Version,
) -> Result<(RequestHeader, Vec<Item<'a>>), Error> {
    const KNOWN: &[Tag] = &[tags::REQUEST_HEADER, tags::BATCH_ITEM];
    if root.tag != tags::REQUEST_MESSAGE {
        return Err(Error::new(Problem::UnknownField, root.tag));
    }
    let mut decoder = Decoder::new(root, version, KNOWN)?;
    let header = Field::take(&mut decoder, tags::REQUEST_HEADER)?;
    let mut items = Vec::new();
    while let Some(item) = decoder.next_if(tags::BATCH_ITEM)? {
        items.push(item);
    }
    decoder.finish()?;
    if items.is_empty() {
        return Err(Error::new(Problem::MissingField, tags::BATCH_ITEM));
    }
    Ok((header, items))
}

/// The version of a message whose header may be wrong otherwise.
fn peek_version(root: &Item<'_>) -> Option<Version> {
    let header = root.structure().ok()?.next_item().ok()??;
    let version = header.structure().ok()?.next_item().ok()??;
    if header.tag != tags::REQUEST_HEADER || version.tag != tags::PROTOCOL_VERSION {
        return None;
    }
    let version = ProtocolVersion::decode(&version, Version::V2_1).ok()?;
    Some(Version::from(&version))
}

/// The version to say "not that version" in.
fn closest(version: Version) -> Version {
    let older = Version::ALL.into_iter().rfind(|known| *known <= version);
    older.unwrap_or(Version::V1_0)
}

impl<'a> RequestItem<'a> {
    /// Reads the frame of one batch item.
    ///
    /// # Errors
    /// A field is missing, unknown or out of order; what could be read comes with the error.
    pub fn parse(item: &Item<'a>, version: Version) -> Result<Self, RefusedItem<'a>> {
        Self::parse_strictly(item, version).map_err(|error| {
            let mut refused = RefusedItem { operation: None, unique_batch_item_id: None, error };
            let Ok(mut reader) = item.structure() else { return refused };
            while let Ok(Some(field)) = reader.next_item() {
                match field.tag {
                    tags::OPERATION => refused.operation = field.enumeration().ok().map(Operation),
                    tags::UNIQUE_BATCH_ITEM_ID => {
                        refused.unique_batch_item_id = field.bytes().ok();
                    }
                    _ => {}
                }
            }
            refused
        })
    }

    fn parse_strictly(item: &Item<'a>, version: Version) -> Result<Self, Error> {
        const KNOWN: &[Tag] = &[
            tags::OPERATION,
            tags::EPHEMERAL,
            tags::UNIQUE_BATCH_ITEM_ID,
            tags::REQUEST_PAYLOAD,
            tags::MESSAGE_EXTENSION,
        ];
        let mut decoder = Decoder::new(item, version, KNOWN)?;
        let operation = Field::take(&mut decoder, tags::OPERATION)?;
        let ephemeral = Field::take(&mut decoder, tags::EPHEMERAL)?;
        let unique_batch_item_id = match decoder.next_if(tags::UNIQUE_BATCH_ITEM_ID)? {
            Some(id) => Some(id.bytes()?),
            None => None,
        };
        let payload = decoder.next_if(tags::REQUEST_PAYLOAD)?;
        let message_extensions = Field::take(&mut decoder, tags::MESSAGE_EXTENSION)?;
        decoder.finish()?;
        Ok(Self { operation, ephemeral, unique_batch_item_id, payload, message_extensions })
    }

    /// Reads the payload as that operation's request.
    ///
    /// # Errors
    /// The payload is missing or wrong.
    pub fn payload<T: Request>(&self, version: Version) -> Result<T, Error> {
        match &self.payload {
            Some(item) => T::decode(item, version),
            None => Err(Error::new(Problem::MissingField, tags::REQUEST_PAYLOAD)),
        }
    }
}

/// Writes a request of one version: `body` writes each item with the function it is given.
///
/// # Errors
/// Something in the request does not exist in that version.
pub fn write_request(
    writer: &mut Writer,
    header: &RequestHeader,
    body: impl FnOnce(&mut Encoder<'_>),
) -> Result<(), TooYoung> {
    let mut encoder = Encoder::exact(writer, Version::from(&header.protocol_version));
    encoder.structure(tags::REQUEST_MESSAGE, |encoder| {
        header.encode(encoder, tags::REQUEST_HEADER);
        body(encoder);
    });
    encoder.finish()
}

impl RequestItem<'_> {
    /// Writes one batch item.
    pub fn write<T: Request>(
        encoder: &mut Encoder<'_>,
        unique_batch_item_id: Option<&[u8]>,
        request: &T,
    ) {
        encoder.structure(tags::BATCH_ITEM, |encoder| {
            T::OPERATION.encode(encoder, tags::OPERATION);
            if let Some(id) = unique_batch_item_id {
                encoder.writer.bytes(tags::UNIQUE_BATCH_ITEM_ID, id);
            }
            request.encode(encoder, tags::REQUEST_PAYLOAD);
        });
    }
}

#[cfg(test)]
mod tests {
    use claviger_ttlv::Limits;

    use super::*;

    /// Found by fuzzing: the answer had no item either, so nobody was told anything.
    #[test]
    fn a_message_without_a_batch_item_is_refused() {
        for version in Version::ALL {
            let mut writer = Writer::new();
            write_request(&mut writer, &RequestHeader::new(version, 0), |_| {}).unwrap();
            let message = Message::parse(writer.as_bytes(), &Limits::default()).unwrap();
            let refused = RequestMessage::parse(&message).unwrap_err();
            let error = Error::new(Problem::MissingField, tags::BATCH_ITEM);
            assert_eq!(refused, RefusedMessage { version, error: Some(error) });
        }
    }
}
