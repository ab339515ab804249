//! From the subject of a client certificate (OU a scope's identifier, CN a role's) to what it may
//! do: for an operator who holds a certificate and asks whose it is.

use super::Access;
use super::index::lock;
use super::operations::names_in;
use crate::record::MountId;

/// A scope, as the OU of a certificate names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeSubject {
    /// OU of its certificates.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Its roles.
    pub roles: Vec<RoleSubject>,
}

/// A role, as the CN of a certificate names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSubject {
    /// CN of its certificates.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Seconds since 1970.
    pub created: i64,
    /// The operations that a request may carry out, without the prefix `operation_`.
    pub allowed: Vec<&'static str>,
}

impl Access {
    /// Every scope of a mount with its roles, by identifier.
    pub fn subjects(&self, mount: MountId) -> Vec<ScopeSubject> {
        let mut subjects = Vec::new();
        for name in self.list_scopes(mount) {
            let Some(scope) = self.read().scope(mount, name.as_str()) else { continue };
            let mut roles: Vec<RoleSubject> = Vec::new();
            for role in lock(&scope.roles).values() {
                let stored = lock(&role.stored);
                let record = &stored.value;
                roles.push(RoleSubject {
                    id: record.certificate_id.clone(),
                    name: role.name.as_str().to_owned(),
                    created: record.created,
                    allowed: names_in(record.permissions.effective()).collect(),
                });
            }
            roles.sort_by(|a, b| a.id.cmp(&b.id));
            let stored = lock(&scope.stored);
            subjects.push(ScopeSubject {
                id: stored.value.certificate_id.clone(),
                name: name.as_str().to_owned(),
                created: stored.value.created,
                roles,
            });
        }
        subjects.sort_by(|a, b| a.id.cmp(&b.id));
        subjects
    }
}
