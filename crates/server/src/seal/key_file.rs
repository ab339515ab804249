//! The key-file seal: the root key in a file beside the data, for development and for machines that
//! start unattended. Whoever can read the file and the store can read everything. `docs/formats.md` §6.

use super::SealError;
use super::keyring::RootKey;
use aws_lc_rs::digest::{SHA256, digest};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"claviger";
const FORMAT: u8 = 1;
const CHECKSUM_BYTES: usize = 8;
/// Length of a key file: magic, version, key, checksum.
pub const KEY_FILE_BYTES: usize = 8 + 1 + 32 + CHECKSUM_BYTES;
/// Permission bits that only the owner may hold.
const OTHERS: u32 = 0o077;

/// A key file's place.
#[derive(Debug, Clone)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The key file at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Whether there is something at the path.
    pub fn exists(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// Makes the file with a fresh root key. When this returns, it survives a power cut. An existing
    /// file is never replaced.
    ///
    /// # Errors
    /// [`SealError::File`], also if the file exists.
    pub fn create(&self) -> Result<RootKey, SealError> {
        let root = RootKey::generate()?;
        let refused = |source| SealError::File { path: self.path.clone(), source };
        self.write(&encode(&root)).map_err(refused)?;
        Ok(root)
    }

    /// Removes the file, if it is there. When this returns, a power cut does not bring it back.
    ///
    /// # Errors
    /// [`SealError::File`].
    pub fn remove(&self) -> Result<(), SealError> {
        let removed = match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => Err(error),
            Ok(()) => File::open(self.parent()).and_then(|parent| parent.sync_all()),
        };
        removed.map_err(|source| SealError::File { path: self.path.clone(), source })
    }

    /// Copies the file to a place where there is none, whole or not at all.
    ///
    /// # Errors
    /// As [`KeyFile::read`] of this one and [`KeyFile::create`] of the other.
    pub fn copy_to(&self, other: &Self) -> Result<(), SealError> {
        let refused = |source| SealError::File { path: other.path.clone(), source };
        other.write(&encode(&self.read()?)).map_err(refused)
    }

    /// Its place.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn parent(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// Reads the root key.
    ///
    /// # Errors
    /// [`SealError::KeyFileMissing`], [`SealError::KeyFilePermissions`],
    /// [`SealError::KeyFileDamaged`], [`SealError::Format`], [`SealError::File`].
    pub fn read(&self) -> Result<RootKey, SealError> {
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => SealError::KeyFileMissing(self.path.clone()),
            _ => SealError::File { path: self.path.clone(), source },
        };
        let mut file = File::open(&self.path).map_err(refused)?;
        let metadata = file.metadata().map_err(refused)?;
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & OTHERS != 0 {
            return Err(SealError::KeyFilePermissions { path: self.path.clone(), mode });
        }
        if !metadata.is_file() || metadata.len() != KEY_FILE_BYTES as u64 {
            return Err(SealError::KeyFileDamaged(self.path.clone()));
        }
        let mut bytes = Zeroizing::new([0; KEY_FILE_BYTES]);
        file.read_exact(bytes.as_mut_slice()).map_err(refused)?;
        self.decode(&bytes)
    }

    /// Written beside its place, synced, then linked to it: a crash leaves the whole file or none.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut draft = self.path.clone().into_os_string();
        draft.push(".new");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, &self.path);
        fs::remove_file(&draft)?;
        linked?;
        File::open(self.parent())?.sync_all()
    }

    fn decode(&self, bytes: &[u8; KEY_FILE_BYTES]) -> Result<RootKey, SealError> {
        let damaged = || SealError::KeyFileDamaged(self.path.clone());
        let (body, found) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(damaged)?;
        let rest = body.strip_prefix(MAGIC.as_slice()).ok_or_else(damaged)?;
        if checksum(body) != *found {
            return Err(damaged());
        }
        match rest.split_first() {
            Some((&FORMAT, key)) => {
                let key = key.first_chunk().ok_or_else(damaged)?;
                Ok(RootKey::new(Zeroizing::new(*key)))
            }
            Some((&found, _)) => Err(SealError::Format { what: "the key file", found }),
            None => Err(damaged()),
        }
    }
}

fn encode(root: &RootKey) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES));
    bytes.extend_from_slice(MAGIC);
    bytes.push(FORMAT);
    bytes.extend_from_slice(root.bytes());
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

/// Against rot and truncation, not against an attacker: the file is the secret.
fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    digest(&SHA256, body).as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    fn place(directory: &tempfile::TempDir) -> KeyFile {
        KeyFile::new(directory.path().join("root.key"))
    }

    #[test]
    fn a_created_file_is_private_and_gives_its_key_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = place(&directory);
        assert!(!file.exists());
        let made = file.create().unwrap();
        assert!(file.exists());
        assert_eq!(made.bytes(), file.read().unwrap().bytes());
        assert_eq!(file.path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(directory.path().read_dir().unwrap().count(), 1, "no draft is left");
        assert!(matches!(file.create(), Err(SealError::File { .. })), "never replaced");
        assert_eq!(made.bytes(), file.read().unwrap().bytes());
        let other = KeyFile::new(directory.path().join("other.key")).create().unwrap();
        assert_ne!(made.bytes(), other.bytes());
    }

    #[test]
    fn a_draft_left_by_a_crash_is_in_nobodys_way() {
        let directory = tempfile::tempdir().unwrap();
        let file = place(&directory);
        fs::write(directory.path().join("root.key.new"), b"half").unwrap();
        file.create().unwrap();
        file.read().unwrap();
    }

    #[test]
    fn loose_permissions_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = place(&directory);
        file.create().unwrap();
        for mode in [0o640, 0o604, 0o660, 0o620, 0o601] {
            fs::set_permissions(&file.path, Permissions::from_mode(mode)).unwrap();
            match file.read() {
                Err(SealError::KeyFilePermissions { mode: found, .. }) => assert_eq!(found, mode),
                other => panic!("{mode:o}: {other:?}"),
            }
        }
        fs::set_permissions(&file.path, Permissions::from_mode(0o400)).unwrap();
        file.read().unwrap();
    }

    #[test]
    fn a_missing_or_damaged_file_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let file = place(&directory);
        assert!(matches!(file.read(), Err(SealError::KeyFileMissing(_))));
        file.create().unwrap();
        let good = fs::read(&file.path).unwrap();
        assert_eq!(good.len(), KEY_FILE_BYTES);
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 1;
            fs::write(&file.path, &bad).unwrap();
            assert!(matches!(file.read(), Err(SealError::KeyFileDamaged(_))), "byte {index}");
        }
        fs::write(&file.path, &good[..good.len() - 1]).unwrap();
        assert!(matches!(file.read(), Err(SealError::KeyFileDamaged(_))));
        let mut newer = good[..good.len() - CHECKSUM_BYTES].to_vec();
        newer[MAGIC.len()] = 2;
        let sum = checksum(&newer);
        newer.extend_from_slice(&sum);
        fs::write(&file.path, &newer).unwrap();
        assert!(matches!(file.read(), Err(SealError::Format { found: 2, .. })));
    }
}
