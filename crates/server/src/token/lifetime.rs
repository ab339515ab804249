//! How long a token lives, and how far it can be renewed: Vault's rules. Pure.

use super::{TokenError, TokenInfo};

/// Seconds that a token lives unless told otherwise: Vault's 768 hours.
pub const TTL_SECONDS_DEFAULT: i64 = 768 * 3600;

/// Seconds that a token lives at most, renewals included, unless it is periodic.
pub const TTL_SECONDS_MAX: i64 = 768 * 3600;

/// What was granted of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Granted {
    /// Seconds from now.
    pub(super) ttl: i64,
    /// What was cut, in words.
    pub(super) warnings: Vec<String>,
}

/// What a new token asks for, in seconds; 0 is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) ttl: i64,
    pub(super) explicit_max_ttl: i64,
    pub(super) max_ttl: i64,
    pub(super) period: i64,
}

/// What a renewal goes by, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What it gives unless it is told otherwise.
    pub ttl: i64,
    /// How long the token lives at most, unless it is periodic; 0 for the system's maximum.
    pub max_ttl: i64,
    /// What each renewal gives, without a maximum; 0 if the token is not periodic.
    pub period: i64,
}

impl Terms {
    /// Those that the token was made with.
    pub(super) fn of(info: &TokenInfo) -> Self {
        Self { ttl: info.creation_ttl, max_ttl: 0, period: info.period }
    }
}

/// The maximum where nothing more narrow is set.
fn ceiling(max_ttl: i64) -> i64 {
    if max_ttl > 0 { max_ttl } else { TTL_SECONDS_MAX }
}

impl Asked {
    /// Cuts what is beyond the system's maximum.
    pub(super) fn cut(self, warnings: &mut Vec<String>) -> Result<Self, TokenError> {
        let mut cut = |name: &str, seconds: i64, most: i64| {
            if seconds < 0 {
                return Err(TokenError::BadInput(format!("{name} must not be negative")));
            }
            if seconds > most {
                warnings.push(exceeded(name, seconds, most));
            }
            Ok(seconds.min(most))
        };
        let most = TTL_SECONDS_MAX.max(self.max_ttl);
        let ttl = cut("ttl", self.ttl, i64::MAX)?;
        let explicit_max_ttl = cut("explicit_max_ttl", self.explicit_max_ttl, most)?;
        let period = cut("period", self.period, most)?;
        Ok(Self { ttl, explicit_max_ttl, period, ..self })
    }

    /// Whether there is nothing that ends it.
    pub(super) fn is_endless(self) -> bool {
        (self.ttl, self.explicit_max_ttl, self.period) == (0, 0, 0)
    }

    /// The life that the token begins with.
    pub(super) fn at_creation(self) -> Granted {
        let wanted = [self.period, self.ttl].into_iter().find(|seconds| *seconds > 0);
        let most = match (self.explicit_max_ttl, self.period) {
            (0, 0) => ceiling(self.max_ttl),
            (0, _) => TTL_SECONDS_MAX.max(self.max_ttl),
            (max, 0) => max.min(ceiling(self.max_ttl)),
            (max, _) => max,
        };
        within(wanted.unwrap_or_else(|| TTL_SECONDS_DEFAULT.min(most)), most)
    }
}

/// The life of a token that is renewed at `now`: `increment` 0 asks for what its terms say.
pub(super) fn at_renewal(
    info: &TokenInfo,
    increment: i64,
    terms: Terms,
    now: i64,
) -> Result<Granted, TokenError> {
    if !info.renewable || info.expire_time.is_none() {
        return Err(TokenError::BadInput("lease is not renewable".to_owned()));
    }
    let wanted = if terms.period > 0 {
        terms.period
    } else if increment > 0 {
        increment
    } else {
        terms.ttl
    };
    let age = now.saturating_sub(info.creation_time);
    let left = match (info.explicit_max_ttl, terms.period) {
        (0, 0) => ceiling(terms.max_ttl).saturating_sub(age),
        (0, _) => i64::MAX,
        (max, 0) => max.min(ceiling(terms.max_ttl)).saturating_sub(age),
        (max, _) => max.saturating_sub(age),
    };
    if left <= 0 {
        return Err(TokenError::BadInput("past the max TTL, cannot renew".to_owned()));
    }
    Ok(within(wanted, left))
}

fn within(wanted: i64, most: i64) -> Granted {
    let warnings = if wanted > most { vec![exceeded("ttl", wanted, most)] } else { Vec::new() };
    Granted { ttl: wanted.min(most), warnings }
}

fn exceeded(name: &str, wanted: i64, most: i64) -> String {
    format!("{name} of {wanted}s exceeds the maximum of {most}s and is cut to it")
}
