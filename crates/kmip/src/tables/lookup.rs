//! From a tag to its name and back, and from a tag to the enumeration or mask of its value.
//!
//! Must never know an encoding: it answers with tables, the text formats are elsewhere.
//! Which enumeration a tag holds follows from its name (KMIP 2.1 §11: "the tag X contains the
//! X Enumeration"); the exceptions are written out below.

use std::sync::OnceLock;

use claviger_ttlv::Tag;

use super::{Enumeration, Row, Table, by_code, enums, masks, tags};

/// What the Integer or Enumeration under a tag means.
#[derive(Clone, Copy, Debug)]
pub enum Vocabulary {
    /// An Enumeration with these values.
    Enumeration(&'static Table),
    /// An Integer with these bits.
    Mask(&'static Table),
    /// An Enumeration whose values are tags (Attribute Reference).
    Tags,
}

/// The first standard tag; the others follow closely.
const FIRST_TAG: u32 = 0x42_0000;
/// How many numbers from the first on have a place in the index.
const TAG_PLACES: usize = 0x200;

/// The row of a tag, if it is a standard tag. Decoding asks for every item, so it is one look.
pub fn tag_row(tag: Tag) -> Option<&'static Row> {
    static INDEX: OnceLock<Vec<Option<&'static Row>>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        let codes = (FIRST_TAG..).take(TAG_PLACES);
        codes.map(|code| by_code(tags::ROWS, code)).collect()
    });
    let place = usize::try_from(tag.0.checked_sub(FIRST_TAG)?).ok()?;
    index.get(place).copied().flatten()
}

/// The CamelCase name of a standard tag.
pub fn tag_name(tag: Tag) -> Option<&'static str> {
    tag_row(tag).map(|row| row.name)
}

/// The printed name of a standard tag; for attributes also their name in KMIP 1.x.
pub fn tag_title(tag: Tag) -> Option<&'static str> {
    tag_row(tag).map(|row| row.title)
}

/// The tag with this CamelCase name.
pub fn tag_by_name(name: &str) -> Option<Tag> {
    static INDEX: OnceLock<Vec<&'static Row>> = OnceLock::new();
    find(INDEX.get_or_init(|| sorted(|row| row.name)), name, |row| row.name)
}

/// The tag of the attribute with this KMIP 1.x name ("Cryptographic Algorithm").
/// Runs of blanks count as one: published messages contain them.
pub fn attribute_tag(name: &str) -> Option<Tag> {
    static INDEX: OnceLock<Vec<&'static Row>> = OnceLock::new();
    let index = INDEX.get_or_init(|| sorted(|row| row.title));
    let is_tidy = !name.contains("  ") && name.trim() == name;
    if is_tidy {
        return find(index, name, |row| row.title);
    }
    let tidy = name.split_whitespace().collect::<Vec<_>>().join(" ");
    find(index, &tidy, |row| row.title)
}

