//! AppRole: roles that programs log in as, with a role ID and a secret ID (vault's approle).

mod secret_id;

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::lockout::Refused;
use super::principal::{NAME_BYTES_MAX, Principal, Principals, checked};
use super::terms::{Admitted, blocks};
use super::{AuthError, AuthMethods, Client, Method, TokenTerms, TokenTermsChange};
use crate::record::{
    AppRoleId, Change, Edit, Kind, SecretIdAccessor, Stored, base64_secret, key, random_uuid,
};
use crate::token::{AddressBlock, Created, admits};

pub use secret_id::{NewSecretId, SecretId, SecretIdState};

/// In Vault's words.
const WRONG: &str = "invalid role or secret ID";

const KEY_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
pub(super) struct AppRoleRecord {
    id: AppRoleId,
    name: String,
    role_id: String,
    bind_secret_id: bool,
    secret_id_bound_cidrs: Vec<AddressBlock>,
    secret_id_num_uses: u32,
    secret_id_ttl: i64,
    /// Of the keyed hashes of its secret IDs.
    #[serde(with = "base64_secret")]
    key: Zeroizing<Vec<u8>>,
    pub(super) token: TokenTerms,
    /// Seconds since 1970.
    created: i64,
}

impl Principal for AppRoleRecord {
    fn name(&self) -> &str {
        &self.name
    }
}

impl AppRoleRecord {
    /// How a secret ID is stored, and what it is called where it must not be told.
    fn accessor(&self, secret_id: &str) -> SecretIdAccessor {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        let tag = hmac::sign(&key, secret_id.as_bytes());
        SecretIdAccessor::from(tag.as_ref().first_chunk().copied().unwrap_or_default())
    }
}

/// Which role a role ID means.
#[derive(Serialize, Deserialize)]
struct AppRoleNameRecord {
    role_id: String,
    name: String,
}

/// A role, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRoleState {
    /// Whether a secret ID is needed to log in.
    pub bind_secret_id: bool,
    /// Where one may log in from with its secret IDs; anywhere if there is none.
    pub secret_id_bound_cidrs: Vec<AddressBlock>,
    /// How many logins a secret ID is good for; 0 without limit.
    pub secret_id_num_uses: u32,
    /// How many seconds a secret ID is good for; 0 without end.
    pub secret_id_ttl: i64,
    /// What its tokens get.
    pub token: TokenTerms,
}

/// What a write says about a role.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "see the fields of AppRoleState")]
pub struct AppRoleChange {
    /// Its role ID; a random one for a new role unless given.
    pub role_id: Change<String>,
    pub bind_secret_id: Change<bool>,
    pub secret_id_bound_cidrs: Change<Vec<String>>,
    pub secret_id_num_uses: Change<u32>,
    pub secret_id_ttl: Change<i64>,
    pub token: TokenTermsChange,
}

/// The roles of a method.
#[derive(Clone, Copy)]
pub struct AppRole<'a>(Principals<'a>);

impl<'a> AppRole<'a> {
    /// Of a method of roles.
    pub fn of(methods: &'a AuthMethods, method: &'a Method) -> Self {
        Self(Principals { methods, method })
    }

