//! TLS by OpenSSL, for servers that speak only what rustls leaves out: CBC suites.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;

use ::openssl::error::ErrorStack;
use ::openssl::pkey::PKey;
use ::openssl::ssl::{self, HandshakeError, Ssl, SslConnector, SslMethod, SslRef, SslVersion};
use ::openssl::x509::store::X509StoreBuilder;
use ::openssl::x509::{X509, X509VerifyResult};
use rustls::AlertDescription;

use super::failure::received;
use super::{Config, Library, Protocol, Settings, TlsFailure, certificates, key, roots, unusable};
use crate::{Endpoint, Error, Step};

/// What OpenSSL adds to the number of an alert to make its reason (`SSL_AD_REASON_OFFSET`).
const ALERT_OFFSET: i32 = 1000;
/// `SSL_R_UNEXPECTED_EOF_WHILE_READING`.
const UNEXPECTED_EOF: i32 = 294;

impl Settings {
    /// As [`Settings::load`], for connections by OpenSSL instead of rustls: for servers that offer
    /// only CBC suites.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn load_openssl(&self) -> Result<Config, Error> {
        let authorities = roots::all(&self.authorities, self.system_authorities)?;
        let mut store = X509StoreBuilder::new().map_err(setup)?;
        for authority in &authorities {
            // The system's may hold what OpenSSL cannot read; those that are named were read.
            if let Ok(authority) = X509::from_der(authority) {
                store.add_cert(authority).map_err(setup)?;
            }
        }
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(setup)?;
        builder.set_cert_store(store.build());
        let (oldest, newest) = match self.protocol {
            Protocol::Any => (SslVersion::TLS1_2, None),
            Protocol::Tls12 => (SslVersion::TLS1_2, Some(SslVersion::TLS1_2)),
            Protocol::Tls13 => (SslVersion::TLS1_3, None),
        };
        builder.set_min_proto_version(Some(oldest)).map_err(setup)?;
        builder.set_max_proto_version(newest).map_err(setup)?;
        if let Some(path) = &self.certificate {
            let key_path = self.key.as_deref().unwrap_or(path);
            let key = key::read(key_path, self.password.as_deref().map(String::as_str))?;
            let key = PKey::private_key_from_der(key.secret_der());
            let key = key.map_err(|error| unusable(key_path, &error))?;
            for (nth, certificate) in certificates(path)?.iter().enumerate() {
                let certificate =
                    X509::from_der(certificate).map_err(|error| unusable(path, &error))?;
                let added = if nth == 0 {
                    builder.set_certificate(&certificate)
                } else {
                    builder.add_extra_chain_cert(certificate)
                };
                added.map_err(|error| unusable(path, &error))?;
            }
            builder.set_private_key(&key).map_err(|error| unusable(key_path, &error))?;
            builder.check_private_key().map_err(|error| unusable(key_path, &error))?;
        }
        let library = Library::Openssl(builder.build());
        Ok(Config { library, server_name: self.server_name.clone() })
    }
}

impl Config {
    /// One connection that is to be made, with the name that the certificate must have.
    pub(crate) fn openssl_session(
        &self,
        connector: &SslConnector,
        endpoint: &Endpoint,
    ) -> Result<Ssl, Error> {
        let name = self.server_name.as_ref().unwrap_or(&endpoint.host);
        let is_address = name.parse::<IpAddr>().is_ok();
        let configuration = connector.configure().map_err(setup)?;
        configuration.use_server_name_indication(!is_address).into_ssl(name).map_err(setup)
    }
}

/// Something that has nothing to do with either side's files.
fn setup(error: ErrorStack) -> Error {
    TlsFailure::Other(error.to_string()).into()
}

/// How a handshake failed.
pub(crate) fn handshake<S: std::fmt::Debug>(error: HandshakeError<S>) -> Error {
    match error {
        HandshakeError::SetupFailure(error) => setup(error),
        HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => {
            let verified = stream.ssl().verify_result();
            of_handshake(verified, stream.into_error())
        }
    }
}

/// How a handshake failed, by what OpenSSL says of the certificate and of the rest.
pub(crate) fn of_handshake(verified: X509VerifyResult, error: ssl::Error) -> Error {
    if let Some(failure) = of_certificate(verified) {
        return failure.into();
    }
    match error.into_io_error() {
        Ok(error) => Error::at(Step::Handshake, error),
        Err(error) => of_ssl(&error).unwrap_or(TlsFailure::Other(error.to_string())).into(),
    }
}

/// What OpenSSL says of the server's certificate (`X509_V_ERR_…`).
fn of_certificate(verified: X509VerifyResult) -> Option<TlsFailure> {
    match verified.as_raw() {
        0 => None,
        2 | 18..=21 => Some(TlsFailure::UnknownAuthority),
        9 => Some(TlsFailure::NotYetValid),
        10 => Some(TlsFailure::Expired),
        62 | 64 => Some(TlsFailure::WrongHost(verified.error_string().to_owned())),
        _ => Some(TlsFailure::ServerCertificate(verified.error_string().to_owned())),
    }
}

/// What an error of OpenSSL means; `None` if it only says that the connection ended.
fn of_ssl(error: &ssl::Error) -> Option<TlsFailure> {
    let errors = error.ssl_error()?.errors();
    let reason = errors.iter().find(|error| error.library_code() == openssl_library_code());
    let reason = reason.map_or(0, ::openssl::error::Error::reason_code);
    let alert = reason.checked_sub(ALERT_OFFSET).and_then(|alert| u8::try_from(alert).ok());
    match (alert, reason) {
        (_, UNEXPECTED_EOF) => None,
        (Some(alert), _) => Some(received(AlertDescription::from(alert), error)),
        _ => Some(TlsFailure::Other(error.to_string())),
    }
}

/// `ERR_LIB_SSL`.
const fn openssl_library_code() -> i32 {
    20
}

/// What an error means that a read brought; see [`TlsFailure::of`].
pub(super) fn of_read(error: &(dyn StdError + Send + Sync + 'static)) -> Option<TlsFailure> {
    of_ssl(error.downcast_ref::<ssl::Error>()?)
}

/// An error of OpenSSL as the rest knows errors of sockets.
pub(crate) fn io_error(error: ssl::Error) -> io::Error {
    let is_end = error.code() == ssl::ErrorCode::ZERO_RETURN
        || error.ssl_error().is_some_and(|errors| {
            errors.errors().iter().any(|error| error.reason_code() == UNEXPECTED_EOF)
        });
    if is_end {
        return io::ErrorKind::UnexpectedEof.into();
    }
    error.into_io_error().unwrap_or_else(io::Error::other)
}

/// The TLS version and cipher suite, for people, in the words of [`super::describe`].
pub(crate) fn describe(ssl: &SslRef) -> String {
    let version = ssl.version_str().replace("TLSv1.", "TLSv1_");
    let suite = ssl.current_cipher().map_or("?", |cipher| cipher.name());
    format!("{version} {suite}")
}
