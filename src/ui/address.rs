//! The present address as the place where a page keeps its state.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Keys that never survive a change of the others: where a list was cut, an open dialog, a refused form.
const PASSING: [&str; 4] = ["cursor", "dialog", "__err", "__path"];

/// Query keys that go along wherever the person goes. The shell provides it.
#[derive(Debug, Clone, Default)]
pub struct Kept(pub Vec<&'static str>);

/// The pairs of the address that go along wherever the person goes. Tracked.
pub fn kept_pairs() -> Vec<(String, String)> {
    let keys = use_context::<Kept>().unwrap_or_default().0;
    keys.into_iter().filter_map(|key| Some((key.to_owned(), query(key)?))).collect()
}

/// One value of the address's query; an empty one counts as none. Tracked.
pub fn query(key: &str) -> Option<String> {
    use_location().query.with(|map| map.get(key)).filter(|value| !value.is_empty())
}

/// The present address with some query values set (`Some`) or removed (`None`); the list starts at its top again.
/// Tracked: use it in a closure, `href=move || with_query(&[("tab", Some("raw"))])`.
pub fn with_query(changes: &[(&str, Option<&str>)]) -> String {
    let location = use_location();
    let mut pairs: Vec<(String, String)> =
        location.query.with(|map| map.clone().into_iter().map(|(key, value)| (key.into_owned(), value)).collect());
    pairs.retain(|(key, value)| {
        !value.is_empty() && !PASSING.contains(&key.as_str()) && changes.iter().all(|(changed, _)| changed != key)
    });
    pairs.extend(changes.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value)?.to_owned()))));
    format!("{}{}", location.pathname.get(), query_string(&pairs))
}

/// `?a=1&b=2`, or nothing for no pairs.
pub fn query_string(pairs: &[(String, String)]) -> String {
    let words: Vec<String> = pairs.iter().map(|(key, value)| format!("{}={}", escape(key), escape(value))).collect();
    if words.is_empty() { String::new() } else { format!("?{}", words.join("&")) }
}

/// Percent-encoding of one query word; the same text on server and browser.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escape, query_string};

    #[test]
    fn escapes_what_would_break_an_address() {
        assert_eq!(escape("a b&c=é"), "a%20b%26c%3D%C3%A9");
        assert_eq!(query_string(&[]), "");
        assert_eq!(query_string(&[("q".into(), "x y".into()), ("n".into(), "1".into())]), "?q=x%20y&n=1");
    }
}
