//! The data of a cryptographic operation: what the request brings, or what an earlier item of its
//! batch produced (KMIP 2.1 §7.9).

use claviger_kmip::codec::Secret;
use claviger_kmip::payload::Data;

use super::Context;
use crate::failure::{Failure, Reason};

/// The data that a request means; `None` if it brings none.
///
/// # Errors
/// It means the data of an item that has produced none.
pub(super) fn data(
    context: &Context<'_, '_>,
    data: Option<Data>,
) -> Result<Option<Secret>, Failure> {
    let found = match data {
        None => return Ok(None),
        Some(Data::Bytes(bytes)) => return Ok(Some(bytes)),
        Some(Data::Produced(kind)) => context.batch.data(kind),
        Some(Data::Index(position)) => context.batch.data_at(position),
    };
    found.map(Some).ok_or_else(|| {
        Failure::new(Reason::InvalidField, "no earlier item of the batch has produced that data")
    })
}

/// Data that an operation cannot go without.
///
/// # Errors
/// There is none.
pub(super) fn required(data: Option<Secret>) -> Result<Secret, Failure> {
    data.ok_or_else(|| Failure::new(Reason::MissingData, "Data is missing"))
}

/// The data of a part of a message, which may be empty.
pub(super) fn or_nothing(data: Option<Secret>) -> Secret {
    data.unwrap_or_default()
}
