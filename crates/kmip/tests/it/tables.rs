//! The tables equal the published ones, in both directions, for every version.
//!
//! `fixtures/tables.tsv` is a transcription of the tables of the KMIP 1.0 to 2.1 specifications:
//! kind, number, CamelCase name, printed name, versions, separated by tabs. Where we know better
//! than the printed table, the difference is listed here with its reason.

use std::collections::{BTreeMap, BTreeSet};

use claviger_kmip::Version;
use claviger_kmip::tables::{Row, enums, masks, tags};

const FIXTURE: &str = include_str!("../fixtures/tables.tsv");

/// In KMIP 2.1 but not in the transcription: its 2.1 tag table ends at 420169.
const TAGS_BEYOND_FIXTURE: std::ops::RangeInclusive<u32> = 0x42_016A..=0x42_0176;

/// Not in any table: PKCS#11 numbers these, and Opaque Data Type has extension values only.
const ENUMERATIONS_BEYOND_FIXTURE: [&str; 3] =
    ["OpaqueDataType", "PKCS_11Function", "PKCS_11ReturnCode"];

struct Line {
    name: &'static str,
    versions: BTreeSet<Version>,
}

/// Kind, then number, then the lines of that number (a name may change between versions).
type Fixture = BTreeMap<&'static str, BTreeMap<u32, Vec<Line>>>;

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    for line in FIXTURE.lines() {
        let mut fields = line.split('\t');
        let mut field = || fields.next().expect("five fields");
        let kind = field();
        let code = u32::from_str_radix(field(), 16).expect("a hexadecimal number");
        let name = field();
        let _printed = field();
        let versions = field().split(',').map(version).collect();
        fixture.entry(kind).or_default().entry(code).or_default().push(Line { name, versions });
    }
    fixture
}

fn version(text: &str) -> Version {
    Version::ALL.into_iter().find(|v| v.to_string() == text).expect("a known version")
}

fn compare(kind: &str, rows: &[Row], published: &BTreeMap<u32, Vec<Line>>) {
    let ours: BTreeSet<u32> = rows.iter().map(|row| row.code).collect();
    let theirs: BTreeSet<u32> = published.keys().copied().collect();
    assert_eq!(ours, theirs, "{kind}: the same numbers");
    for row in rows {
        let lines = &published[&row.code];
        for line in lines {
            let known = row.name == line.name || row.aliases.contains(&line.name);
            assert!(known, "{kind} {:08X}: {} is not accepted", row.code, line.name);
        }
        for version in Version::ALL {
            let is_published = lines.iter().any(|line| line.versions.contains(&version));
            assert_eq!(row.is_in(version), is_published, "{kind} {} in {version}", row.name);
        }
    }
}

#[test]
fn tags_equal_the_published_ones() {
    let fixture = fixture();
    let (beyond, rest): (Vec<&Row>, Vec<&Row>) =
        tags::ROWS.iter().partition(|row| TAGS_BEYOND_FIXTURE.contains(&row.code));
    assert_eq!(beyond.len(), TAGS_BEYOND_FIXTURE.count());
    assert!(beyond.iter().all(|row| row.since == Version::V2_1 && row.until.is_none()));
    let (published, last) = tags::ROWS.split_at(rest.len());
    assert!(last.iter().all(|row| TAGS_BEYOND_FIXTURE.contains(&row.code)), "they come last");
    compare("tag", published, &fixture["tag"]);
}

#[test]
fn enumerations_equal_the_published_ones() {
    let fixture = fixture();
    let mut published: BTreeSet<&str> =
        fixture.keys().filter_map(|kind| kind.strip_prefix("enum ")).collect();
    for table in enums::TABLES {
        if ENUMERATIONS_BEYOND_FIXTURE.contains(&table.name) {
            continue;
        }
        assert!(published.remove(table.name), "{} is not published", table.name);
        compare(table.name, table.rows, &fixture[format!("enum {}", table.name).as_str()]);
    }
    assert!(published.is_empty(), "missing: {published:?}");
}

#[test]
fn masks_equal_the_published_ones() {
    let fixture = fixture();
    for table in masks::TABLES {
        let kind = format!("mask {}", table.name.trim_end_matches("Mask"));
        compare(table.name, table.rows, &fixture[kind.as_str()]);
    }
    let count = fixture.keys().filter(|kind| kind.starts_with("mask ")).count();
    assert_eq!(masks::TABLES.len(), count);
}
