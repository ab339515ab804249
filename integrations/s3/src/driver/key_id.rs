//! What a bucket's key is called: its Unique Identifier on the KMIP servers, with or without Scality's
//! prefix `arn:scality:kms:external:kmip:PROVIDER:key/`.

use std::fmt;
use std::str::FromStr;

use claviger_kmip::attributes::values::UniqueIdentifier;

use super::DriverError;

/// What the identifier of a key on a KMIP server begins with, where it begins with anything.
const ARN: &str = "arn:scality:kms:external:kmip:";
/// What every identifier with a prefix begins with.
const ANY_ARN: &str = "arn:";
/// Between prefix and Unique Identifier.
const BEFORE_KEY: &str = ":key/";
/// Longer than any server's identifiers.
const LENGTH_MAX: usize = 1024;

/// The identifier of a bucket's key, as it is stored beside what it wraps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// A Unique Identifier that a server gave, under the prefix of a provider if one is named.
    pub(super) fn of(identifier: &str, provider: Option<&str>) -> Result<Self, DriverError> {
        match provider {
            None => identifier.parse(),
            Some(provider) => format!("{ARN}{provider}{BEFORE_KEY}{identifier}").parse(),
        }
    }

    /// Without the prefix: what KMIP servers know.
    #[must_use]
    pub fn unique_identifier(&self) -> &str {
        let split = self.0.strip_prefix(ARN).and_then(|rest| rest.split_once(BEFORE_KEY));
        split.map_or(self.0.as_str(), |(_, identifier)| identifier)
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = DriverError;

    /// Reads an identifier with or without prefix. One with the prefix of something else than a KMIP
    /// server is refused: the key is not there.
    fn from_str(text: &str) -> Result<Self, DriverError> {
        let bad = || DriverError::KeyId;
        if text.len() > LENGTH_MAX || text.contains(char::is_control) {
            return Err(bad());
        }
        let identifier = match text.strip_prefix(ARN) {
            Some(rest) => {
                let (provider, identifier) = rest.split_once(BEFORE_KEY).ok_or_else(bad)?;
                if !is_provider(provider) {
                    return Err(bad());
                }
                identifier
            }
            None if text.starts_with(ANY_ARN) => return Err(bad()),
            None => text,
        };
        if identifier.is_empty() { Err(bad()) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&KeyId> for UniqueIdentifier {
    fn from(key: &KeyId) -> Self {
        Self::from(key.unique_identifier())
    }
}

/// Whether a word can stand for the maker of the KMIP servers.
pub(super) fn is_provider(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_kept_and_not_sent() {
        for (text, sent) in [
            ("7", "7"),
            ("0193-ab", "0193-ab"),
            ("arn:scality:kms:external:kmip:thales:key/7f:key/2", "7f:key/2"),
        ] {
            let key: KeyId = text.parse().unwrap();
            assert_eq!((key.unique_identifier(), key.to_string().as_str()), (sent, text));
        }
        assert_eq!(KeyId::of("5", Some("claviger")).unwrap().unique_identifier(), "5");
        assert_eq!(KeyId::of("5", None).unwrap().as_str(), "5");
    }

    #[test]
    fn keys_of_others_and_nonsense_are_refused() {
        for text in [
            "",
            "a\nb",
            "arn:scality:kms:internal:file:scality:key/1",
            "arn:scality:kms:external:aws_kms:aws:key/1",
            "arn:scality:kms:external:kmip:Thales:key/1",
            "arn:scality:kms:external:kmip::key/1",
            "arn:scality:kms:external:kmip:thales:key/",
            "arn:scality:kms:external:kmip:thales",
            &"x".repeat(LENGTH_MAX + 1),
        ] {
            assert!(text.parse::<KeyId>().is_err(), "{text}");
        }
    }
}
