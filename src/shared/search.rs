//! Words that people search lists by, as statements take them.

/// A pattern for `ilike` in which the words stand for themselves.
pub fn like(words: Option<&str>) -> Option<String> {
    let words = filled(words)?;
    Some(format!("%{}%", words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")))
}

/// A filter from the address: empty means none.
pub fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A place in a list by name: `<id>_<name>`.
pub fn name_place(key: &str) -> Option<(&str, uuid::Uuid)> {
    let (id, name) = (key.get(..36)?, key.get(37..)?);
    Some((name, id.parse().ok()?))
}
