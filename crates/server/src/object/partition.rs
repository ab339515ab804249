//! A scope's objects as a whole, for those who create and delete scopes.

use claviger_store::{CommitError, Key, Range};

use super::layout;
use super::lifecycle::State;
use super::managed::ManagedObject;
use super::objects::Objects;
use super::{ObjectId, record};
use crate::access;
use crate::record::{MountId, ScopeId};
use crate::seal::{Changes, SealError};

/// How many rows one commit deletes.
const PAGE: usize = 4096;

impl access::Objects for Objects {
    fn any(&self, mount: MountId, scope: ScopeId) -> Result<bool, String> {
        let mut range = layout::objects(mount.as_bytes(), scope.as_bytes()).limit(PAGE);
        loop {
            let page = self.barrier.scan(&range).map_err(|error| error.to_string())?;
            for (key, opened) in &page {
                let Some(id) = layout::id_of(key).map(ObjectId::from_bytes) else { continue };
                let object = record::decode(id, &opened.bytes).map_err(|it| it.to_string())?;
                if !is_gone(&object) {
                    return Ok(true);
                }
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE => range = range.after(key),
                _ => return Ok(false),
            }
        }
    }

    fn delete_all(&self, mount: MountId, scope: ScopeId) -> Result<(), String> {
        let (mount, scope) = (mount.as_bytes(), scope.as_bytes());
        let served = layout::all_served(mount, scope);
        let held = layout::all_held(mount, scope);
        // What waits to be written of the scope must not come after its end.
        self.forget_waiting(&served.start, &held.start);
        self.delete_rows(&layout::indices(mount, scope))?;
        self.delete_rows(&served)?;
        self.delete_rows(&held)?;
        self.delete_rows(&layout::all_names(mount, scope))?;
        self.delete_rows(&layout::objects(mount, scope))?;
        self.forget();
        Ok(())
    }
}

impl Objects {
    fn delete_rows(&self, range: &Range) -> Result<(), String> {
        let page = range.clone().limit(PAGE);
        loop {
            let keys = self.barrier.keys(&page).map_err(|error: SealError| error.to_string())?;
            if keys.is_empty() {
                return Ok(());
            }
            self.delete_keys(keys).map_err(|error| error.to_string())?;
        }
    }

    fn delete_keys(&self, keys: Vec<Key>) -> Result<(), CommitError> {
        let changes = Changes { delete: keys, ..Changes::default() };
        self.barrier.commit(changes).wait().map(|_| ())
    }
}

/// A tombstone holds a scope open for nobody.
fn is_gone(object: &ManagedObject) -> bool {
    matches!(object.state(0), State::Destroyed | State::DestroyedCompromised)
}
