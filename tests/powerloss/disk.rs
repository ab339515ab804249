//! A disk that loses power: runs a program with `holdback.c` preloaded, and afterwards rebuilds its
//! directory as a power cut at the moment of its death might have left it.
//!
//! What the program had synced is there. Of the rest, a seed decides per file: nothing, a beginning
//! whose last write is torn, sectors here and there, or everything; and of creations, renames and
//! removals that no directory sync covers, a beginning. A file's sync does not cover its name.
//!
//! To use it in a test: [`Disk::watch`] the directory, [`Disk::arm`] the command, run it, kill it
//! (SIGKILL), wait for it, [`Disk::cut_power`], start it again. `README.md` here says more.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A disk writes this much or nothing.
const SECTOR_BYTES: u64 = 512;
const HEADER_BYTES: usize = 32;
const MAGIC: u32 = 0x4b42_4c48;

/// A watched directory.
pub(crate) struct Disk {
    directory: PathBuf,
    journal: PathBuf,
    /// What was there before: durable.
    before: Tree,
    _scratch: tempfile::TempDir,
}

/// What a power cut did, for messages and for asserting that it did anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loss {
    /// Syncs of files that the journal saw.
    pub(crate) syncs: usize,
    /// Writes and truncations that no sync covered.
    pub(crate) unsynced: usize,
    /// Of these, how many were dropped or torn.
    pub(crate) lost: usize,
    /// Creations, renames and removals that no directory sync covered and that were dropped.
    pub(crate) names_lost: usize,
}

impl Disk {
    /// Takes what is in `directory` now as durable. The program must not be running.
    pub(crate) fn watch(directory: &Path) -> Self {
        let directory = directory.canonicalize().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let journal = scratch.path().join("journal");
        let mut before = Tree::default();
        before.load(&directory);
        Self { directory, journal, before, _scratch: scratch }
    }

    /// Has the command's files below the directory followed.
    pub(crate) fn arm(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("HOLDBACK_DIR", &self.directory)
            .env("HOLDBACK_LOG", &self.journal);
    }

    /// From now on the disk is full, or has space again.
    pub(crate) fn set_full(&self, full: bool) {
        self.set_fault("full", full);
    }

    /// From now on syncs fail, or work again.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.set_fault("broken", broken);
    }

    fn set_fault(&self, name: &str, on: bool) {
        let path = self.journal.with_extension(name);
        if on {
            fs::write(path, b"").unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    /// Replaces the directory's contents by what a power cut might have left. The program has been
    /// killed and waited for.
    pub(crate) fn cut_power(self, seed: u64) -> Loss {
        let mut tree = self.before;
        let mut loss = Loss::default();
        let journal = fs::read(&self.journal).unwrap();
        assert!(!journal.is_empty(), "the program was not followed: is it statically linked?");
        replay(&journal, &mut tree, &mut loss);
        tree.lose(&mut Chance(seed), &mut loss);
        tree.store(&self.directory);
        loss
    }
}

/// Compiles the library once per test process.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/")).ancestors();
        let source = source.map(|above| above.join("tests/powerloss/holdback.c"));
        let source = source.into_iter().find(|path| path.exists()).unwrap();
        let built = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let built = built.join(format!("holdback-{}.so", std::process::id()));
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"];
        let status = Command::new(compiler)
            .args(flags)
            .arg(&built)
            .arg(source)
            .args(["-ldl", "-lpthread"])
            .status()
            .unwrap();
        assert!(status.success(), "holdback.c does not compile");
        built
    })
}

/// The directory: names, and the contents they stand for.
#[derive(Default)]
struct Tree {
    files: Vec<File>,
    /// What a program sees.
    live: Names,
    /// What the disk has for sure.
    stable: Names,
    /// The difference, in order.
    pending: Vec<(u64, Naming)>,
}

type Names = BTreeMap<PathBuf, Entry>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Directory,
    File(usize),
}

