//! What a client shows that logs in with a certificate, as far as nobody has revoked it.

use std::sync::Arc;

use super::certificate::WRONG;
use super::principal::Principals;
use super::{AuthError, Certificates, Client, IsRevoked};
use crate::pki::{Presented, RevokedList};

const NONE_SHOWN: &str = "client certificate must be supplied";

/// What a client shows, without what is revoked.
pub(super) struct Shown {
    pub(super) own: Presented,
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) now: i64,
    revoked: Vec<Arc<RevokedList>>,
}

impl Certificates<'_> {
    pub(super) fn shown(
        self,
        client: Client<'_>,
        is_revoked: IsRevoked<'_>,
    ) -> Result<Shown, AuthError> {
        let Principals { methods, method } = self.0;
        let (leaf, above) =
            client.certificates.split_first().ok_or_else(|| AuthError::bad(NONE_SHOWN))?;
        let own = Presented::of(leaf).ok_or(AuthError::Wrong(WRONG))?;
        let revoked: Vec<_> = methods.lists(method.id()).into_values().collect();
        let mut shown = Shown { own, chain: vec![leaf.clone()], revoked, now: methods.clock.now() };
        if shown.is_revoked(leaf) || is_revoked(client.certificates)? {
            return Err(AuthError::Wrong(WRONG));
        }
        // Another way up may lead around one that is revoked.
        let above: Vec<_> = above.iter().filter(|it| !shown.is_revoked(it)).cloned().collect();
        shown.chain.extend(above);
        Ok(shown)
    }
}

impl Shown {
    pub(super) fn is_revoked(&self, certificate: &[u8]) -> bool {
        self.revoked.iter().any(|list| list.names(certificate))
    }
}
