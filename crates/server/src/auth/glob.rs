//! Patterns in which `*` stands for any text, empty text included. Pure.

/// Whether a text is as the pattern says.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (between, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in between.split('*') {
        // The first place is as good as any: what follows may be anything.
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_any_text_and_nothing_else_is() {
        for (pattern, text) in [
            ("a", "a"),
            ("*", ""),
            ("*", "anything"),
            ("*.example.com", "a.b.example.com"),
            ("a*", "a"),
            ("a*c", "abc"),
            ("a**c", "ac"),
            ("*b*", "abc"),
            ("a*b*c", "axbxbc"),
            ("*ab*b", "aabb"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", "A"),
            ("a", "ab"),
            ("*.example.com", "example.com"),
            ("*.example.com", "a.example.com.evil"),
            ("a*a", "a"),
            ("a*bc*c", "abc"),
            ("*b*", "ac"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
