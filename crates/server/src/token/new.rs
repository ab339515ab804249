//! Making tokens and renewing them.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use zeroize::Zeroizing;

use super::{
    AccessorRecord, AddressBlock, Login, ROOT_POLICY, TOKEN_BYTES_MAX, TOKEN_PREFIX, Terms,
    TokenError, TokenId, TokenInfo, Tokens, Wrapped, child_key, expiry_key, lifetime, token_key,
    wrapped_key,
};
use crate::record::{Edit, base62};

/// Random characters of a token: 24 out of 62 are 142 bits.
pub(super) const TOKEN_CHARS: usize = 24;
const ACCESSOR_CHARS: usize = 24;

/// What a token's record may hold of what its maker chose.
const NOTED_BYTES_MAX: usize = 64 * 1024;

/// A service token that is to be made. What its maker may ask for has been decided before.
#[derive(Default)]
pub struct NewToken {
    /// The token itself; a random one if it is left out.
    pub id: Option<Zeroizing<String>>,
    /// Who it is for.
    pub display_name: String,
    /// All its policies, `default` included if it is to have it. `root` swallows the others.
    pub policies: Vec<String>,
    /// Seconds to live; 0 for the default, and for a root token without end.
    pub ttl: i64,
    /// Seconds beyond which it is never renewed; 0 for the system's maximum.
    pub explicit_max_ttl: i64,
    /// Seconds that it lives at most as things are: a renewal asks again. 0 for the system's maximum.
    pub max_ttl: i64,
    /// Seconds that each renewal gives; 0 if it is not periodic.
    pub period: i64,
    /// How many requests it is good for; 0 without limit.
    pub num_uses: u32,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// The token that it ends with; `None` for an orphan, as a login makes.
    pub parent: Option<TokenId>,
    /// The API path that makes it, such as `auth/token/create`.
    pub path: String,
    /// What its maker notes.
    pub meta: BTreeMap<String, String>,
    /// The token role that it is made under; empty if under none.
    pub role: String,
    /// The answer that it unwraps, if it is a wrapping token.
    pub wrapped: Option<Wrapped>,
    /// Where it may be used from; anywhere if there is none.
    pub bound_cidrs: Vec<AddressBlock>,
    /// The login that makes it.
    pub login: Option<Login>,
}

/// A token just made; the only time that it can be seen.
pub struct Created {
    /// The token.
    pub token: Zeroizing<String>,
    /// What it is.
    pub info: TokenInfo,
    /// What was not granted as it was asked.
    pub warnings: Vec<String>,
}

impl Tokens {
    /// Makes a token. Blocks until durable.
    ///
    /// # Errors
    /// [`TokenError::NoParent`]; [`TokenError::Unfit`] and [`TokenError::BadInput`] for what cannot
    /// be.
    pub fn create(&self, new: NewToken) -> Result<Created, TokenError> {
        let token = match new.id {
            Some(wanted) => wanted,
            None => Zeroizing::new(format!("{TOKEN_PREFIX}{}", random(TOKEN_CHARS)?)),
        };
        let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX || !visible {
            return Err(TokenError::Unfit);
        }
        let policies = sanitised(new.policies);
        let noted = policies.iter().map(String::len);
        let noted = noted.chain(new.meta.iter().map(|(name, value)| name.len() + value.len()));
        if noted.sum::<usize>().saturating_add(new.display_name.len()) > NOTED_BYTES_MAX {
            return Err(TokenError::BadInput(format!(
                "policies, meta and display_name have at most {NOTED_BYTES_MAX} bytes together"
            )));
        }
        let asked = lifetime::Asked {
            ttl: new.ttl,
            explicit_max_ttl: new.explicit_max_ttl,
            max_ttl: new.max_ttl,
            period: new.period,
        };
        let mut warnings = Vec::new();
        let asked = asked.cut(&mut warnings)?;
        let endless = asked.is_endless() && policies == [ROOT_POLICY];
        let granted = asked.at_creation();
        warnings.extend(granted.warnings);
        let now = self.clock.now();
        let info = TokenInfo {
            id: self.id_of(&token),
            accessor: random(ACCESSOR_CHARS)?,
            display_name: new.display_name,
            policies,
            path: new.path,
            creation_time: now,
            creation_ttl: if endless { 0 } else { granted.ttl },
            expire_time: (!endless).then(|| now.saturating_add(granted.ttl)),
            explicit_max_ttl: asked.explicit_max_ttl,
            period: asked.period,
            num_uses: new.num_uses,
            renewable: new.renewable && !endless,
            parent: new.parent,
            last_renewal_time: None,
            meta: new.meta,
            role: new.role,
            bound_cidrs: new.bound_cidrs,
            login: new.login,
        };
        let _growing = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        self.insert(&info, new.wrapped.as_ref())?;
        Ok(Created { token, info, warnings })
    }

