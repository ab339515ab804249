//! An authority: a root, the intermediate that issues, and what it issues.
//!
//! Never stores anything and never learns scope or role names beyond the text it is told to print.

use std::fmt;
use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::certificate::{self, BACKDATE_SECONDS, Validity};
use super::key::Signer;
use super::{KeySpec, PkiError, PrivateKey, PublicKey, Serial, pem};

const DAY_SECONDS: i64 = 86_400;
/// Life of an authority unless something else is said.
pub const AUTHORITY_SECONDS: i64 = 3650 * DAY_SECONDS;
/// Life of a server certificate: it is renewed long before.
pub const SERVER_SECONDS: i64 = 365 * DAY_SECONDS;
const ROOT_PATH_LEN: u8 = 10;
const INTERMEDIATE_PATH_LEN: u8 = 9;

/// Everything an authority is, as bytes: what is stored, and what it is rebuilt from.
#[derive(Debug)]
pub struct AuthorityParts {
    /// DER of the self-signed root.
    pub root: CertificateDer<'static>,
    /// The root's key; signs intermediates only.
    pub root_key: PrivateKey,
    /// DER of the intermediate.
    pub intermediate: CertificateDer<'static>,
    /// The intermediate's key; signs servers and clients.
    pub intermediate_key: PrivateKey,
}

/// Subject of a client certificate.
#[derive(Debug, Clone)]
pub struct Subject {
    /// OU: identifier of the scope.
    pub scope_id: String,
    /// CN: identifier of the role.
    pub role_id: String,
    /// URI in the subject alternative name.
    pub uri: String,
    /// Further alternative names, which some TLS stacks want to see.
    pub names: ServerNames,
}

/// Names that a server answers to, or that a client's certificate shows besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerNames {
    /// DNS names; the first is also the CN of a server.
    pub hostnames: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
}

/// A certificate just issued.
#[derive(Debug)]
pub struct Issued {
    /// DER of the certificate.
    pub certificate: CertificateDer<'static>,
    /// Its serial.
    pub serial: Serial,
    /// Last second of its life, since 1970. Never beyond the authority's own.
    pub not_after: i64,
    /// True when the wanted life was cut to what is left of the authority's.
    pub shortened: bool,
}

/// An authority ready to issue.
pub struct Authority {
    parts: AuthorityParts,
    pub(super) issuer: rcgen::Issuer<'static, Signer>,
    not_after: i64,
}

impl Authority {
    /// Makes a root and an intermediate named after `common_name`, which live ten years.
    ///
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn generate(common_name: &str, spec: KeySpec, now: i64) -> Result<Self, PkiError> {
        Self::generate_for(common_name, spec, AUTHORITY_SECONDS, now)
    }

    /// As [`Self::generate`], living `ttl_seconds`.
    ///
    /// # Errors
    /// As there, and for a life that ends beyond what certificates can say.
    pub fn generate_for(
        common_name: &str,
        spec: KeySpec,
        ttl_seconds: i64,
        now: i64,
    ) -> Result<Self, PkiError> {
        let validity = Validity {
            not_before: now - BACKDATE_SECONDS,
            not_after: now.saturating_add(ttl_seconds),
        };
        let root_key = PrivateKey::generate(spec)?;
        let root_params =
            certificate::authority(common_name, ROOT_PATH_LEN, &Serial::random()?, validity)?;
        let root_signer = root_key.signer()?;
        let root = root_params.self_signed(&root_signer)?;

        let intermediate_key = PrivateKey::generate(spec)?;
        let intermediate = certificate::authority(
            &format!("{common_name}-intermediate"),
            INTERMEDIATE_PATH_LEN,
            &Serial::random()?,
            validity,
        )?
        .signed_by(
            &intermediate_key.signer()?,
            &rcgen::Issuer::from_params(&root_params, root_signer),
        )?;
        Self::from_parts(AuthorityParts {
            root: root.into(),
            root_key,
            intermediate: intermediate.into(),
            intermediate_key,
        })
    }

