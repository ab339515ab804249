//! What a write says about one field of a record.

/// How a field is to change: left out, reset to its default, or set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// The field was not sent.
    #[default]
    Keep,
    /// The field was sent as null.
    Reset,
    /// The field was sent with a value.
    To(T),
}

impl<T> Change<T> {
    /// The value after the change.
    pub fn apply(self, current: T, default: T) -> T {
        match self {
            Self::Keep => current,
            Self::Reset => default,
            Self::To(value) => value,
        }
    }
}
