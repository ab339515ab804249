//! The authorities that the system trusts, read as other programs of the system read them.

use std::env;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
#[cfg(feature = "openssl")]
use rustls_pki_types::CertificateDer;

use super::{certificates, unusable};
use crate::Error;

/// Where systems keep all their authorities in one file; the first that is there counts.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",   // older RHEL
    "/etc/ssl/ca-bundle.pem",             // SUSE
    "/etc/pki/tls/cacert.pem",            // OpenELEC
    "/etc/ssl/cert.pem",                  // Alpine, BSD, macOS
];

/// The file of the system's authorities: what `SSL_CERT_FILE` names, else the usual one.
///
/// # Errors
/// No such file is there.
pub(super) fn system_bundle() -> Result<PathBuf, Error> {
    if let Some(path) = env::var_os("SSL_CERT_FILE") {
        return Ok(PathBuf::from(path));
    }
    let usual = BUNDLES.iter().map(Path::new).find(|path| path.is_file());
    usual.map(Path::to_owned).ok_or_else(|| Error::Pem {
        path: PathBuf::from("SSL_CERT_FILE"),
        problem: String::from("the system's authorities are in none of the usual places"),
    })
}

/// Adds authorities that the caller named: each must be of use.
pub(super) fn add_named(roots: &mut RootCertStore, path: &Path) -> Result<(), Error> {
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| unusable(path, &error))?;
    }
    Ok(())
}

/// Adds the system's authorities: one of them that cannot be read is no reason to trust none.
pub(super) fn add_system(roots: &mut RootCertStore) -> Result<(), Error> {
    let path = system_bundle()?;
    let (added, _) = roots.add_parsable_certificates(certificates(&path)?);
    if added == 0 {
        return Err(unusable(&path, &"no certificate in it can be used"));
    }
    Ok(())
}

/// All authorities, for a TLS library that wants them as DER.
#[cfg(feature = "openssl")]
pub(super) fn all(named: &[PathBuf], system: bool) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut all = Vec::new();
    for path in named {
        all.extend(certificates(path)?);
    }
    if system {
        all.extend(certificates(&system_bundle()?)?);
    }
    Ok(all)
}
