//! Where a mount sits: one or more path segments and a slash, as in `kmip/` or `storage/kmip/`.

use std::fmt;

use super::MountError;

const PATH_BYTES_MAX: usize = 512;

/// Paths of the API itself.
const RESERVED: [&str; 4] = ["sys/", "auth/", "cubbyhole/", "identity/"];

/// A valid mount path, with a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountPath(String);

impl MountPath {
    /// Checks a path; a slash at its end may be left out.
    ///
    /// # Errors
    /// [`MountError::BadInput`] for what cannot be a mount path.
    pub fn parse(text: &str) -> Result<Self, MountError> {
        let bad = |text: &str| Err(MountError::BadInput(text.to_owned()));
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        if trimmed.is_empty() || trimmed.len() > PATH_BYTES_MAX {
            return bad("a mount path has 1 to 512 bytes");
        }
        if trimmed.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return bad("a mount path holds no spaces or control characters");
        }
        if trimmed.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return bad("a mount path has no empty, \".\" or \"..\" segment");
        }
        let path = Self(format!("{trimmed}/"));
        if RESERVED.iter().any(|taken| path.0.starts_with(taken)) {
            return bad("the path belongs to the API itself");
        }
        Ok(path)
    }

    /// As text, with the slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the mount path in a request path; `None` when it is not below the mount.
    pub fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.0.as_str())
    }

    /// Whether one of the two lies below the other, or they are the same.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_get_their_slash_and_bad_ones_are_refused() {
        assert_eq!(MountPath::parse("kmip").unwrap().as_str(), "kmip/");
        assert_eq!(MountPath::parse("a/b/").unwrap().as_str(), "a/b/");
        for bad in
            ["", "/", "//", "/kmip", "a//b", "a/../b", "a b", "a\n", "sys", "sys/x", "auth/token"]
        {
            assert!(MountPath::parse(bad).is_err(), "{bad:?}");
        }
        assert!(MountPath::parse("system").is_ok());
    }

    #[test]
    fn overlap_is_by_whole_segments() {
        let path = |text| MountPath::parse(text).unwrap();
        assert!(path("a").overlaps(&path("a/b")));
        assert!(path("a/b").overlaps(&path("a")));
        assert!(!path("a").overlaps(&path("ab")));
        assert_eq!(path("kmip").strip("kmip/scope/x"), Some("scope/x"));
        assert_eq!(path("kmip").strip("kmip2/scope"), None);
    }
}