    /// Their names.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn names(self) -> Result<Vec<String>, AuthError> {
        Ok(self.0.names::<AppRoleRecord>()?)
    }

    /// What a role is; `None` when there is no such role.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn read(self, name: &str) -> Result<Option<AppRoleState>, AuthError> {
        Ok(self.role(name)?.map(|stored| stored.value).map(|role| AppRoleState {
            bind_secret_id: role.bind_secret_id,
            secret_id_bound_cidrs: role.secret_id_bound_cidrs,
            secret_id_num_uses: role.secret_id_num_uses,
            secret_id_ttl: role.secret_id_ttl,
            token: role.token,
        }))
    }

    /// The role ID of a role; `None` when there is no such role.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn role_id(self, name: &str) -> Result<Option<String>, AuthError> {
        Ok(self.role(name)?.map(|stored| stored.value.role_id))
    }

    /// Writes a role. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::BadInput`] for what cannot be.
    pub fn write(self, name: &str, change: AppRoleChange) -> Result<(), AuthError> {
        let name = checked(name)?.to_lowercase();
        let methods = self.0.methods;
        let _one = methods.hold_to_write(self.0.method)?;
        self.put(self.role(&name)?, || self.new_role(&name), change)
    }

    /// Changes a role that must be there. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::Missing`] when it is not, [`AuthError::BadInput`] for what cannot be.
    pub fn update(self, name: &str, change: AppRoleChange) -> Result<(), AuthError> {
        let _one = self.0.methods.hold_to_write(self.0.method)?;
        let role = self.existing(name)?;
        self.put(Some(role), || self.new_role(name), change)
    }

    /// Removes a role with its secret IDs; one that is not there is no error. Tokens stay. Blocks
    /// until durable.
    ///
    /// # Errors
    /// When it cannot be stored; it is still there then, with fewer secret IDs.
    pub fn delete(self, name: &str) -> Result<(), AuthError> {
        let methods = self.0.methods;
        let _one = methods.hold_to_write(self.0.method)?;
        let Some(role) = self.role(name)?.map(|stored| stored.value) else { return Ok(()) };
        methods.delete_rows(methods.records.keys(&self.secret_id_key(&role, None))?)?;
        Ok(methods.delete_rows(vec![self.name_key(&role.role_id), self.0.key(&role.name)])?)
    }

    /// Logs a program in. Takes one use of a secret ID that has so many. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::Wrong`], [`AuthError::Denied`] while locked out, or from another address than the
    /// role may log in from.
    pub fn login(
        self,
        role_id: &str,
        secret_id: &str,
        client: Client<'_>,
    ) -> Result<Created, AuthError> {
        let Principals { methods, method } = self.0;
        if role_id.is_empty() {
            return Err(AuthError::bad("missing role_id"));
        }
        let missing = || Refused::Other(AuthError::bad("missing secret_id"));
        let (role, mut meta, terms) = methods.guarded(method, role_id, WRONG, || {
            let Some(role) = self.of_role_id(role_id)? else {
                // As of a role that is there: nothing was guessed.
                let wrong = Refused::Wrong { exists: false };
                return Err(if secret_id.is_empty() { missing() } else { wrong });
            };
            if !role.bind_secret_id {
                from_there(&role.secret_id_bound_cidrs, client, "role")?;
                let terms = role.token.clone();
                return Ok((role, BTreeMap::new(), terms));
            }
            if secret_id.is_empty() {
                return Err(missing());
            }
            let (meta, terms) = self.take(&role, secret_id, client)?;
            Ok((role, meta, terms))
        })?;
        meta.insert("role_name".to_owned(), role.name.clone());
        let admitted = Admitted {
            method,
            name: &role.name,
            terms: &terms,
            display_name: "",
            path: "login".to_owned(),
            meta,
            public_key: Vec::new(),
        };
        methods.issue(admitted, client.address)
    }

    fn role(self, name: &str) -> Result<Option<Stored<AppRoleRecord>>, AuthError> {
        Ok(self.0.get(&name.to_lowercase())?)
    }

    fn existing(self, name: &str) -> Result<Stored<AppRoleRecord>, AuthError> {
        let role = self.role(name)?;
        role.ok_or_else(|| AuthError::Missing(format!("role {name:?} does not exist")))
    }

    fn of_role_id(self, role_id: &str) -> Result<Option<AppRoleRecord>, AuthError> {
        let found = self.0.methods.records.get::<AppRoleNameRecord>(&self.name_key(role_id))?;
        let Some(name) = found.map(|stored| stored.value.name) else { return Ok(None) };
        let role = self.role(&name)?.map(|stored| stored.value);
        Ok(role.filter(|role| role.role_id == role_id))
    }

    fn new_role(self, name: &str) -> Result<AppRoleRecord, AuthError> {
        let mut key = Zeroizing::new(vec![0; KEY_BYTES]);
        aws_lc_rs::rand::fill(&mut key)?;
        Ok(AppRoleRecord {
            id: AppRoleId::random()?,
            name: name.to_owned(),
            role_id: random_uuid()?,
            bind_secret_id: true,
            secret_id_bound_cidrs: Vec::new(),
            secret_id_num_uses: 0,
            secret_id_ttl: 0,
            key,
            token: TokenTerms::default(),
            created: self.0.methods.clock.now(),
        })
    }

    /// Writes a role and the row of its role ID together. The caller holds the writer.
    fn put(
        self,
        before: Option<Stored<AppRoleRecord>>,
        new_role: impl FnOnce() -> Result<AppRoleRecord, AuthError>,
        change: AppRoleChange,
    ) -> Result<(), AuthError> {
        let records = &self.0.methods.records;
        let old_id = before.as_ref().map(|stored| stored.value.role_id.clone());
        let mut edit = Edit::default();
        let mut names = None;
        self.0.put(&mut edit, before, |before| {
            let role = before.map_or_else(new_role, Ok)?.apply(change)?;
            names =
                Some(AppRoleNameRecord { role_id: role.role_id.clone(), name: role.name.clone() });
            Ok(role)
        })?;
        if let Some(names) = names.filter(|names| old_id.as_ref() != Some(&names.role_id)) {
            let at = self.name_key(&names.role_id);
            if records.get::<AppRoleNameRecord>(&at)?.is_some() {
                return Err(AuthError::bad("role_id already in use"));
            }
            edit.create(at, &names)?;
            old_id.iter().for_each(|old| edit.delete(self.name_key(old)));
        }
        Ok(records.commit(edit)?)
    }

    fn name_key(self, role_id: &str) -> Vec<u8> {
        let hash = self.0.methods.records.blind("role id", role_id);
        key(Kind::AppRoleName, &[self.0.method.id().as_bytes(), &hash])
    }

    /// The row of a secret ID, and without one the beginning of the rows of all.
    fn secret_id_key(self, role: &AppRoleRecord, accessor: Option<SecretIdAccessor>) -> Vec<u8> {
        let (method, role) = (self.0.method.id(), role.id);
        let mut parts: Vec<&[u8]> = vec![method.as_bytes(), role.as_bytes()];
        parts.extend(accessor.as_ref().map(|accessor| accessor.as_bytes().as_slice()));
        key(Kind::SecretId, &parts)
    }
}

