//! Requests as bytes, and what their answers must look like.
//!
//! It must never know how bytes travel.

use std::fmt;
use std::marker::PhantomData;

use claviger_kmip::codec::{Encoder, TooYoung};
use claviger_kmip::enums::Operation;
use claviger_kmip::message::{RequestHeader, RequestItem, write_request};
use claviger_kmip::payload::Request;
use claviger_kmip::{Version, tags};
use claviger_ttlv::{Item, Limits, Message, Writer};
use zeroize::Zeroizing;

use crate::{Error, Repeat};

/// A request that is being put together: one item, or several.
pub struct Batch {
    /// The header; its batch count is set when the request is finished.
    pub header: RequestHeader,
    version: Version,
    items: Vec<Zeroizing<Vec<u8>>>,
    operations: Vec<Operation>,
}

/// Where the answer to one item of type `R` will be.
#[derive(Debug)]
pub struct Slot<R> {
    pub(crate) position: usize,
    request: PhantomData<fn() -> R>,
}

/// A finished request.
pub struct Outgoing {
    /// The message.
    pub bytes: Zeroizing<Vec<u8>>,
    /// What its answer must look like.
    pub expected: Expected,
}

/// What the answer to a request must look like.
#[derive(Clone, Debug)]
pub struct Expected {
    pub(crate) operations: Vec<Operation>,
}

impl Batch {
    /// A request of that version without items.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self::with_header(RequestHeader::new(version, 0))
    }

    /// A request without items under a header of one's own, and of its version.
    #[must_use]
    pub fn with_header(header: RequestHeader) -> Self {
        let version = Version::from(&header.protocol_version);
        Self { header, version, items: Vec::new(), operations: Vec::new() }
    }

    /// Appends an item.
    ///
    /// # Errors
    /// Something in it does not exist in the version; the batch is as it was before.
    pub fn add<R: Request>(&mut self, request: &R) -> Result<Slot<R>, Error> {
        let position = self.items.len();
        let mut writer = Writer::new();
        let mut encoder = Encoder::exact(&mut writer, self.version);
        let id = u32::try_from(position).unwrap_or(u32::MAX).to_be_bytes();
        RequestItem::write(&mut encoder, Some(&id), request);
        encoder.finish().map_err(|TooYoung(tag)| Error::TooYoung(tag))?;
        self.items.push(Zeroizing::new(writer.into_bytes()));
        self.operations.push(R::OPERATION);
        Ok(Slot { position, request: PhantomData })
    }

    /// Ends the request.
    ///
    /// # Errors
    /// Something in the header does not exist in the version.
    pub fn finish(mut self) -> Result<Outgoing, Error> {
        self.header.batch_count = i32::try_from(self.items.len()).unwrap_or(i32::MAX);
        let mut writer = Writer::new();
        write_request(&mut writer, &self.header, |encoder| {
            for item in &self.items {
                encoder.writer.raw(item);
            }
        })
        .map_err(|TooYoung(tag)| Error::TooYoung(tag))?;
        Ok(Outgoing {
            bytes: Zeroizing::new(writer.into_bytes()),
            expected: Expected { operations: self.operations },
        })
    }
}

impl Outgoing {
    /// A request with one item and a header that asks for nothing special.
    ///
    /// # Errors
    /// Something in it does not exist in the version.
    pub fn single<R: Request>(version: Version, request: &R) -> Result<Self, Error> {
        Self::with_header(&RequestHeader::new(version, 1), request)
    }

    /// A request with one item under a header of one's own.
    ///
    /// # Errors
    /// Something in it does not exist in the version of the header.
    pub fn with_header<R: Request>(header: &RequestHeader, request: &R) -> Result<Self, Error> {
        let mut writer = Writer::new();
        write_request(&mut writer, header, |encoder| RequestItem::write(encoder, None, request))
            .map_err(|TooYoung(tag)| Error::TooYoung(tag))?;
        Ok(Self {
            bytes: Zeroizing::new(writer.into_bytes()),
            expected: Expected { operations: vec![R::OPERATION] },
        })
    }
}

impl Outgoing {
    /// Whether it may be sent again when nobody knows if it was carried out: every item may.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        let mut repeats = self.expected.operations.iter().map(|operation| Repeat::of(*operation));
        if repeats.clone().any(|repeat| repeat == Repeat::No) {
            return false;
        }
        !repeats.any(|repeat| repeat == Repeat::Whole) || !self.is_streamed().unwrap_or(true)
    }

    /// Whether an item is a part of a stream (KMIP 2.1 §7.7 and §7.18).
    fn is_streamed(&self) -> Result<bool, claviger_ttlv::Error> {
        let limits = Limits { size_max: self.bytes.len(), ..Limits::default() };
        let root = Message::parse(&self.bytes, &limits)?.root();
        let parts = [tags::CORRELATION_VALUE, tags::INIT_INDICATOR];
        any(&root, &|item| {
            let payload = tags::REQUEST_PAYLOAD;
            Ok(item.tag == tags::BATCH_ITEM
                && any(item, &|item| {
                    Ok(item.tag == payload && any(item, &|item| Ok(parts.contains(&item.tag)))?)
                })?)
        })
    }
}

/// Whether an item directly inside a structure is like that.
fn any(
    structure: &Item<'_>,
    test: &dyn Fn(&Item<'_>) -> Result<bool, claviger_ttlv::Error>,
) -> Result<bool, claviger_ttlv::Error> {
    let mut reader = structure.structure()?;
    while let Some(item) = reader.next_item()? {
        if test(&item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Expected {
    /// Where the answer to a request with a single item is.
    #[must_use]
    pub const fn only<R: Request>() -> Slot<R> {
        Slot { position: 0, request: PhantomData }
    }
}

impl fmt::Debug for Batch {
    /// What is asked, without what is said: the header may hold passwords, the items keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("version", &self.version)
            .field("operations", &self.operations)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing {
    /// What is asked, without what is said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("expected", &self.expected).finish_non_exhaustive()
    }
}

impl<R> Clone for Slot<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Slot<R> {}

#[cfg(test)]
mod tests {
    use claviger_kmip::codec::ByteString;
    use claviger_kmip::payload::{ActivateRequest, EncryptRequest, GetRequest};

    use super::*;

    #[test]
    fn a_batch_may_be_repeated_if_every_item_may() {
        let repeatable = |version, fill: fn(&mut Batch)| {
            let mut batch = Batch::new(version);
            fill(&mut batch);
            batch.finish().unwrap().is_repeatable()
        };
        let encrypt = |batch: &mut Batch| {
            let data = Some(vec![0; 8].into());
            batch.add(&EncryptRequest { data, ..EncryptRequest::default() }).unwrap();
        };
        let part = |batch: &mut Batch| {
            let correlation_value = Some(ByteString(vec![1]));
            batch.add(&EncryptRequest { correlation_value, ..EncryptRequest::default() }).unwrap();
        };
        let first_part = |batch: &mut Batch| {
            let init_indicator = Some(true);
            batch.add(&EncryptRequest { init_indicator, ..EncryptRequest::default() }).unwrap();
        };
        let get = |batch: &mut Batch| {
            batch.add(&GetRequest::default()).unwrap();
        };
        assert!(repeatable(Version::V1_2, encrypt));
        assert!(repeatable(Version::V1_0, get));
        assert!(!repeatable(Version::V1_3, part));
        assert!(!repeatable(Version::V2_1, first_part));
        assert!(!repeatable(Version::V1_0, |batch| {
            batch.add(&GetRequest::default()).unwrap();
            batch.add(&ActivateRequest::default()).unwrap();
        }));
    }
}
