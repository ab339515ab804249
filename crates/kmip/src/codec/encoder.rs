//! Writing items of one version.

use claviger_ttlv::{Tag, Writer};

use crate::Version;
use crate::tables::Row;

/// A value that the version of the message does not have, in the item of that tag.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TooYoung(pub Tag);

/// A [`Writer`] that knows the version of the message and refuses what is younger.
#[derive(Debug)]
pub struct Encoder<'w> {
    /// Where the items go.
    pub writer: &'w mut Writer,
    version: Version,
    refused: Option<TooYoung>,
}

impl<'w> Encoder<'w> {
    /// An encoder for a message of that version.
    #[must_use]
    pub const fn new(writer: &'w mut Writer, version: Version) -> Self {
        Self { writer, version, refused: None }
    }

    /// The version of the message.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Ends encoding.
    ///
    /// # Errors
    /// A required value was younger than the version; what was written must not be sent.
    pub fn finish(self) -> Result<(), TooYoung> {
        match self.refused {
            None => Ok(()),
            Some(refused) => Err(refused),
        }
    }

    /// Says that a value in the item `tag` does not exist in this version.
    pub fn refuse(&mut self, tag: Tag) {
        self.refused.get_or_insert(TooYoung(tag));
    }

    /// Refuses a table value that this version does not have.
    pub fn check(&mut self, tag: Tag, row: Option<&Row>) {
        if let Some(row) = row
            && self.version != Version::EVERY
            && !row.is_in(self.version)
        {
            self.refuse(tag);
        }
    }

    /// Whether this version has what exists from `since` to `until`.
    #[must_use]
    pub fn has(&self, since: Option<Version>, until: Option<Version>) -> bool {
        self.version == Version::EVERY
            || (since.is_none_or(|since| since <= self.version)
                && until.is_none_or(|until| self.version <= until))
    }

    /// Writes an optional item: it vanishes if something in it is too young.
    pub fn attempt(&mut self, write: impl FnOnce(&mut Self)) -> bool {
        let before = self.refused.take();
        let length = self.writer.len();
        write(self);
        let written = self.refused.is_none();
        if !written {
            self.writer.truncate(length);
        }
        self.refused = before;
        written
    }

    /// Writes a structure whose fields `body` writes.
    pub fn structure(&mut self, tag: Tag, body: impl FnOnce(&mut Self)) {
        let mark = self.writer.begin(tag);
        body(self);
        self.writer.end(mark);
    }
}
