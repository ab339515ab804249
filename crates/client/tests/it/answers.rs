//! Answers of a server, written byte by byte.

use claviger_kmip::enums::{Operation, ResultReason, ResultStatus};
use claviger_kmip::{Version, tags};
use claviger_ttlv::Writer;

fn message(version: Version, item: impl FnOnce(&mut Writer)) -> Vec<u8> {
    batch(version, [item])
}

/// A message with several items.
pub(crate) fn batch<F: FnOnce(&mut Writer)>(
    version: Version,
    items: impl IntoIterator<Item = F>,
) -> Vec<u8> {
    let items: Vec<F> = items.into_iter().collect();
    let count = i32::try_from(items.len()).unwrap();
    let mut writer = Writer::new();
    writer.structure(tags::RESPONSE_MESSAGE, |writer| {
        writer.structure(tags::RESPONSE_HEADER, |writer| {
            writer.structure(tags::PROTOCOL_VERSION, |writer| {
                writer.integer(tags::PROTOCOL_VERSION_MAJOR, version.major);
                writer.integer(tags::PROTOCOL_VERSION_MINOR, version.minor);
            });
            writer.date_time(tags::TIME_STAMP, 1);
            writer.integer(tags::BATCH_COUNT, count);
        });
        for item in items {
            writer.structure(tags::BATCH_ITEM, item);
        }
    });
    writer.into_bytes()
}

/// A success with a payload.
pub(crate) fn success(
    version: Version,
    operation: Operation,
    payload: impl FnOnce(&mut Writer),
) -> Vec<u8> {
    message(version, |writer| {
        writer.enumeration(tags::OPERATION, operation.0);
        writer.enumeration(tags::RESULT_STATUS, ResultStatus::SUCCESS.0);
        writer.structure(tags::RESPONSE_PAYLOAD, payload);
    })
}

/// A success whose payload is a Unique Identifier.
pub(crate) fn done(version: Version, operation: Operation, uid: &str) -> Vec<u8> {
    success(version, operation, |writer| writer.text(tags::UNIQUE_IDENTIFIER, uid))
}

/// A refusal; without an operation it is of the whole message.
pub(crate) fn refused(
    version: Version,
    operation: Option<Operation>,
    reason: ResultReason,
) -> Vec<u8> {
    message(version, |writer| {
        if let Some(operation) = operation {
            writer.enumeration(tags::OPERATION, operation.0);
        }
        writer.enumeration(tags::RESULT_STATUS, ResultStatus::OPERATION_FAILED.0);
        writer.enumeration(tags::RESULT_REASON, reason.0);
        writer.text(tags::RESULT_MESSAGE, "said no");
    })
}

/// The answer to Discover Versions.
pub(crate) fn discovered(version: Version, versions: &[Version]) -> Vec<u8> {
    success(version, Operation::DISCOVER_VERSIONS, |writer| {
        for version in versions {
            writer.structure(tags::PROTOCOL_VERSION, |writer| {
                writer.integer(tags::PROTOCOL_VERSION_MAJOR, version.major);
                writer.integer(tags::PROTOCOL_VERSION_MINOR, version.minor);
            });
        }
    })
}

/// The answer to Query.
pub(crate) fn queried(version: Version) -> Vec<u8> {
    success(version, Operation::QUERY, |writer| {
        writer.enumeration(tags::OPERATION, Operation::GET.0);
    })
}

/// Version and operation of a request.
pub(crate) fn asked(request: &[u8]) -> (Version, Operation) {
    use claviger_kmip::message::RequestMessage;
    use claviger_ttlv::{Limits, Message};
    let message = Message::parse(request, &Limits::default()).unwrap();
    let request = RequestMessage::parse(&message).unwrap();
    let item = request.items().next().unwrap().unwrap();
    (request.version, item.operation)
}
