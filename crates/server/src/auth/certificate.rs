//! Logins with the certificate of the TLS connection (vault's cert).
//!
//! TLS has found out that the client holds the key, and that an authority of the API's `client_ca`
//! vouches for it; here it is found out whether it is one that may log in, and as whom.

use std::collections::BTreeMap;

use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use super::principal::{Principal, Principals, checked};
use super::shown::Shown;
use super::terms::Admitted;
use super::{
    AuthError, AuthMethods, Client, IsRevoked, Method, TokenTerms, TokenTermsChange, glob,
};
use crate::pki::{Presented, extension_text, pem, vouches};
use crate::record::Change;
use crate::token::{Created, Login};

/// In Vault's words.
pub(super) const WRONG: &str = "invalid certificate or no client certificate supplied";

/// Most certificates of one entry, and most patterns in one of its lists.
const CERTIFICATES_MAX: usize = 32;
const PATTERNS_MAX: usize = 1_000;

/// Bytes of what was written about one entry.
const TEXT_BYTES_MAX: usize = 256 * 1024;

macro_rules! constraints {
    ($($(#[$text:meta])* $field:ident = $name:literal,)*) => {
        /// What a certificate must say, besides being trusted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ConstraintField {
            $($(#[$text])* #[serde(rename = $name)] $field,)*
        }

        impl ConstraintField {
            /// Every field.
            pub const ALL: &[Self] = &[$(Self::$field,)*];

            /// The name in the API.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }
        }
    };
}

constraints! {
    /// A common name, host name or mail address.
    Names = "allowed_names",
    /// A common name.
    CommonNames = "allowed_common_names",
    /// An alternative name that is a host name.
    DnsSans = "allowed_dns_sans",
    /// An alternative name that is a mail address.
    EmailSans = "allowed_email_sans",
    /// An alternative name that is a URI.
    UriSans = "allowed_uri_sans",
    /// An organizational unit.
    OrganizationalUnits = "allowed_organizational_units",
    /// `OID:pattern` or `hex:OID:pattern`: all of them, not one.
    RequiredExtensions = "required_extensions",
}

/// Patterns of each field; a field without one asks for nothing.
type Constraints = BTreeMap<ConstraintField, Vec<String>>;

#[derive(Serialize, Deserialize)]
pub(super) struct CertificateRecord {
    name: String,
    /// In PEM, as it was written.
    certificate: String,
    display_name: String,
    constraints: Constraints,
    pub(super) token: TokenTerms,
    /// Seconds since 1970.
    created: i64,
}

impl Principal for CertificateRecord {
    fn name(&self) -> &str {
        &self.name
    }
}

/// An entry, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateState {
    /// In PEM, as it was written.
    pub certificate: String,
    /// What the display name of its tokens says.
    pub display_name: String,
    /// What a certificate must say.
    pub constraints: BTreeMap<ConstraintField, Vec<String>>,
    /// What its tokens get.
    pub token: TokenTerms,
}

/// What a write says about an entry.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see the fields of CertificateState")]
pub struct CertificateChange {
    pub certificate: Change<String>,
    pub display_name: Change<String>,
    pub constraints: Vec<(ConstraintField, Change<Vec<String>>)>,
    pub token: TokenTermsChange,
}

/// The entries of a method.
#[derive(Clone, Copy)]
pub struct Certificates<'a>(pub(super) Principals<'a>);

impl<'a> Certificates<'a> {
    /// Of a method of certificates.
    pub fn of(methods: &'a AuthMethods, method: &'a Method) -> Self {
        Self(Principals { methods, method })
    }

    /// Their names.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn names(self) -> Result<Vec<String>, AuthError> {
        Ok(self.0.names::<CertificateRecord>()?)
    }

    /// What an entry is; `None` when there is none of that name.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn read(self, name: &str) -> Result<Option<CertificateState>, AuthError> {
        let stored = self.0.get::<CertificateRecord>(&name.to_lowercase())?;
        Ok(stored.map(|stored| stored.value).map(|record| CertificateState {
            certificate: record.certificate,
            display_name: record.display_name,
            constraints: record.constraints,
            token: record.token,
        }))
    }

    /// Writes an entry; a new one needs a certificate. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::BadInput`] for what cannot be.
    pub fn write(self, name: &str, change: CertificateChange) -> Result<(), AuthError> {
        let name = checked(name)?.to_lowercase();
        let created = self.0.methods.clock.now();
        self.0.write::<CertificateRecord>(&name, |before| {
            let before = before.unwrap_or_else(|| CertificateRecord {
                name: name.clone(),
                certificate: String::new(),
                display_name: name.clone(),
                constraints: Constraints::new(),
                token: TokenTerms::default(),
                created,
            });
            before.apply(change)
        })
    }

    /// Removes an entry; one that is not there is no error. Tokens stay. Blocks until durable.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn delete(self, name: &str) -> Result<(), AuthError> {
        self.0.delete(&name.to_lowercase())
    }

    /// Logs in whoever shows a certificate that is not revoked: as the entry of that name, or the first
    /// that takes it, those of exactly this certificate before those of its authority. Blocks until
    /// durable.
    ///
    /// # Errors
    /// [`AuthError::Wrong`], [`AuthError::Denied`] from another address than the entry may log in
    /// from.
    pub fn login(
        self,
        name: Option<&str>,
        client: Client<'_>,
        is_revoked: IsRevoked<'_>,
    ) -> Result<Created, AuthError> {
        let Principals { methods, method } = self.0;
        let shown = self.shown(client, is_revoked)?;
        let mut entries = match name {
            None => self.0.all::<CertificateRecord>()?,
            Some(name) => {
                let stored = self.0.get::<CertificateRecord>(&name.to_lowercase())?;
                stored.into_iter().map(|stored| stored.value).collect()
            }
        };
        entries.sort_by_key(CertificateRecord::is_of_authority);
        let entry = entries.iter().find(|entry| entry.takes(&shown));
        let entry = entry.ok_or(AuthError::Wrong(WRONG))?;
        let own = &shown.own;
        let meta = [
            ("cert_name", entry.name.clone()),
            ("common_name", own.common_names.first().cloned().unwrap_or_default()),
            ("serial_number", own.serial_number.clone()),
            ("subject_key_id", colons(&own.subject_key_id)),
            ("authority_key_id", colons(&own.authority_key_id)),
        ];
        let admitted = Admitted {
            method,
            name: &entry.name,
            terms: &entry.token,
            display_name: &entry.display_name,
            path: "login".to_owned(),
            meta: meta.map(|(name, value)| (name.to_owned(), value)).into(),
            public_key: own.public_key.clone(),
        };
        methods.issue(admitted, client.address)
    }

    /// What the tokens of an entry get now, for one that is renewed: by whoever shows the key of its
    /// login again, unless the method does not ask for it. `None` when the entry is gone.
    pub(super) fn terms_at_renewal(
        self,
        login: &Login,
        client: Client<'_>,
        is_revoked: IsRevoked<'_>,
    ) -> Result<Option<TokenTerms>, AuthError> {
        let Some(stored) = self.0.get::<CertificateRecord>(&login.name)? else { return Ok(None) };
        let entry = stored.value;
        if !self.0.method.disables_binding() {
            let shown = self.shown(client, is_revoked)?;
            if !entry.takes(&shown) {
                return Err(AuthError::Wrong(WRONG));
            }
            if shown.own.public_key != login.public_key {
                return Err(AuthError::bad(
                    "client identity during renewal not matching client identity used during login",
                ));
            }
        }
        Ok(Some(entry.token))
    }
}

