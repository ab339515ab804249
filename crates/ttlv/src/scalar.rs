//! How single values are spelled in XML and JSON (KMIP Profiles 2.1 §5.4, §5.5).
//!
//! Must never know how the text is wrapped: elements and objects are in `xml` and `json`.

use crate::{ItemType, Names, Tag, Value, date};

/// The largest number of hexadecimal digits of a 64-bit value.
const LONG_DIGITS: usize = 16;
/// The largest number of hexadecimal digits of a 32-bit value.
const WORD_DIGITS: usize = 8;

/// Reads the text of a value that is no structure; `None` if it is not of the type.
///
/// Names and numbers are understood wherever the encodings allow one of them. A mask is any number
/// of names or numbers, separated by blanks or `|`.
pub(crate) fn parse(
    names: &dyn Names,
    context: Tag,
    item_type: ItemType,
    text: &str,
) -> Option<Value> {
    let trimmed = text.trim();
    Some(match item_type {
        ItemType::Structure => return None,
        ItemType::Integer => Value::Integer(integer(names, context, trimmed)?),
        ItemType::LongInteger => Value::LongInteger(long_integer(trimmed)?),
        ItemType::BigInteger => {
            let bytes = bytes(hexadecimal(trimmed).unwrap_or(trimmed))?;
            if bytes.is_empty() {
                return None;
            }
            Value::big_integer(&bytes)
        }
        ItemType::Enumeration => Value::Enumeration(enumeration(names, context, trimmed)?),
        ItemType::Boolean => Value::Boolean(boolean(trimmed)?),
        ItemType::TextString => Value::TextString(text.to_owned()),
        ItemType::ByteString => Value::ByteString(bytes(trimmed)?),
        ItemType::DateTime => Value::DateTime(match hexadecimal(trimmed) {
            Some(digits) => long(digits)?,
            None => date::parse_seconds(trimmed)?,
        }),
        ItemType::Interval => Value::Interval(match hexadecimal(trimmed) {
            Some(digits) => word(digits)?,
            None => trimmed.parse().ok()?,
        }),
        ItemType::DateTimeExtended => Value::DateTimeExtended(match hexadecimal(trimmed) {
            Some(digits) => long(digits)?,
            None => trimmed.parse().ok().or_else(|| date::parse_micros(trimmed))?,
        }),
    })
}

fn integer(names: &dyn Names, context: Tag, text: &str) -> Option<i32> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let mut bits = 0;
    let mut is_empty = true;
    for part in text.split(['|', ' ', '\t', '\r', '\n']).filter(|part| !part.is_empty()) {
        is_empty = false;
        bits |= match hexadecimal(part) {
            Some(digits) => word(digits)?,
            None => names.bit(context, part)?,
        };
    }
    if is_empty { None } else { Some(bits.cast_signed()) }
}

fn long_integer(text: &str) -> Option<i64> {
    match hexadecimal(text) {
        Some(digits) => long(digits),
        None => text.parse().ok(),
    }
}

