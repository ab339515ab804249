//! Lengths of time as Vault reads them: in fields, headers and policies. Pure.

/// Seconds in `3600`, `90s`, `1h30m`, `1.5h`, `365d`; parts of a second are dropped.
pub(crate) fn parse_seconds(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at_checked(end)?;
        seconds += number.parse::<f64>().ok()? * unit_seconds(unit)?;
        rest = next;
    }
    let seconds = whole(seconds.trunc())?;
    Some(if negative { -seconds } else { seconds })
}

/// The same where 0 says something else than a short time: parts of a second are a whole one.
pub(crate) fn parse_seconds_up(text: &str) -> Option<i64> {
    let seconds = parse_seconds(text)?;
    let is_nothing = !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    Some(match seconds {
        0 if is_nothing => 0,
        0 if text.starts_with('-') => -1,
        0 => 1,
        seconds => seconds,
    })
}

/// A number without a fraction, as one that has no room for any.
pub(crate) fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// A length of time as Vault writes it: `24h0m0s`.
pub(crate) fn in_units(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

fn unit_seconds(unit: &str) -> Option<f64> {
    match unit {
        "ns" => Some(1e-9),
        "us" | "µs" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        "d" => Some(86_400.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_they_are_read() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (61, "1m1s"), (86_400, "24h0m0s"), (3_725, "1h2m5s")]
        {
            assert_eq!(in_units(seconds), text);
            assert_eq!(parse_seconds(text), Some(seconds));
        }
    }

    #[test]
    fn a_part_of_a_second_is_not_nothing() {
        for (text, seconds) in [
            ("0", 0),
            ("0s", 0),
            ("-0ms", 0),
            ("", 0),
            ("500ms", 1),
            ("-500ms", -1),
            ("1500ms", 1),
            ("5m", 300),
            ("-5", -5),
        ] {
            assert_eq!(parse_seconds_up(text), Some(seconds), "{text}");
        }
        for bad in ["-", "+", "x", "1x", "0.5", "5 m"] {
            assert_eq!(parse_seconds_up(bad), None, "{bad}");
        }
    }
}
