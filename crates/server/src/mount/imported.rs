//! Imported authorities: they vouch for clients, and a client's scope and role are fixed or stand in
//! the subject of its certificate.
//!
//! One value is shared by the table of mounts and by every connection of a client under it, so that
//! what is changed, denied or deleted acts on open connections. Never knows whether a scope exists.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use aws_lc_rs::{digest, hmac};
use rustls_pki_types::CertificateDer;

use super::MountError;
use crate::pki::{ClientSubject, Serial, SubjectField};
use crate::record::{AuthorityId, Change};

/// Longest name of a scope or role, as `access` has it.
const NAME_BYTES_MAX: usize = 255;

/// Where the name of a client's scope or role comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The same for every client.
    Name(String),
    /// A field of the certificate's subject.
    Field(SubjectField),
}

impl Selector {
    /// The name, if it is fixed.
    pub fn fixed(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Field(_) => None,
        }
    }

    /// The field, if it is taken from the subject.
    pub fn field(&self) -> Option<SubjectField> {
        match self {
            Self::Name(_) => None,
            Self::Field(field) => Some(*field),
        }
    }

    fn select<'a>(&'a self, subject: &'a ClientSubject) -> Result<&'a str, Unplaced> {
        match self {
            Self::Name(name) => Ok(name),
            Self::Field(field) => subject.field(*field).ok_or(Unplaced::Field(*field)),
        }
    }
}

/// Where the clients of an imported authority belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Their scope.
    pub scope: Selector,
    /// Their role in it.
    pub role: Selector,
}

/// What a write says about a mapping. Of each pair one is meant, which ends the other.
#[derive(Debug, Clone, Default)]
pub struct MappingChange {
    /// A scope for every client.
    pub scope_name: Change<String>,
    /// The subject field with the scope.
    pub scope_field: Change<SubjectField>,
    /// A role for every client.
    pub role_name: Change<String>,
    /// The subject field with the role.
    pub role_field: Change<SubjectField>,
}

impl MappingChange {
    /// The mapping after the write; `before` is absent for an authority that is being imported.
    ///
    /// # Errors
    /// When not exactly one of a pair would be set.
    pub(super) fn apply(self, before: Option<&Mapping>) -> Result<Mapping, MountError> {
        let scope = before.map(|mapping| &mapping.scope);
        let role = before.map(|mapping| &mapping.role);
        Ok(Mapping {
            scope: select("scope", scope, self.scope_name, self.scope_field)?,
            role: select("role", role, self.role_name, self.role_field)?,
        })
    }
}

fn select(
    what: &str,
    before: Option<&Selector>,
    name: Change<String>,
    field: Change<SubjectField>,
) -> Result<Selector, MountError> {
    let bad = || MountError::BadInput(format!("give exactly one of {what}_name and {what}_field"));
    // An empty text is how some clients say that there is none.
    let name = match name {
        Change::To(text) if text.is_empty() => Change::Reset,
        other => other,
    };
    match (name, field) {
        (Change::To(_), Change::To(_)) => Err(bad()),
        (Change::To(name), _) if name.len() > NAME_BYTES_MAX => {
            Err(MountError::BadInput(format!("{what}_name is too long")))
        }
        (Change::To(name), _) => Ok(Selector::Name(name)),
        (_, Change::To(field)) => Ok(Selector::Field(field)),
        (name, field) => {
            let kept = before.filter(|before| match before {
                Selector::Name(_) => name == Change::Keep,
                Selector::Field(_) => field == Change::Keep,
            });
            kept.cloned().ok_or_else(bad)
        }
    }
}

/// Why a client under an imported authority belongs nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unplaced {
    /// The authority was deleted.
    Deleted,
    /// The certificate was revoked here.
    Denied,
    /// The subject has not exactly one value of this field.
    Field(SubjectField),
}

/// Stands in keys of records for who issued a certificate under an imported authority.
pub type IssuerHash = [u8; 16];

/// A certificate that is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Denied {
    /// Its serial.
    pub serial: Serial,
    /// Who issued it; `None` for every issuer under the authority.
    pub issuer: Option<IssuerHash>,
}

/// An imported authority.
pub struct ImportedAuthority {
    /// Its identifier.
    pub(crate) id: AuthorityId,
    certificates: Vec<CertificateDer<'static>>,
    /// Makes issuers short, and tells nobody who has only the keys of records who they are.
    issuer_key: hmac::Key,
    state: RwLock<State>,
}

struct State {
    mapping: Mapping,
    denied: HashSet<Denied>,
    deleted: bool,
}

