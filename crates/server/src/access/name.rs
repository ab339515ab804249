//! Names of scopes and roles: 1 to 255 bytes of UTF-8 without `/` and control characters.

use std::fmt;

use super::AccessError;

const NAME_BYTES_MAX: usize = 255;

/// A valid name of a scope or role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Checks a name.
    ///
    /// # Errors
    /// [`AccessError::BadInput`] saying what a name may be.
    pub fn parse(text: &str) -> Result<Self, AccessError> {
        let fits = (1..=NAME_BYTES_MAX).contains(&text.len());
        if !fits || text.chars().any(|c| c == '/' || c.is_control()) {
            return Err(AccessError::BadInput(
                "a scope or role name has 1 to 255 bytes, without \"/\" and control characters"
                    .to_owned(),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A name as part of a URI (RFC 3986 §2.3: unreserved characters stand, all else is encoded).
pub(super) fn percent_encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_names() {
        let longest = "x".repeat(255);
        for good in ["a", "finance", "Ünïcode 名", "a.b-c_d", "..", longest.as_str()] {
            assert_eq!(Name::parse(good).unwrap().as_str(), good);
        }
        let too_long = "x".repeat(256);
        let too_long_in_bytes = "é".repeat(128);
        for bad in
            ["", "a/b", "/", "a\n", "\u{0}", "\u{7f}", "\u{85}", &too_long, &too_long_in_bytes]
        {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_in_uris_are_ascii() {
        assert_eq!(percent_encoded("a b%é~"), "a%20b%25%C3%A9~");
    }
}
