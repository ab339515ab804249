//! What the certificate of a client under an imported authority says of it (RFC 5280 §4.1.2.6): the
//! subject fields that a scope or role may be taken from, who issued it under which serial, the end of
//! its life.
//!
//! Trusts nothing: whoever asks has had the certificate verified.

use x509_parser::der_parser::asn1_rs::{Oid, oid};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{PkiError, Serial};

/// Bytes of an issuer's name that are shown.
const ISSUER_BYTES_MAX: usize = 512;

/// A subject field that a scope or role may be taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectField {
    /// `CN`.
    CommonName,
    /// `O`.
    Organization,
    /// `OU`.
    OrganizationalUnit,
    /// `UID`.
    UserId,
}

impl SubjectField {
    /// Every field.
    pub const ALL: [Self; 4] =
        [Self::CommonName, Self::Organization, Self::OrganizationalUnit, Self::UserId];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::CommonName => "CN",
            Self::Organization => "O",
            Self::OrganizationalUnit => "OU",
            Self::UserId => "UID",
        }
    }

    /// From the name in the API.
    ///
    /// # Errors
    /// For anything else.
    pub fn from_name(name: &str) -> Result<Self, PkiError> {
        Self::ALL.into_iter().find(|field| field.name() == name).ok_or_else(|| {
            PkiError::BadRequest("unknown subject field: use CN, O, OU or UID".to_owned())
        })
    }

    fn oid(self) -> Oid<'static> {
        match self {
            Self::CommonName => oid!(2.5.4.3),
            Self::Organization => oid!(2.5.4.10),
            Self::OrganizationalUnit => oid!(2.5.4.11),
            Self::UserId => oid!(0.9.2342.19200300.100.1.1),
        }
    }
}

/// What is needed of a verified client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSubject {
    /// Its serial.
    pub serial: Serial,
    /// The distinguished name of who issued it, in DER: under an imported authority that may be one of
    /// several, each with serials of its own (RFC 5280 §4.1.2.2).
    pub issuer: Vec<u8>,
    /// The same for people, at most 512 bytes of it.
    pub issuer_text: String,
    /// Last second of its life, since 1970.
    pub not_after: i64,
    fields: [Option<String>; 4],
}

impl ClientSubject {
    /// Reads a certificate; `None` when it is not one, or its serial is zero or too long.
    pub fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject = certificate.subject();
        let fields = SubjectField::ALL.map(|field| {
            let mut values = subject.iter_by_oid(&field.oid());
            match (values.next(), values.next()) {
                (Some(only), None) => only.as_str().ok().map(str::to_owned),
                // Two values are two meanings: neither is taken.
                _ => None,
            }
        });
        let mut issuer_text = certificate.issuer().to_string();
        issuer_text.truncate(issuer_text.floor_char_boundary(ISSUER_BYTES_MAX));
        Some(Self {
            serial: Serial::from_be_bytes(certificate.raw_serial())?,
            issuer: certificate.issuer().as_raw().to_vec(),
            issuer_text,
            not_after: certificate.validity().not_after.timestamp(),
            fields,
        })
    }

    /// The value of a field that stands in the subject exactly once.
    pub fn field(&self, field: SubjectField) -> Option<&str> {
        self.fields.get(field as usize)?.as_deref()
    }
}
