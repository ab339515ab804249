//! Whose certificates a listener takes: authorities of ours, and imported ones. The TLS library says
//! that a certificate is under one of them; here it is found out which kind.
//!
//! The distinction matters: serials of ours are unique, those of an imported authority may be
//! anything, one of ours included.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::tls::provider;
use super::{PkiError, pem};

/// Most certificates that an imported authority may have.
const IMPORTED_CERTIFICATES_MAX: usize = 32;

/// Who vouches for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// An authority of ours: the serial says everything.
    Own,
    /// The imported authority with this position.
    Imported(usize),
}

/// The authorities whose clients a listener takes.
pub struct ClientTrust {
    own: Vec<CertificateDer<'static>>,
    imported: Vec<Vec<CertificateDer<'static>>>,
    /// Only where there are imported authorities; else there is nothing to find out.
    verifiers: Option<Verifiers>,
}

struct Verifiers {
    own: Arc<dyn ClientCertVerifier>,
    imported: Vec<Arc<dyn ClientCertVerifier>>,
}

impl ClientTrust {
    /// Takes clients of our own authorities with these certificates, and of imported ones.
    ///
    /// # Errors
    /// When a certificate cannot anchor a chain.
    pub fn new(
        own: Vec<CertificateDer<'static>>,
        imported: Vec<Vec<CertificateDer<'static>>>,
    ) -> Result<Self, PkiError> {
        let verifiers = if imported.is_empty() {
            None
        } else {
            Some(Verifiers {
                own: verifier(&own)?,
                imported: imported
                    .iter()
                    .map(|certificates| verifier(certificates))
                    .collect::<Result<_, _>>()?,
            })
        };
        Ok(Self { own, imported, verifiers })
    }

    /// What the TLS library checks clients with.
    ///
    /// # Errors
    /// When a certificate cannot anchor a chain.
    pub(super) fn any(&self) -> Result<Arc<dyn ClientCertVerifier>, PkiError> {
        verifier(self.own.iter().chain(self.imported.iter().flatten()))
    }

    /// Who vouches for the chain that a client showed. `now` is in seconds since 1970.
    pub fn issuer(&self, chain: &[CertificateDer<'_>], now: i64) -> Option<Issuer> {
        let Some(verifiers) = &self.verifiers else {
            return Some(Issuer::Own);
        };
        let (leaf, intermediates) = chain.split_first()?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).ok()?));
        let vouches = |verifier: &Arc<dyn ClientCertVerifier>| {
            verifier.verify_client_cert(leaf, intermediates, now).is_ok()
        };
        if vouches(&verifiers.own) {
            return Some(Issuer::Own);
        }
        verifiers.imported.iter().position(vouches).map(Issuer::Imported)
    }
}

impl fmt::Debug for ClientTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTrust")
            .field("own", &self.own.len())
            .field("imported", &self.imported.len())
            .finish_non_exhaustive()
    }
}

pub(super) fn verifier<'a>(
    certificates: impl IntoIterator<Item = &'a CertificateDer<'static>>,
) -> Result<Arc<dyn ClientCertVerifier>, PkiError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone()).map_err(|error| PkiError::Library(error.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(roots.into(), provider())
        .build()
        .map_err(|error| PkiError::Library(error.to_string()))
}

/// The certificates of an authority to import, each of which may anchor a chain.
///
/// # Errors
/// [`PkiError::BadRequest`] for text without certificates, or with one that is no authority's.
pub fn authority_certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, PkiError> {
    let bad = |text: &str| PkiError::BadRequest(text.to_owned());
    let blocks = pem::decode_all("CERTIFICATE", text)
        .filter(|blocks| !blocks.is_empty())
        .ok_or_else(|| bad("ca_pem holds no certificate in PEM"))?;
    if blocks.len() > IMPORTED_CERTIFICATES_MAX {
        return Err(bad("ca_pem holds more certificates than an authority can have"));
    }
    let certificates: Vec<CertificateDer<'static>> =
        blocks.into_iter().map(CertificateDer::from).collect();
    for certificate in &certificates {
        use x509_parser::prelude::{FromDer, X509Certificate};
        let (rest, parsed) = X509Certificate::from_der(certificate)
            .map_err(|_| bad("ca_pem holds something that is not a certificate"))?;
        if !rest.is_empty() || !parsed.is_ca() {
            return Err(bad("ca_pem holds a certificate that is not an authority's"));
        }
        verifier([certificate]).map_err(|_| bad("ca_pem holds a certificate of no use"))?;
    }
    Ok(certificates)
}

/// The earliest end of these certificates' lives, in seconds since 1970.
pub fn earliest_end(certificates: &[CertificateDer<'_>]) -> Option<i64> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let ends = certificates.iter().filter_map(|der| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(certificate.validity().not_after.timestamp())
    });
    ends.min()
}
