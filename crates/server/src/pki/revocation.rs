//! Certificate revocation lists (RFC 5280 §5) of an authority.
//!
//! Never knows what was revoked or why: it is given serials.

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};

use super::certificate::moment;
use super::{Authority, PkiError, Serial};

/// A certificate that is not to be trusted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial.
    pub serial: Serial,
    /// When it was revoked, in seconds since 1970.
    pub at: i64,
}

impl Authority {
    /// The list of revoked certificates, in DER; it is to be asked for again after
    /// `next_update`. `now` numbers it: later lists have larger numbers.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn revocation_list(
        &self,
        revoked: &[Revoked],
        now: i64,
        next_update: i64,
    ) -> Result<Vec<u8>, PkiError> {
        let revoked_certs: Result<Vec<RevokedCertParams>, PkiError> = revoked
            .iter()
            .map(|revoked| {
                Ok(RevokedCertParams {
                    serial_number: SerialNumber::from_slice(revoked.serial.as_bytes()),
                    revocation_time: moment(revoked.at)?.to_datetime(),
                    reason_code: None,
                    invalidity_date: None,
                })
            })
            .collect();
        let list = CertificateRevocationListParams {
            this_update: moment(now)?.to_datetime(),
            next_update: moment(next_update)?.to_datetime(),
            crl_number: SerialNumber::from_slice(&now.to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.der().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

    use super::*;
    use crate::pki::KeySpec;

    #[test]
    fn a_list_is_signed_by_the_issuer_and_names_its_serials() {
        const NOW: i64 = 1_800_000_000;
        for spec in [KeySpec::Ec256, KeySpec::Rsa2048] {
            let authority = Authority::generate("x", spec, NOW).unwrap();
            let serial = Serial::random().unwrap();
            let revoked = [Revoked { serial, at: NOW - 5 }];
            let der = authority.revocation_list(&revoked, NOW, NOW + 60).unwrap();
            let (rest, list) = CertificateRevocationList::from_der(&der).unwrap();
            assert!(rest.is_empty());
            let [intermediate, _] = authority.chain();
            let (_, issuer) = X509Certificate::from_der(&intermediate).unwrap();
            assert_eq!(list.issuer(), issuer.subject());
            list.verify_signature(issuer.public_key()).unwrap();
            assert_eq!(list.last_update().timestamp(), NOW);
            assert_eq!(list.next_update().unwrap().timestamp(), NOW + 60);
            let found: Vec<_> = list.iter_revoked_certificates().collect();
            assert_eq!(found.len(), 1);
            assert_eq!(Serial::from_be_bytes(found[0].raw_serial()), Some(serial));
            assert_eq!(found[0].revocation_date.timestamp(), NOW - 5);
            let empty = authority.revocation_list(&[], NOW, NOW + 60).unwrap();
            let (_, list) = CertificateRevocationList::from_der(&empty).unwrap();
            assert_eq!(list.iter_revoked_certificates().count(), 0);
        }
    }
}
