//! Lines of the server's error log.
//!
//! The server offers a service for them, but where in it a function stands is another thing in every series of MySQL, and
//! it does not say which it is. So the functions of that service are looked up by their names, which tell their
//! arguments as well: what has changed is not found. Then, and in `mysql_migrate_keyring`, which has none, lines go to the
//! standard error stream.

use std::ffi::{CStr, c_char, c_int, c_longlong, c_void};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::keyring::Severity;

/// Bytes of a line.
const LINE_MAX: usize = 1000;
const SECONDS_PER_DAY: u64 = 86_400;

/// `log_item_type`: what a part of a line is.
const SUBSYSTEM: c_int = 1 << 9;
const PRIORITY: c_int = 1 << 16;
const MESSAGE: c_int = 1 << 19;

type Line = *mut c_void;
type Part = *mut c_void;

/// The server's functions.
struct Functions {
    begin: unsafe extern "C" fn() -> Line,
    add: unsafe extern "C" fn(Line, c_int) -> Part,
    set_number: unsafe extern "C" fn(Part, c_longlong) -> bool,
    set_text: unsafe extern "C" fn(Part, *const c_char, usize) -> bool,
    submit: unsafe extern "C" fn(Line) -> c_int,
    end: unsafe extern "C" fn(Line),
}

impl Functions {
    /// Of the program that has loaded the library, if it is a MySQL server.
    fn find() -> Option<Self> {
        // SAFETY: texts that end with a zero; each name is that of a function which takes and answers that.
        unsafe {
            let find = |name: &CStr| {
                let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
                (!found.is_null()).then_some(found)
            };
            Some(Self {
                begin: std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> Line>(find(
                    c"_ZN16log_builtins_imp9line_initEv",
                )?),
                add: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Line, c_int) -> Part>(
                    find(c"_ZN16log_builtins_imp13line_item_setEP9_log_line18enum_log_item_type")?,
                ),
                set_number: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(Part, c_longlong) -> bool,
                >(find(
                    c"_ZN16log_builtins_imp12item_set_intEP14_log_item_datax",
                )?),
                set_text: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(Part, *const c_char, usize) -> bool,
                >(find(
                    c"_ZN16log_builtins_imp18item_set_lexstringEP14_log_item_dataPKcm",
                )?),
                submit: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Line) -> c_int>(
                    find(c"_ZN16log_builtins_imp11line_submitEP9_log_line")?,
                ),
                end: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Line)>(find(
                    c"_ZN16log_builtins_imp9line_exitEP9_log_line",
                )?),
            })
        }
    }

    /// Hands a line over to the server, which writes it at once, or when it has opened its log.
    fn submit(&self, severity: Severity, text: &str) -> bool {
        let priority = match severity {
            Severity::Error => 1,
            Severity::Warning => 2,
            Severity::Note => 3,
        };
        let subsystem = "Server";
        // SAFETY: the server's functions, each with what it takes: a line or a part of one that the server made, where the
        // server checks that there is one, and texts that live until the line is submitted.
        unsafe {
            let line = (self.begin)();
            if line.is_null() {
                return false;
            }
            (self.set_number)((self.add)(line, PRIORITY), priority);
            let part = (self.add)(line, SUBSYSTEM);
            (self.set_text)(part, subsystem.as_ptr().cast(), subsystem.len());
            (self.set_text)((self.add)(line, MESSAGE), text.as_ptr().cast(), text.len());
            (self.submit)(line);
            (self.end)(line);
        }
        true
    }
}

/// Writes a line. Characters that would end it become spaces.
pub(super) fn write(severity: Severity, text: &str) {
    let mut line = String::from("component_claviger_kmip: ");
    for character in text.chars() {
        if line.len() >= LINE_MAX {
            line.push('…');
            break;
        }
        line.push(if character.is_control() { ' ' } else { character });
    }
    if !Functions::find().is_some_and(|functions| functions.submit(severity, &line)) {
        write_to_stderr(severity, &line);
    }
}

/// In the shape of the server's own lines.
fn write_to_stderr(severity: Severity, text: &str) {
    let label = match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "Warning",
        Severity::Note => return,
    };
    let line = format!("{} 0 [{label}] [MY-000000] [Server] {text}\n", now());
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
