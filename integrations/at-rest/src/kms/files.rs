//! What TLS is set up with: the files of the options, and the system's authorities.

use claviger_client::tls::{self, Config, holds_private_key};

use super::failure::file_error;
use crate::Error;
use crate::options::KmipSettings;

/// Whom to trust and who we are, from the files of the options; no server is asked.
///
/// # Errors
/// A file cannot be used, or the password is missing or wrong.
pub fn load_tls(settings: &KmipSettings) -> Result<Config, Error> {
    if let Some(key) = &settings.key {
        let path = &settings.certificate;
        if holds_private_key(path).map_err(file_error)? {
            let problem = format!("it holds a private key, and so does {}", key.display());
            return Err(Error::ClientFiles { path: path.clone(), problem });
        }
    }
    let files = tls::Settings {
        authorities: settings.ca.iter().cloned().collect(),
        system_authorities: true,
        certificate: Some(settings.certificate.clone()),
        key: settings.key.clone(),
        password: settings.password.clone(),
        ..tls::Settings::default()
    };
    match files.load() {
        Ok(config) => Ok(config),
        // A system without authorities of its own does without them.
        Err(error) if settings.ca.is_some() && !is_ours(&error, settings) => {
            tls::Settings { system_authorities: false, ..files }.load().map_err(file_error)
        }
        Err(error) => Err(file_error(error)),
    }
}

/// Whether an error is about a file of the options.
fn is_ours(error: &claviger_client::Error, settings: &KmipSettings) -> bool {
    match error {
        claviger_client::Error::Pem { path, .. } => {
            let mut ours = settings.ca.iter().chain(&settings.key).chain([&settings.certificate]);
            ours.any(|our| our == path)
        }
        _ => true,
    }
}