impl ImportedAuthority {
    pub(super) fn new(
        id: AuthorityId,
        certificates: Vec<CertificateDer<'static>>,
        mapping: Mapping,
        denied: impl IntoIterator<Item = Denied>,
    ) -> Self {
        let state = State { mapping, denied: denied.into_iter().collect(), deleted: false };
        let mut all = digest::Context::new(&digest::SHA256);
        certificates.iter().for_each(|certificate| all.update(certificate));
        let issuer_key = hmac::Key::new(hmac::HMAC_SHA256, all.finish().as_ref());
        Self { id, certificates, issuer_key, state: RwLock::new(state) }
    }

    /// What stands for an issuer under it, whose name is given in DER (docs/formats.md §2).
    pub fn issuer_hash(&self, name: &[u8]) -> IssuerHash {
        let tag = hmac::sign(&self.issuer_key, name);
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// Its certificates, in the order in which they were given.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// Where its clients belong.
    pub fn mapping(&self) -> Mapping {
        self.read().mapping.clone()
    }

    /// Hands the scope and role of a client to `found`.
    ///
    /// # Errors
    /// When it belongs nowhere.
    pub fn place<T>(
        &self,
        subject: &ClientSubject,
        issuer: IssuerHash,
        found: impl FnOnce(&str, &str) -> T,
    ) -> Result<T, Unplaced> {
        let state = self.read();
        if state.deleted {
            return Err(Unplaced::Deleted);
        }
        if state.denies(subject.serial, issuer) {
            return Err(Unplaced::Denied);
        }
        let scope = state.mapping.scope.select(subject)?;
        let role = state.mapping.role.select(subject)?;
        Ok(found(scope, role))
    }

    /// Whether a certificate was revoked here; of an unknown issuer, whether one with that serial was.
    pub fn denies(&self, serial: Serial, issuer: Option<IssuerHash>) -> bool {
        let state = self.read();
        match issuer {
            Some(issuer) => state.denies(serial, issuer),
            None => state.denied.iter().any(|denied| denied.serial == serial),
        }
    }

    /// From now on a certificate opens nothing. Whoever calls has stored it.
    pub fn deny(&self, denied: Denied) {
        self.write().denied.insert(denied);
    }

    pub(super) fn remap(&self, mapping: Mapping) {
        self.write().mapping = mapping;
    }

    pub(super) fn delete(&self) {
        self.write().deleted = true;
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn denies(&self, serial: Serial, issuer: IssuerHash) -> bool {
        [None, Some(issuer)]
            .into_iter()
            .any(|issuer| self.denied.contains(&Denied { serial, issuer }))
    }
}

impl fmt::Debug for ImportedAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedAuthority").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A client whose certificate an imported authority vouches for.
#[derive(Debug)]
pub struct ImportedClient {
    /// Who vouches.
    pub authority: Arc<ImportedAuthority>,
    /// What the certificate says.
    pub subject: ClientSubject,
    /// Stands for who issued it.
    pub issuer: IssuerHash,
}

impl ImportedClient {
    /// The client whose verified certificate says that.
    pub fn new(authority: Arc<ImportedAuthority>, subject: ClientSubject) -> Self {
        let issuer = authority.issuer_hash(&subject.issuer);
        Self { authority, subject, issuer }
    }

    pub(crate) fn place<T>(&self, found: impl FnOnce(&str, &str) -> T) -> Result<T, Unplaced> {
        self.authority.place(&self.subject, self.issuer, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to<T>(value: T) -> Change<T> {
        Change::To(value)
    }

    #[test]
    fn of_each_pair_exactly_one_is_set() {
        let first = MappingChange {
            scope_name: to("finance".to_owned()),
            role_field: to(SubjectField::CommonName),
            ..MappingChange::default()
        };
        let mapping = first.apply(None).unwrap();
        assert_eq!(mapping.scope.fixed(), Some("finance"));
        assert_eq!(mapping.role.field(), Some(SubjectField::CommonName));
        let kept = MappingChange::default().apply(Some(&mapping)).unwrap();
        assert_eq!(kept, mapping);
        let turned = MappingChange {
            scope_name: to(String::new()),
            scope_field: to(SubjectField::OrganizationalUnit),
            ..MappingChange::default()
        };
        let turned = turned.apply(Some(&mapping)).unwrap();
        assert_eq!(turned.scope, Selector::Field(SubjectField::OrganizationalUnit));
        for wrong in [
            MappingChange { scope_name: Change::Reset, ..MappingChange::default() },
            MappingChange {
                scope_name: to("a".to_owned()),
                scope_field: to(SubjectField::UserId),
                ..MappingChange::default()
            },
            MappingChange { role_field: Change::Reset, ..MappingChange::default() },
            MappingChange { scope_name: to("x".repeat(256)), ..MappingChange::default() },
        ] {
            assert!(wrong.clone().apply(Some(&mapping)).is_err(), "{wrong:?}");
        }
        assert!(MappingChange::default().apply(None).is_err());
    }
}
