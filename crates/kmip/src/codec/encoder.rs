//! Writing items of one version.

use claviger_ttlv::{Tag, Writer};

use crate::Version;
use crate::tables::Row;

/// A value that the version of the message does not have, in the item of that tag.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TooYoung(pub Tag);

/// A [`Writer`] that knows the version of the message and keeps out what the version lacks.
///
/// What is required is refused; what is optional is left out, as a server must answer clients of
/// every age, or refused too by an encoder that is [exact](Encoder::exact).
#[derive(Debug)]
pub struct Encoder<'w> {
    /// Where the items go.
    pub writer: &'w mut Writer,
    version: Version,
    refused: Option<TooYoung>,
    is_exact: bool,
}

impl<'w> Encoder<'w> {
    /// An encoder for a message of that version.
    #[must_use]
    pub const fn new(writer: &'w mut Writer, version: Version) -> Self {
        Self { writer, version, refused: None, is_exact: false }
    }

    /// An encoder that leaves nothing out: a client whose request lost an attribute on the way
    /// would locate, or make, something else than it was told to.
    #[must_use]
    pub const fn exact(writer: &'w mut Writer, version: Version) -> Self {
        Self { writer, version, refused: None, is_exact: true }
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

    /// Says that an optional item `tag` is left out because the version lacks it.
    pub fn leave_out(&mut self, tag: Tag) {
        if self.is_exact {
            self.refuse(tag);
        }
    }

    /// Leaves out a field that the version lacks; one that is empty anyway is no loss.
    pub fn leave_out_field(&mut self, tag: Tag, write: impl FnOnce(&mut Self)) {
        if !self.is_exact {
            return;
        }
        let length = self.writer.len();
        write(self);
        if self.writer.len() != length {
            self.writer.truncate(length);
            self.refuse(tag);
        }
    }

    /// Writes an optional item: it vanishes if something in it is too young.
    pub fn attempt(&mut self, write: impl FnOnce(&mut Self)) -> bool {
        if self.is_exact {
            write(self);
            return true;
        }
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
