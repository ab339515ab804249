//! What a running server does about certificates by itself: renews those of its listeners, warns of
//! those that end, forgets revoked ones that have ended.
//!
//! Called now and then; knows no timer, so that tests call it at any instant.

use std::fmt;
use std::sync::Arc;

use crate::access::Access;
use crate::clock::Clock;
use crate::mount::Mounts;
use crate::pki::warning_due;

/// The upkeep of an unsealed server.
pub struct Upkeep {
    mounts: Arc<Mounts>,
    access: Arc<Access>,
    clock: Arc<dyn Clock>,
    /// When it ran last, in seconds since 1970.
    before: Option<i64>,
}

/// A warning that became due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What ends, in words.
    pub what: String,
    /// The days that are left at most; 0 when the end is past.
    pub days: i64,
}

impl Upkeep {
    /// Of a server's mounts and credentials.
    pub fn new(mounts: Arc<Mounts>, access: Arc<Access>, clock: Arc<dyn Clock>) -> Self {
        Self { mounts, access, clock, before: None }
    }

    /// Does what is due, logs it, and says what it warned of. Blocks on storage.
    pub fn run(&mut self) -> Vec<Warning> {
        let renewed = self.mounts.renew_server_certificates();
        if renewed > 0 {
            tracing::info!(renewed, "server certificates were renewed");
        }
        let warnings = self.warnings();
        for Warning { what, days } in &warnings {
            match days {
                0 => tracing::warn!(what, "has expired"),
                days => tracing::warn!(what, days, "expires within so many days"),
            }
        }
        for mount in self.mounts.list() {
            if let Err(error) = self.access.forget_expired(mount.id()) {
                tracing::warn!(
                    mount = %mount.path(), %error,
                    "revoked certificates that have expired are not forgotten yet"
                );
            }
        }
        warnings
    }

    fn warnings(&mut self) -> Vec<Warning> {
        let now = self.clock.now();
        let before = self.before.replace(now);
        let due = |not_after| warning_due(not_after, before, now);
        let mut warnings = Vec::new();
        for ending in self.mounts.endings() {
            if let Some(days) = due(ending.not_after) {
                warnings.push(Warning { what: ending.what, days });
            }
        }
        // A credential that ended before this process began is no news.
        let due = |not_after| due(not_after).filter(|days| *days > 0 || before.is_some());
        for ending in self.access.ending_credentials(due) {
            let path = self.mounts.path_of(ending.mount);
            let path = path.as_ref().map_or("", |path| path.as_str());
            warnings.push(Warning {
                what: format!(
                    "{} credential(s) of {path}scope/{}/role/{}",
                    ending.count, ending.scope, ending.role
                ),
                days: ending.days,
            });
        }
        warnings
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep").field("before", &self.before).finish_non_exhaustive()
    }
}
