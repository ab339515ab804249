//! Who may sign requests: access keys and their secrets.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};
use serde::Deserialize;

/// Access keys and their secrets. Each may do everything.
#[derive(Default)]
pub struct Credentials {
    secrets: HashMap<String, SecretKey>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be. The reason names no value.
    #[error("{path}: {reason}")]
    Malformed {
        /// Which.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// An access key or a secret that cannot be one.
    #[error(
        "an access key has 3 to 128 letters, digits, '-', '_' and '.'; a secret at least 8 characters"
    )]
    Invalid,
    /// Two secrets for an access key.
    #[error("the access key {0} is there twice")]
    Twice(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    credential: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    access_key: String,
    secret_key: SecretKey,
}

impl Credentials {
    /// Adds an access key.
    ///
    /// # Errors
    /// [`CredentialsError::Invalid`], [`CredentialsError::Twice`].
    pub fn add(&mut self, access_key: &str, secret_key: SecretKey) -> Result<(), CredentialsError> {
        let valid = (3..=128).contains(&access_key.len())
            && access_key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && secret_key.expose().len() >= 8;
        if !valid {
            return Err(CredentialsError::Invalid);
        }
        match self.secrets.insert(access_key.to_owned(), secret_key) {
            None => Ok(()),
            Some(_) => Err(CredentialsError::Twice(access_key.to_owned())),
        }
    }

    /// Adds what a TOML file has: `[[credential]]` with `access_key` and `secret_key`.
    ///
    /// # Errors
    /// [`CredentialsError`].
    pub fn add_file(&mut self, path: &Path) -> Result<(), CredentialsError> {
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| CredentialsError::Unreadable { path: name(), source })?;
        let file: File = toml::from_str(&text).map_err(|error| CredentialsError::Malformed {
            path: name(),
            // Its own text shows the line, and with it a secret.
            reason: error.message().to_owned(),
        })?;
        for pair in file.credential {
            self.add(&pair.access_key, pair.secret_key)?;
        }
        Ok(())
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.secrets.keys()).finish()
    }
}

#[async_trait]
impl S3Auth for Credentials {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        self.secrets.get(access_key).cloned().ok_or_else(|| {
            s3_error!(
                InvalidAccessKeyId,
                "The AWS access key ID that you provided does not exist in our records"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Credentials, CredentialsError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut credentials = Credentials::default();
        credentials.add_file(file.path()).map(|()| credentials)
    }

    #[test]
    fn a_file_has_many_and_no_error_shows_a_secret() {
        let two = "[[credential]]\naccess_key = \"one\"\nsecret_key = \"sssssssss\"\n\
                   [[credential]]\naccess_key = \"two\"\nsecret_key = \"ttttttttt\"\n";
        let credentials = of(two).unwrap();
        assert_eq!(credentials.secrets["two"].expose(), "ttttttttt");
        assert!(!format!("{credentials:?}").contains("ttt"));
        let wrong = [
            two.replace("two", "one"),
            two.replace("\"two\"", "\"a b\""),
            two.replace("ttttttttt\"", "ttttttttt"),
            two.replace("ttttttttt", "t"),
            two.replace("secret_key", "ttttttttt"),
        ];
        for wrong in wrong {
            let error = of(&wrong).unwrap_err();
            assert!(!error.to_string().contains("sssssssss"), "{error}");
            assert!(!format!("{error:?}").contains("\"ttttttttt"), "{error:?}");
        }
    }
}
