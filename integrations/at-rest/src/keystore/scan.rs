//! Walking over the records of a file, of which a part at a time is in memory.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::format::{RECORD_MAX, Record};
use crate::Error;

/// How much of a file is in memory.
const WINDOW: usize = 256 * 1024;

/// Calls `each` with the place, the content and the bytes of every record.
pub(super) fn scan(
    file: &File,
    path: &Path,
    range: Range<u64>,
    mut each: impl FnMut(u64, &Record<'_>, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut window = vec![0; WINDOW];
    let mut place = range.start;
    while place < range.end {
        let left = range.end.saturating_sub(place);
        let wanted = usize::try_from(left).unwrap_or(WINDOW).min(WINDOW);
        let room = window.get_mut(..wanted).unwrap_or_default();
        let count = read_at_most(file, room, place).map_err(|source| Error::file(path, source))?;
        let mut rest = room.get(..count).unwrap_or_default();
        // A record may begin in this window and end in the next.
        let is_last = count as u64 == left;
        let before = place;
        while let Some((record, length)) = Record::parse(rest) {
            let (bytes, behind) = rest.split_at_checked(length).unwrap_or_default();
            if record.name.is_empty() {
                break;
            }
            each(place, &record, bytes)?;
            place = place.saturating_add(length as u64);
            rest = behind;
            if !is_last && rest.len() < RECORD_MAX {
                break;
            }
        }
        if place == before || (is_last && place < range.end) {
            return Err(Error::damaged(path, format!("there is no record at byte {place}")));
        }
    }
    Ok(())
}

/// Reads until the buffer is full or the file ends.
pub(super) fn read_at_most(file: &File, buffer: &mut [u8], place: u64) -> io::Result<usize> {
    let mut count = 0;
    while let Some(room) = buffer.get_mut(count..).filter(|room| !room.is_empty()) {
        match file.read_at(room, place.saturating_add(count as u64)) {
            Ok(0) => break,
            Ok(read) => count = count.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Copies the first `length` bytes of a file.
pub(super) fn copy(file: &File, length: u64, to: &mut File) -> io::Result<()> {
    let mut window = vec![0; WINDOW];
    let mut place = 0;
    while place < length {
        let wanted = usize::try_from(length.saturating_sub(place)).unwrap_or(WINDOW).min(WINDOW);
        let room = window.get_mut(..wanted).unwrap_or_default();
        let count = read_at_most(file, room, place)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(room.get(..count).unwrap_or_default())?;
        place = place.saturating_add(count as u64);
    }
    Ok(())
}
