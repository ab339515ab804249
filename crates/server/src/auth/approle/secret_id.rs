//! Secret IDs: made, shown by their accessors, used up, ended.
//!
//! Only a keyed hash of one is stored, under the key of its role. That hash is also its accessor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::lockout::Refused;
use super::super::terms::blocks;
use super::{
    AppRole, AppRoleRecord, AuthError, AuthMethods, Client, TokenTerms, from_there, random_uuid,
};
use crate::auth::{Method, MethodKind};
use crate::record::{Change, Edit, RecordError, SecretIdAccessor, Stored};
use crate::token::{AddressBlock, admits};

const SECRET_BYTES_MAX: usize = 1024;

/// What may be noted of one secret ID.
const METADATA_BYTES_MAX: usize = 16 * 1024;

#[derive(Serialize, Deserialize)]
struct SecretIdRecord {
    /// Seconds since 1970.
    creation_time: i64,
    /// When it ends; `None` without end.
    expire_time: Option<i64>,
    /// Seconds that it was made for; 0 without end.
    ttl: i64,
    /// Logins that are left to it; 0 without limit.
    num_uses: u32,
    last_updated_time: i64,
    metadata: BTreeMap<String, String>,
    cidr_list: Vec<AddressBlock>,
    /// Instead of the role's, if there are any.
    token_bound_cidrs: Vec<AddressBlock>,
}

impl SecretIdRecord {
    fn is_alive(&self, now: i64) -> bool {
        self.expire_time.is_none_or(|end| now < end)
    }
}

/// A secret ID that is to be made.
#[derive(Default)]
pub struct NewSecretId {
    /// The secret ID itself; a random one if it is left out.
    pub secret_id: Option<Zeroizing<String>>,
    /// What to note of it; the tokens of its logins tell.
    pub metadata: BTreeMap<String, String>,
    /// Where one may log in from with it: within the role's.
    pub cidr_list: Change<Vec<String>>,
    /// Where its tokens may be used from: within the role's.
    pub token_bound_cidrs: Change<Vec<String>>,
    /// How many logins it is good for; the role's unless given.
    pub num_uses: Change<u32>,
    /// How many seconds it is good for; the role's unless given.
    pub ttl: Change<i64>,
}

/// A secret ID just made; the only time that it can be seen.
pub struct SecretId {
    /// The secret ID.
    pub secret_id: Zeroizing<String>,
    /// What it is called where it must not be told.
    pub accessor: SecretIdAccessor,
    /// Seconds that it is good for; 0 without end.
    pub ttl: i64,
    /// Logins that it is good for; 0 without limit.
    pub num_uses: u32,
}

/// What a secret ID is, without the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the API, times in seconds since 1970")]
pub struct SecretIdState {
    pub accessor: SecretIdAccessor,
    pub creation_time: i64,
    pub expire_time: Option<i64>,
    pub last_updated_time: i64,
    pub ttl: i64,
    pub num_uses: u32,
    pub metadata: BTreeMap<String, String>,
    pub cidr_list: Vec<AddressBlock>,
    pub token_bound_cidrs: Vec<AddressBlock>,
}

