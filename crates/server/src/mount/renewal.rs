//! Server certificates that end soon are made anew; what ends and cannot be renewed is told.

use std::sync::Arc;

use super::engine::new_server;
use super::listener::{Listener, issuing};
use super::mounted::Mount;
use super::table::Mounts;
use super::{MountError, stored};
use crate::pki::tls::ServerIdentity;
use crate::pki::{SERVER_SECONDS, trust};
use crate::record::Edit;

const DAY_SECONDS: i64 = 86_400;

/// A server certificate is renewed when so little is left of it.
const RENEW_SECONDS: i64 = 60 * DAY_SECONDS;

/// Something that ends, for a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What, in words.
    pub what: String,
    /// Last second of its life, since 1970.
    pub not_after: i64,
}

impl Mounts {
    /// Makes server certificates anew that end soon. New connections are shown the new ones, open
    /// ones go on. How many were renewed; what fails is logged and tried again at the next call.
    pub fn renew_server_certificates(&self) -> usize {
        let mut renewed = 0;
        for mount in self.list() {
            let names: Vec<String> = mount.listeners().map(|it| it.name().to_owned()).collect();
            let outcomes = std::iter::once(self.renew_own(&mount))
                .chain(names.iter().map(|name| self.renew_listener(&mount, name)));
            for outcome in outcomes {
                match outcome {
                    Ok(true) => renewed += 1,
                    Ok(false) => {}
                    Err(error) => tracing::error!(
                        mount = %mount.path(), %error, "a server certificate could not be renewed"
                    ),
                }
            }
        }
        renewed
    }

    fn renew_own(&self, mount: &Mount) -> Result<bool, MountError> {
        let _writer = self.writer();
        let mount = self.existing(mount.path())?;
        let Some(before) = mount.engine() else {
            return Ok(false);
        };
        let now = self.clock.now();
        let authority = &before.current.authority;
        if !is_due(&before.server, authority.not_after(), now) {
            return Ok(false);
        }
        let server = new_server(&before.config().names()?, authority, now)?;
        let mut engine = before.with_server(server)?;
        self.listeners.apply(mount.id(), engine.plan()).map_err(MountError::Listen)?;
        let mut edit = Edit::default();
        let stored = stored::write_engine(&mut edit, mount.id(), &engine, Some(before))
            .and_then(|version| self.records.commit(edit).map(|()| version));
        match stored {
            Ok(version) => engine.version = version,
            Err(error) => {
                self.restore(&mount);
                return Err(error.into());
            }
        }
        let mut after = Mount::clone(&mount);
        after.engine = Some(Arc::new(engine));
        self.put(after);
        Ok(true)
    }

    fn renew_listener(&self, mount: &Mount, name: &str) -> Result<bool, MountError> {
        let _writer = self.writer();
        let mount = self.existing(mount.path())?;
        let Some(before) = mount.listener(name) else {
            return Ok(false);
        };
        let now = self.clock.now();
        let (_, authority) = issuing(&mount, &before.config.ca)?;
        if !is_due(&before.server, authority.not_after(), now) {
            return Ok(false);
        }
        let listener = Listener::assemble(&mount, name, before.config.clone(), None, now)?;
        self.establish(&mount, listener)?;
        Ok(true)
    }

    /// Every authority and server certificate of every mount, with the end of its life.
    pub fn endings(&self) -> Vec<Ending> {
        let mut endings = Vec::new();
        for mount in self.list() {
            let path = mount.path();
            if let Some(engine) = mount.engine() {
                let (_, authority) = engine.authority();
                endings.push(Ending {
                    what: format!("the certificate authority of {path}config"),
                    not_after: authority.not_after(),
                });
                endings.extend(shown(&engine.server, format!("{path}config")));
            }
            for authority in mount.authorities() {
                endings.push(Ending {
                    what: format!("the certificate authority {path}ca/{}", authority.name()),
                    not_after: authority.not_after(),
                });
            }
            for listener in mount.listeners() {
                endings
                    .extend(shown(&listener.server, format!("{path}listener/{}", listener.name)));
            }
        }
        endings
    }
}

fn shown(server: &ServerIdentity, of: String) -> Option<Ending> {
    let not_after = end_of(server)?;
    Some(Ending { what: format!("the server certificate of {of}"), not_after })
}

fn end_of(server: &ServerIdentity) -> Option<i64> {
    trust::earliest_end(server.chain.get(..1)?)
}

/// Whether a certificate ends soon, and the next one would end later.
fn is_due(server: &ServerIdentity, authority_ends: i64, now: i64) -> bool {
    let Some(not_after) = end_of(server) else {
        return true;
    };
    let next = now.saturating_add(SERVER_SECONDS).min(authority_ends);
    not_after.saturating_sub(now) < RENEW_SECONDS && next.saturating_sub(not_after) > DAY_SECONDS
}
