//! Named authorities of a mount: generated ones issue and vouch, imported ones vouch only.

use std::sync::Arc;

use super::MountError;
use super::engine::KeptAuthority;
use super::imported::ImportedAuthority;
use crate::pki::{Authority, KeySpec, trust};
use crate::record::AuthorityId;

/// Longest name of an authority or listener.
const NAME_BYTES_MAX: usize = 128;

/// Characters of an authority's name that its certificates show: a CN has 64 at most, and the
/// intermediate's ends in `-intermediate`.
const COMMON_NAME_CHARS: usize = 51;

/// Longest life of a generated authority: a hundred years.
const TTL_SECONDS_MAX: i64 = 36_500 * 86_400;

/// A named authority.
#[derive(Debug)]
pub struct NamedAuthority {
    pub(super) id: AuthorityId,
    pub(super) name: String,
    /// Version of the stored record.
    pub(super) version: u64,
    /// Seconds since 1970.
    pub(super) created: i64,
    /// Where it comes from.
    pub(super) source: Source,
}

/// Where a named authority comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Made here.
    Generated {
        /// Issues and vouches.
        authority: Arc<Authority>,
        /// Its life, as it was asked for.
        ttl_seconds: i64,
    },
    /// Brought by somebody, without its key.
    Imported {
        /// Vouches.
        authority: Arc<ImportedAuthority>,
        /// Its certificates, as they were given.
        pem: String,
    },
}

impl NamedAuthority {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its identifier.
    pub fn id(&self) -> AuthorityId {
        self.id
    }

    /// The version of its record, which changes when it does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What issues, if it is a generated one.
    pub fn issuer(&self) -> Option<&Arc<Authority>> {
        match &self.source {
            Source::Generated { authority, .. } => Some(authority),
            Source::Imported { .. } => None,
        }
    }

    /// Last second of its life, since 1970.
    pub fn not_after(&self) -> i64 {
        match &self.source {
            Source::Generated { authority, .. } => authority.not_after(),
            Source::Imported { authority, .. } => {
                trust::earliest_end(authority.certificates()).unwrap_or(i64::MAX)
            }
        }
    }

    pub(super) fn kept(&self) -> Option<KeptAuthority> {
        Some(KeptAuthority { id: self.id, authority: self.issuer()?.clone() })
    }

    /// Makes one.
    pub(super) fn generate(
        name: &str,
        spec: KeySpec,
        ttl_seconds: i64,
        now: i64,
    ) -> Result<Self, MountError> {
        if !(1..=TTL_SECONDS_MAX).contains(&ttl_seconds) {
            return Err(MountError::BadInput(
                "ttl must be positive, and at most 36500d".to_owned(),
            ));
        }
        let shown: String = name.chars().take(COMMON_NAME_CHARS).collect();
        let authority = Arc::new(Authority::generate_for(&shown, spec, ttl_seconds, now)?);
        Ok(Self {
            id: AuthorityId::random()?,
            name: name.to_owned(),
            version: 0,
            created: now,
            source: Source::Generated { authority, ttl_seconds },
        })
    }
}

/// Checks the name of an authority or a listener.
///
/// # Errors
/// [`MountError::BadInput`] saying what it may be.
pub(super) fn check_name(name: &str) -> Result<(), MountError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edges = name.chars().next().into_iter().chain(name.chars().last());
    let is_fit = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.chars().all(legal)
        && edges.into_iter().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_fit {
        return Ok(());
    }
    Err(MountError::BadInput(
        "a name of an authority or listener has 1 to 128 letters, digits, \"_\" and, within, \"-\" \
         and \".\""
            .to_owned(),
    ))
}
