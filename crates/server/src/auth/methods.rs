//! The table of auth methods: enable, disable, tune, find.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::{Deserialize, Serialize};

use super::AuthError;
use super::attempts::Attempts;
use super::lockout::Lockout;
use super::password::ITERATIONS;
use super::revocation::{self, Lists};
use crate::clock::Clock;
use crate::mount::{MountPath, TuneChange, Tuning};
use crate::record::{
    Edit, FIRST_VERSION, Kind, MethodId, RecordError, Records, Stored, base62, key,
};
use crate::token::Tokens;

/// Rows in one batch of a deletion; a batch takes 1000.
const ROWS_PER_BATCH: usize = 500;

/// The path of the tokens' own routes.
const TOKEN_PATH: &str = "token/";

/// What kinds of auth method there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MethodKind {
    /// A role ID and a secret ID, for programs.
    AppRole,
    /// A name and a password.
    Userpass,
    /// The certificate of the TLS connection.
    Cert,
}

impl MethodKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::AppRole, Self::Userpass, Self::Cert];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::AppRole => "approle",
            Self::Userpass => "userpass",
            Self::Cert => "cert",
        }
    }

    /// From its name in the API.
    ///
    /// # Errors
    /// In Vault's words for anything else.
    pub fn from_name(name: &str) -> Result<Self, AuthError> {
        if name == "token" {
            return Err(AuthError::bad("token credential backend cannot be instantiated"));
        }
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| AuthError::bad(format!("plugin not found in the catalog: {name}")))
    }
}

/// What is stored of a method.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct MethodRecord {
    id: MethodId,
    path: String,
    #[serde(rename = "type")]
    kind: MethodKind,
    accessor: String,
    description: String,
    /// Seconds since 1970.
    created: i64,
    #[serde(default)]
    tuning: Tuning,
    /// Of certificates: tokens are renewed without the certificate of their login.
    #[serde(default)]
    disable_binding: bool,
}

/// An auth method, as it was when it was looked up.
#[derive(Debug)]
pub struct Method {
    path: MountPath,
    stored: Stored<MethodRecord>,
}

impl Method {
    /// Its identifier, which stands in the keys of everything that belongs to it.
    pub fn id(&self) -> MethodId {
        self.stored.value.id
    }

    /// Where it is, below `auth/`.
    pub fn path(&self) -> &MountPath {
        &self.path
    }

    /// What kind it is.
    pub fn kind(&self) -> MethodKind {
        self.stored.value.kind
    }

    /// Its name for the audit, such as `auth_userpass_ab12cd34`.
    pub fn accessor(&self) -> &str {
        &self.stored.value.accessor
    }

    /// What its owner wrote about it.
    pub fn description(&self) -> &str {
        &self.stored.value.description
    }

    /// What is set about it. Its leases are those of the tokens of its logins.
    pub fn tuning(&self) -> &Tuning {
        &self.stored.value.tuning
    }

    /// Whether tokens of certificates are renewed without the certificate of their login.
    pub fn disables_binding(&self) -> bool {
        self.stored.value.disable_binding
    }
}

/// Every auth method, and who has failed to log in.
///
/// Calls block on storage: call them where blocking is allowed.
pub struct AuthMethods {
    pub(super) records: Records,
    pub(super) tokens: Tokens,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lockout: Lockout,
    pub(super) attempts: Attempts,
    /// Of the passwords that are set from now on.
    pub(super) password_iterations: u32,
    /// Whom methods of certificates refuse.
    pub(super) lists: RwLock<BTreeMap<MethodId, Lists>>,
    table: RwLock<BTreeMap<MountPath, Arc<Method>>>,
    /// One change at a time. Whoever needs `logins` too takes this first.
    writer: Mutex<()>,
    /// Shared by logins while their tokens are made; had alone by whoever disables a method: no token
    /// may appear of a method that is going.
    logins: RwLock<()>,
}