fn enumeration(names: &dyn Names, context: Tag, text: &str) -> Option<u32> {
    if let Some(digits) = hexadecimal(text) {
        return word(digits);
    }
    match text.parse() {
        Ok(value) => Some(value),
        Err(_) => names.value(context, text),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => match long(hexadecimal(text)?)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

/// What follows `0x`.
pub(crate) fn hexadecimal(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn word(digits: &str) -> Option<u32> {
    if is_hexadecimal(digits, WORD_DIGITS) { u32::from_str_radix(digits, 16).ok() } else { None }
}

fn long(digits: &str) -> Option<i64> {
    let is_long = is_hexadecimal(digits, LONG_DIGITS);
    if is_long { u64::from_str_radix(digits, 16).ok().map(u64::cast_signed) } else { None }
}

fn is_hexadecimal(digits: &str, count_max: usize) -> bool {
    (1..=count_max).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Bytes from pairs of hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// Bytes as pairs of lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A 32-bit number as `0x` and eight digits.
pub(crate) fn hex_word(value: u32) -> String {
    format!("0x{value:08X}")
}

/// A 64-bit number as `0x` and sixteen digits.
pub(crate) fn hex_long(value: i64) -> String {
    format!("0x{:016x}", value.cast_unsigned())
}

/// The name of an Enumeration value, or its number.
pub(crate) fn enumeration_label(names: &dyn Names, context: Tag, value: u32) -> String {
    match names.value_name(context, value) {
        Some(name) => name.to_owned(),
        None => hex_word(value),
    }
}

/// The names of the bits of a mask, then what has no name as a number; `None` if no bit has a
/// name, that is if the Integer is better written as a number.
pub(crate) fn mask_label(
    names: &dyn Names,
    context: Tag,
    value: i32,
    separator: &str,
) -> Option<String> {
    let mut parts = Vec::new();
    let mut rest = 0;
    for shift in 0..u32::BITS {
        let bit = 1 << shift & value.cast_unsigned();
        match names.bit_name(context, bit) {
            Some(name) => parts.push(name.to_owned()),
            None => rest |= bit,
        }
    }
    if parts.is_empty() {
        return None;
    }
    if rest != 0 {
        parts.push(hex_word(rest));
    }
    Some(parts.join(separator))
}

/// A Date-Time in ISO 8601, or as a number where that has no room for it.
pub(crate) fn date_time_label(seconds: i64) -> String {
    date::format_seconds(seconds).unwrap_or_else(|| hex_long(seconds))
}

/// A Date-Time Extended in ISO 8601, or as a number where that has no room for it.
pub(crate) fn date_time_extended_label(micros: i64) -> String {
    date::format_micros(micros).unwrap_or_else(|| hex_long(micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoNames;

    const TAG: Tag = Tag::new(0x42_002C);

    struct Usage;

    impl Names for Usage {
        fn tag_name(&self, _tag: Tag) -> Option<&'static str> {
            None
        }
        fn tag(&self, _name: &str) -> Option<Tag> {
            None
        }
        fn value_name(&self, context: Tag, value: u32) -> Option<&'static str> {
            (context == TAG && value == 3).then_some("Three")
        }
        fn value(&self, context: Tag, name: &str) -> Option<u32> {
            (context == TAG && name == "Three").then_some(3)
        }
        fn bit_name(&self, context: Tag, bit: u32) -> Option<&'static str> {
            match (context, bit) {
                (TAG, 4) => Some("Encrypt"),
                (TAG, 8) => Some("Decrypt"),
                _ => None,
            }
        }
        fn bit(&self, context: Tag, name: &str) -> Option<u32> {
            match (context, name) {
                (TAG, "Encrypt") => Some(4),
                (TAG, "Decrypt") => Some(8),
                _ => None,
            }
        }
        fn governed(&self, _tag: Tag, _text: &str) -> Option<(Tag, Tag)> {
            None
        }
    }

    #[test]
    fn masks_and_numbers() {
        let read = |text| integer(&Usage, TAG, text);
        assert_eq!(read("Decrypt   Encrypt"), Some(12));
        assert_eq!(read("Decrypt|Encrypt"), Some(12));
        assert_eq!(read("Encrypt 0x80000000"), Some(-0x7FFF_FFFC));
        assert_eq!(read("-1"), Some(-1));
        assert_eq!(read("0xFFFFFFFF"), Some(-1));
        assert_eq!(read("0x1FFFFFFFF"), None);
        assert_eq!(read("Sign"), None);
        assert_eq!(read(""), None);
        assert_eq!(integer(&Usage, Tag::new(0x42_0001), "Encrypt"), None);
        let written = |value| mask_label(&Usage, TAG, value, " ");
        assert_eq!(written(12).as_deref(), Some("Encrypt Decrypt"));
        assert_eq!(written(-0x7FFF_FFFC).as_deref(), Some("Encrypt 0x80000000"));
        assert_eq!(written(0), None);
        assert_eq!(written(1), None);
    }

    #[test]
    fn every_spelling_of_a_value() {
        let cases = [
            (ItemType::Enumeration, "Three", Value::Enumeration(3)),
            (ItemType::Enumeration, "3", Value::Enumeration(3)),
            (ItemType::Enumeration, "0x80000001", Value::Enumeration(0x8000_0001)),
            (ItemType::LongInteger, "-9", Value::LongInteger(-9)),
            (ItemType::LongInteger, "0xffffffffffffffff", Value::LongInteger(-1)),
            (ItemType::BigInteger, "0x80", Value::big_integer(&[0x80])),
            (ItemType::BigInteger, "0102", Value::big_integer(&[1, 2])),
            (ItemType::Boolean, "true", Value::Boolean(true)),
            (ItemType::Boolean, "0x0000000000000000", Value::Boolean(false)),
            (ItemType::TextString, " a ", Value::TextString(" a ".into())),
            (ItemType::TextString, "", Value::TextString(String::new())),
            (ItemType::ByteString, "00fF", Value::ByteString(vec![0, 255])),
            (ItemType::ByteString, "", Value::ByteString(vec![])),
            (ItemType::DateTime, "0x000000004b7918aa", Value::DateTime(0x4B79_18AA)),
            (ItemType::DateTime, "1970-01-01T00:00:01Z", Value::DateTime(1)),
            (ItemType::Interval, "0x0000000A", Value::Interval(10)),
            (ItemType::DateTimeExtended, "12", Value::DateTimeExtended(12)),
        ];
        for (item_type, text, value) in cases {
            assert_eq!(parse(&Usage, TAG, item_type, text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_value() {
        let refused = [
            (ItemType::Structure, ""),
            (ItemType::Integer, "2147483648"),
            (ItemType::Enumeration, "Three"),
            (ItemType::Enumeration, "-1"),
            (ItemType::LongInteger, "0x"),
            (ItemType::BigInteger, ""),
            (ItemType::BigInteger, "123"),
            (ItemType::Boolean, "0x0000000000000002"),
            (ItemType::ByteString, "0g"),
            (ItemType::ByteString, "0x00"),
            (ItemType::DateTime, "12"),
            (ItemType::Interval, "-1"),
        ];
        for (item_type, text) in refused {
            assert_eq!(parse(&NoNames, TAG, item_type, text), None, "{item_type:?} {text}");
        }
    }
}
