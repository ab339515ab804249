//! Damage anywhere in a backup is noticed, and so are parts that are missing, twice, or elsewhere.

use super::*;

const KEY: [u8; 32] = [7; 32];

fn record(version: u64, bytes: usize) -> Record {
    Record { version, value: vec![version as u8; bytes] }
}

/// Three parts of rows, the last not full, and the end.
fn backup() -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::begin(&mut file, 1_800_000_000_000_000, 42).unwrap();
    let mut closed = 0;
    for number in 1..=5u64 {
        let key = format!("o{number}");
        closed += usize::from(writer.add(key.as_bytes(), &record(number, PART_BYTES / 2)).unwrap());
    }
    assert_eq!(closed, 2);
    let (records, bytes) = writer.end(&KEY).unwrap();
    assert_eq!((records, bytes), (5, file.len() as u64));
    file
}

fn read(file: &[u8]) -> Result<(Vec<(Key, Record)>, End), BackupError> {
    let mut reader = Reader::begin(file)?;
    let mut all = Vec::new();
    loop {
        match reader.next()? {
            Part::Rows(rows) => all.extend(rows),
            Part::End(end) => return Ok((all, end)),
        }
    }
}

/// Where each part begins, and where the file ends.
fn boundaries(file: &[u8]) -> Vec<usize> {
    let mut found = vec![HEADER_BYTES];
    while let Some(length) = file.get(found.last().unwrap() + 1..found.last().unwrap() + 5) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        found.push(found.last().unwrap() + PART_HEAD_BYTES + length + DIGEST_BYTES);
    }
    assert_eq!(found.last(), Some(&file.len()));
    found
}

#[test]
fn what_was_written_is_read_and_belongs_to_its_store() {
    let file = backup();
    let (rows, end) = read(&file).unwrap();
    assert_eq!(rows.len(), 5);
    for (number, (key, found)) in (1..).zip(&rows) {
        assert_eq!(key, format!("o{number}").as_bytes());
        assert_eq!(*found, record(number, PART_BYTES / 2));
    }
    assert!(end.is_of(&KEY) && !end.is_of(&[8; 32]));
    let reader = Reader::begin(file.as_slice()).unwrap();
    assert_eq!((reader.created, reader.revision), (1_800_000_000_000_000, 42));
    let mut empty = Vec::new();
    Writer::begin(&mut empty, 0, 0).unwrap().end(&KEY).unwrap();
    assert_eq!(read(&empty).unwrap().1.records, 0);
}

#[test]
fn damage_anywhere_is_noticed() {
    let file = backup();
    let near =
        boundaries(&file).into_iter().flat_map(|at| (at.saturating_sub(80)..at + 40).step_by(5));
    let far = (0..file.len()).step_by(100_003);
    for at in near.chain(far).filter(|at| *at < file.len()) {
        let mut bad = file.clone();
        bad[at] ^= 0x10;
        // The last part's tag is the store's affair, its digest is ours.
        assert!(read(&bad).is_err(), "byte {at}");
    }
}

#[test]
fn a_file_cut_off_anywhere_or_continued_is_noticed() {
    let file = backup();
    for at in boundaries(&file).into_iter().flat_map(|at| at.saturating_sub(70)..at + 40) {
        match file.get(..at).filter(|cut| cut.len() < file.len()).map(read) {
            None => {}
            Some(Err(BackupError::CutOff(_) | BackupError::NotOurs(_))) => {}
            Some(other) => panic!("cut at {at}: {:?}", other.err()),
        }
    }
    let longer = [file.as_slice(), b"x"].concat();
    assert!(matches!(read(&longer), Err(BackupError::Trailing(at)) if at == file.len() as u64));
}

#[test]
fn parts_that_are_missing_twice_or_in_another_order_are_noticed() {
    let file = backup();
    let at = boundaries(&file);
    let part = |number: usize| &file[at[number]..at[number + 1]];
    let header = &file[..HEADER_BYTES];
    for order in [&[1, 2, 3][..], &[0, 2, 3], &[0, 1, 3], &[1, 0, 2, 3], &[0, 0, 1, 2, 3], &[3]] {
        let parts = order.iter().map(|number| part(*number));
        let file: Vec<u8> = [header].into_iter().chain(parts).flatten().copied().collect();
        assert!(matches!(read(&file), Err(BackupError::Damaged { .. })), "{order:?}");
    }
}

#[test]
fn whole_parts_that_we_would_not_write_are_refused() {
    let write = |keys: &[&[u8]], end: u64| {
        let mut file = Vec::new();
        let mut writer = Writer::begin(&mut file, 0, 0).unwrap();
        for key in keys {
            writer.add(key, &record(1, 1)).unwrap();
        }
        writer.close(Kind::Rows).unwrap();
        writer.records = end;
        writer.end(&KEY).unwrap();
        file
    };
    read(&write(&[b"a", b"b"], 2)).unwrap();
    for (keys, end) in [(&[b"b", b"a"], 2), (&[b"a", b"a"], 2), (&[b"a", b"b"], 3)] {
        let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_slice()).collect();
        assert!(matches!(read(&write(&keys, end)), Err(BackupError::Damaged { .. })));
    }
    let mut newer = backup();
    newer[8] = 2;
    assert!(matches!(read(&newer), Err(BackupError::Format { found: 2, .. })));
    assert!(matches!(read(b"SQLite format 3\0 and so on and so on"), Err(BackupError::NotOurs(_))));
    let huge = [&backup()[..HEADER_BYTES], b"r\xff\xff\xff\xff"].concat();
    assert!(matches!(read(&huge), Err(BackupError::Damaged { .. })), "no allocation of 4 GiB");
}
