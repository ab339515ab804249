//! The macro that declares structures.

/// Declares structures with their fields in the order of the specification's table.
///
/// ```text
/// structure! {
///     /// What it is (KMIP 2.1 §…).
///     pub struct KeyBlock {
///         /// A required field.
///         key_format_type: KeyFormatType = KEY_FORMAT_TYPE,
///         /// An optional field of 1.4 and later.
///         comment: Option<String> = COMMENT since V1_4,
///         /// A field that 2.0 dropped, whose type may begin with another tag too.
///         attributes: AttributeSet = ATTRIBUTES | TEMPLATE_ATTRIBUTE until V1_4,
///     }
/// }
/// ```
macro_rules! structure {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field:ident: $type:ty = $tag:ident $(| $alias:ident)*
                    $(since $since:ident)? $(until $until:ident)?
            ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::codec::Wire for $name {
            fn decode(
                item: &claviger_ttlv::Item<'_>,
                version: $crate::Version,
            ) -> Result<Self, $crate::error::Error> {
                const KNOWN: &[claviger_ttlv::Tag] =
                    &[$($crate::tags::$tag, $($crate::tags::$alias,)*)*];
                #[allow(unused_mut, reason = "a structure may have no field")]
                let mut decoder = $crate::codec::Decoder::new(item, version, KNOWN)?;
                let value = Self {
                    $($field: $crate::codec::Field::take(&mut decoder, $crate::tags::$tag)?,)*
                };
                decoder.finish()?;
                Ok(value)
            }

            fn encode(&self, encoder: &mut $crate::codec::Encoder<'_>, tag: claviger_ttlv::Tag) {
                encoder.structure(tag, |encoder| {
                    let _ = &encoder;
                    $(
                        if encoder.has(
                            $crate::codec::structure::bound!($($since)?),
                            $crate::codec::structure::bound!($($until)?),
                        ) {
                            $crate::codec::Field::put(&self.$field, encoder, $crate::tags::$tag);
                        } else {
                            encoder.leave_out_field($crate::tags::$tag, |encoder| {
                                $crate::codec::Field::put(
                                    &self.$field,
                                    encoder,
                                    $crate::tags::$tag,
                                );
                            });
                        }
                    )*
                });
            }
        }
    )*};
}

macro_rules! bound {
    () => {
        None
    };
    ($version:ident) => {
        Some($crate::Version::$version)
    };
}

pub(crate) use {bound, structure};
