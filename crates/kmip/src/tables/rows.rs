//! How a table is written down: the macros that turn rows into constants, types and [`super::Row`]s.
//!
//! Must never know a tag or a value: those are in `tags`, `enums` and `masks`.

/// One [`Row`]; the version range is `first` or `first .. last`.
macro_rules! row {
    ($code:expr, $name:literal, $title:literal, $since:ident, [$($until:ident)?], [$($alias:literal)*]) => {
        $crate::tables::Row {
            code: $code,
            name: $name,
            title: $title,
            aliases: &[$($alias),*],
            since: $crate::version::Version::$since,
            until: until!($($until)?),
        }
    };
}

macro_rules! until {
    () => {
        None
    };
    ($until:ident) => {
        Some($crate::version::Version::$until)
    };
}

/// Tag constants and `ROWS`, ascending.
macro_rules! tag_table {
    ($($constant:ident = $code:literal $name:literal $title:literal [$since:ident $(.. $until:ident)?];)*) => {
        $(
            #[doc = concat!("Tag ", stringify!($code), ", ", $title, ".")]
            pub const $constant: claviger_ttlv::Tag = claviger_ttlv::Tag::new($code);
        )*

        /// All tags, ascending.
        pub static ROWS: &[$crate::tables::Row] = &[
            $(row!($code, $name, $title, $since, [$($until)?], []),)*
        ];
    };
}

/// Enumeration types: a newtype over the wire value, with a constant per known value.
macro_rules! enumeration_tables {
    ($($type:ident $spec:literal {
        $($constant:ident = $value:literal $name:literal $title:literal
          [$since:ident $(.. $until:ident)?] $(as $($alias:literal)+)?;)*
    })*) => {
        $(
            #[doc = concat!("The ", $spec, " enumeration. Unknown values survive.")]
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $type(pub u32);

            impl $type {
                $(
                    #[doc = concat!("`", stringify!($value), "` ", $title, ".")]
                    pub const $constant: Self = Self($value);
                )*

                /// All known values, ascending.
                pub const ALL: &'static [$crate::tables::Row] = &[
                    $(row!(
                        $value, $name, $title, $since, [$($until)?], [$($($alias)*)?]
                    ),)*
                ];

                named!();

                /// The value with this CamelCase name or an accepted other spelling of it.
                pub fn from_name(name: &str) -> Option<Self> {
                    <Self as $crate::tables::Enumeration>::TABLE.by_name(name).map(|row| Self(row.code))
                }
            }

            impl $crate::tables::Enumeration for $type {
                const TABLE: &'static $crate::tables::Table =
                    &$crate::tables::Table { name: $spec, rows: Self::ALL };

                fn from_value(value: u32) -> Self {
                    Self(value)
                }

                fn value(self) -> u32 {
                    self.0
                }
            }

            impl $crate::codec::Wire for $type {
                fn decode(
                    item: &claviger_ttlv::Item<'_>,
                    _: $crate::Version,
                ) -> Result<Self, $crate::Error> {
                    Ok(Self(item.enumeration()?))
                }

                fn encode(&self, encoder: &mut $crate::codec::Encoder<'_>, tag: claviger_ttlv::Tag) {
                    encoder.check(tag, self.row());
                    encoder.writer.enumeration(tag, self.0);
                }
            }

            impl core::fmt::Debug for $type {
                fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                    match self.name() {
                        Some(name) => f.write_str(name),
                        None => write!(f, "0x{:08X}", self.0),
                    }
                }
            }

            impl core::fmt::Display for $type {
                fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                    core::fmt::Debug::fmt(self, f)
                }
            }
        )*

        /// The table of every enumeration, by name.
        pub static TABLES: &[&$crate::tables::Table] =
            &[$(<$type as $crate::tables::Enumeration>::TABLE),*];
    };
}

/// Look-ups by value that every enumeration type has.
macro_rules! named {
    () => {
        /// The table row, if the value is known.
        pub fn row(self) -> Option<&'static $crate::tables::Row> {
            <Self as $crate::tables::Enumeration>::TABLE.by_code(self.0)
        }

        /// The CamelCase name, if the value is known.
        pub fn name(self) -> Option<&'static str> {
            self.row().map(|row| row.name)
        }

        /// The first version that has this value, if it is known.
        pub fn since(self) -> Option<$crate::version::Version> {
            self.row().map(|row| row.since)
        }

        /// The last version that has this value, if a later one dropped it.
        pub fn until(self) -> Option<$crate::version::Version> {
            self.row().and_then(|row| row.until)
        }
    };
}

/// Mask types: a newtype over the bits, with a constant per known bit.
macro_rules! mask_tables {
    ($($type:ident $spec:literal {
        $($constant:ident = $bit:literal $name:literal $title:literal [$since:ident $(.. $until:ident)?];)*
    })*) => {
        $(
            #[doc = concat!("The ", $spec, ". Unknown bits survive.")]
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
            pub struct $type(pub u32);

            impl $type {
                $(
                    #[doc = concat!("`", stringify!($bit), "` ", $title, ".")]
                    pub const $constant: Self = Self($bit);
                )*

                /// No bit.
                pub const EMPTY: Self = Self(0);

                /// All known bits, ascending.
                pub const ALL: &'static [$crate::tables::Row] = &[
                    $(row!($bit, $name, $title, $since, [$($until)?], []),)*
                ];

                /// True if every bit of `other` is set here.
                pub const fn contains(self, other: Self) -> bool {
                    self.0 & other.0 == other.0
                }

                /// True if at least one bit of `other` is set here.
                pub const fn intersects(self, other: Self) -> bool {
                    self.0 & other.0 != 0
                }

                /// True if no bit is set.
                pub const fn is_empty(self) -> bool {
                    self.0 == 0
                }

                /// Both together, in constants.
                pub const fn union(self, other: Self) -> Self {
                    Self(self.0 | other.0)
                }
            }

            impl $crate::tables::Mask for $type {
                const TABLE: &'static $crate::tables::Table =
                    &$crate::tables::Table { name: $spec, rows: Self::ALL };

                fn from_value(value: i32) -> Self {
                    Self(value.cast_unsigned())
                }

                fn value(self) -> i32 {
                    self.0.cast_signed()
                }
            }

            impl core::ops::BitOr for $type {
                type Output = Self;

                fn bitor(self, other: Self) -> Self {
                    self.union(other)
                }
            }

            impl $crate::codec::Wire for $type {
                fn decode(
                    item: &claviger_ttlv::Item<'_>,
                    _: $crate::Version,
                ) -> Result<Self, $crate::Error> {
                    Ok(Self(item.integer()?.cast_unsigned()))
                }

                fn encode(&self, encoder: &mut $crate::codec::Encoder<'_>, tag: claviger_ttlv::Tag) {
                    encoder.writer.integer(tag, self.0.cast_signed());
                }
            }

            impl core::fmt::Debug for $type {
                fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                    $crate::tables::write_bits(f, Self::ALL, self.0)
                }
            }
        )*

        /// The table of every mask, by name.
        pub static TABLES: &[&$crate::tables::Table] =
            &[$(<$type as $crate::tables::Mask>::TABLE),*];
    };
}
