//! Which line of Percona Server for MongoDB is matched where its versions differ.

use std::fmt;
use std::str::FromStr;

/// The first version of a line.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 4.2: the key identifier is a name, and states are no matter.
    V4_2,
    /// 5.0.28, 6.0.17, 7.0.14: keys are activated and polled; a Pre-Active one is tolerated.
    #[default]
    V5_0,
    /// 8.0: only an Active key will do.
    V8_0,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::V4_2, Self::V5_0, Self::V8_0];

    /// As the command line says it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V4_2 => "4.2",
            Self::V5_0 => "5.0",
            Self::V8_0 => "8.0",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|level| level.name() == text);
        known.ok_or_else(|| String::from("choose one of 4.2, 5.0 and 8.0"))
    }
}
