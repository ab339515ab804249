//! Users with passwords (vault's userpass).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lockout::Refused;
use super::password::PasswordHash;
use super::principal::{Principal, Principals};
use super::terms::Admitted;
use super::{AuthError, AuthMethods, Client, Method, TokenTerms, TokenTermsChange};
use crate::token::Created;

/// In Vault's words.
const WRONG: &str = "invalid username or password";

#[derive(Serialize, Deserialize)]
pub(super) struct UserRecord {
    name: String,
    password: PasswordHash,
    pub(super) token: TokenTerms,
    /// Seconds since 1970.
    created: i64,
}

impl Principal for UserRecord {
    fn name(&self) -> &str {
        &self.name
    }
}

/// The users of a method.
#[derive(Clone, Copy)]
pub struct Userpass<'a>(Principals<'a>);

impl<'a> Userpass<'a> {
    /// Of a method of users.
    pub fn of(methods: &'a AuthMethods, method: &'a Method) -> Self {
        Self(Principals { methods, method })
    }

    /// Their names.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn names(self) -> Result<Vec<String>, AuthError> {
        Ok(self.0.names::<UserRecord>()?)
    }

    /// What the tokens of a user get; `None` when there is no such user.
    ///
    /// # Errors
    /// When storage does not answer.
    pub fn read(self, name: &str) -> Result<Option<TokenTerms>, AuthError> {
        let stored = self.0.get::<UserRecord>(&name.to_lowercase())?;
        Ok(stored.map(|stored| stored.value.token))
    }

    /// Writes a user; a new one needs a password. Blocks until durable, and slow with a password.
    ///
    /// # Errors
    /// [`AuthError::BadInput`] for what cannot be.
    pub fn write(
        self,
        name: &str,
        password: Option<&str>,
        change: TokenTermsChange,
    ) -> Result<(), AuthError> {
        let name = name.to_lowercase();
        let hash = password.map(|password| self.hash(password)).transpose()?;
        let created = self.0.methods.clock.now();
        self.0.write::<UserRecord>(&name, |before| {
            let (kept, token, created) = match before {
                Some(before) => (Some(before.password), before.token, before.created),
                None => (None, TokenTerms::default(), created),
            };
            let password = hash.or(kept).ok_or_else(|| AuthError::bad("missing password"))?;
            Ok(UserRecord { name: name.clone(), password, token: token.apply(change)?, created })
        })
    }

    /// Changes a user that must be there. Blocks until durable, and slow with a password.
    ///
    /// # Errors
    /// [`AuthError::BadInput`] when there is none, or for what cannot be.
    pub fn update(
        self,
        name: &str,
        password: Option<&str>,
        change: TokenTermsChange,
    ) -> Result<(), AuthError> {
        let name = name.to_lowercase();
        let hash = password.map(|password| self.hash(password)).transpose()?;
        self.0.write::<UserRecord>(&name, |before| {
            let before = before.ok_or_else(|| AuthError::bad("username does not exist"))?;
            let password = hash.unwrap_or(before.password);
            Ok(UserRecord { password, token: before.token.apply(change)?, ..before })
        })
    }

    /// Removes a user; one that is not there is no error. Tokens stay. Blocks until durable.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn delete(self, name: &str) -> Result<(), AuthError> {
        self.0.delete(&name.to_lowercase())
    }

    /// Logs a user in. Slow, and as slow for one that is not there. Blocks until durable.
    ///
    /// # Errors
    /// [`AuthError::Wrong`], [`AuthError::Denied`] while locked out or from another address than the
    /// user may log in from.
    pub fn login(
        self,
        name: &str,
        password: &str,
        client: Client<'_>,
    ) -> Result<Created, AuthError> {
        let Principals { methods, method } = self.0;
        let name = name.to_lowercase();
        if password.is_empty() {
            return Err(AuthError::bad("missing password"));
        }
        let user = methods.guarded(method, &name, WRONG, || {
            let stored = self.0.get::<UserRecord>(&name)?;
            let user = stored.map(|stored| stored.value);
            let nobody = PasswordHash::of_nobody(methods.password_iterations);
            let is_right = user.as_ref().map_or(&nobody, |user| &user.password).is(password)?;
            let exists = user.is_some();
            user.filter(|_| is_right).ok_or(Refused::Wrong { exists })
        })?;
        let admitted = Admitted {
            method,
            name: &user.name,
            terms: &user.token,
            display_name: &user.name,
            path: format!("login/{}", user.name),
            meta: BTreeMap::from([("username".to_owned(), user.name.clone())]),
            public_key: Vec::new(),
        };
        methods.issue(admitted, client.address)
    }

    fn hash(self, password: &str) -> Result<PasswordHash, AuthError> {
        PasswordHash::of(password, self.0.methods.password_iterations)
    }
}
