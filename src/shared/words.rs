//! Enum-like words: one Rust enum per PostgreSQL enum, with the label a person reads and the tone it is shown in.

/// The colour family of a status dot or tag. The word beside it always says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Mute,
    Ok,
    Warn,
    Bad,
    Info,
    Live,
}

impl Tone {
    /// The class name that the style sheet knows.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Mute => "mute",
            Tone::Ok => "ok",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Info => "info",
            Tone::Live => "live",
        }
    }
}

/// A fixed word. `words!` makes it for every enum that it declares.
pub trait Word: Copy {
    /// What stands in addresses and in the database.
    fn as_str(self) -> &'static str;

    /// What a person reads.
    fn label(self) -> &'static str;

    /// The tone of its status dot or tag.
    fn tone(self) -> Tone;
}

/// Declares an enum whose values are fixed words in the database, in addresses and in JSON.
///
/// `words! { /// doc
///   pub BatchStatus: "batch_status" { Pending = "pending", "Waiting", Mute; … } }`
#[macro_export]
macro_rules! words {
    ($($(#[$doc:meta])* pub $name:ident : $pg:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal, $label:literal, $tone:ident);+ $(;)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order of the declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The fixed word.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// What a person reads.
            pub fn label(self) -> &'static str {
                match self { $($name::$variant => $label),+ }
            }

            /// The tone of its status dot or tag.
            pub fn tone(self) -> $crate::Tone {
                match self { $($name::$variant => $crate::Tone::$tone),+ }
            }
        }

        impl $crate::Word for $name {
            fn as_str(self) -> &'static str {
                self.as_str()
            }

            fn label(self) -> &'static str {
                self.label()
            }

            fn tone(self) -> $crate::Tone {
                self.tone()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok($name::$variant),)+
                    other => Err(format!("“{other}” is not one of {}", [$($word),+].join(", "))),
                }
            }
        }

        #[cfg(feature = "ssr")]
        impl $crate::sqlx::Type<$crate::sqlx::Postgres> for $name {
            fn type_info() -> $crate::sqlx::postgres::PgTypeInfo {
                $crate::sqlx::postgres::PgTypeInfo::with_name($pg)
            }
        }

        #[cfg(feature = "ssr")]
        impl<'r> $crate::sqlx::Decode<'r, $crate::sqlx::Postgres> for $name {
            fn decode(value: $crate::sqlx::postgres::PgValueRef<'r>) -> Result<Self, $crate::sqlx::error::BoxDynError> {
                Ok(value.as_str()?.parse::<$name>()?)
            }
        }

        #[cfg(feature = "ssr")]
        impl $crate::sqlx::Encode<'_, $crate::sqlx::Postgres> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut $crate::sqlx::postgres::PgArgumentBuffer,
            ) -> Result<$crate::sqlx::encode::IsNull, $crate::sqlx::error::BoxDynError> {
                <&str as $crate::sqlx::Encode<$crate::sqlx::Postgres>>::encode_by_ref(&self.as_str(), buffer)
            }
        }
    )+};
}
