//! Renewing the tokens of logins: who logged in must still be there, and may do what it could.

use super::approle::AppRoleRecord;
use super::principal::Principals;
use super::userpass::UserRecord;
use super::{AuthError, AuthMethods, Certificates, Client, IsRevoked, MethodKind};
use crate::token::{Terms, TokenInfo};

impl AuthMethods {
    /// The terms on which a token is renewed now; `None` for one that no login made.
    ///
    /// # Errors
    /// [`AuthError::BadInput`] when it is not to be renewed; says why.
    pub fn terms_at_renewal(
        &self,
        info: &TokenInfo,
        client: Client<'_>,
        is_revoked: IsRevoked<'_>,
    ) -> Result<Option<Terms>, AuthError> {
        let Some(login) = &info.login else { return Ok(None) };
        let gone = || AuthError::bad("who logged in for the token is not there any more");
        let method = self.of_id(login.method).ok_or_else(gone)?;
        let principals = Principals { methods: self, method: &method };
        let name = login.name.as_str();
        let terms = match method.kind() {
            MethodKind::AppRole => {
                principals.get::<AppRoleRecord>(name)?.map(|stored| stored.value.token)
            }
            MethodKind::Userpass => {
                principals.get::<UserRecord>(name)?.map(|stored| stored.value.token)
            }
            MethodKind::Cert => {
                Certificates::of(self, &method).terms_at_renewal(login, client, is_revoked)?
            }
        };
        let terms = terms.ok_or_else(gone)?;
        // A role's tokens keep what they were made with until they end, as Vault's do.
        if method.kind() != MethodKind::AppRole && terms.granted() != info.policies {
            return Err(AuthError::bad("policies have changed, not renewing"));
        }
        Ok(Some(terms.at_renewal(&method)))
    }
}