impl AuthMethods {
    /// Reads every method. `logins_per_minute_max` is what one address may try.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn open(
        records: Records,
        tokens: Tokens,
        clock: Arc<dyn Clock>,
        logins_per_minute_max: usize,
    ) -> Result<Self, AuthError> {
        let mut table = BTreeMap::new();
        for (_, stored) in records.scan::<MethodRecord>(&key(Kind::AuthMethod, &[]))? {
            let path = MountPath::parse(&stored.value.path)?;
            table.insert(path.clone(), Arc::new(Method { path, stored }));
        }
        let lists = RwLock::new(revocation::read(&records)?);
        Ok(Self {
            lists,
            records,
            tokens,
            clock,
            lockout: Lockout::default(),
            attempts: Attempts::new(logins_per_minute_max),
            password_iterations: ITERATIONS,
            table: RwLock::new(table),
            writer: Mutex::default(),
            logins: RwLock::default(),
        })
    }

    /// Every method, by path.
    pub fn list(&self) -> Vec<Arc<Method>> {
        self.read().values().cloned().collect()
    }

    /// The method at exactly this path below `auth/`.
    pub fn at(&self, path: &MountPath) -> Option<Arc<Method>> {
        self.read().get(path).cloned()
    }

    /// The method that a path below `auth/`, with a slash at its end, lies below.
    pub fn of_request(&self, path: &str) -> Option<Arc<Method>> {
        // No method lies below another, so there is one at most.
        let table = self.read();
        let mut methods = table.values();
        methods.find(|method| method.path.strip(path).is_some()).cloned()
    }

    /// The method of that identifier.
    pub fn of_id(&self, id: MethodId) -> Option<Arc<Method>> {
        self.read().values().find(|method| method.id() == id).cloned()
    }

    /// Enables a method at a path below `auth/`.
    ///
    /// # Errors
    /// [`AuthError::InUse`] when the path, one above or one below is taken.
    pub fn enable(
        &self,
        path: &MountPath,
        kind: MethodKind,
        description: &str,
        tuning: Tuning,
    ) -> Result<(), AuthError> {
        let _writer = self.writer();
        let token = MountPath::parse(TOKEN_PATH)?;
        let taken = self.read().keys().find(|taken| taken.overlaps(path)).cloned();
        if let Some(taken) = taken.or_else(|| token.overlaps(path).then_some(token)) {
            return Err(AuthError::InUse(taken));
        }
        let record = MethodRecord {
            id: MethodId::random()?,
            path: path.as_str().to_owned(),
            kind,
            accessor: format!("auth_{}_{}", kind.name(), base62(8)?.to_lowercase()),
            description: description.to_owned(),
            created: self.clock.now(),
            tuning,
            disable_binding: false,
        };
        let mut edit = Edit::default();
        edit.create(self.method_key(path), &record)?;
        self.records.commit(edit)?;
        let stored = Stored { version: FIRST_VERSION, value: record };
        self.put(Method { path: path.clone(), stored });
        Ok(())
    }

    /// Disables a method: ends the tokens of its logins, then forgets who could log in, then it. One
    /// that is not there is no error. Cut off in between, it is a method with less in it.
    ///
    /// # Errors
    /// [`AuthError::BadInput`] for `token/`. When it cannot be stored it is still there, and may be
    /// disabled once more.
    pub fn disable(&self, path: &MountPath) -> Result<(), AuthError> {
        if path.as_str() == TOKEN_PATH {
            return Err(AuthError::bad("token credential backend cannot be disabled"));
        }
        let _writer = self.writer();
        let _alone = self.logins.write().unwrap_or_else(PoisonError::into_inner);
        let Some(method) = self.at(path) else { return Ok(()) };
        let id = method.id();
        self.tokens.revoke_logins(id)?;
        for kind in [Kind::SecretId, Kind::AppRoleName, Kind::RevokedList, Kind::Principal] {
            self.delete_rows(self.records.keys(&key(kind, &[id.as_bytes()]))?)?;
        }
        self.delete_rows(vec![self.method_key(path)])?;
        self.write().remove(path);
        self.lockout.forget_method(id);
        self.forget_lists(id);
        Ok(())
    }

    /// Changes what is set about a method.
    ///
    /// # Errors
    /// [`AuthError::NoMethod`] when there is none, [`AuthError::BadInput`] for what cannot be.
    pub fn tune(&self, path: &MountPath, change: TuneChange) -> Result<(), AuthError> {
        self.change(path, |mut record| {
            record.description =
                change.description.clone().apply(record.description, String::new());
            record.tuning = record.tuning.apply(change)?;
            Ok(record)
        })
    }

    /// Says whether tokens of certificates are renewed without the certificate of their login.
    ///
    /// # Errors
    /// [`AuthError::NoMethod`] when there is no such method.
    pub fn set_disable_binding(&self, path: &MountPath, disable: bool) -> Result<(), AuthError> {
        self.change(path, |record| Ok(MethodRecord { disable_binding: disable, ..record }))
    }

    fn change(
        &self,
        path: &MountPath,
        change: impl FnOnce(MethodRecord) -> Result<MethodRecord, AuthError>,
    ) -> Result<(), AuthError> {
        let _writer = self.writer();
        let method = self.at(path).ok_or_else(|| AuthError::NoMethod(path.clone()))?;
        let record = change(method.stored.value.clone())?;
        let mut edit = Edit::default();
        let version = edit.update(self.method_key(path), method.stored.version, &record)?;
        self.records.commit(edit)?;
        self.put(Method { path: path.clone(), stored: Stored { version, value: record } });
        Ok(())
    }

    /// Keeps a method from being disabled, for as long as what is returned is held, by whoever makes
    /// a token of a login.
    ///
    /// # Errors
    /// [`AuthError::NoMethod`] when it has been disabled.
    pub(super) fn hold(&self, method: &Method) -> Result<RwLockReadGuard<'_, ()>, AuthError> {
        let held = self.logins.read().unwrap_or_else(PoisonError::into_inner);
        self.still_enabled(method).map(|()| held)
    }

    /// The same, had alone, by whoever reads records of the method to write them anew.
    ///
    /// # Errors
    /// [`AuthError::NoMethod`] when it has been disabled.
    pub(super) fn hold_to_write(&self, method: &Method) -> Result<MutexGuard<'_, ()>, AuthError> {
        let held = self.writer();
        self.still_enabled(method).map(|()| held)
    }

    fn still_enabled(&self, method: &Method) -> Result<(), AuthError> {
        match self.of_id(method.id()) {
            Some(_) => Ok(()),
            None => Err(AuthError::NoMethod(method.path.clone())),
        }
    }

    /// Removes rows, many of them in more than one batch. Blocks until durable.
    pub(super) fn delete_rows(&self, rows: Vec<Vec<u8>>) -> Result<(), RecordError> {
        for batch in rows.chunks(ROWS_PER_BATCH) {
            let mut edit = Edit::default();
            batch.iter().cloned().for_each(|row| edit.delete(row));
            self.records.commit(edit)?;
        }
        Ok(())
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, method: Method) {
        self.write().insert(method.path.clone(), Arc::new(method));
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<MountPath, Arc<Method>>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<MountPath, Arc<Method>>> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn method_key(&self, path: &MountPath) -> Vec<u8> {
        key(Kind::AuthMethod, &[&self.records.blind("auth method", path.as_str())])
    }
}

impl fmt::Debug for AuthMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthMethods").field("methods", &self.read().len()).finish_non_exhaustive()
    }
}
