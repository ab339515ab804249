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
    pub(super) period: i64,
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
        let ttl = cut("ttl", self.ttl, i64::MAX)?;
        let explicit_max_ttl = cut("explicit_max_ttl", self.explicit_max_ttl, TTL_SECONDS_MAX)?;
        let period = cut("period", self.period, TTL_SECONDS_MAX)?;
        Ok(Self { ttl, explicit_max_ttl, period })
    }

    /// Whether there is nothing that ends it.
    pub(super) fn is_endless(self) -> bool {
        (self.ttl, self.explicit_max_ttl, self.period) == (0, 0, 0)
    }

    /// The life that the token begins with.
    pub(super) fn at_creation(self) -> Granted {
        let wanted = [self.period, self.ttl].into_iter().find(|seconds| *seconds > 0);
        let most = match self.explicit_max_ttl {
            0 => TTL_SECONDS_MAX,
            max => max,
        };
        within(wanted.unwrap_or_else(|| TTL_SECONDS_DEFAULT.min(most)), most)
    }
}

/// The life of a token that is renewed at `now`: `increment` 0 asks for its first ttl again.
pub(super) fn at_renewal(
    info: &TokenInfo,
    increment: i64,
    now: i64,
) -> Result<Granted, TokenError> {
    if !info.renewable || info.expire_time.is_none() {
        return Err(TokenError::BadInput("lease is not renewable".to_owned()));
    }
    let wanted = if info.period > 0 {
        info.period
    } else if increment > 0 {
        increment
    } else {
        info.creation_ttl
    };
    let age = now.saturating_sub(info.creation_time);
    let left = match (info.explicit_max_ttl, info.period) {
        (0, 0) => TTL_SECONDS_MAX.saturating_sub(age),
        (0, _) => i64::MAX,
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
