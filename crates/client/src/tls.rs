//! TLS: which server is trusted, and who we are. The only place that knows rustls' set-up.
//!
//! It must never know a socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use crate::{Endpoint, Error};

/// The files of a client: whom it trusts and who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Certificates of the authorities that the server's certificate may come from.
    pub ca: PathBuf,
    /// The client's certificate, followed by its chain.
    pub certificate: PathBuf,
    /// The client's private key.
    pub key: PathBuf,
}

impl Files {
    /// The files of a directory that a server's `--export-client` wrote.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            ca: directory.join("ca.pem"),
            certificate: directory.join("cert.pem"),
            key: directory.join("key.pem"),
        }
    }

    /// Reads the files into what connections are made with.
    ///
    /// # Errors
    /// A file cannot be read, holds nothing of use, or key and certificate do not belong together.
    pub fn load(&self) -> Result<Arc<ClientConfig>, Error> {
        self.load_with(Resumption::default())
    }

    /// As [`Files::load`], but every connection makes a full handshake: for measuring it.
    ///
    /// # Errors
    /// As [`Files::load`].
    pub fn load_without_resumption(&self) -> Result<Arc<ClientConfig>, Error> {
        self.load_with(Resumption::disabled())
    }

    fn load_with(&self, resumption: Resumption) -> Result<Arc<ClientConfig>, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca)? {
            roots.add(certificate).map_err(|error| unusable(&self.ca, &error))?;
        }
        let chain = certificates(&self.certificate)?;
        let key =
            PrivateKeyDer::from_pem_file(&self.key).map_err(|error| unusable(&self.key, &error))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|error| unusable(&self.key, &error))?;
        config.resumption = resumption;
        Ok(Arc::new(config))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(path, &error))?;
    if read.is_empty() {
        return Err(unusable(path, &"there is no certificate in it"));
    }
    Ok(read)
}

fn unusable(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    Error::Pem { path: path.to_owned(), problem: problem.to_string() }
}

/// The name that the server's certificate must have.
pub(crate) fn server_name(endpoint: &Endpoint) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(endpoint.host.clone()).map_err(|_| Error::Address(endpoint.to_string()))
}