    /// Rebuilds an authority from what was stored.
    ///
    /// # Errors
    /// [`PkiError::Corrupt`] when it does not parse.
    pub fn from_parts(parts: AuthorityParts) -> Result<Self, PkiError> {
        let (_, parsed) = X509Certificate::from_der(&parts.intermediate)
            .map_err(|_| PkiError::Corrupt("an intermediate certificate"))?;
        let not_after = parsed.validity().not_after.timestamp();
        let issuer =
            rcgen::Issuer::from_ca_cert_der(&parts.intermediate, parts.intermediate_key.signer()?)?;
        Ok(Self { parts, issuer, not_after })
    }

    /// What to store.
    pub fn parts(&self) -> &AuthorityParts {
        &self.parts
    }

    /// The kind of its keys.
    pub fn spec(&self) -> KeySpec {
        self.parts.intermediate_key.spec()
    }

    /// Last second of its life, since 1970.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// Intermediate, then root, in PEM.
    pub fn chain_pem(&self) -> Vec<String> {
        self.chain().iter().map(|der| pem::encode("CERTIFICATE", der)).collect()
    }

    /// Intermediate, then root.
    pub fn chain(&self) -> [CertificateDer<'static>; 2] {
        [self.parts.intermediate.clone(), self.parts.root.clone()]
    }

    /// Issues a client certificate for `key`, living `ttl_seconds` at most.
    ///
    /// # Errors
    /// [`PkiError::AuthorityExpired`], or a failure of the cryptographic library.
    pub fn issue_client(
        &self,
        subject: &Subject,
        key: &ClientKey<'_>,
        ttl_seconds: i64,
        now: i64,
    ) -> Result<Issued, PkiError> {
        match key {
            ClientKey::Private(key) => self.client_for(subject, &key.signer()?, ttl_seconds, now),
            ClientKey::Public(key) => self.client_for(subject, &key.info, ttl_seconds, now),
        }
    }

    fn client_for(
        &self,
        subject: &Subject,
        key: &impl rcgen::PublicKeyData,
        ttl_seconds: i64,
        now: i64,
    ) -> Result<Issued, PkiError> {
        let serial = Serial::random()?;
        let (validity, shortened) = self.validity(ttl_seconds, now)?;
        let certificate =
            certificate::client(subject, key, &serial, validity)?.signed_by(key, &self.issuer)?;
        Ok(Issued {
            certificate: certificate.into(),
            serial,
            not_after: validity.not_after,
            shortened,
        })
    }

    /// Issues a server certificate. It lives a year, at most as long as the authority; whoever
    /// shows it asks for the next one in time.
    ///
    /// # Errors
    /// [`PkiError::BadName`] for a name that is not ASCII, [`PkiError::AuthorityExpired`].
    pub fn issue_server(
        &self,
        names: &ServerNames,
        key: &PrivateKey,
        now: i64,
    ) -> Result<Issued, PkiError> {
        let serial = Serial::random()?;
        let (validity, _) = self.validity(SERVER_SECONDS, now)?;
        let signer = key.signer()?;
        let certificate = certificate::server(names, &signer, &serial, validity)?
            .signed_by(&signer, &self.issuer)?;
        Ok(Issued {
            certificate: certificate.into(),
            serial,
            not_after: validity.not_after,
            shortened: false,
        })
    }

    fn validity(&self, ttl_seconds: i64, now: i64) -> Result<(Validity, bool), PkiError> {
        if now >= self.not_after {
            return Err(PkiError::AuthorityExpired);
        }
        let wanted = now.saturating_add(ttl_seconds);
        let validity =
            Validity { not_before: now - BACKDATE_SECONDS, not_after: wanted.min(self.not_after) };
        Ok((validity, wanted > self.not_after))
    }
}

/// Where the public key of a client certificate comes from.
#[derive(Debug)]
pub enum ClientKey<'a> {
    /// A key that this server made for the client.
    Private(&'a PrivateKey),
    /// The key of a verified signing request.
    Public(&'a PublicKey),
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("spec", &self.spec())
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