fn sorted(key: fn(&Row) -> &'static str) -> Vec<&'static Row> {
    let mut rows: Vec<&'static Row> = tags::ROWS.iter().collect();
    rows.sort_unstable_by_key(|row| key(row));
    rows
}

fn find(index: &[&'static Row], name: &str, key: fn(&Row) -> &'static str) -> Option<Tag> {
    let at = index.binary_search_by(|row| key(row).cmp(name)).ok()?;
    index.get(at).map(|row| Tag::new(row.code))
}

/// The meaning of the Integer or Enumeration values under `tag`; `None` if they are plain numbers.
pub fn vocabulary(tag: Tag) -> Option<Vocabulary> {
    static INDEX: OnceLock<Vec<(u32, Vocabulary)>> = OnceLock::new();
    let index = INDEX.get_or_init(vocabularies);
    let at = index.binary_search_by_key(&tag.0, |entry| entry.0).ok()?;
    index.get(at).map(|entry| entry.1)
}

fn vocabularies() -> Vec<(u32, Vocabulary)> {
    let mut index: Vec<(u32, Vocabulary)> = Vec::with_capacity(enums::TABLES.len() + 8);
    let mut add = |tag: Tag, vocabulary| index.push((tag.0, vocabulary));
    for table in enums::TABLES {
        if let Some(tag) = tag_by_name(table.name) {
            add(tag, Vocabulary::Enumeration(table));
        }
    }
    for table in masks::TABLES {
        if let Some(tag) = tag_by_name(table.name) {
            add(tag, Vocabulary::Mask(table));
        }
    }
    add(
        tags::MASK_GENERATOR_HASHING_ALGORITHM,
        Vocabulary::Enumeration(enums::HashingAlgorithm::TABLE),
    );
    add(tags::EXTENSION_TYPE, Vocabulary::Enumeration(enums::ItemType::TABLE));
    add(tags::ATTRIBUTE_REFERENCE, Vocabulary::Tags);
    index.sort_unstable_by_key(|entry| entry.0);
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Mask;

    #[test]
    fn names_and_tags_are_one_to_one() {
        for row in tags::ROWS {
            let tag = Tag::new(row.code);
            assert_eq!(tag_by_name(row.name), Some(tag), "{}", row.name);
            assert_eq!(attribute_tag(row.title), Some(tag), "{}", row.title);
            assert_eq!(tag_name(tag), Some(row.name));
            assert_eq!(tag_title(tag), Some(row.title));
        }
        assert_eq!(tag_name(Tag::new(0x54_0001)), None);
        assert_eq!(tag_by_name("Reserved"), None);
    }

    #[test]
    fn blanks_in_attribute_names_collapse() {
        let tag = Some(tags::CRYPTOGRAPHIC_USAGE_MASK);
        assert_eq!(attribute_tag("Cryptographic Usage Mask"), tag);
        assert_eq!(attribute_tag(" Cryptographic   Usage Mask "), tag);
        assert_eq!(attribute_tag("x-Cryptographic Usage Mask"), None);
    }

    #[test]
    fn every_table_is_reached_by_a_tag() {
        let reached = |table: &Table| {
            tags::ROWS.iter().any(|row| match vocabulary(Tag::new(row.code)) {
                Some(Vocabulary::Enumeration(t) | Vocabulary::Mask(t)) => t.name == table.name,
                _ => false,
            })
        };
        for table in enums::TABLES.iter().chain(masks::TABLES) {
            assert!(reached(table), "{} has no tag", table.name);
        }
        assert!(vocabulary(tags::BATCH_COUNT).is_none());
    }

    #[test]
    fn rows_ascend_and_names_are_unique() {
        let tables = enums::TABLES.iter().chain(masks::TABLES);
        let all = tables.map(|table| (table.name, table.rows));
        for (name, rows) in all.chain([("tags", tags::ROWS)]) {
            assert!(rows.is_sorted_by(|a, b| a.code < b.code), "{name}");
            let mut names: Vec<_> = rows
                .iter()
                .flat_map(|row| [row.name].into_iter().chain(row.aliases.iter().copied()))
                .collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{name}: a name twice");
        }
    }

    #[test]
    fn other_spellings_are_read() {
        use enums::{
            DigitalSignatureAlgorithm, HashingAlgorithm, MaskGenerator, ResultReason,
            SplitKeyMethod,
        };
        assert_eq!(ResultReason::from_name("NotAuthorized"), Some(ResultReason::NOT_AUTHORISED));
        assert_eq!(MaskGenerator::from_name("MFG1"), Some(MaskGenerator::MGF1));
        assert_eq!(HashingAlgorithm::from_name("SHA_3_256"), Some(HashingAlgorithm::SHA3_256));
        assert_eq!(
            SplitKeyMethod::from_name("PolynomialSharingGF2_8"),
            Some(SplitKeyMethod::POLYNOMIAL_SHARING_GF2_8)
        );
        assert_eq!(
            DigitalSignatureAlgorithm::from_name("SHA_256WithRSAEncryptionPKCS_1V1_5"),
            Some(DigitalSignatureAlgorithm(5))
        );
    }

    #[test]
    fn debug_shows_names_and_keeps_what_has_none() {
        use masks::CryptographicUsageMask as Usage;
        assert_eq!(format!("{:?}", enums::ObjectType::SYMMETRIC_KEY), "SymmetricKey");
        assert_eq!(format!("{:?}", enums::ObjectType(0x8000_0001)), "0x80000001");
        assert_eq!(format!("{:?}", Usage::ENCRYPT | Usage::DECRYPT), "Encrypt|Decrypt");
        assert_eq!(format!("{:?}", Usage(0x8000_0001)), "Sign|0x80000000");
        assert_eq!(format!("{:?}", Usage::EMPTY), "0");
        assert_eq!(Usage::from_value(-1).value(), -1);
    }
}
