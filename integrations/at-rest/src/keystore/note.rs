//! A note beside a keystore of a master key that is on its way: what it is called on the server, so
//! that a crash leaves no key that nobody knows of. Written before the server hears of the key,
//! removed when the keystore is sealed with it.

use std::fs;
use std::io::{self, Write};

use super::directory::Directory;
use crate::Error;

/// The note's name within the directory.
const FILE: &str = "pending";
const FIRST_LINE: &str = "claviger pending key 1";
/// The most bytes a note has.
const SIZE_MAX: u64 = 8 * 1024;

/// A master key that is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The name that the key alone has on the server.
    pub(crate) name: String,
    /// The name that it shall take from the key before it (level 4.2).
    pub(crate) takes: Option<Takes>,
}

/// A name that goes from one key to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Takes {
    pub(crate) name: String,
    /// The Unique Identifier of the key that has it.
    pub(crate) from: String,
}

impl Note {
    /// Reads the note, if there is one.
    pub(crate) fn read(directory: &Directory) -> Result<Option<Self>, Error> {
        let path = directory.join(FILE);
        let text = match fs::metadata(&path).and_then(|metadata| {
            if metadata.len() > SIZE_MAX { Ok(String::new()) } else { fs::read_to_string(&path) }
        }) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::file(&path, source)),
        };
        let note = Self::parse(&text);
        note.map(Some).ok_or_else(|| Error::damaged(&path, "it is no note of a pending key"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return None;
        }
        let name = lines.next().filter(|name| !name.is_empty())?.to_owned();
        let takes = match (lines.next(), lines.next(), lines.next()) {
            (None, None, None) => None,
            (Some(name), Some(from), None) => {
                Some(Takes { name: name.to_owned(), from: from.to_owned() })
            }
            _ => return None,
        };
        Some(Self { name, takes })
    }

    /// Writes the note; it is durable when this returns. No part has a line's end in it.
    pub(crate) fn write(&self, directory: &Directory) -> Result<(), Error> {
        let mut text = format!("{FIRST_LINE}\n{}\n", self.name);
        if let Some(takes) = &self.takes {
            text.push_str(&format!("{}\n{}\n", takes.name, takes.from));
        }
        let write = |file: &mut fs::File| {
            let written = file.write_all(text.as_bytes());
            written.map_err(|source| Error::file(&directory.join(FILE), source))
        };
        directory.replace(FILE, write, || {})
    }

    /// Removes the note, if there is one.
    pub(crate) fn remove(directory: &Directory) -> Result<(), Error> {
        directory.remove(FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = Directory::lock(scratch.path()).unwrap();
        assert_eq!(Note::read(&directory).unwrap(), None);
        let takes = Takes { name: "mongo".into(), from: "17".into() };
        for takes in [None, Some(takes)] {
            let note = Note { name: "psmdb/x".into(), takes };
            note.write(&directory).unwrap();
            assert_eq!(Note::read(&directory).unwrap(), Some(note));
        }
        for wrong in ["", "\n", FIRST_LINE, "other\nname\n", "claviger pending key 1\nname\nx\n"] {
            fs::write(scratch.path().join(FILE), wrong).unwrap();
            assert!(matches!(Note::read(&directory), Err(Error::Damaged { .. })), "{wrong:?}");
        }
        Note::remove(&directory).unwrap();
        Note::remove(&directory).unwrap();
        assert_eq!(Note::read(&directory).unwrap(), None);
    }
}
