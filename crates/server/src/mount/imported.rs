//! Imported authorities: they vouch for clients, and a client's scope and role are fixed or stand in
//! the subject of its certificate.
//!
//! One value is shared by the table of mounts and by every connection of a client under it, so that
//! what is changed, denied or deleted acts on open connections. Never knows whether a scope exists.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

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

/// An imported authority.
pub struct ImportedAuthority {
    /// Its identifier.
    pub(crate) id: AuthorityId,
    certificates: Vec<CertificateDer<'static>>,
    state: RwLock<State>,
}

struct State {
    mapping: Mapping,
    denied: HashSet<Serial>,
    deleted: bool,
}

impl ImportedAuthority {
    pub(super) fn new(
        id: AuthorityId,
        certificates: Vec<CertificateDer<'static>>,
        mapping: Mapping,
        denied: impl IntoIterator<Item = Serial>,
    ) -> Self {
        let state = State { mapping, denied: denied.into_iter().collect(), deleted: false };
        Self { id, certificates, state: RwLock::new(state) }
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
        found: impl FnOnce(&str, &str) -> T,
    ) -> Result<T, Unplaced> {
        let state = self.read();
        if state.deleted {
            return Err(Unplaced::Deleted);
        }
        if state.denied.contains(&subject.serial) {
            return Err(Unplaced::Denied);
        }
        let scope = state.mapping.scope.select(subject)?;
        let role = state.mapping.role.select(subject)?;
        Ok(found(scope, role))
    }

    /// Whether a certificate was revoked here.
    pub fn denies(&self, serial: &Serial) -> bool {
        self.read().denied.contains(serial)
    }

    /// From now on a certificate opens nothing. Whoever calls has stored it.
    pub fn deny(&self, serial: Serial) {
        self.write().denied.insert(serial);
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
