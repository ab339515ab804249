//! Lines of the server's error log.
//!
//! They are written to the standard error stream, which the server makes its error log. Its logging service would be the
//! other way, but where in that a function stands is another thing in every series of MySQL.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::keyring::Severity;

/// Bytes of a line.
const LINE_MAX: usize = 1000;
const SECONDS_PER_DAY: u64 = 86_400;

/// Writes a line in the shape of the server's own. Characters that would end it become spaces.
pub(super) fn write(severity: Severity, text: &str) {
    let label = match severity {
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    };
    let mut line = format!("{} 0 [{label}] [MY-000000] [Server] component_claviger_kmip: ", now());
    for character in text.chars() {
        if line.len() >= LINE_MAX {
            line.push('…');
            break;
        }
        line.push(if character.is_control() { ' ' } else { character });
    }
    line.push('\n');
    // In one write, so that lines of two threads do not mix; where it fails there is nobody to tell.
    let _best_effort = std::io::stderr().lock().write_all(line.as_bytes());
}

/// The time, as the server writes it: UTC, with microseconds.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) =
        (since.as_secs() / SECONDS_PER_DAY, since.as_secs().rem_euclid(SECONDS_PER_DAY));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let micros = since.subsec_micros();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of a day after 1970-01-01. Years are counted from March on, so that the day that some years have
/// more is the last.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era = day_of_era
        .saturating_sub(day_of_era / 1460)
        .saturating_add(day_of_era / 36_524)
        .saturating_sub(day_of_era / 146_096)
        / 365;
    let before =
        (365 * year_of_era).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100);
    let day_of_year = day_of_era.saturating_sub(before);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year.saturating_sub((153 * month_from_march + 2) / 5).saturating_add(1);
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, shown) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_785, (2026, 11, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(date(days), shown, "{days}");
        }
        assert!(now().ends_with('Z') && now().len() == "2026-11-28T20:52:31.000000Z".len());
    }
}
