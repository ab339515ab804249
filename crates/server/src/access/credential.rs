//! Credentials: client certificates issued under a role. Generate, sign, list, look up, revoke.
//!
//! The private key of a generated credential leaves with the answer and is kept nowhere.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::index::{Gone, Holder, Role, lock};
use super::name::percent_encoded;
use super::{Access, AccessError};
use crate::mount::{Config, Mount};
use crate::pki::{
    Authority, ClientKey, Issued, KeySpec, PrivateKey, PublicKey, Serial, ServerNames, Subject, pem,
};
use crate::record::{AuthorityId, Edit, Kind, MountId, base64_bytes, key};

/// What is stored of a credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CredentialRecord {
    #[serde(with = "base64_bytes")]
    certificate: Vec<u8>,
    /// Which of the mount's authorities issued it.
    pub(super) authority: AuthorityId,
    /// Seconds since 1970.
    pub(super) not_after: i64,
    /// Seconds since 1970.
    created: i64,
}

/// What the index needs of it: at a start it is read for every credential.
#[derive(Debug, Deserialize)]
pub(super) struct CredentialEnd {
    /// As in [`CredentialRecord`].
    pub(super) not_after: i64,
}

/// A certificate with what belongs to it, for whoever asked for it.
#[derive(Debug)]
pub struct Credential {
    /// Its serial.
    pub serial: Serial,
    /// DER of the certificate.
    pub certificate: Vec<u8>,
    /// DER of the intermediate, then the root; empty when that authority is no longer kept.
    pub chain: Vec<Vec<u8>>,
    /// Only of a credential just generated.
    pub private_key: Option<PrivateKey>,
    /// Last second of its life, since 1970.
    pub not_after: i64,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

impl Credential {
    /// The certificate in PEM, without a newline at the end.
    pub fn certificate_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.certificate)
    }

    /// Intermediate and root in PEM.
    pub fn chain_pem(&self) -> Vec<String> {
        let chain = self.chain.iter();
        chain.map(|der| pem::encode("CERTIFICATE", der)).collect()
    }

    /// Key (if there is one), certificate, intermediate, root: scripts split it by position.
    pub fn bundle_pem(&self) -> Zeroizing<String> {
        let key = self.private_key.as_ref().map(PrivateKey::pem);
        let mut blocks = vec![self.certificate_pem()];
        blocks.extend(self.chain_pem());
        let public = blocks.join("\n");
        let secret = key.as_ref().map_or("", |key| key.as_str());
        // Sized once, so that growing leaves no copy of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(secret.len() + 1 + public.len()));
        if !secret.is_empty() {
            text.push_str(secret);
            text.push('\n');
        }
        text.push_str(&public);
        text
    }
}

impl Access {
    /// Makes a key and a certificate for it. With RSA this takes up to seconds.
    ///
    /// # Errors
    /// [`AccessError::Missing`] without scope or role, [`AccessError::Refused`] while the mount has
    /// no authority yet.
    pub fn generate_credential(
        &self,
        mount: &Mount,
        scope: &str,
        role: &str,
    ) -> Result<Credential, AccessError> {
        self.generate_named_credential(mount, scope, role, ServerNames::default())
    }

    /// As [`Self::generate_credential`], with a certificate that shows these names besides.
    ///
    /// # Errors
    /// As there, and for a name that no certificate can show.
    pub fn generate_named_credential(
        &self,
        mount: &Mount,
        scope: &str,
        role: &str,
        names: ServerNames,
    ) -> Result<Credential, AccessError> {
        let spec = self.client_spec(mount, scope, role)?;
        let key = PrivateKey::generate(spec)?;
        let mut credential = self.issue(mount, scope, role, names, &ClientKey::Private(&key))?;
        credential.private_key = Some(key);
        Ok(credential)
    }

    /// Makes a certificate for the key of a signing request (PEM), whose kind must be the role's.
    ///
    /// # Errors
    /// As [`Self::generate_credential`], and for a request that is wrong in any way.
    pub fn sign_credential(
        &self,
        mount: &Mount,
        scope: &str,
        role: &str,
        names: ServerNames,
        request_pem: &str,
    ) -> Result<Credential, AccessError> {
        let spec = self.client_spec(mount, scope, role)?;
        let key = PublicKey::from_request_pem(request_pem)?;
        key.require(spec)?;
        self.issue(mount, scope, role, names, &ClientKey::Public(&key))
    }

