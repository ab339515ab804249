//! Lengths of time as people write them.

/// Reads `90`, `90s`, `15m`, `12h`, `30d` or `2w` as seconds.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        Some("d") => 86_400,
        Some("w") => 604_800,
        _ => return Err(String::from("write a number and s, m, h, d or w, as in 30d")),
    };
    let count: u32 = digits.parse().map_err(|_| String::from("write a number, as in 30d"))?;
    i64::from(count).checked_mul(unit).ok_or_else(|| String::from("that is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        assert_eq!(seconds("90"), Ok(90));
        assert_eq!(seconds("15m"), Ok(900));
        assert_eq!(seconds("30d"), Ok(2_592_000));
        assert_eq!(seconds("2w"), Ok(1_209_600));
        for bad in ["", "d", "-1d", "1.5h", "1y", "1 d", "99999999999d"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
