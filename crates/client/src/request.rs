//! Requests as bytes, and what their answers must look like.
//!
//! It must never know how bytes travel.

use std::marker::PhantomData;

use claviger_kmip::Version;
use claviger_kmip::codec::{Encoder, TooYoung};
use claviger_kmip::enums::Operation;
use claviger_kmip::message::{RequestHeader, RequestItem, write_request};
use claviger_kmip::payload::Request;
use claviger_ttlv::Writer;
use zeroize::Zeroizing;

use crate::Error;

/// A request that is being put together: one item, or several.
#[derive(Debug)]
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
#[derive(Debug)]
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
        Self {
            header: RequestHeader::new(version, 0),
            version,
            items: Vec::new(),
            operations: Vec::new(),
        }
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

impl Expected {
    /// Where the answer to a request with a single item is.
    #[must_use]
    pub const fn only<R: Request>() -> Slot<R> {
        Slot { position: 0, request: PhantomData }
    }
}

impl<R> Clone for Slot<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Slot<R> {}
