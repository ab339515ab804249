//! Protocol versions (KMIP 2.1 §8.23, Protocol Version).

use std::fmt;

/// A version of the protocol, `major.minor`, ordered by age.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Protocol Version Major.
    pub major: i32,
    /// Protocol Version Minor.
    pub minor: i32,
}

impl Version {
    /// KMIP 1.0.
    pub const V1_0: Self = Self::new(1, 0);
    /// KMIP 1.1.
    pub const V1_1: Self = Self::new(1, 1);
    /// KMIP 1.2.
    pub const V1_2: Self = Self::new(1, 2);
    /// KMIP 1.3.
    pub const V1_3: Self = Self::new(1, 3);
    /// KMIP 1.4.
    pub const V1_4: Self = Self::new(1, 4);
    /// KMIP 2.0.
    pub const V2_0: Self = Self::new(2, 0);
    /// KMIP 2.1.
    pub const V2_1: Self = Self::new(2, 1);

    /// No version of the wire: everything that any version has, for records at rest. Nothing is
    /// too young or dropped in it, and attributes have the 2.x shape.
    pub const EVERY: Self = Self::new(i32::MAX, 0);

    /// Every version that this crate speaks, oldest first.
    pub const ALL: [Self; 7] =
        [Self::V1_0, Self::V1_1, Self::V1_2, Self::V1_3, Self::V1_4, Self::V2_0, Self::V2_1];

    /// A version from its two numbers.
    #[must_use]
    pub const fn new(major: i32, minor: i32) -> Self {
        Self { major, minor }
    }

    /// Whether this crate speaks the version.
    #[must_use]
    pub fn is_supported(self) -> bool {
        Self::ALL.contains(&self)
    }

    /// Whether attributes travel in the 1.x shape: Template-Attribute, names and indices.
    #[must_use]
    pub const fn is_1x(self) -> bool {
        self.major < 2
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