    /// One credential of a role.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn lookup_credential(
        &self,
        mount: &Mount,
        scope: &str,
        role: &str,
        serial: &Serial,
    ) -> Result<Option<Credential>, AccessError> {
        let found = self.read().scope(mount.id(), scope).and_then(|scope| scope.role(role));
        let Some(role) = found else {
            return Ok(None);
        };
        let at = self.credential_key(&role, serial);
        let Some(stored) = self.records.get::<CredentialRecord>(&at)? else {
            return Ok(None);
        };
        let record = stored.value;
        let chain = mount.issuer(record.authority).map_or_else(Vec::new, chain_of);
        Ok(Some(Credential {
            serial: *serial,
            certificate: record.certificate,
            chain,
            private_key: None,
            not_after: record.not_after,
            warnings: Vec::new(),
        }))
    }

    /// Deletes a credential; its certificate opens nothing from the next request on.
    ///
    /// # Errors
    /// [`AccessError::Missing`] when the role has no such credential.
    pub fn revoke_credential(
        &self,
        mount: MountId,
        scope: &str,
        role: &str,
        serial: &Serial,
    ) -> Result<(), AccessError> {
        let _writer = self.writer();
        let role = self.existing_role(mount, scope, role)?;
        let at = self.credential_key(&role, serial);
        let mut edit = Edit::default();
        if !self.remember_revoked(&mut edit, mount, &at, false)? {
            return Err(AccessError::Missing(format!(
                "the role has no credential with serial number {serial}"
            )));
        }
        edit.delete(at);
        self.records.commit(edit)?;
        self.write().withdraw(mount, *serial, Gone::Revoked);
        self.lists.forget(mount);
        Ok(())
    }

    fn client_spec(&self, mount: &Mount, scope: &str, role: &str) -> Result<KeySpec, AccessError> {
        let role = self.existing_role(mount.id(), scope, role)?;
        let stored = lock(&role.stored);
        issuer(mount, &stored.value.tls.ca)?;
        stored.value.tls.key_spec(&mount.config())
    }

    fn issue(
        &self,
        mount: &Mount,
        scope: &str,
        role: &str,
        names: ServerNames,
        key: &ClientKey<'_>,
    ) -> Result<Credential, AccessError> {
        let _writer = self.writer();
        // Looked up under the lock: it may have been deleted while the key was being made.
        let role = self.existing_role(mount.id(), scope, role)?;
        let ca = lock(&role.stored).value.tls.ca.clone();
        let (authority_id, authority) = issuer(mount, &ca)?;
        let now = self.clock.now();
        let (subject, ttl) = subject_and_ttl(&role, names, &mount.config());
        let Issued { certificate, serial, not_after, shortened } =
            authority.issue_client(&subject, key, ttl, now)?;
        let record = CredentialRecord {
            certificate: certificate.to_vec(),
            authority: authority_id,
            not_after,
            created: now,
        };
        let mut edit = Edit::default();
        edit.expect(role.key.clone(), lock(&role.stored).version);
        edit.create(self.credential_key(&role, &serial), &record)?;
        self.records.commit(edit)?;
        self.write().admit(serial, Holder { role, not_after });
        Ok(Credential {
            serial,
            certificate: record.certificate,
            chain: chain_of(authority),
            private_key: None,
            not_after,
            warnings: if shortened {
                vec![
                    "the certificate ends with its certificate authority, before its ttl"
                        .to_owned(),
                ]
            } else {
                Vec::new()
            },
        })
    }

    pub(super) fn credential_prefix(&self, role: &Role) -> Vec<u8> {
        let scope = &role.scope;
        let role_id = lock(&role.stored).value.id;
        let parts: [&[u8]; 3] =
            [scope.mount.as_bytes(), scope.record_id.as_bytes(), role_id.as_bytes()];
        key(Kind::Credential, &parts)
    }

    fn credential_key(&self, role: &Role, serial: &Serial) -> Vec<u8> {
        let mut at = self.credential_prefix(role);
        at.extend_from_slice(serial.as_bytes());
        at
    }
}

/// The authority that issues under a role: a named one, or the engine's own.
fn issuer<'a>(mount: &'a Mount, ca: &str) -> Result<(AuthorityId, &'a Authority), AccessError> {
    if ca.is_empty() {
        let engine = mount.engine().ok_or_else(|| {
            AccessError::Refused(format!(
                "the KMIP engine is not configured yet: write {}config first",
                mount.path()
            ))
        })?;
        return Ok(engine.authority());
    }
    let named = mount.authority(ca).and_then(|named| Some((named.id(), named.issuer()?.as_ref())));
    named.ok_or_else(|| {
        AccessError::Refused(format!("the role's certificate authority {ca:?} does not exist"))
    })
}

fn chain_of(authority: &Authority) -> Vec<Vec<u8>> {
    authority.chain().iter().map(|der| der.to_vec()).collect()
}

fn subject_and_ttl(role: &Role, names: ServerNames, config: &Config) -> (Subject, i64) {
    let stored = lock(&role.stored);
    let scope = lock(&role.scope.stored);
    let subject = Subject {
        scope_id: scope.value.certificate_id.clone(),
        role_id: stored.value.certificate_id.clone(),
        uri: format!(
            "kmip://{}/{}",
            percent_encoded(role.scope.name.as_str()),
            percent_encoded(role.name.as_str())
        ),
        names,
    };
    let ttl = match stored.value.tls.ttl_seconds {
        0 => config.default_tls_client_ttl,
        ttl => ttl,
    };
    (subject, ttl)
}
