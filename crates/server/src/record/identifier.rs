//! Identifiers that the server makes for its own records. Never derived from names, so that
//! something deleted and made again under the same name is something else.

use std::fmt;

use aws_lc_rs::error::Unspecified;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new one: a random UUID (RFC 9562, version 4).
            ///
            /// # Errors
            /// When the operating system gives no randomness.
            pub fn random() -> Result<Self, Unspecified> {
                uuid_v4().map(Self)
            }

            /// From its text; `None` when it is none.
            pub fn parse(text: &str) -> Option<Self> {
                parse_uuid(text).map(Self)
            }

            /// Its 16 bytes, as they stand in keys.
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                parse_uuid(&text)
                    .map(Self)
                    .ok_or_else(|| de::Error::custom("not a UUID"))
            }
        }
    )*};
}

identifiers! {
    /// Identifies a mount for as long as it exists, wherever it is moved.
    MountId;
    /// Identifies a scope.
    ScopeId;
    /// Identifies a role.
    RoleId;
    /// Identifies a certificate authority.
    AuthorityId;
    /// Identifies an auth method for as long as it exists.
    MethodId;
    /// Identifies a role of an AppRole method.
    AppRoleId;
    /// Names a secret ID, without being able to log in with it.
    SecretIdAccessor;
    /// Identifies a request of the HTTP API, in its answer and in the audit.
    RequestId;
}

/// The text of a new random UUID.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn random_uuid() -> Result<String, Unspecified> {
    RequestId::random().map(|id| id.to_string())
}

/// 16 random bytes marked as a version 4 UUID.
pub(super) fn uuid_v4() -> Result<[u8; 16], Unspecified> {
    let mut bytes = [0u8; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    Ok(bytes)
}

fn write_uuid(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0u8; 16];
    let mut digits = text.chars().filter(|c| *c != '-');
    for byte in &mut bytes {
        let high = digits.next()?.to_digit(16)?;
        let low = digits.next()?.to_digit(16)?;
        *byte = (high << 4 | low) as u8;
    }
    digits.next().is_none().then_some(bytes)
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` random characters out of `0-9A-Za-z`, each equally likely.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn base62(length: usize) -> Result<String, Unspecified> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut byte = [0u8; 1];
        aws_lc_rs::rand::fill(&mut byte)?;
        // 248 is the largest multiple of 62 in a byte: the rest would favour the first letters.
        let index = usize::from(byte[0]);
        if let Some(character) = (index < 248).then(|| BASE62.get(index % 62)).flatten() {
            text.push(char::from(*character));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_print_and_parse() {
        let id = ScopeId::random().unwrap();
        let text = id.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(text.chars().nth(14), Some('4'));
        assert_eq!(parse_uuid(&text), Some(*id.as_bytes()));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ScopeId>(&json).unwrap(), id);
        for wrong in ["", "zz", "0011", &format!("{text}0")] {
            assert_eq!(parse_uuid(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn base62_has_the_asked_length_and_only_its_letters() {
        let text = base62(2000).unwrap();
        assert_eq!(text.len(), 2000);
        assert!(text.bytes().all(|byte| BASE62.contains(&byte)));
        let distinct: std::collections::HashSet<u8> = text.bytes().collect();
        assert_eq!(distinct.len(), 62, "2000 draws reach every letter");
    }
}
