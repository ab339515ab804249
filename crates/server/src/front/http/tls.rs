//! TLS of the API: certificate files, read when the server starts and again when it is told to.
//! Knows no path of the API; what TLS itself is set to stands in `pki`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::pki::tls::api_server_config;

/// The files of the API's certificate, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then its intermediates.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities of client certificates; without it no client is asked for one.
    pub client_ca: Option<PathBuf>,
}

/// A certificate that cannot be used, and which file is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct TlsError {
    path: PathBuf,
    reason: String,
}

/// TLS as new connections get it.
pub struct Tls {
    current: RwLock<Arc<ServerConfig>>,
}

impl TlsFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let refused = |path: &Path, reason: &dyn fmt::Display| TlsError {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let chain = certificates(&self.certificate)?;
        let key =
            PrivateKeyDer::from_pem_file(&self.key).map_err(|error| refused(&self.key, &error))?;
        let clients = match &self.client_ca {
            None => None,
            Some(path) => Some((path, certificates(path)?)),
        };
        let authorities = clients.as_ref().map(|(_, certificates)| certificates.as_slice());
        api_server_config(chain, key, authorities).map_err(|error| {
            let path =
                clients.as_ref().filter(|_| error.is_callers()).map(|(path, _)| path.as_path());
            refused(path.unwrap_or(&self.certificate), &error)
        })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let refused = |reason: String| TlsError { path: path.to_owned(), reason };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
    let read: Result<Vec<_>, _> = read.collect();
    let read = read.map_err(|error| refused(error.to_string()))?;
    if read.is_empty() {
        Err(refused("there is no certificate in it".to_owned()))
    } else {
        Ok(read)
    }
}

impl Tls {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { current: RwLock::new(files.load()?) })
    }

    /// Reads files again; connections from now on get what they say.
    ///
    /// # Errors
    /// The first file that cannot be used; everything stays as it was then.
    pub fn reload(&self, files: &TlsFiles) -> Result<(), TlsError> {
        let next = files.load()?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}
