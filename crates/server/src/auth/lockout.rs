//! Lockout: after some wrong passwords or secret IDs in a row nobody logs in under a name for a while,
//! the right secret included (vault's defaults). In memory; a restart forgets it.
//!
//! Names that nobody has are locked like others, so that a lock does not tell who there is. They are
//! bounded; names that somebody has are as many as were made.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::principal::NAME_BYTES_MAX;
use super::{AuthError, AuthMethods, Method, MethodKind};
use crate::record::{MethodId, RecordError};

/// Wrong secrets in a row that lock a name.
const FAILURES_MAX: u32 = 5;

/// How long it is locked after the last of them.
const LOCK_SECONDS: i64 = 15 * 60;

/// How long after a wrong secret it is not counted any more.
const RESET_SECONDS: i64 = 15 * 60;

/// Names that nobody has which are remembered; beyond them, the one that failed longest ago is
/// forgotten.
const STRANGERS_MAX: usize = 10_000;

/// A name under a method.
type Alias = (MethodId, String);

struct Failures {
    count: u32,
    /// Seconds since 1970.
    last: i64,
    /// Whether somebody has the name.
    exists: bool,
}

impl Failures {
    fn is_locked(&self, now: i64) -> bool {
        self.count >= FAILURES_MAX && now.saturating_sub(self.last) < LOCK_SECONDS
    }

    fn is_over(&self, now: i64) -> bool {
        now.saturating_sub(self.last) >= RESET_SECONDS.max(LOCK_SECONDS)
    }
}

/// Who has failed.
#[derive(Default)]
pub(super) struct Lockout {
    failed: Mutex<HashMap<Alias, Failures>>,
}

/// What a login found out.
pub(super) enum Refused {
    /// Name and secret do not belong together.
    Wrong {
        /// Whether somebody has the name.
        exists: bool,
    },
    /// It ends for another reason, which is not counted.
    Other(AuthError),
}

impl From<AuthError> for Refused {
    fn from(error: AuthError) -> Self {
        Self::Other(error)
    }
}

impl From<RecordError> for Refused {
    fn from(error: RecordError) -> Self {
        Self::Other(error.into())
    }
}

/// The names that are locked under one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedUsers {
    /// The method's accessor.
    pub accessor: String,
    /// User names, or role IDs.
    pub names: Vec<String>,
}

impl Lockout {
    fn is_locked(&self, alias: &Alias, now: i64) -> bool {
        self.all().get(alias).is_some_and(|failures| failures.is_locked(now))
    }

    /// Counts a wrong secret; whether that has locked the name.
    fn failed(&self, alias: Alias, exists: bool, now: i64) -> bool {
        let mut all = self.all();
        if all.len() >= STRANGERS_MAX && !all.contains_key(&alias) {
            all.retain(|_, failures| !failures.is_over(now));
            if !exists && !make_room(&mut all, now) {
                return false;
            }
        }
        let failures = all.entry(alias).or_insert(Failures { count: 0, last: now, exists });
        // Locked by others while this one was looked at: the lock does not grow longer.
        if failures.is_locked(now) {
            return false;
        }
        let is_old = now.saturating_sub(failures.last) >= RESET_SECONDS;
        failures.count = if is_old { 1 } else { failures.count.saturating_add(1) };
        failures.last = now;
        failures.exists = exists;
        failures.is_locked(now)
    }

    /// Forgets the failures of a name whose secret was right; false if it is locked.
    fn succeeded(&self, alias: &Alias, now: i64) -> bool {
        let mut all = self.all();
        if all.get(alias).is_some_and(|failures| failures.is_locked(now)) {
            return false;
        }
        all.remove(alias);
        true
    }

    pub(super) fn forget_method(&self, method: MethodId) {
        self.all().retain(|(of, _), _| *of != method);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all().len()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Alias, Failures>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the stranger that failed longest ago if there are too many; false if all of them are
/// locked. A locked one is not forgotten: that would tell that nobody has the name.
fn make_room(all: &mut HashMap<Alias, Failures>, now: i64) -> bool {
    let strangers = all.iter().filter(|(_, failures)| !failures.exists);
    if strangers.clone().count() < STRANGERS_MAX {
        return true;
    }
    let oldest = strangers.filter(|(_, failures)| !failures.is_locked(now));
    let oldest = oldest.min_by_key(|(_, failures)| failures.last);
    oldest.map(|(alias, _)| alias.clone()).is_some_and(|oldest| all.remove(&oldest).is_some())
}

impl AuthMethods {
    /// Runs a login under a name, unless it is locked; counts what is wrong, in those words.
    pub(super) fn guarded<T>(
        &self,
        method: &Method,
        name: &str,
        words: &'static str,
        verify: impl FnOnce() -> Result<T, Refused>,
    ) -> Result<T, AuthError> {
        if name.len() > NAME_BYTES_MAX {
            return Err(AuthError::Wrong(words));
        }
        let alias = (method.id(), name.to_owned());
        if self.lockout.is_locked(&alias, self.clock.now()) {
            return Err(AuthError::Denied);
        }
        match verify() {
            // Looked at again: of many guesses at once, those after the lock learn nothing.
            Ok(done) if self.lockout.succeeded(&alias, self.clock.now()) => Ok(done),
            Ok(_) => Err(AuthError::Denied),
            Err(Refused::Wrong { exists }) => {
                // The names of strangers are whatever somebody sent: none for the log.
                if self.lockout.failed(alias, exists, self.clock.now()) && exists {
                    let method = method.accessor();
                    tracing::warn!(method, name, "locked out: too many wrong secrets in a row");
                }
                Err(AuthError::Wrong(words))
            }
            Err(Refused::Other(error)) => Err(error),
        }
    }

    /// The names that are locked and that somebody has, by the accessors of their methods.
    pub fn locked(&self) -> Vec<LockedUsers> {
        let now = self.clock.now();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let all = self.lockout.all();
        for ((id, name), _) in all.iter().filter(|(_, it)| it.exists && it.is_locked(now)) {
            if let Some(method) = self.of_id(*id) {
                found.entry(method.accessor().to_owned()).or_default().push(name.clone());
            }
        }
        drop(all);
        let sorted = |(accessor, mut names): (String, Vec<String>)| {
            names.sort();
            LockedUsers { accessor, names }
        };
        found.into_iter().map(sorted).collect()
    }

    /// Unlocks a name under the method of that accessor; whatever is not locked stays so.
    pub fn unlock(&self, accessor: &str, name: &str) {
        for method in self.list().iter().filter(|method| method.accessor() == accessor) {
            let name = match method.kind() {
                MethodKind::Userpass => name.to_lowercase(),
                MethodKind::AppRole | MethodKind::Cert => name.to_owned(),
            };
            self.lockout.all().remove(&(method.id(), name));
        }
    }
}
