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

/// The life of a token that begins: `ttl` 0 asks for the default, `explicit_max_ttl` 0 for the
/// system's maximum, `period` 0 for none.
pub(super) fn at_creation(
    ttl: i64,
    explicit_max_ttl: i64,
    period: i64,
) -> Result<Granted, TokenError> {
    for (name, seconds) in
        [("ttl", ttl), ("explicit_max_ttl", explicit_max_ttl), ("period", period)]
    {
        if seconds < 0 {
            return Err(TokenError::BadInput(format!("{name} must not be negative")));
        }
        if name != "ttl" && seconds > TTL_SECONDS_MAX {
            return Err(TokenError::BadInput(format!(
                "{name} must not exceed {TTL_SECONDS_MAX} seconds"
            )));
        }
    }
    let wanted = if period > 0 {
        period
    } else if ttl > 0 {
        ttl
    } else {
        TTL_SECONDS_DEFAULT
    };
    Ok(within(wanted, if explicit_max_ttl > 0 { explicit_max_ttl } else { TTL_SECONDS_MAX }))
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
    let mut warnings = Vec::new();
    if wanted > most {
        warnings.push(format!(
            "TTL of \"{wanted}s\" exceeded the effective max_ttl of \"{most}s\"; TTL value is \
             capped accordingly"
        ));
    }
    Granted { ttl: wanted.min(most), warnings }
}
