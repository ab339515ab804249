//! Credentials whose life ends, for warnings.

use std::collections::BTreeMap;

use super::Access;
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

impl Access {
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
