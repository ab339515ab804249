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
const AUTHORITY_DAYS: i64 = 3650;
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
}

/// Names that a server answers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerNames {
    /// DNS names; the first is also the CN.
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
    issuer: rcgen::Issuer<'static, Signer>,
    not_after: i64,
}

impl Authority {
    /// Makes a root and an intermediate named after `common_name`.
    ///
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn generate(common_name: &str, spec: KeySpec, now: i64) -> Result<Self, PkiError> {
        let validity = Validity {
            not_before: now - BACKDATE_SECONDS,
            not_after: now + AUTHORITY_DAYS * DAY_SECONDS,
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
        let certificate = certificate::client(
            &subject.scope_id,
            &subject.role_id,
            &subject.uri,
            key,
            &serial,
            validity,
        )?
        .signed_by(key, &self.issuer)?;
        Ok(Issued {
            certificate: certificate.into(),
            serial,
            not_after: validity.not_after,
            shortened,
        })
    }

    /// Issues a server certificate that lives as long as the authority: clients pin the authority,
    /// and a listener must not stop working on a day that nobody watches.
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
        let (validity, _) = self.validity(AUTHORITY_DAYS * DAY_SECONDS, now)?;
        let signer = key.signer()?;
        let certificate =
            certificate::server(&names.hostnames, &names.addresses, &signer, &serial, validity)?
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
mod tests {
    use x509_parser::extensions::{GeneralName, ParsedExtension};
    use zeroize::Zeroizing;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn subject() -> Subject {
        Subject {
            scope_id: "ilV63".to_owned(),
            role_id: "2FyVN".to_owned(),
            uri: "kmip://finance/accounting".to_owned(),
        }
    }

    fn extensions(certificate: &X509Certificate<'_>) -> Vec<(String, bool)> {
        let mut found: Vec<(String, bool)> = certificate
            .extensions()
            .iter()
            .map(|extension| (extension.oid.to_id_string(), extension.critical))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn authorities_have_the_documented_shape() {
        let authority = Authority::generate("vault-kmip-default", KeySpec::Ec256, NOW).unwrap();
        let [intermediate, root] = authority.chain();
        for (der, subject, path_len) in [
            (&root, "CN=vault-kmip-default", 10),
            (&intermediate, "CN=vault-kmip-default-intermediate", 9),
        ] {
            let (_, certificate) = X509Certificate::from_der(der).unwrap();
            assert_eq!(certificate.subject().to_string(), subject);
            assert_eq!(certificate.issuer().to_string(), "CN=vault-kmip-default");
            assert_eq!(certificate.validity().not_before.timestamp(), NOW - 30);
            assert_eq!(certificate.validity().not_after.timestamp(), NOW + 3650 * 86_400);
            let constraints = certificate.basic_constraints().unwrap().unwrap().value;
            assert!(constraints.ca);
            assert_eq!(constraints.path_len_constraint, Some(path_len));
            let usage = certificate.key_usage().unwrap().unwrap();
            assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
            assert!(!usage.value.digital_signature());
            assert_eq!(
                extensions(&certificate),
                [
                    ("2.5.29.14".to_owned(), false),
                    ("2.5.29.15".to_owned(), true),
                    ("2.5.29.19".to_owned(), true),
                    ("2.5.29.35".to_owned(), false),
                ]
            );
        }
    }

    #[test]
    fn client_certificates_have_the_documented_shape() {
        let authority = Authority::generate("vault-kmip-default", KeySpec::Ec256, NOW).unwrap();
        let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
        let issued =
            authority.issue_client(&subject(), &ClientKey::Private(&key), 1_209_600, NOW).unwrap();
        let (_, certificate) = X509Certificate::from_der(&issued.certificate).unwrap();
        assert_eq!(certificate.subject().to_string(), "OU=ilV63, CN=2FyVN");
        assert_eq!(certificate.issuer().to_string(), "CN=vault-kmip-default-intermediate");
        assert_eq!(certificate.validity().not_before.timestamp(), NOW - 30);
        assert_eq!(issued.not_after, NOW + 1_209_600);
        assert_eq!(certificate.validity().not_after.timestamp(), issued.not_after);
        assert_eq!(Serial::of_certificate(&issued.certificate), Some(issued.serial));
        assert_eq!(
            certificate.signature_algorithm.algorithm.to_id_string(),
            "1.2.840.10045.4.3.2",
            "ecdsa-with-SHA256"
        );
        let usage = certificate.key_usage().unwrap().unwrap();
        assert!(usage.critical);
        assert!(usage.value.digital_signature() && usage.value.key_encipherment());
        assert!(usage.value.key_agreement() && !usage.value.key_cert_sign());
        let purpose = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(purpose.client_auth && !purpose.server_auth && !purpose.any);
        assert_eq!(
            extensions(&certificate).iter().map(|(oid, _)| oid.as_str()).collect::<Vec<_>>(),
            ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.35", "2.5.29.37"]
        );
        let names = certificate.subject_alternative_name().unwrap().unwrap();
        assert_eq!(names.value.general_names, [GeneralName::URI("kmip://finance/accounting")]);
    }

    #[test]
    fn key_identifiers_link_the_chain() {
        let authority = Authority::generate("x", KeySpec::Ec256, NOW).unwrap();
        let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
        let issued =
            authority.issue_client(&subject(), &ClientKey::Private(&key), 60, NOW).unwrap();
        let [intermediate, root] = authority.chain();
        let identifiers = |der: &[u8]| {
            let (_, certificate) = X509Certificate::from_der(der).unwrap();
            let (mut own, mut issuers) = (None, None);
            for extension in certificate.extensions() {
                match extension.parsed_extension() {
                    ParsedExtension::SubjectKeyIdentifier(id) => own = Some(id.0.to_vec()),
                    ParsedExtension::AuthorityKeyIdentifier(id) => {
                        issuers = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                    }
                    _ => {}
                }
            }
            (own.unwrap(), issuers.unwrap())
        };
        let (root_own, root_issuer) = identifiers(&root);
        let (intermediate_own, intermediate_issuer) = identifiers(&intermediate);
        let (leaf_own, leaf_issuer) = identifiers(&issued.certificate);
        assert_eq!(root_own, root_issuer);
        assert_eq!(root_own, intermediate_issuer);
        assert_eq!(intermediate_own, leaf_issuer);
        assert_ne!(leaf_own, intermediate_own);
    }

    #[test]
    fn a_life_beyond_the_authority_is_cut() {
        let authority = Authority::generate("x", KeySpec::Ec256, NOW).unwrap();
        let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
        let issued =
            authority.issue_client(&subject(), &ClientKey::Private(&key), i64::MAX, NOW).unwrap();
        assert!(issued.shortened);
        assert_eq!(issued.not_after, authority.not_after());
    }

    #[test]
    fn an_authority_survives_being_stored() {
        for spec in [KeySpec::Ec256, KeySpec::Rsa2048] {
            let authority = Authority::generate("x", spec, NOW).unwrap();
            let parts = authority.parts();
            let copy = |key: &PrivateKey| {
                PrivateKey::from_der(key.spec(), Zeroizing::new(key.der().to_vec()))
            };
            let again = Authority::from_parts(AuthorityParts {
                root: parts.root.clone(),
                root_key: copy(&parts.root_key),
                intermediate: parts.intermediate.clone(),
                intermediate_key: copy(&parts.intermediate_key),
            })
            .unwrap();
            assert_eq!(again.chain_pem(), authority.chain_pem());
            let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
            let issued =
                again.issue_client(&subject(), &ClientKey::Private(&key), 60, NOW).unwrap();
            let (_, leaf) = X509Certificate::from_der(&issued.certificate).unwrap();
            let [intermediate, _] = authority.chain();
            let (_, issuer) = X509Certificate::from_der(&intermediate).unwrap();
            leaf.verify_signature(Some(issuer.public_key())).unwrap();
        }
    }
}