impl AppRoleRecord {
    fn apply(self, change: AppRoleChange) -> Result<Self, AuthError> {
        let role_id = match change.role_id {
            Change::To(wanted) if wanted.is_empty() => {
                return Err(AuthError::bad("missing role_id"));
            }
            Change::To(wanted)
                if wanted.len() > NAME_BYTES_MAX || wanted.chars().any(char::is_control) =>
            {
                let limits = "a role_id has at most 255 bytes, without control characters";
                return Err(AuthError::bad(limits));
            }
            change => change.apply(self.role_id.clone(), self.role_id),
        };
        let after = Self {
            role_id,
            bind_secret_id: change.bind_secret_id.apply(self.bind_secret_id, true),
            secret_id_bound_cidrs: blocks(
                "secret_id_bound_cidrs",
                self.secret_id_bound_cidrs,
                change.secret_id_bound_cidrs,
            )?,
            secret_id_num_uses: change.secret_id_num_uses.apply(self.secret_id_num_uses, 0),
            secret_id_ttl: change.secret_id_ttl.apply(self.secret_id_ttl, 0),
            token: self.token.apply(change.token)?,
            ..self
        };
        if after.secret_id_ttl < 0 {
            return Err(AuthError::bad("'secret_id_ttl' cannot be negative"));
        }
        let is_bound =
            !after.secret_id_bound_cidrs.is_empty() || !after.token.bound_cidrs.is_empty();
        if !after.bind_secret_id && !is_bound {
            return Err(AuthError::bad("at least one constraint should be enabled on the role"));
        }
        Ok(after)
    }
}

/// Refuses a login from elsewhere than the role, or the secret ID, allows.
fn from_there(blocks: &[AddressBlock], client: Client<'_>, of: &str) -> Result<(), AuthError> {
    if admits(blocks, client.address) {
        return Ok(());
    }
    let address = client.address.map(|address| address.to_string()).unwrap_or_default();
    Err(AuthError::bad(format!(
        "source address {address:?} unauthorized through CIDR restrictions on the {of}"
    )))
}