impl AppRole<'_> {
    /// Makes a secret ID of a role. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::Missing`] when there is no such role, [`AuthError::BadInput`] for what is more
    /// than the role allows.
    pub fn make_secret_id(self, role: &str, new: NewSecretId) -> Result<SecretId, AuthError> {
        let methods = self.0.methods;
        let _one = methods.hold_to_write(self.0.method)?;
        let role = self.existing(role)?.value;
        if !role.bind_secret_id {
            return Err(AuthError::bad("bind_secret_id is not set on the role"));
        }
        let secret_id = match new.secret_id {
            Some(wanted) => wanted,
            None => Zeroizing::new(random_uuid()?),
        };
        if secret_id.is_empty() {
            return Err(AuthError::bad("missing secret_id"));
        }
        if secret_id.len() > SECRET_BYTES_MAX {
            let limit = format!("a secret_id has at most {SECRET_BYTES_MAX} bytes");
            return Err(AuthError::bad(limit));
        }
        let noted = new.metadata.iter().map(|(name, value)| name.len() + value.len());
        if noted.sum::<usize>() > METADATA_BYTES_MAX {
            let limit = format!("metadata has at most {METADATA_BYTES_MAX} bytes");
            return Err(AuthError::bad(limit));
        }
        let now = methods.clock.now();
        let num_uses = new.num_uses.apply(role.secret_id_num_uses, role.secret_id_num_uses);
        let ttl = new.ttl.apply(role.secret_id_ttl, role.secret_id_ttl);
        role.allows(num_uses, ttl)?;
        let cidr_list = blocks("cidr_list", Vec::new(), new.cidr_list)?;
        within("secret ID", &cidr_list, &role.secret_id_bound_cidrs)?;
        let token_bound_cidrs = blocks("token_bound_cidrs", Vec::new(), new.token_bound_cidrs)?;
        within("token", &token_bound_cidrs, &role.token.bound_cidrs)?;
        let record = SecretIdRecord {
            creation_time: now,
            expire_time: (ttl > 0).then(|| now.saturating_add(ttl)),
            ttl,
            num_uses,
            last_updated_time: now,
            metadata: new.metadata,
            cidr_list,
            token_bound_cidrs,
        };
        let accessor = role.accessor(&secret_id);
        let at = self.secret_id_key(&role, Some(accessor));
        let mut edit = Edit::default();
        match self.stored(&role, accessor)? {
            // One whose time has come is not there any more.
            Some(before) if !before.value.is_alive(now) => {
                edit.update(at, before.version, &record)?
            }
            Some(_) => return Err(AuthError::bad("SecretID is already registered")),
            None => edit.create(at, &record)?,
        };
        methods.records.commit(edit)?;
        Ok(SecretId { secret_id, accessor, ttl, num_uses })
    }

    /// The accessors of a role's secret IDs that are alive.
    ///
    /// # Errors
    /// [`AuthError::Missing`] when there is no such role.
    pub fn secret_id_accessors(self, role: &str) -> Result<Vec<SecretIdAccessor>, AuthError> {
        let role = self.existing(role)?.value;
        let now = self.0.methods.clock.now();
        let rows =
            self.0.methods.records.scan::<SecretIdRecord>(&self.secret_id_key(&role, None))?;
        let alive = rows.into_iter().filter(|(_, stored)| stored.value.is_alive(now));
        let accessors = alive.filter_map(|(row, _)| row.last_chunk().copied());
        Ok(accessors.map(SecretIdAccessor::from).collect())
    }

    /// What a secret ID of a role is called.
    ///
    /// # Errors
    /// [`AuthError::Missing`] when there is no such role.
    pub fn accessor_of(self, role: &str, secret_id: &str) -> Result<SecretIdAccessor, AuthError> {
        Ok(self.existing(role)?.value.accessor(secret_id))
    }

    /// What a secret ID of a role is; `None` when there is none that is alive.
    ///
    /// # Errors
    /// [`AuthError::Missing`] when there is no such role.
    pub fn secret_id(
        self,
        role: &str,
        accessor: SecretIdAccessor,
    ) -> Result<Option<SecretIdState>, AuthError> {
        let role = self.existing(role)?.value;
        let now = self.0.methods.clock.now();
        let found = self.stored(&role, accessor)?.map(|stored| stored.value);
        Ok(found.filter(|record| record.is_alive(now)).map(|record| SecretIdState {
            accessor,
            creation_time: record.creation_time,
            expire_time: record.expire_time,
            last_updated_time: record.last_updated_time,
            ttl: record.ttl,
            num_uses: record.num_uses,
            metadata: record.metadata,
            cidr_list: record.cidr_list,
            token_bound_cidrs: record.token_bound_cidrs,
        }))
    }

    /// Ends a secret ID of a role; whether there was one. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::Missing`] when there is no such role.
    pub fn destroy_secret_id(
        self,
        role: &str,
        accessor: SecretIdAccessor,
    ) -> Result<bool, AuthError> {
        let methods = self.0.methods;
        let _one = methods.hold_to_write(self.0.method)?;
        let role = self.existing(role)?.value;
        if self.stored(&role, accessor)?.is_none() {
            return Ok(false);
        }
        methods.delete_rows(vec![self.secret_id_key(&role, Some(accessor))])?;
        Ok(true)
    }

    /// Removes the secret IDs whose time has come; how many. Blocks until durable.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn tidy(self) -> Result<usize, AuthError> {
        let methods = self.0.methods;
        let _one = methods.hold_to_write(self.0.method)?;
        let now = methods.clock.now();
        let mut ended = 0usize;
        for role in self.0.all::<AppRoleRecord>()? {
            let rows = methods.records.scan::<SecretIdRecord>(&self.secret_id_key(&role, None))?;
            let over = rows.into_iter().filter(|(_, stored)| !stored.value.is_alive(now));
            let over: Vec<_> = over.map(|(row, _)| row).collect();
            ended = ended.saturating_add(over.len());
            methods.delete_rows(over)?;
        }
        Ok(ended)
    }

    /// Takes a secret ID for a login: what it notes, and what its token gets.
    pub(super) fn take(
        self,
        role: &AppRoleRecord,
        secret_id: &str,
        client: Client<'_>,
    ) -> Result<(BTreeMap<String, String>, TokenTerms), Refused> {
        let methods = self.0.methods;
        let accessor = role.accessor(secret_id);
        let alive = || -> Result<Stored<SecretIdRecord>, Refused> {
            let now = methods.clock.now();
            let found = self.stored(role, accessor)?.filter(|it| it.value.is_alive(now));
            found.ok_or(Refused::Wrong { exists: true })
        };
        let mut stored = alive()?;
        // Before a use is taken: from elsewhere nobody uses it up.
        from_there(&role.secret_id_bound_cidrs, client, "role")?;
        from_there(&stored.value.cidr_list, client, "secret ID")?;
        let mut terms = role.token.clone();
        let own = &stored.value.token_bound_cidrs;
        if !own.is_empty() {
            // The role may have been bound more tightly since.
            let of_role = |block: &&AddressBlock| {
                role.token.bound_cidrs.is_empty()
                    || role.token.bound_cidrs.iter().any(|it| it.covers(block))
            };
            terms.bound_cidrs = own.iter().filter(of_role).cloned().collect();
            if terms.bound_cidrs.is_empty() {
                return Err(AuthError::Denied.into());
            }
        }
        if !admits(&terms.bound_cidrs, client.address) {
            return Err(AuthError::Denied.into());
        }
        if stored.value.num_uses > 0 {
            let _one = methods.hold_to_write(self.0.method)?;
            // Read again: the uses may have gone before the turn came.
            stored = alive()?;
            let at = self.secret_id_key(role, Some(accessor));
            let mut edit = Edit::default();
            if stored.value.num_uses == 1 {
                edit.expect(at.clone(), stored.version);
                edit.delete(at);
            } else {
                stored.value.num_uses -= 1;
                stored.value.last_updated_time = methods.clock.now();
                edit.update(at, stored.version, &stored.value)?;
            }
            methods.records.commit(edit)?;
        }
        Ok((stored.value.metadata, terms))
    }

    fn stored(
        self,
        role: &AppRoleRecord,
        accessor: SecretIdAccessor,
    ) -> Result<Option<Stored<SecretIdRecord>>, RecordError> {
        self.0.methods.records.get(&self.secret_id_key(role, Some(accessor)))
    }
}

