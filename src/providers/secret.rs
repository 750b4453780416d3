//! Values that must not show.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A value that never shows itself in logs or pages. There is no `Display` and no `Serialize` on purpose;
/// a field that is about to be sealed says so with `#[serde(with = "…::sealed::in_the_clear")]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Use it at the last moment.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        T::deserialize(d).map(Self)
    }
}

/// For fields of documents that are sealed right after: writes the secret's value.
pub mod in_the_clear {
    use super::{Deserialize, Deserializer, Secret, Serialize, Serializer};

    /// Writes the value.
    pub fn serialize<T: Serialize, S: Serializer>(secret: &Secret<T>, s: S) -> Result<S::Ok, S::Error> {
        secret.expose().serialize(s)
    }

    /// Reads the value.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Secret<T>, D::Error> {
        Secret::deserialize(d)
    }
}
