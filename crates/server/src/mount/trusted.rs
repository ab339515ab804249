//! Whose clients a listener takes, and who a client is that it took.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use super::MountError;
use super::engine::KeptAuthority;
use super::imported::{ImportedAuthority, ImportedClient};
use crate::pki::trust::{ClientTrust, Issuer};
use crate::pki::{ClientSubject, Serial};
use crate::record::AuthorityId;

/// Who a client is, by its certificate.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A credential that this server issued has this serial.
    Issued(Serial),
    /// An imported authority vouches for it.
    Imported(Arc<ImportedClient>),
}

impl Identity {
    /// The serial of the certificate. Only those that this server issued are unique.
    pub fn serial(&self) -> Serial {
        match self {
            Self::Issued(serial) => *serial,
            Self::Imported(client) => client.subject.serial,
        }
    }
}

impl From<Serial> for Identity {
    fn from(serial: Serial) -> Self {
        Self::Issued(serial)
    }
}

/// The authorities whose clients a listener takes.
#[derive(Debug)]
pub struct TrustedClients {
    pub(super) trust: ClientTrust,
    imported: Vec<Arc<ImportedAuthority>>,
    ids: BTreeSet<AuthorityId>,
}

impl TrustedClients {
    /// Clients of these authorities.
    pub(super) fn new<'a>(
        own: impl IntoIterator<Item = &'a KeptAuthority>,
        imported: Vec<Arc<ImportedAuthority>>,
    ) -> Result<Self, MountError> {
        let mut ids: BTreeSet<AuthorityId> = imported.iter().map(|it| it.id).collect();
        let mut certificates = Vec::new();
        for kept in own {
            ids.insert(kept.id);
            // The intermediate is an anchor too: many clients send their own certificate alone.
            certificates.extend(kept.authority.chain());
        }
        let foreign = imported.iter().map(|authority| authority.certificates().to_vec()).collect();
        Ok(Self { trust: ClientTrust::new(certificates, foreign)?, imported, ids })
    }

    /// Who a client is whose handshake succeeded, by the chain that it showed. `now` is in seconds
    /// since 1970.
    pub fn identify(&self, chain: &[CertificateDer<'_>], now: i64) -> Option<Identity> {
        match self.trust.issuer(chain, now)? {
            Issuer::Own => Serial::of_certificate(chain.first()?).map(Identity::Issued),
            Issuer::Imported(position) => {
                let authority = self.imported.get(position)?.clone();
                let subject = ClientSubject::of(chain.first()?)?;
                Some(Identity::Imported(Arc::new(ImportedClient::new(authority, subject))))
            }
        }
    }

    /// Whether everybody is taken whom `other` takes.
    pub fn includes(&self, other: &Self) -> bool {
        self.ids.is_superset(&other.ids)
    }

    /// Whether the same are taken.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.ids == other.ids
    }
}
