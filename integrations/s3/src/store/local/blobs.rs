//! The files with the bytes: one for each blob, written once, never changed. Knows no object.
//!
//! A file is made under its last name, in one of 256 directories, and synced before the database names it; what the database
//! does not name is removed at the next start. Files of an object that is being read are removed when the last reader is done.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::store::{Begun, Fresh, Opening, Sink, Source, StoreError};

/// The directory of all files.
#[derive(Debug)]
pub(super) struct Blobs {
    directory: PathBuf,
    /// Names begin with their time; no name of this process is older than this.
    started_ms: u64,
}

impl Blobs {
    /// Makes what is missing of the 257 directories.
    pub(super) fn open(directory: PathBuf) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700).recursive(true);
        builder.create(&directory)?;
        for shelf in 0..=u8::MAX {
            builder.create(directory.join(format!("{shelf:02x}")))?;
        }
        sync_directory(&directory)?;
        Ok(Self { directory, started_ms: now_ms() })
    }

    /// A name that no other file has: 12 digits of the time, 20 random ones; its last two are its directory.
    fn name(&self) -> io::Result<String> {
        let mut random = [0; 10];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
        let time = now_ms().max(self.started_ms);
        let mut name = format!("{time:012x}");
        for byte in random {
            name.push_str(&format!("{byte:02x}"));
        }
        Ok(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        // Names come from the database. One that is not ours names nothing.
        let shelf = name.get(30..).unwrap_or("none");
        self.directory.join(shelf).join(if is_name(name) { name } else { "none" })
    }

    /// Begins a file.
    pub(super) async fn create(self: &Arc<Self>) -> Result<Box<dyn Sink>, StoreError> {
        let blobs = Arc::clone(self);
        let (name, file) = blocking(move || {
            let name = blobs.name()?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            let file = options.open(blobs.path(&name))?;
            Ok((name, file))
        })
        .await?;
        let fresh = self.fresh(name);
        Ok(Box::new(FileSink {
            blobs: Arc::clone(self),
            file: Arc::new(file),
            fresh,
            offset: 0,
            writing: None,
            unsynced: 0,
            syncing: None,
        }))
    }

    fn fresh(self: &Arc<Self>, name: String) -> Fresh {
        let blobs = Arc::clone(self);
        let named = name.clone();
        Fresh::new(name, move || {
            // The runtime may be gone when the process ends; the next start removes the file.
            let remove = move || blobs.remove(&named);
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn_blocking(remove)),
                Err(_) => remove(),
            }
        })
    }

    /// Opens a file.
    pub(super) async fn source(
        self: &Arc<Self>,
        name: &str,
    ) -> Result<Box<dyn Source>, StoreError> {
        let path = self.path(name);
        let file = blocking(move || File::open(path)).await?;
        Ok(Box::new(FileSource { file: Arc::new(file) }))
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, name: &str) {
        match fs::remove_file(self.path(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(blob = name, %error, "a file cannot be removed"),
        }
    }

    /// The files that an earlier process left, one directory after the other.
    pub(super) fn earlier(&self) -> impl Iterator<Item = String> + '_ {
        let started = format!("{:012x}", self.started_ms);
        (0..=u8::MAX)
            .filter_map(|shelf| fs::read_dir(self.directory.join(format!("{shelf:02x}"))).ok())
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(move |name| is_name(name) && name.as_str() < started.as_str())
    }
}

fn is_name(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Runs what may block elsewhere.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    done(spawn_blocking(work)).await
}

fn refusal(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => StoreError::Damaged,
        _ => StoreError::Failed(error.to_string()),
    }
}

/// Writes end where the system's pages do, but for the last one: it keeps a file whose writes do not in smaller pieces, which
/// take longer to read.
const PAGE_LEN: usize = 4096;
/// So many bytes are synced while others come: at the end there is less to wait for.
const SYNC_LEN: u64 = 8 << 20;

/// A file that is being written: one write is on its way while the next is prepared.
struct FileSink {
    blobs: Arc<Blobs>,
    file: Arc<File>,
    fresh: Fresh,
    offset: u64,
    /// Comes back with what is behind the last full page.
    writing: Option<JoinHandle<io::Result<Vec<u8>>>>,
    /// From there on nothing has been synced yet.
    unsynced: u64,
    syncing: Option<JoinHandle<io::Result<()>>>,
}

