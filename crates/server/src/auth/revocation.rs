//! Revocation lists of a method of certificates: whom they name logs in no more (vault's crls).
//!
//! They are read once, when they are written and at a start, and kept in memory: a login asks all of
//! them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};

use super::principal::checked;
use super::{AuthError, AuthMethods, Certificates};
use crate::pki::RevokedList;
use crate::record::{Edit, Kind, MethodId, RecordError, Records, Stored, base64_bytes, key};

/// Bytes of one list: some hundred thousand certificates.
const LIST_BYTES_MAX: usize = 8 << 20;
/// Most lists of a method.
const LISTS_MAX: usize = 64;

#[derive(Serialize, Deserialize)]
struct ListRecord {
    name: String,
    /// In DER.
    #[serde(with = "base64_bytes")]
    list: Vec<u8>,
    /// Seconds since 1970.
    created: i64,
}

/// The lists of one method, by name.
pub(super) type Lists = BTreeMap<String, Arc<RevokedList>>;

/// Reads the lists of every method.
pub(super) fn read(records: &Records) -> Result<BTreeMap<MethodId, Lists>, AuthError> {
    let mut all: BTreeMap<MethodId, Lists> = BTreeMap::new();
    records.each::<ListRecord, AuthError>(&key(Kind::RevokedList, &[]), |at, stored| {
        let corrupt = || RecordError::Corrupt("a revocation list".to_owned());
        let method = at.get(1..).and_then(|rest| rest.first_chunk::<16>()).ok_or_else(corrupt)?;
        let list = RevokedList::parse(&stored.value.list).map_err(|_| corrupt())?;
        all.entry(MethodId::from(*method)).or_default().insert(stored.value.name, Arc::new(list));
        Ok(())
    })?;
    Ok(all)
}

impl AuthMethods {
    /// The lists of a method.
    pub(super) fn lists(&self, method: MethodId) -> Lists {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        lists.get(&method).cloned().unwrap_or_default()
    }

    pub(super) fn forget_lists(&self, method: MethodId) {
        self.lists.write().unwrap_or_else(PoisonError::into_inner).remove(&method);
    }

    fn list_key(&self, method: MethodId, name: &str) -> Vec<u8> {
        let hash = self.records.blind("revocation list", name);
        key(Kind::RevokedList, &[method.as_bytes(), &hash])
    }
}

impl Certificates<'_> {
    /// The names of the revocation lists.
    pub fn lists(self) -> Vec<String> {
        self.0.methods.lists(self.0.method.id()).into_keys().collect()
    }

    /// A revocation list.
    ///
    /// # Errors
    /// [`AuthError::Missing`], in Vault's words.
    pub fn list(self, name: &str) -> Result<Arc<RevokedList>, AuthError> {
        let name = name.to_lowercase();
        let found = self.0.methods.lists(self.0.method.id()).remove(&name);
        found.ok_or_else(|| missing(&name))
    }

    /// Puts a revocation list, in DER, in the place of the one of that name. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::BadInput`] for what is none, or is too much.
    pub fn write_list(self, name: &str, der: Vec<u8>) -> Result<(), AuthError> {
        let name = checked(name)?.to_lowercase();
        let (methods, method) = (self.0.methods, self.0.method);
        if der.len() > LIST_BYTES_MAX {
            return Err(AuthError::bad(format!("a CRL has at most {LIST_BYTES_MAX} bytes")));
        }
        let list = RevokedList::parse(&der).map_err(|error| AuthError::bad(error.to_string()))?;
        let _one = methods.hold_to_write(method)?;
        let known = methods.lists(method.id());
        if known.len() >= LISTS_MAX && !known.contains_key(&name) {
            return Err(AuthError::bad(format!("a method has at most {LISTS_MAX} CRLs")));
        }
        let at = methods.list_key(method.id(), &name);
        let record = ListRecord { name: name.clone(), list: der, created: methods.clock.now() };
        let mut edit = Edit::default();
        match methods.records.get::<ListRecord>(&at)? {
            Some(Stored { version, .. }) => edit.update(at, version, &record)?,
            None => edit.create(at, &record)?,
        };
        methods.records.commit(edit)?;
        let mut lists = methods.lists.write().unwrap_or_else(PoisonError::into_inner);
        lists.entry(method.id()).or_default().insert(name, Arc::new(list));
        Ok(())
    }

    /// Removes a revocation list: whom it alone names may log in again. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::Missing`], in Vault's words.
    pub fn delete_list(self, name: &str) -> Result<(), AuthError> {
        let name = name.to_lowercase();
        let (methods, method) = (self.0.methods, self.0.method);
        let _one = methods.hold_to_write(method)?;
        if !methods.lists(method.id()).contains_key(&name) {
            return Err(missing(&name));
        }
        let mut edit = Edit::default();
        edit.delete(methods.list_key(method.id(), &name));
        methods.records.commit(edit)?;
        let mut lists = methods.lists.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(lists) = lists.get_mut(&method.id()) {
            lists.remove(&name);
        }
        Ok(())
    }
}

fn missing(name: &str) -> AuthError {
    AuthError::Missing(format!("no such CRL {name}"))
}