#[derive(Default)]
struct File {
    stable: Vec<u8>,
    pending: Vec<(u64, Change)>,
}

enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

enum Naming {
    Add(PathBuf, Entry),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl Naming {
    /// Whether a sync of `directory` stores it.
    fn is_in(&self, directory: &Path) -> bool {
        match self {
            Self::Add(path, _) | Self::Remove(path) => path.parent() == Some(directory),
            Self::Rename(from, to) => {
                from.parent() == Some(directory) || to.parent() == Some(directory)
            }
        }
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Add(path, entry) => {
                names.insert(path.clone(), *entry);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                let moved: Vec<_> =
                    names.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in moved {
                    let entry = names.remove(&path).unwrap();
                    let below = path.strip_prefix(from).unwrap();
                    let path = if below == Path::new("") { to.clone() } else { to.join(below) };
                    names.insert(path, entry);
                }
            }
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => write_at(content, *offset, data),
            Self::Truncate(length) => content.resize(usize::try_from(*length).unwrap(), 0),
        }
    }
}

fn write_at(content: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let start = usize::try_from(offset).unwrap();
    let end = start + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[start..end].copy_from_slice(data);
}

impl Tree {
    fn load(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if path.to_str().unwrap().ends_with("-shm") {
                continue;
            }
            let found = if entry.file_type().unwrap().is_dir() {
                self.load(&path);
                Entry::Directory
            } else {
                self.add_file(fs::read(&path).unwrap())
            };
            self.live.insert(path.clone(), found);
            self.stable.insert(path, found);
        }
    }

    fn add_file(&mut self, stable: Vec<u8>) -> Entry {
        self.files.push(File { stable, pending: Vec::new() });
        Entry::File(self.files.len() - 1)
    }

    fn name(&mut self, index: u64, naming: Naming) {
        naming.apply(&mut self.live);
        self.pending.push((index, naming));
    }

    fn sync_file(&mut self, file: usize, covered: u64) {
        let File { stable, pending } = &mut self.files[file];
        let kept = pending.iter().position(|(index, _)| *index >= covered).unwrap_or(pending.len());
        for (_, change) in pending.drain(..kept) {
            change.apply(stable);
        }
    }

    fn sync_directory(&mut self, directory: &Path, covered: u64) {
        let stable = &mut self.stable;
        self.pending.retain(|(index, naming)| {
            let stored = *index < covered && naming.is_in(directory);
            if stored {
                naming.apply(stable);
            }
            !stored
        });
    }

    /// Lets chance decide what becomes of everything that is not stable.
    fn lose(&mut self, chance: &mut Chance, loss: &mut Loss) {
        for file in &mut self.files {
            loss.unsynced += file.pending.len();
            loss.lost += file.lose(chance);
        }
        let kept = chance.below(self.pending.len() as u64 + 1) as usize;
        loss.names_lost += self.pending.len() - kept;
        for (_, naming) in self.pending.drain(..).take(kept) {
            naming.apply(&mut self.stable);
        }
    }

    /// Writes the stable state to `directory`, over whatever is there.
    fn store(&self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        // Parents come before what they hold; what has lost its parent is lost too.
        for (path, entry) in &self.stable {
            if !path.parent().is_some_and(Path::is_dir) {
                continue;
            }
            match entry {
                Entry::Directory => fs::DirBuilder::new().mode(0o700).create(path).unwrap(),
                Entry::File(file) => {
                    let mut options = fs::OpenOptions::new();
                    options.write(true).create_new(true).mode(0o600);
                    let content = &self.files[*file].stable;
                    options.open(path).unwrap().write_all(content).unwrap();
                }
            }
        }
    }
}

