//! How a text is laid out.

/// On one line for programs, or indented for people.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Layout {
    /// One line, no blanks.
    #[default]
    Compact,
    /// One item per line, two blanks per level.
    Indented,
}

impl Layout {
    pub(crate) fn indent(self, text: &mut String, depth: usize) {
        if self == Self::Indented {
            text.extend(std::iter::repeat_n("  ", depth));
        }
    }

    pub(crate) fn end_line(self, text: &mut String) {
        if self == Self::Indented {
            text.push('\n');
        }
    }
}
