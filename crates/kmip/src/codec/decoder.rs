//! Walking the fields of one structure in the order of the specification's table.

use claviger_ttlv::{Item, Reader, Tag};

use crate::Version;
use crate::error::{Error, Problem};
use crate::tables::tag_row;
use crate::tolerance;

/// The fields of one structure, front to back.
///
/// A field is taken only when it is next: one that comes too early or too late is left over and
/// reported by [`Decoder::finish`]. Tags that the structure does not know are refused
/// (KMIP 1.4 §7, `InvalidField`) unless [`tolerance`] has a row for them.
#[derive(Debug)]
pub struct Decoder<'a> {
    structure: Tag,
    known: &'static [Tag],
    reader: Reader<'a>,
    version: Version,
    /// Whether the next item is known to belong here: every field asks about it until one takes it.
    is_checked: bool,
}

impl<'a> Decoder<'a> {
    /// Begins to read a structure whose fields have the tags `known`.
    ///
    /// # Errors
    /// The item is no structure.
    pub fn new(item: &Item<'a>, version: Version, known: &'static [Tag]) -> Result<Self, Error> {
        Ok(Self {
            structure: item.tag,
            known,
            reader: item.structure()?,
            version,
            is_checked: false,
        })
    }

    /// The version of the message.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The tag of the structure.
    #[must_use]
    pub const fn structure(&self) -> Tag {
        self.structure
    }

    /// The tag of the next item, tolerated unknown items skipped.
    ///
    /// # Errors
    /// An item cannot be read, or has a tag that does not belong here.
    pub fn peek(&mut self) -> Result<Option<Tag>, Error> {
        while let Some(tag) = self.reader.peek_tag() {
            if self.is_checked || self.known.contains(&tag) {
                self.is_checked = true;
                return Ok(Some(tag));
            }
            if !tag.is_extension() && !tolerance::ignores(self.structure, tag, self.version) {
                return Err(Error::new(Problem::UnknownField, tag).within(self.structure));
            }
            self.reader.next_item()?;
        }
        Ok(None)
    }

    /// The next item, if it has that tag and a message of this version may have it.
    ///
    /// # Errors
    /// The next item cannot be read or does not belong in a message of this version.
    pub fn next_if(&mut self, tag: Tag) -> Result<Option<Item<'a>>, Error> {
        if self.peek()? != Some(tag) {
            return Ok(None);
        }
        self.check_version(tag)?;
        self.is_checked = false;
        Ok(self.reader.next_item()?)
    }

    /// The next item, whatever its tag.
    ///
    /// # Errors
    /// As [`Decoder::peek`].
    pub fn next_any(&mut self) -> Result<Option<Item<'a>>, Error> {
        self.peek()?;
        self.is_checked = false;
        Ok(self.reader.next_item()?)
    }

    /// Ends the structure.
    ///
    /// # Errors
    /// Items are left over: a field came out of order, or too often.
    pub fn finish(mut self) -> Result<(), Error> {
        match self.peek()? {
            None => Ok(()),
            Some(tag) => Err(Error::new(Problem::OutOfOrder, tag).within(self.structure)),
        }
    }

    /// The error for a field that is not there.
    #[must_use]
    pub fn missing(&self, tag: Tag) -> Error {
        Error::new(Problem::MissingField, tag).within(self.structure)
    }

    /// A tag of a younger *major* version, or one that the version has dropped, is refused. One
    /// of a younger minor version is taken: clients that mislabel their messages are common
    /// (libkmip sends Offset Items under 1.0), and nothing is gained by refusing them.
    fn check_version(&self, tag: Tag) -> Result<(), Error> {
        if self.version == Version::EVERY {
            return Ok(());
        }
        let Some(row) = tag_row(tag) else { return Ok(()) };
        let too_young = row.since.major > self.version.major;
        let dropped = row.until.is_some_and(|until| until < self.version);
        if too_young || dropped {
            return Err(Error::new(Problem::UnknownField, tag).within(self.structure));
        }
        Ok(())
    }
}
