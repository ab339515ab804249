//! The files that a client needs, written for `server --dev --export-client`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::access::{Access, AccessError, Credential};
use crate::mount::Mount;
use crate::pki::{PrivateKey, Serial, pem};

/// Why the files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The credential could not be made.
    #[error("export: {0}")]
    Access(#[from] AccessError),
    /// A file could not be written.
    #[error("export {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes `ca.pem`, `cert.pem`, `key.pem` and `client.pem` (key, certificate, chain) of a
/// credential under that role. One that is there and alive is kept.
///
/// # Errors
/// The credential cannot be made, or a file cannot be written.
pub fn client(
    access: &Access,
    mount: &Mount,
    scope: &str,
    role: &str,
    directory: &Path,
) -> Result<(), ExportError> {
    let ca = mount.engine().map(|engine| engine.ca_pem()).unwrap_or_default();
    if is_alive(access, mount, &ca, directory) {
        return Ok(());
    }
    fs::create_dir_all(directory)
        .map_err(|source| ExportError::File { path: directory.to_owned(), source })?;
    let credential: Credential = access.generate_credential(mount, scope, role)?;
    let key = credential.private_key.as_ref().map(PrivateKey::pem).unwrap_or_default();
    write(directory, "ca.pem", 0o644, &[&ca])?;
    write(directory, "key.pem", 0o600, &[&key])?;
    write(directory, "client.pem", 0o600, &[&credential.bundle_pem()])?;
    // Last: a certificate that is there says that the rest is, too.
    write(directory, "cert.pem", 0o644, &[&credential.certificate_pem()])
}

fn is_alive(access: &Access, mount: &Mount, ca: &str, directory: &Path) -> bool {
    let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap_or_default();
    let files = ["key.pem", "client.pem"];
    let Some(der) = pem::decode(&["CERTIFICATE"], &read("cert.pem")) else { return false };
    let Some(serial) = Serial::of_certificate(&der) else { return false };
    read("ca.pem").trim_end() == ca.trim_end()
        && files.iter().all(|name| !read(name).is_empty())
        && access.authenticate(mount.id(), &serial.into()).is_ok()
}

fn write(directory: &Path, name: &str, mode: u32, parts: &[&str]) -> Result<(), ExportError> {
    let path = directory.join(name);
    let written = || -> io::Result<()> {
        // Removed first: an existing file would keep its permissions.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        for part in parts {
            file.write_all(part.trim_end().as_bytes())?;
            file.write_all(b"\n")?;
        }
        file.sync_all()
    };
    written().map_err(|source| ExportError::File { path: path.clone(), source })
}