    fn insert(&self, info: &TokenInfo, wrapped: Option<&Wrapped>) -> Result<(), TokenError> {
        if self.lookup_id(info.id)?.is_some() {
            return Err(TokenError::BadInput("cannot create a duplicate token".to_owned()));
        }
        let mut edit = Edit::default();
        if let Some(parent) = info.parent {
            let stored = self.stored(parent)?.ok_or(TokenError::NoParent)?;
            edit.expect(token_key(parent), stored.version);
            edit.create(child_key(parent, Some(info.id)), &())?;
        }
        edit.create(token_key(info.id), info)?;
        edit.create(self.accessor_key(&info.accessor), &AccessorRecord { token: info.id })?;
        if let Some(end) = info.expire_time {
            edit.create(expiry_key(end, info.id), &())?;
        }
        if let Some(wrapped) = wrapped {
            edit.create(wrapped_key(info.id), wrapped)?;
        }
        Ok(self.records.commit(edit)?)
    }

    /// Gives a token more time: `increment` seconds from now, or what its terms say if that is 0.
    /// Without terms they are those that it was made with. `None` when there is no such token. Blocks
    /// until durable.
    ///
    /// # Errors
    /// [`TokenError::BadInput`] if it cannot be renewed.
    pub fn renew(
        &self,
        id: TokenId,
        increment: i64,
        terms: Option<Terms>,
    ) -> Result<Option<(TokenInfo, Vec<String>)>, TokenError> {
        let _one = self.writer();
        let Some(stored) = self.stored(id)? else { return Ok(None) };
        let (version, mut info) = (stored.version, stored.value);
        let now = self.clock.now();
        let terms = terms.unwrap_or_else(|| Terms::of(&info));
        let granted = lifetime::at_renewal(&info, increment, terms, now)?;
        let end = now.saturating_add(granted.ttl);
        let mut edit = Edit::default();
        if info.expire_time != Some(end) {
            if let Some(before) = info.expire_time {
                edit.delete(expiry_key(before, id));
            }
            edit.create(expiry_key(end, id), &())?;
        }
        info.expire_time = Some(end);
        info.last_renewal_time = Some(now);
        info.period = terms.period;
        edit.update(token_key(id), version, &info)?;
        self.records.commit(edit)?;
        Ok(Some((info, granted.warnings)))
    }
}

/// Policies as Vault keeps them: lower case, sorted, each once, and `root` alone.
pub fn sanitised(policies: Vec<String>) -> Vec<String> {
    let mut policies: Vec<String> = policies
        .iter()
        .map(|policy| policy.trim().to_lowercase())
        .filter(|policy| !policy.is_empty())
        .collect();
    policies.sort();
    policies.dedup();
    if policies.iter().any(|policy| policy == ROOT_POLICY) {
        return vec![ROOT_POLICY.to_owned()];
    }
    policies
}

fn random(characters: usize) -> Result<String, TokenError> {
    base62(characters).map_err(|_| TokenError::Random)
}
