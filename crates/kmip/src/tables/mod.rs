//! The wire tables: every tag, enumeration value and mask bit of KMIP 1.0 to 2.1, written once.
//!
//! Each entry says its number, its name, its printed name and the versions that have it.
//! Everything else (name look-up, version gating, text encodings, `Debug`) is derived from these
//! rows. This module must never know what a message or an object looks like, and it decides
//! nothing: an unknown number is a value like any other.
//!
//! Names are the CamelCase names of the XML and JSON encodings (KMIP Profiles 2.1 §5.4, §5.5).

#[macro_use]
mod rows;

#[rustfmt::skip]
pub mod enums;
#[rustfmt::skip]
pub mod masks;
#[rustfmt::skip]
pub mod tags;

mod lookup;
mod names;

pub use lookup::{
    Vocabulary, attribute_tag, tag_by_name, tag_name, tag_row, tag_title, vocabulary,
};
pub use names::{KmipNames, is_secret};

use crate::version::Version;

/// One line of a table: a tag, an enumeration value or a mask bit.
#[derive(Debug)]
pub struct Row {
    /// The tag (three bytes), the enumeration value or the bit.
    pub code: u32,
    /// The CamelCase name, as written in XML and JSON.
    pub name: &'static str,
    /// The name as the specification prints it; for a tag also the 1.x attribute name.
    pub title: &'static str,
    /// Other spellings that are accepted when read.
    pub aliases: &'static [&'static str],
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it; `None` if it was never dropped.
    pub until: Option<Version>,
}

impl Row {
    /// True if `version` has this row.
    pub fn is_in(&self, version: Version) -> bool {
        self.since <= version && self.until.is_none_or(|until| version <= until)
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// The rows of one enumeration or mask, in ascending order of their code.
#[derive(Debug)]
pub struct Table {
    /// The name of the enumeration, as the specification writes it without blanks.
    pub name: &'static str,
    /// Its rows, by ascending code.
    pub rows: &'static [Row],
}

impl Table {
    /// The row of a value or bit.
    pub fn by_code(&self, code: u32) -> Option<&'static Row> {
        by_code(self.rows, code)
    }

    /// The row with this CamelCase name or an accepted other spelling of it.
    pub fn by_name(&self, name: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.is_called(name))
    }
}

fn by_code(rows: &'static [Row], code: u32) -> Option<&'static Row> {
    let at = rows.binary_search_by_key(&code, |row| row.code).ok()?;
    rows.get(at)
}

/// What all enumeration types share, so that codecs can be generic over them.
pub trait Enumeration: Copy + Eq + core::fmt::Debug + 'static {
    /// The enumeration's table.
    const TABLE: &'static Table;

    /// Wraps a wire value; any number is allowed.
    fn from_value(value: u32) -> Self;

    /// The wire value.
    fn value(self) -> u32;

    /// All known values, ascending.
    fn rows() -> &'static [Row] {
        Self::TABLE.rows
    }
}

/// What all mask types share, so that codecs can be generic over them.
pub trait Mask: Copy + Eq + core::fmt::Debug + 'static {
    /// The mask's table of bits.
    const TABLE: &'static Table;

    /// Wraps the wire value (an Integer); any bits are allowed.
    fn from_value(value: i32) -> Self;

    /// The wire value (an Integer).
    fn value(self) -> i32;

    /// All known bits, ascending.
    fn rows() -> &'static [Row] {
        Self::TABLE.rows
    }
}

/// Bits by name, then what has no name as one number; `0` if there is none.
fn write_bits(f: &mut core::fmt::Formatter<'_>, rows: &[Row], bits: u32) -> core::fmt::Result {
    let mut rest = bits;
    let mut separator = "";
    for row in rows.iter().filter(|row| bits & row.code != 0) {
        write!(f, "{separator}{}", row.name)?;
        separator = "|";
        rest &= !row.code;
    }
    match (rest, bits) {
        (0, 0) => f.write_str("0"),
        (0, _) => Ok(()),
        _ => write!(f, "{separator}0x{rest:08X}"),
    }
}
