//! Where the store is, how it is reached, and who asks there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::outgoing::Outgoing;
use super::sign::Credentials;

/// How long a connection may take to come about.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// Idle connections go before most endpoints close them.
const IDLE_TIME_MAX: Duration = Duration::from_secs(4);

/// Where the store is, and who asks there.
pub struct Endpoint {
    /// `http://HOST[:PORT]` or `https://HOST[:PORT]`.
    pub url: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Who asks.
    pub credentials: Credentials,
    /// PEM file of the authorities that its certificate may come from; else those that the system trusts.
    pub authorities: Option<PathBuf>,
}

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It is no address of one.
    #[error("{0}: this is no http://HOST[:PORT] or https://HOST[:PORT]")]
    Url(String),
    /// The file of authorities.
    #[error("{path}: {reason}")]
    Authorities {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// The system trusts nobody.
    #[error("the system has no certificates of authorities: name a file")]
    NoAuthorities,
    /// The cryptographic library refuses.
    #[error("{0}")]
    Tls(#[from] rustls::Error),
}

/// Connections to an endpoint.
pub(super) type Connections = Pool<HttpsConnector<HttpConnector>, Outgoing>;

impl Endpoint {
    /// Scheme and authority, and the authority as a header.
    pub(super) fn base(&self) -> Result<(String, HeaderValue), EndpointError> {
        let bad = || EndpointError::Url(self.url.clone());
        let uri: Uri = self.url.parse().map_err(|_| bad())?;
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or_default();
        let plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !matches!(scheme, "http" | "https") || !plain || authority.contains('@') {
            return Err(bad());
        }
        let host = HeaderValue::from_str(authority).map_err(|_| bad())?;
        Ok((format!("{scheme}://{authority}"), host))
    }

    /// What connects to it, and keeps connections for what is asked next.
    pub(super) fn connections(&self) -> Result<Connections, EndpointError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME_MAX));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(self)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Pool::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIME_MAX)
            .pool_timer(TokioTimer::new())
            .build(connector))
    }
}

fn tls(endpoint: &Endpoint) -> Result<ClientConfig, EndpointError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &endpoint.authorities {
        let wrong = |reason: String| EndpointError::Authorities {
            path: path.display().to_string(),
            reason,
        };
        let found =
            CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("there is no certificate in it".to_owned()));
        }
    } else if endpoint.url.starts_with("https") {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(EndpointError::NoAuthorities);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config?.with_root_certificates(roots).with_no_client_auth())
}
