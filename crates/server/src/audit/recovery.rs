//! Opening an audit file: where its chain stands, and what to do with an end that a crash has torn.
//!
//! Nothing is thrown away: a torn end is moved to a file beside, and the chain goes on with a line
//! that says so.

use super::chain::{self, Chain, Link};
use super::entry::Object;
use aws_lc_rs::digest::{SHA256, digest};
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How much of the end is checked: what may not have reached the disk at a power cut is a second's
/// worth. All of it is checked by [`super::verify`].
const TAIL_BYTES: u64 = 4 << 20;

/// A file ready to be appended to.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) chain: Chain,
    pub(super) length: u64,
}

/// Mode of a file that nobody has said another of.
const MODE: u32 = 0o600;

/// Opens or makes the file; one without lines goes on after `before`. `mode` is set on a file that
/// is there already, too.
pub(super) fn open(
    path: &Path,
    mode: Option<u32>,
    before: Chain,
    now_us: i64,
) -> io::Result<Opened> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(mode.unwrap_or(MODE));
    let mut file = options.open(path)?;
    if let Some(mode) = mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    // Two writers would continue the chain twice. Where files cannot be locked, nothing is said.
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(io::Error::other("another audit device or server writes to this file"));
    }
    let length = file.metadata()?.len();
    if length == 0 {
        file.sync_all()?;
        sync_directory(path)?;
        return Ok(Opened { file, chain: before, length });
    }
    let start = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let (chain, good) = last_good(&tail, start == 0);
    let torn = tail.get(good..).unwrap_or_default();
    let length = start.saturating_add(good as u64);
    let mut opened = Opened { file, chain: chain.unwrap_or_default(), length };
    if !torn.is_empty() {
        if chain.is_none() && start > 0 {
            let why = "the end of the audit file holds no intact line; move the file away";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        set_aside(path, &mut opened, torn, now_us)?;
    }
    Ok(opened)
}

/// The chain after the last line before which nothing in `tail` is broken, and where that line ends.
/// Unless `whole`, the tail begins somewhere within a line.
fn last_good(tail: &[u8], whole: bool) -> (Option<Chain>, usize) {
    let mut at = 0_usize;
    let mut chain = whole.then(Chain::default);
    let mut found = None;
    for line in tail.split_inclusive(|byte| *byte == b'\n') {
        let link = line.strip_suffix(b"\n").and_then(Link::parse);
        let next = match (chain, link) {
            (Some(chain), Some(link)) if chain.seq > 0 => chain.followed_by(&link),
            // The first line read may continue an earlier file or an earlier part of this one.
            (_, Some(link)) => Some(Chain { seq: link.seq, hash: link.hash }),
            // The rest of a line that began before the tail.
            (None, None) if at == 0 => None,
            (_, None) => break,
        };
        if next.is_none() && at > 0 {
            break;
        }
        at = at.saturating_add(line.len());
        chain = next;
        if let Some(chain) = next {
            found = Some((chain, at));
        }
    }
    match found {
        Some((chain, end)) => (Some(chain), end),
        None => (None, 0),
    }
}

/// Moves the torn end to a file beside and notes it in the chain.
fn set_aside(path: &Path, opened: &mut Opened, torn: &[u8], now_us: i64) -> io::Result<()> {
    let beside = beside(path, opened.chain.seq.saturating_add(1));
    let mut copy =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    copy.write_all(torn)?;
    copy.sync_all()?;
    sync_directory(path)?;
    tracing::error!(
        "audit: {}: {} bytes at the end are torn; moved to {}",
        path.display(),
        torn.len(),
        beside.display()
    );
    opened.file.set_len(opened.length)?;
    let mut body = Vec::new();
    let mut object = Object::begin(&mut body, now_us, "recovery");
    object.number("torn_bytes", torn.len() as u64);
    let mut hash = Vec::new();
    chain::push_hex(&mut hash, digest(&SHA256, torn).as_ref());
    object.text("torn_sha256", &String::from_utf8_lossy(&hash));
    object.text("torn_file", &beside.file_name().unwrap_or_default().to_string_lossy());
    let mut line = Vec::new();
    opened.chain.extend(&body, chain::begin(&body), &mut line);
    opened.file.write_all(&line)?;
    opened.file.sync_all()?;
    opened.length = opened.length.saturating_add(line.len() as u64);
    Ok(())
}

/// Named after the line that tells of it.
fn beside(path: &Path, seq: u64) -> PathBuf {
    let mut name = path.to_path_buf().into_os_string();
    name.push(format!(".torn-{seq}"));
    PathBuf::from(name)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