impl CertificateRecord {
    fn apply(self, change: CertificateChange) -> Result<Self, AuthError> {
        let mut constraints = self.constraints;
        for (field, change) in change.constraints {
            let before = constraints.remove(&field).unwrap_or_default();
            let patterns = change.apply(before, Vec::new());
            if patterns.len() > PATTERNS_MAX {
                let name = field.name();
                return Err(AuthError::bad(format!("{name} has at most {PATTERNS_MAX} items")));
            }
            if field == ConstraintField::RequiredExtensions
                && !patterns.iter().all(|pattern| Required::parse(pattern).is_some())
            {
                return Err(AuthError::bad(
                    "required_extensions must be of the form \"oid:value\" or \"hex:oid:value\"",
                ));
            }
            if !patterns.is_empty() {
                constraints.insert(field, patterns);
            }
        }
        let after = Self {
            certificate: change.certificate.apply(self.certificate, String::new()),
            display_name: change.display_name.apply(self.display_name, self.name.clone()),
            constraints,
            token: self.token.apply(change.token)?,
            ..self
        };
        let patterns = after.constraints.values().flatten().map(String::len).sum::<usize>();
        if after.certificate.len() + after.display_name.len() + patterns > TEXT_BYTES_MAX {
            let limit = format!("an entry has at most {TEXT_BYTES_MAX} bytes");
            return Err(AuthError::bad(limit));
        }
        check(&after.certificates())?;
        Ok(after)
    }

