//! Certificate revocation lists of other authorities (RFC 5280 §5): which certificates they name.
//!
//! Trusts whoever brings one: its signature and its dates are not looked at, as Vault does not.

use std::collections::HashSet;

use x509_parser::der_parser::asn1_rs::oid;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::{PkiError, Serial};

/// A list, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedList {
    /// The distinguished name of who issued it and the certificates in it, in DER.
    issuer: Vec<u8>,
    serials: HashSet<Serial>,
}

impl RevokedList {
    /// Reads a list in DER.
    ///
    /// # Errors
    /// [`PkiError::BadRequest`] for what is no list, and for one that does not say all that its issuer has
    /// revoked or speaks for other issuers.
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        let bad = |text: &str| PkiError::BadRequest(format!("failed to parse CRL: {text}"));
        let (rest, list) = CertificateRevocationList::from_der(der)
            .map_err(|_| bad("it is no certificate revocation list"))?;
        if !rest.is_empty() {
            return Err(bad("something follows it"));
        }
        if let Some(problem) = list.extensions().iter().find_map(problem) {
            return Err(bad(problem));
        }
        let mut serials = HashSet::new();
        for revoked in list.iter_revoked_certificates() {
            if let Some(problem) = revoked.extensions().iter().find_map(problem) {
                return Err(bad(problem));
            }
            let serial = Serial::from_be_bytes(revoked.raw_serial());
            serials.insert(serial.ok_or_else(|| bad("a serial number is zero or too long"))?);
        }
        Ok(Self { issuer: list.issuer().as_raw().to_vec(), serials })
    }

    /// Whether it names a certificate, given in DER.
    pub fn names(&self, certificate: &[u8]) -> bool {
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
        let serial = Serial::from_be_bytes(certificate.raw_serial());
        certificate.issuer().as_raw() == self.issuer
            && serial.is_some_and(|serial| self.serials.contains(&serial))
    }

    /// The serials in it, in no order.
    pub fn serials(&self) -> impl Iterator<Item = Serial> {
        self.serials.iter().copied()
    }
}

/// Why a list with that extension is refused, if it is.
fn problem(extension: &X509Extension<'_>) -> Option<&'static str> {
    let indirect = "it speaks for other issuers, which is not supported";
    if extension.oid == oid!(2.5.29.27) {
        return Some("it is a delta, which is not supported: give the whole list");
    }
    if extension.oid == oid!(2.5.29.29) {
        return Some(indirect);
    }
    match extension.parsed_extension() {
        ParsedExtension::IssuingDistributionPoint(point) => point.indirect_crl.then_some(indirect),
        _ if extension.critical => Some("it has a critical extension that is not known here"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::{Authority, ClientKey, KeySpec, PrivateKey, Revoked, ServerNames, Subject};

    const NOW: i64 = 1_800_000_000;

    fn certificate(authority: &Authority) -> Vec<u8> {
        let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
        let subject = Subject {
            scope_id: "s".to_owned(),
            role_id: "r".to_owned(),
            uri: "kmip://s/r".to_owned(),
            names: ServerNames::default(),
        };
        let issued = authority.issue_client(&subject, &ClientKey::Private(&key), 3600, NOW);
        issued.unwrap().certificate.to_vec()
    }

    #[test]
    fn it_names_the_certificates_of_its_issuer() {
        let [ours, theirs] =
            ["ours", "theirs"].map(|name| Authority::generate(name, KeySpec::Ec256, NOW).unwrap());
        let (one, other) = (certificate(&ours), certificate(&ours));
        let revoked = Revoked { serial: Serial::of_certificate(&one).unwrap(), at: NOW };
        let list = ours.revocation_list(&[revoked], NOW, NOW + 60).unwrap();
        let read = RevokedList::parse(&list).unwrap();
        assert!(read.names(&one) && !read.names(&other));
        assert_eq!(read.serials().collect::<Vec<_>>(), [revoked.serial]);
        let foreign = theirs.revocation_list(&[revoked], NOW, NOW + 60).unwrap();
        assert!(!RevokedList::parse(&foreign).unwrap().names(&one), "of another issuer");
        let empty = ours.revocation_list(&[], NOW, NOW + 60).unwrap();
        assert!(!RevokedList::parse(&empty).unwrap().names(&one));
        assert!(!read.names(b"no certificate"));
    }

    #[test]
    fn what_is_no_whole_list_is_refused() {
        let authority = Authority::generate("x", KeySpec::Ec256, NOW).unwrap();
        let list = authority.revocation_list(&[], NOW, NOW + 60).unwrap();
        let longer = [list.as_slice(), &[0]].concat();
        for bad in
            [b"".as_slice(), b"no list", &list[..list.len() - 1], &longer, &authority.chain()[0]]
        {
            assert!(RevokedList::parse(bad).unwrap_err().is_callers());
        }
    }
}
