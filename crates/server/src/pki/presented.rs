//! What a client's certificate says of its holder (RFC 5280 §4.1.2.6, §4.2.1), for a login by
//! certificate, and whether an authority vouches for it.
//!
//! Trusts nothing: reading a certificate is not believing it.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::der_parser::asn1_rs::Any;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Serial;
use super::trust::verifier;

/// A certificate, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// In decimal; empty where it is zero or too long.
    pub serial_number: String,
    /// The common names of the subject: mostly one.
    pub common_names: Vec<String>,
    /// The organizational units of the subject.
    pub organizational_units: Vec<String>,
    /// Alternative names that are host names.
    pub dns_sans: Vec<String>,
    /// Alternative names that are mail addresses.
    pub email_sans: Vec<String>,
    /// Alternative names that are URIs.
    pub uri_sans: Vec<String>,
    /// Its extensions: dotted identifier, and the DER within.
    pub extensions: Vec<(String, Vec<u8>)>,
    /// Subject Key Identifier; empty without.
    pub subject_key_id: Vec<u8>,
    /// Authority Key Identifier; empty without.
    pub authority_key_id: Vec<u8>,
    /// SHA-256 of the whole SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// Whether it is an authority's.
    pub is_authority: bool,
    /// Whether its extended key usage names clients.
    pub is_for_clients: bool,
    not_before: i64,
    not_after: i64,
}

impl Presented {
    /// Reads a certificate; `None` when it is not one.
    pub fn of(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let texts = |values: &mut dyn Iterator<Item = Option<&str>>| -> Vec<String> {
            values.flatten().map(str::to_owned).collect()
        };
        let subject = certificate.subject();
        let serial = Serial::from_be_bytes(certificate.raw_serial());
        let mut presented = Self {
            serial_number: serial.map(|serial| serial.to_string()).unwrap_or_default(),
            common_names: texts(&mut subject.iter_common_name().map(|it| it.as_str().ok())),
            organizational_units: texts(
                &mut subject.iter_organizational_unit().map(|it| it.as_str().ok()),
            ),
            dns_sans: Vec::new(),
            email_sans: Vec::new(),
            uri_sans: Vec::new(),
            extensions: Vec::new(),
            subject_key_id: Vec::new(),
            authority_key_id: Vec::new(),
            public_key: digest(&SHA256, certificate.public_key().raw).as_ref().to_vec(),
            is_authority: certificate.is_ca(),
            is_for_clients: false,
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        };
        for extension in certificate.extensions() {
            presented.extensions.push((extension.oid.to_id_string(), extension.value.to_vec()));
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    names.general_names.iter().for_each(|name| presented.add_name(name));
                }
                ParsedExtension::SubjectKeyIdentifier(id) => {
                    presented.subject_key_id = id.0.to_vec();
                }
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    let id = id.key_identifier.as_ref();
                    presented.authority_key_id = id.map(|id| id.0.to_vec()).unwrap_or_default();
                }
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    presented.is_for_clients = usage.client_auth || usage.any;
                }
                _ => {}
            }
        }
        Some(presented)
    }

    fn add_name(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns_sans.push((*name).to_owned()),
            GeneralName::RFC822Name(name) => self.email_sans.push((*name).to_owned()),
            GeneralName::URI(name) => self.uri_sans.push((*name).to_owned()),
            _ => {}
        }
    }

    /// Whether its time has come and not passed. `now` is in seconds since 1970.
    pub fn is_valid_at(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// The DER of an extension, by its dotted identifier.
    pub fn extension(&self, identifier: &str) -> Option<&[u8]> {
        let mut extensions = self.extensions.iter();
        let found = extensions.find(|(known, _)| known == identifier);
        found.map(|(_, value)| value.as_slice())
    }
}

/// The text that an extension holds, if it holds one of ASN.1's strings.
pub fn extension_text(der: &[u8]) -> Option<String> {
    let (rest, any) = Any::from_der(der).ok()?;
    let text = any.as_str().ok()?;
    rest.is_empty().then(|| text.to_owned())
}

/// Whether one of these authorities vouches at `now` for the client certificate that a chain begins
/// with. `now` is in seconds since 1970.
pub fn vouches(authorities: &[CertificateDer<'static>], chain: &[Vec<u8>], now: i64) -> bool {
    let Some((leaf, intermediates)) = chain.split_first() else { return false };
    let (Ok(verifier), Ok(now)) = (verifier(authorities), u64::try_from(now)) else { return false };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let intermediates: Vec<CertificateDer<'_>> =
        intermediates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    verifier.verify_client_cert(&CertificateDer::from(leaf.as_slice()), &intermediates, now).is_ok()
}