impl FileSink {
    /// Waits for the last write, and gives what it has left.
    async fn settle(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.writing.take() {
            None => Ok(Vec::new()),
            Some(writing) => done(writing).await,
        }
    }

    /// Syncs what has been written, if that is much, and nothing is being synced.
    async fn sync(&mut self) -> Result<(), StoreError> {
        let much = self.offset.saturating_sub(self.unsynced) >= SYNC_LEN;
        if much && self.syncing.as_ref().is_none_or(JoinHandle::is_finished) {
            if let Some(syncing) = self.syncing.take() {
                done(syncing).await?;
            }
            self.unsynced = self.offset;
            let file = Arc::clone(&self.file);
            self.syncing = Some(spawn_blocking(move || file.sync_data()));
        }
        Ok(())
    }
}

/// What came of work elsewhere.
async fn done<T>(work: JoinHandle<io::Result<T>>) -> Result<T, StoreError> {
    let outcome = work.await.map_err(|error| StoreError::Failed(error.to_string()))?;
    outcome.map_err(refusal)
}

#[async_trait]
impl Sink for FileSink {
    async fn write(&mut self, mut bytes: Vec<u8>) -> Result<(), StoreError> {
        self.sync().await?;
        let left = self.settle().await?;
        let whole = left.len().saturating_add(bytes.len());
        let pages = whole.saturating_sub(whole.checked_rem(PAGE_LEN).unwrap_or(0));
        let offset = self.offset;
        self.offset = offset.saturating_add(u64::try_from(pages).unwrap_or(u64::MAX));
        let file = Arc::clone(&self.file);
        self.writing = Some(spawn_blocking(move || {
            bytes.splice(..0, left);
            let left = bytes.split_off(pages);
            file.write_all_at(&bytes, offset)?;
            Ok(left)
        }));
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Fresh, StoreError> {
        let left = self.settle().await?;
        if let Some(syncing) = self.syncing.take() {
            done(syncing).await?;
        }
        let Self { blobs, file, fresh, offset, .. } = *self;
        let shelf = blobs.path(&fresh.blob).parent().map(Path::to_owned);
        blocking(move || {
            file.write_all_at(&left, offset)?;
            file.sync_all()?;
            shelf.map_or(Ok(()), |shelf| sync_directory(&shelf))
        })
        .await?;
        Ok(fresh)
    }
}

struct FileSource {
    file: Arc<File>,
}

#[async_trait]
impl Source for FileSource {
    fn read(&self, offset: u64, mut buffer: Vec<u8>, open: Opening) -> Begun {
        let file = Arc::clone(&self.file);
        let reading = spawn_blocking(move || {
            file.read_exact_at(&mut buffer, offset).map_err(refusal)?;
            open(&mut buffer)?;
            Ok(buffer)
        });
        Box::pin(async { reading.await.map_err(|error| StoreError::Failed(error.to_string()))? })
    }

    async fn size(&self) -> Result<u64, StoreError> {
        let file = Arc::clone(&self.file);
        blocking(move || Ok(file.metadata()?.len())).await
    }
}

/// Which contents are being read, and which of their files wait for that to end.
#[derive(Debug, Default)]
pub(super) struct Readers {
    contents: Mutex<HashMap<String, Reading>>,
}

#[derive(Debug, Default)]
struct Reading {
    readers: usize,
    doomed: Vec<String>,
}

impl Readers {
    /// One more reader of a content.
    pub(super) fn enter(&self, id: &str) {
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = contents.entry(id.to_owned()).or_default();
        reading.readers = reading.readers.saturating_add(1);
    }

    /// One reader less. Says which files can go now.
    pub(super) fn leave(&self, id: &str) -> Vec<String> {
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(reading) = contents.get_mut(id) else { return Vec::new() };
        reading.readers = reading.readers.saturating_sub(1);
        if reading.readers > 0 {
            return Vec::new();
        }
        contents.remove(id).map(|reading| reading.doomed).unwrap_or_default()
    }

    /// The content is no object's any more. Says which of its files can go at once.
    pub(super) fn doom(&self, id: &str, blobs: Vec<String>) -> Vec<String> {
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        match contents.get_mut(id) {
            Some(reading) => {
                reading.doomed = blobs;
                Vec::new()
            }
            None => blobs,
        }
    }
}