impl AppRoleRecord {
    /// Refuses a secret ID that would be good for more than the role says.
    fn allows(&self, num_uses: u32, ttl: i64) -> Result<(), AuthError> {
        let (uses_max, ttl_max) = (self.secret_id_num_uses, self.secret_id_ttl);
        if uses_max > 0 && (num_uses == 0 || num_uses > uses_max) {
            let refused = "num_uses cannot be higher than the role's secret_id_num_uses";
            return Err(AuthError::bad(refused));
        }
        if ttl < 0 {
            return Err(AuthError::bad("ttl cannot be negative"));
        }
        if ttl_max > 0 && (ttl == 0 || ttl > ttl_max) {
            return Err(AuthError::bad("ttl cannot be longer than the role's secret_id_ttl"));
        }
        Ok(())
    }
}

/// Refuses blocks that reach beyond those of the role.
fn within(of: &str, some: &[AddressBlock], role: &[AddressBlock]) -> Result<(), AuthError> {
    let is_within = |block: &AddressBlock| role.iter().any(|wide| wide.covers(block));
    if role.is_empty() || some.iter().all(is_within) {
        return Ok(());
    }
    Err(AuthError::bad(format!(
        "CIDR blocks on the {of} should be a subset of CIDR blocks on the role"
    )))
}

impl AuthMethods {
    /// Removes the secret IDs of all methods whose time has come; how many. Blocks.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn tidy(&self) -> Result<usize, AuthError> {
        let mut ended = 0usize;
        for method in self.list() {
            let is_approle = |method: &Method| method.kind() == MethodKind::AppRole;
            if is_approle(&method) {
                ended = ended.saturating_add(AppRole::of(self, &method).tidy()?);
            }
        }
        Ok(ended)
    }
}