    fn certificates(&self) -> Vec<Vec<u8>> {
        pem::decode_all("CERTIFICATE", &self.certificate).unwrap_or_default()
    }

    /// Whether it is for those that an authority vouches for, not for one certificate.
    fn is_of_authority(&self) -> bool {
        let first = self.certificates().first().and_then(|der| Presented::of(der));
        first.is_some_and(|first| first.is_authority)
    }

    fn takes(&self, shown: &Shown) -> bool {
        let certificates = self.certificates();
        let is_trusted = if self.is_of_authority() {
            let authorities = certificates.into_iter().filter(|it| !shown.is_revoked(it));
            let authorities: Vec<CertificateDer<'static>> =
                authorities.map(CertificateDer::from).collect();
            vouches(&authorities, &shown.chain, shown.now)
        } else {
            certificates.first() == shown.chain.first() && shown.own.is_valid_at(shown.now)
        };
        is_trusted && self.constraints.iter().all(|(field, patterns)| field.holds(patterns, shown))
    }
}

impl ConstraintField {
    fn holds(self, patterns: &[String], shown: &Shown) -> bool {
        let own = &shown.own;
        let any = |lists: &[&Vec<String>]| {
            let mut names = lists.iter().copied().flatten();
            names.any(|name| patterns.iter().any(|pattern| glob::matches(pattern, name)))
        };
        match self {
            Self::Names => any(&[&own.common_names, &own.dns_sans, &own.email_sans]),
            Self::CommonNames => any(&[&own.common_names]),
            Self::DnsSans => any(&[&own.dns_sans]),
            Self::EmailSans => any(&[&own.email_sans]),
            Self::UriSans => any(&[&own.uri_sans]),
            Self::OrganizationalUnits => any(&[&own.organizational_units]),
            Self::RequiredExtensions => {
                let required = patterns.iter().map(|pattern| Required::parse(pattern));
                required.into_iter().all(|required| required.is_some_and(|it| it.holds(own)))
            }
        }
    }
}

/// An extension that must be there, and the pattern of its text, or of its DER in hexadecimal.
struct Required<'a> {
    identifier: &'a str,
    pattern: &'a str,
    is_hexadecimal: bool,
}

impl<'a> Required<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (rest, is_hexadecimal) = match text.strip_prefix("hex:") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (identifier, pattern) = rest.split_once(':')?;
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        identifier.split('.').all(is_number).then_some(Self { identifier, pattern, is_hexadecimal })
    }

    fn holds(&self, own: &Presented) -> bool {
        let Some(der) = own.extension(self.identifier) else { return false };
        let text = if self.is_hexadecimal { Some(hexadecimal(der)) } else { extension_text(der) };
        text.is_some_and(|text| glob::matches(self.pattern, &text))
    }
}

/// Refuses what no client can log in with.
fn check(certificates: &[Vec<u8>]) -> Result<(), AuthError> {
    let unfit = || AuthError::bad("failed to parse certificate");
    if certificates.is_empty() || certificates.len() > CERTIFICATES_MAX {
        return Err(unfit());
    }
    let read: Option<Vec<Presented>> = certificates.iter().map(|der| Presented::of(der)).collect();
    let read = read.ok_or_else(unfit)?;
    let first = read.first().ok_or_else(unfit)?;
    if !first.is_authority && !first.is_for_clients {
        return Err(AuthError::bad(
            "nonCA certificates should have TLS client authentication set as an extended key usage",
        ));
    }
    if first.is_authority && !read.iter().all(|certificate| certificate.is_authority) {
        return Err(AuthError::bad("certificate holds a certificate that is not an authority's"));
    }
    Ok(())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal with colons between the bytes.
fn colons(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(":")
}