impl File {
    /// Returns how many changes were dropped or torn.
    fn lose(&mut self, chance: &mut Chance) -> usize {
        let pending = std::mem::take(&mut self.pending);
        match chance.below(4) {
            0 => pending.len(),
            1 => {
                let kept = chance.below(pending.len() as u64 + 1) as usize;
                pending.iter().take(kept).for_each(|(_, change)| change.apply(&mut self.stable));
                if let Some((_, Change::Write(offset, data))) = pending.get(kept) {
                    let sectors = data.len() as u64 / SECTOR_BYTES;
                    // Sectors are counted from the file's beginning, not from the write's.
                    let torn = chance.below(sectors + 1) * SECTOR_BYTES;
                    let torn = torn.saturating_sub(offset % SECTOR_BYTES) as usize;
                    write_at(&mut self.stable, *offset, &data[..torn]);
                }
                pending.len() - kept
            }
            2 => pending.iter().filter(|(_, change)| self.scatter(change, chance)).count(),
            _ => {
                pending.iter().for_each(|(_, change)| change.apply(&mut self.stable));
                0
            }
        }
    }

    /// Every sector on its own; whether any was lost.
    fn scatter(&mut self, change: &Change, chance: &mut Chance) -> bool {
        let Change::Write(offset, data) = change else {
            let lost = chance.below(2) == 0;
            if !lost {
                change.apply(&mut self.stable);
            }
            return lost;
        };
        let (mut at, mut rest, mut lost) = (*offset, data.as_slice(), false);
        while !rest.is_empty() {
            let bytes = (SECTOR_BYTES - at % SECTOR_BYTES).min(rest.len() as u64) as usize;
            let (sector, after) = rest.split_at(bytes);
            if chance.below(2) == 0 {
                lost = true;
            } else {
                write_at(&mut self.stable, at, sector);
            }
            at += bytes as u64;
            rest = after;
        }
        lost
    }
}

/// Reads the journal up to its end or to a record that was cut off.
fn replay(journal: &[u8], tree: &mut Tree, loss: &mut Loss) {
    // The program's numbers of files to ours.
    let mut nodes: HashMap<u64, usize> = HashMap::new();
    let (mut rest, mut index) = (journal, 0);
    while let Some((header, after)) = rest.split_at_checked(HEADER_BYTES) {
        let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().unwrap());
        assert_eq!(word(0), MAGIC, "the journal is out of step at record {index}");
        let (name_bytes, data_bytes) = (word(24) as usize, word(28) as usize);
        let Some((name, after)) = after.split_at_checked(name_bytes) else { return };
        let Some((data, after)) = after.split_at_checked(data_bytes) else { return };
        let text = |bytes: &[u8]| PathBuf::from(std::str::from_utf8(bytes).unwrap());
        let (kind, node, argument, path) = (word(4), long(8), long(16), text(name));
        match kind {
            1 => match tree.live[&path] {
                Entry::File(file) => {
                    nodes.insert(node, file);
                }
                Entry::Directory => panic!("{} is a directory", path.display()),
            },
            2 => {
                let entry = tree.add_file(Vec::new());
                if let Entry::File(file) = entry {
                    nodes.insert(node, file);
                }
                tree.name(index, Naming::Add(path, entry));
            }
            3 | 4 => {
                let change = match kind {
                    3 => Change::Write(argument, data.to_vec()),
                    _ => Change::Truncate(argument),
                };
                tree.files[nodes[&node]].pending.push((index, change));
            }
            5 => tree.name(index, Naming::Rename(path, text(data))),
            6 | 9 => tree.name(index, Naming::Remove(path)),
            7 => {
                let entry = tree.live[&path];
                tree.name(index, Naming::Add(text(data), entry));
            }
            8 => tree.name(index, Naming::Add(path, Entry::Directory)),
            10 => {
                loss.syncs += 1;
                tree.sync_file(nodes[&node], argument);
            }
            11 => tree.sync_directory(&path, argument),
            other => panic!("record {index} of the journal is of kind {other}"),
        }
        rest = after;
        index += 1;
    }
}

/// splitmix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
