//! When the end of a certificate is worth a warning. Pure.

const DAY_SECONDS: i64 = 86_400;

/// Days before the end at which a warning is due, from the first to the last.
pub const WARNING_DAYS: [i64; 3] = [30, 7, 1];

/// The warning that has become due since the check before: the most urgent of 30, 7 and 1 days that
/// are left at most, 0 when the end is past. `None` when it was due then already, or is not yet;
/// without a check before, all that is due is new. All times are in seconds since 1970.
pub fn warning_due(not_after: i64, before: Option<i64>, now: i64) -> Option<i64> {
    let due = level(not_after, now)?;
    match before.and_then(|before| level(not_after, before)) {
        Some(earlier) if earlier <= due => None,
        _ => Some(due),
    }
}

fn level(not_after: i64, now: i64) -> Option<i64> {
    let left = not_after.saturating_sub(now);
    if left < 0 {
        return Some(0);
    }
    let due = |days: &&i64| left <= days.saturating_mul(DAY_SECONDS);
    WARNING_DAYS.iter().rev().find(due).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_warning_is_given_once() {
        const END: i64 = 1_800_000_000;
        const HOUR: i64 = 3600;
        let mut given = Vec::new();
        let mut before = Some(END - 40 * DAY_SECONDS);
        for hour in -40 * 24..=48 {
            let now = END + hour * HOUR;
            given.extend(warning_due(END, before, now).map(|days| (days, hour)));
            before = Some(now);
        }
        assert_eq!(given, [(30, -30 * 24), (7, -7 * 24), (1, -24), (0, 1)]);
    }

    #[test]
    fn the_first_check_gives_only_the_most_urgent() {
        const END: i64 = 1_800_000_000;
        assert_eq!(warning_due(END, None, END - 31 * DAY_SECONDS), None);
        assert_eq!(warning_due(END, None, END - 20 * DAY_SECONDS), Some(30));
        assert_eq!(warning_due(END, None, END - 3600), Some(1));
        assert_eq!(warning_due(END, None, END + 1), Some(0));
        // Nothing checked for a month: the most urgent again, and not those it has overtaken.
        let before = Some(END - 60 * DAY_SECONDS);
        assert_eq!(warning_due(END, before, END - 2 * DAY_SECONDS), Some(7));
        assert_eq!(warning_due(i64::MAX, None, END), None);
        assert_eq!(warning_due(END, Some(END), END - 3600), None, "a clock that was set back");
    }
}
