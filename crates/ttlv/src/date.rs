//! ISO 8601 dates, as XML and JSON write Date-Time values (KMIP Profiles 2.1 §5.4, §5.5).
//!
//! Proleptic Gregorian calendar, no leap seconds, years 0000 to 9999.

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// Days since 1970-01-01 of a date; the algorithm counts years from March, so that the leap day
/// is a year's last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a day since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next.0, next.1, 1) - days_from_civil(year, month, 1)
}

/// Writes POSIX seconds; `None` outside the years 0000 to 9999.
pub(crate) fn format_seconds(seconds: i64) -> Option<String> {
    let (date, time) = parts(seconds)?;
    Some(format!("{date}T{time}+00:00"))
}

/// Writes POSIX microseconds; `None` outside the years 0000 to 9999.
pub(crate) fn format_micros(micros: i64) -> Option<String> {
    let (date, time) = parts(micros.div_euclid(MICROS))?;
    Some(format!("{date}T{time}.{:06}+00:00", micros.rem_euclid(MICROS)))
}

fn parts(seconds: i64) -> Option<(String, String)> {
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
    if !(0..=9999).contains(&year) {
        return None;
    }
    let time = seconds.rem_euclid(DAY);
    let (hours, minutes, seconds) = (time / 3_600, time / 60 % 60, time % 60);
    Some((
        format!("{year:04}-{month:02}-{day:02}"),
        format!("{hours:02}:{minutes:02}:{seconds:02}"),
    ))
}

/// Reads POSIX seconds; a fraction is cut off.
pub(crate) fn parse_seconds(text: &str) -> Option<i64> {
    parse_micros(text).map(|micros| micros.div_euclid(MICROS))
}

/// Reads POSIX microseconds. Without a zone the time is taken as UTC; digits of a fraction beyond
/// the sixth are cut off.
pub(crate) fn parse_micros(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let mut date = date.split('-');
    let year = digits(date.next()?, 4)?;
    let month = digits(date.next()?, 2)?;
    let day = digits(date.next()?, 2)?;
    let is_date = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    if date.next().is_some() || !is_date {
        return None;
    }
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(zone_at)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':');
    let hours = digits(time.next()?, 2)?;
    let minutes = digits(time.next()?, 2)?;
    let seconds = digits(time.next()?, 2)?;
    if time.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * DAY + hours * 3_600 + minutes * 60 + seconds;
    Some((seconds - zone_seconds(zone)?) * MICROS + fraction_micros(fraction)?)
}

fn zone_seconds(zone: &str) -> Option<i64> {
    let (sign, offset) = match zone.split_at_checked(1) {
        None | Some(("Z" | "z", "")) => return Some(0),
        Some(("+", offset)) => (1, offset),
        Some(("-", offset)) => (-1, offset),
        Some(_) => return None,
    };
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn fraction_micros(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some(padded.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0')))
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        let dates = [
            ("1970-01-01T00:00:00+00:00", 0),
            ("2008-03-14T11:56:40+00:00", 0x47DA_67F8),
            ("2013-06-26T09:09:17+00:00", 0x51CA_AFBD),
            ("2000-02-29T23:59:59+00:00", 951_868_799),
            ("1969-12-31T23:59:59+00:00", -1),
            ("0000-01-01T00:00:00+00:00", -62_167_219_200),
            ("9999-12-31T23:59:59+00:00", 253_402_300_799),
        ];
        for (text, seconds) in dates {
            assert_eq!(parse_seconds(text), Some(seconds), "{text}");
            assert_eq!(format_seconds(seconds).as_deref(), Some(text));
        }
    }

    #[test]
    fn zones_and_fractions() {
        assert_eq!(parse_seconds("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_seconds("1969-12-31T18:30:00-05:30"), Some(0));
        assert_eq!(parse_seconds("1970-01-01T00:00:05Z"), Some(5));
        assert_eq!(parse_seconds("1970-01-01T00:00:05"), Some(5));
        assert_eq!(parse_micros("1970-01-01T00:00:00.25Z"), Some(250_000));
        assert_eq!(parse_micros("1970-01-01T00:00:00.1234569Z"), Some(123_456));
        assert_eq!(format_micros(-1).as_deref(), Some("1969-12-31T23:59:59.999999+00:00"));
        assert_eq!(parse_micros("1969-12-31T23:59:59.999999+00:00"), Some(-1));
    }

    #[test]
    fn what_is_no_date() {
        let refused = [
            "",
            "T",
            "$NOW",
            "2013-06-26",
            "2013-13-01T00:00:00Z",
            "2013-02-29T00:00:00Z",
            "2013-06-26T24:00:00Z",
            "2013-06-26T00:00Z",
            "2013-06-26T00:00:00.Z",
            "2013-06-26T00:00:00+1:00",
            "2013-06-26T00:00:00+15:00",
            "+013-06-26T00:00:00Z",
            "2013-06-26T00:00:00Zebra",
        ];
        for text in refused {
            assert_eq!(parse_micros(text), None, "{text}");
        }
        assert_eq!(format_seconds(253_402_300_800), None);
        assert_eq!(format_micros(i64::MIN), None);
    }
}
