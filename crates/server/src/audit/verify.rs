//! Checking audit files whole: every line's hash, its place, and that it follows the one before,
//! across the files of a rotation.

use super::chain::{Chain, Link};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

/// Longest line read; far above what is written.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What intact files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many lines.
    pub lines: u64,
    /// Number of the first line; more than 1 if the file continues an earlier one.
    pub first: u64,
    /// Number of the last line.
    pub last: u64,
    /// Hash of the last line: kept elsewhere, it shows later that nothing was cut off.
    pub hash: [u8; 32],
}

/// The file is not intact, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The first line that is wrong.
    #[error("line {line} (at byte {offset}): {reason}")]
    Broken {
        /// Counted from 1 in this file.
        line: u64,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
}

/// Files that are checked one after the other, the oldest first.
#[derive(Debug, Default)]
pub struct Verification {
    lines: u64,
    first: u64,
    chain: Chain,
}

impl Verification {
    /// Checks the next file from its first line to its last. Its first line must follow the last one
    /// of the file before; in the first file it may continue an earlier one.
    ///
    /// # Errors
    /// [`VerifyError::Broken`] with the first line that is wrong.
    pub fn file(&mut self, path: &Path) -> Result<(), VerifyError> {
        let mut reader = BufReader::new(File::open(path)?);
        let (mut line, mut offset) = (0_u64, 0_u64);
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
            if read == 0 {
                return Ok(());
            }
            line = line.saturating_add(1);
            let next = check(self.chain, &text, self.lines == 0);
            self.chain = next.map_err(|reason| VerifyError::Broken { line, offset, reason })?;
            if self.lines == 0 {
                self.first = self.chain.seq;
            }
            self.lines = self.lines.saturating_add(1);
            offset = offset.saturating_add(read as u64);
        }
    }

    /// What the files hold.
    pub fn summary(&self) -> Summary {
        let Self { lines, first, chain } = *self;
        Summary { lines, first, last: chain.seq, hash: chain.hash }
    }
}

/// Checks one file.
///
/// # Errors
/// [`VerifyError::Broken`] with the first line that is wrong.
pub fn verify(path: &Path) -> Result<Summary, VerifyError> {
    let mut verification = Verification::default();
    verification.file(path)?;
    Ok(verification.summary())
}

fn check(chain: Chain, text: &[u8], is_first: bool) -> Result<Chain, &'static str> {
    let line = text.strip_suffix(b"\n").ok_or("the line is cut off")?;
    let link = Link::parse(line).ok_or("the line has been changed or is no audit line")?;
    if is_first && link.seq > 1 {
        return Ok(Chain { seq: link.seq, hash: link.hash });
    }
    if chain.seq.checked_add(1) != Some(link.seq) {
        return Err("lines are missing, doubled or out of order before this one");
    }
    chain.followed_by(&link).ok_or("the line does not follow the one before it")
}
