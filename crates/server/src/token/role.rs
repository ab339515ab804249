//! Token roles: what the tokens get that are made under a name, whoever makes them.

use serde::{Deserialize, Serialize};

use super::{TokenError, Tokens};
use crate::record::{Edit, Kind, key};

const NAME_BYTES_MAX: usize = 255;

/// What a role may hold in all its lists.
const LISTED_BYTES_MAX: usize = 64 * 1024;

/// What tokens made under a role get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRole {
    /// Its name.
    pub name: String,
    /// Policies that its tokens may have; empty: see the fields below.
    pub allowed_policies: Vec<String>,
    /// The same, as patterns with `*`.
    pub allowed_policies_glob: Vec<String>,
    /// Policies that its tokens must not have.
    pub disallowed_policies: Vec<String>,
    /// The same, as patterns with `*`.
    pub disallowed_policies_glob: Vec<String>,
    /// Whether its tokens have no parent.
    pub orphan: bool,
    /// Whether its tokens can be renewed.
    pub renewable: bool,
    /// What is appended to the path of its tokens.
    pub path_suffix: String,
    /// Whether its tokens are without the policy `default`.
    pub no_default_policy: bool,
    /// Seconds that each renewal gives; 0 if its tokens are not periodic.
    pub period: i64,
    /// Seconds that its tokens live at most; 0 for the system's maximum.
    pub explicit_max_ttl: i64,
    /// How many requests its tokens are good for; 0 without limit.
    pub num_uses: u32,
}

impl TokenRole {
    /// A role that says nothing yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            allowed_policies: Vec::new(),
            allowed_policies_glob: Vec::new(),
            disallowed_policies: Vec::new(),
            disallowed_policies_glob: Vec::new(),
            orphan: false,
            renewable: true,
            path_suffix: String::new(),
            no_default_policy: false,
            period: 0,
            explicit_max_ttl: 0,
            num_uses: 0,
        }
    }

    /// Whether it says which policies its tokens have, so that those of their maker do not matter.
    pub fn decides_policies(&self) -> bool {
        !(self.allowed_policies.is_empty()
            && self.allowed_policies_glob.is_empty()
            && self.disallowed_policies.is_empty()
            && self.disallowed_policies_glob.is_empty())
    }

    /// Whether it has a list of policies that its tokens may have.
    pub fn lists_allowed(&self) -> bool {
        !(self.allowed_policies.is_empty() && self.allowed_policies_glob.is_empty())
    }

    /// Whether its list of those that its tokens may have holds one.
    pub fn allows(&self, policy: &str) -> bool {
        self.allowed_policies.iter().any(|name| name == policy)
            || self.allowed_policies_glob.iter().any(|pattern| matches(pattern, policy))
    }

    /// Whether its tokens must not have a policy.
    pub fn disallows(&self, policy: &str) -> bool {
        self.disallowed_policies.iter().any(|name| name == policy)
            || self.disallowed_policies_glob.iter().any(|pattern| matches(pattern, policy))
    }
}

/// Whether a text is what a pattern says: `*` stands for any text, an empty one too.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(end)
}

impl Tokens {
    /// The names of all roles.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn role_names(&self) -> Result<Vec<String>, TokenError> {
        let stored = self.records.scan::<TokenRole>(&key(Kind::TokenRole, &[]))?;
        let mut names: Vec<String> = stored.into_iter().map(|(_, it)| it.value.name).collect();
        names.sort();
        Ok(names)
    }

    /// A role, if there is one of that name.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn role(&self, name: &str) -> Result<Option<TokenRole>, TokenError> {
        let stored = self.records.get::<TokenRole>(&self.role_key(name))?;
        Ok(stored.map(|stored| stored.value))
    }

    /// Changes the role of a name, or makes one. Blocks until durable.
    ///
    /// # Errors
    /// What `change` says; [`TokenError::BadInput`] for a name or lists that cannot be.
    pub fn change_role<E: From<TokenError>>(
        &self,
        name: &str,
        change: impl FnOnce(&mut TokenRole) -> Result<(), E>,
    ) -> Result<(), E> {
        // Two who change it at once would undo each other.
        let _one = self.writer();
        let mut role = self.role(name)?.unwrap_or_else(|| TokenRole::new(name));
        change(&mut role)?;
        Ok(self.write_role(&role)?)
    }

    /// Writes a role in the place of the one of its name.
    pub(super) fn write_role(&self, role: &TokenRole) -> Result<(), TokenError> {
        let fits = (1..=NAME_BYTES_MAX).contains(&role.name.len());
        if !fits || role.name.chars().any(char::is_control) {
            return Err(TokenError::BadInput(format!(
                "a role name has 1 to {NAME_BYTES_MAX} bytes, without control characters"
            )));
        }
        let lists = [
            &role.allowed_policies,
            &role.allowed_policies_glob,
            &role.disallowed_policies,
            &role.disallowed_policies_glob,
        ];
        let listed: usize = lists.iter().flat_map(|list| list.iter()).map(String::len).sum();
        if listed.saturating_add(role.path_suffix.len()) > LISTED_BYTES_MAX {
            return Err(TokenError::BadInput(format!(
                "the lists of a role have at most {LISTED_BYTES_MAX} bytes together"
            )));
        }
        let at = self.role_key(&role.name);
        let mut edit = Edit::default();
        match self.records.get::<TokenRole>(&at)? {
            Some(stored) => edit.update(at, stored.version, role)?,
            None => edit.create(at, role)?,
        };
        Ok(self.records.commit(edit)?)
    }

    /// Removes a role; one that is not there is no error. Its tokens live on, and are not renewed any
    /// more. Blocks until durable.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn delete_role(&self, name: &str) -> Result<(), TokenError> {
        let mut edit = Edit::default();
        edit.delete(self.role_key(name));
        Ok(self.records.commit(edit)?)
    }

    fn role_key(&self, name: &str) -> Vec<u8> {
        key(Kind::TokenRole, &[&self.records.blind("token role", name)])
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("*", "", true),
            ("a*c", "ac", true),
            ("a*c", "a", false),
            ("ab*bc", "abc", false),
            ("a*b*c", "axbyc", true),
            ("a*b*c", "axcyb", false),
            ("*-prod-*", "kms-prod-1", true),
            ("*b*", "aca", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
