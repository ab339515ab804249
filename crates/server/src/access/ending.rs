//! Credentials with the end of their lives: for lists and for warnings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Access;
use super::index::{Role, Scope, lock};
use crate::pki::Serial;
use crate::record::MountId;

/// Credentials of one role for which the same warning is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingCredentials {
    /// Their mount.
    pub mount: MountId,
    /// Their scope.
    pub scope: String,
    /// Their role.
    pub role: String,
    /// The days that are left at most.
    pub days: i64,
    /// How many.
    pub count: usize,
    /// When the first of them ends, in seconds since 1970.
    pub first: i64,
}

/// A credential in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCredential {
    /// Its serial.
    pub serial: Serial,
    /// Its scope.
    pub scope: String,
    /// Its role.
    pub role: String,
    /// Last second of its life, since 1970.
    pub not_after: i64,
}

impl Access {
    /// A mount's credentials by serial, or those of a scope, of roles of a name, that end at the latest
    /// at an instant in seconds since 1970.
    pub fn list_credentials(
        &self,
        mount: MountId,
        scope: Option<&str>,
        role: Option<&str>,
        latest: Option<i64>,
    ) -> Vec<ListedCredential> {
        let index = self.read();
        let mut found = Vec::new();
        let scopes: Vec<Arc<Scope>> = match scope {
            Some(name) => index.scope(mount, name).into_iter().collect(),
            None => {
                index.scopes.get(&mount).into_iter().flat_map(|it| it.values().cloned()).collect()
            }
        };
        for scope in scopes {
            let roles: Vec<Arc<Role>> = match role {
                Some(name) => scope.role(name).into_iter().collect(),
                None => lock(&scope.roles).values().cloned().collect(),
            };
            for role in roles {
                let holders = index.of_role(&role).into_iter();
                let wanted =
                    holders.filter(|(_, it)| latest.is_none_or(|latest| it.not_after <= latest));
                found.extend(wanted.map(|(serial, holder)| ListedCredential {
                    serial,
                    scope: scope.name.as_str().to_owned(),
                    role: role.name.as_str().to_owned(),
                    not_after: holder.not_after,
                }));
            }
        }
        found.sort_by_key(|credential| credential.serial);
        found
    }

    /// The credentials for which `due` names days, by role: a line for each of a hundred thousand
    /// would be read by nobody.
    pub fn ending_credentials(&self, due: impl Fn(i64) -> Option<i64>) -> Vec<EndingCredentials> {
        let index = self.read();
        let mut found: BTreeMap<_, EndingCredentials> = BTreeMap::new();
        for ((mount, _), holder) in &index.holders {
            let Some(days) = due(holder.not_after) else {
                continue;
            };
            let (scope, role) = (holder.role.scope.name.as_str(), holder.role.name.as_str());
            let ending = found.entry((*mount, scope, role, days)).or_insert_with(|| {
                let (scope, role) = (scope.to_owned(), role.to_owned());
                EndingCredentials {
                    mount: *mount,
                    scope,
                    role,
                    days,
                    count: 0,
                    first: holder.not_after,
                }
            });
            ending.count += 1;
            ending.first = ending.first.min(holder.not_after);
        }
        found.into_values().collect()
    }
}
