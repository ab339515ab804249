//! TLS: which server is trusted, and who we are. The only place that knows how the TLS library is
//! set up.
//!
//! It must never know a socket.

mod failure;
mod key;
#[cfg(feature = "openssl")]
pub(crate) mod openssl;
mod roots;
mod verification;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use failure::TlsFailure;
pub use key::holds_private_key;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
pub use verification::Verification;
use zeroize::Zeroizing;

use crate::{Endpoint, Error};

/// What connections are made with: whom to trust and who we are, read and checked.
///
/// Cheap to clone. A [`rustls::ClientConfig`] of one's own becomes one with `From`.
#[derive(Clone)]
pub struct Config {
    pub(crate) library: Library,
    /// The name that the server's certificate must have instead of the endpoint's.
    server_name: Option<String>,
}

/// The TLS library, with its configuration.
#[derive(Clone)]
pub(crate) enum Library {
    Rustls(Arc<ClientConfig>),
    #[cfg(feature = "openssl")]
    Openssl(::openssl::ssl::SslConnector),
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

impl From<Arc<ClientConfig>> for Config {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self { library: Library::Rustls(config), server_name: None }
    }
}

/// The versions of TLS to speak.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// TLS 1.3 where the server has it, else TLS 1.2.
    #[default]
    Any,
    /// TLS 1.2 only.
    Tls12,
    /// TLS 1.3 only.
    Tls13,
}

/// Whom a client trusts and who it is; [`Settings::load`] reads the files.
///
/// ```no_run
/// use claviger_client::tls::Settings;
///
/// # fn main() -> Result<(), claviger_client::Error> {
/// let tls = Settings {
///     authorities: vec!["kms-ca.pem".into()],
///     // Certificate, chain and private key in one file.
///     certificate: Some("client.pem".into()),
///     ..Settings::default()
/// }
/// .load()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// PEM files with certificates of authorities that the server's certificate may come from.
    pub authorities: Vec<PathBuf>,
    /// Whether the system's authorities are trusted as well: the file that `SSL_CERT_FILE` names,
    /// else that of the system.
    pub system_authorities: bool,
    /// PEM file with the client's certificate, followed by its chain. Without one the server can
    /// only be asked for what it tells strangers.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key: PKCS#8, PKCS#1 or SEC 1, or PKCS#8 encrypted with a
    /// password. If absent it is in the certificate's file.
    pub key: Option<PathBuf>,
    /// The password of an encrypted private key.
    pub password: Option<Zeroizing<String>>,
    /// The host name or IP address that the server's certificate must have, and that is sent as
    /// Server Name Indication, instead of the endpoint's.
    pub server_name: Option<String>,
    /// The versions of TLS.
    pub protocol: Protocol,
    /// What of the server's certificate is verified.
    pub verification: Verification,
    /// Whether every connection makes a full handshake, even to a server that offered to resume:
    /// for measuring it.
    pub without_resumption: bool,
}

impl fmt::Debug for Settings {
    /// Everything but the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("authorities", &self.authorities)
            .field("system_authorities", &self.system_authorities)
            .field("certificate", &self.certificate)
            .field("key", &self.key)
            .field("server_name", &self.server_name)
            .field("protocol", &self.protocol)
            .field("verification", &self.verification)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the files into what connections are made with.
    ///
    /// # Errors
    /// A file cannot be read or holds nothing of use, the password is wrong or missing, key and
    /// certificate do not belong together, or no authority is trusted.
    pub fn load(&self) -> Result<Config, Error> {
        let mut roots = RootCertStore::empty();
        for path in &self.authorities {
            roots::add_named(&mut roots, path)?;
        }
        if self.system_authorities {
            roots::add_system(&mut roots)?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(self.protocol.versions())
            .map_err(|error| TlsFailure::Other(error.to_string()))?;
        let builder = match self.verification.verifier(&roots, provider)? {
            Some(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier),
            None => builder.with_root_certificates(roots),
        };
        let mut config = match &self.certificate {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let key_path = self.key.as_deref().unwrap_or(path);
                let key = key::read(key_path, self.password.as_deref().map(String::as_str))?;
                builder
                    .with_client_auth_cert(certificates(path)?, key)
                    .map_err(|error| unusable(key_path, &error))?
            }
        };
        if self.without_resumption {
            config.resumption = Resumption::disabled();
        }
        Ok(Config { server_name: self.server_name.clone(), ..Config::from(Arc::new(config)) })
    }
}

impl Protocol {
    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        static TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
        static TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
        match self {
            Self::Any => rustls::DEFAULT_VERSIONS,
            Self::Tls12 => TLS12,
            Self::Tls13 => TLS13,
        }
    }
}

/// The files of a client as a Claviger server writes them: whom it trusts and who it is.
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
    /// As [`Settings::load`].
    pub fn load(&self) -> Result<Config, Error> {
        self.settings().load()
    }

    /// As [`Files::load`], but every connection makes a full handshake: for measuring it.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn load_without_resumption(&self) -> Result<Config, Error> {
        Settings { without_resumption: true, ..self.settings() }.load()
    }

    /// The same, to add to.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            authorities: vec![self.ca.clone()],
            certificate: Some(self.certificate.clone()),
            key: Some(self.key.clone()),
            ..Settings::default()
        }
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

fn unusable(path: &Path, problem: &dyn fmt::Display) -> Error {
    Error::Pem { path: path.to_owned(), problem: problem.to_string() }
}

impl Config {
    /// The name that the server's certificate must have.
    pub(crate) fn server_name(&self, endpoint: &Endpoint) -> Result<ServerName<'static>, Error> {
        let name = self.server_name.as_ref().unwrap_or(&endpoint.host);
        ServerName::try_from(name.clone()).map_err(|_| Error::Address(name.clone()))
    }
}

/// The TLS version and cipher suite, for people.
pub(crate) fn describe(
    version: Option<rustls::ProtocolVersion>,
    suite: Option<rustls::SupportedCipherSuite>,
) -> String {
    let version = version.and_then(|version| version.as_str()).unwrap_or("?");
    let suite = suite.and_then(|suite| suite.suite().as_str()).unwrap_or("?");
    format!("{version} {suite}")
}
