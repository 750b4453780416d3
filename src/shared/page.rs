use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many rows a block of the client's page shows.
pub const FIRST_FEW: usize = 5;

/// One page of a list. Pages are cut by key, never by count, so page 2,000 is as fast as page 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Where the page before this one (towards the top) starts; none on the first page.
    pub newer: Option<String>,
    /// Where the next page starts; none on the last.
    pub older: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), newer: None, older: None }
    }
}

/// A place in a list: the key of the row next to it and the direction to read in.
/// As text: `o` (older) or `n` (newer) and the key, for example `o1790000000123456_0193…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// True: rows that come after the key (older); false: rows before it (newer).
    pub older: bool,
    pub key: String,
}

impl Cursor {
    /// Reads a cursor from an address. Anything unreadable is the first page.
    pub fn parse(text: Option<&str>) -> Option<Self> {
        let text = text?;
        let key = text.get(1..)?.to_owned();
        match text.chars().next()? {
            'o' => Some(Self { older: true, key }),
            'n' => Some(Self { older: false, key }),
            _ => None,
        }
    }
}

/// The key of a row in a list by time: the moment and the row's id.
pub fn time_key(at: DateTime<Utc>, id: Uuid) -> String {
    format!("{}_{id}", at.timestamp_micros())
}

/// The way back. None: no such key.
pub fn read_time_key(key: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let (micros, id) = key.split_once('_')?;
    Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
}

impl<T> Page<T> {
    /// Builds a page from `limit + 1` rows read in the cursor's direction. `key` gives a row's place.
    pub fn cut(mut rows: Vec<T>, limit: usize, cursor: Option<&Cursor>, key: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let backwards = cursor.is_some_and(|cursor| !cursor.older);
        if backwards {
            rows.reverse();
        }
        let has_newer = if backwards { more } else { cursor.is_some() };
        let has_older = if backwards { true } else { more };
        let newer = rows.first().filter(|_| has_newer).map(|row| format!("n{}", key(row)));
        let older = rows.last().filter(|_| has_older).map(|row| format!("o{}", key(row)));
        Self { rows, newer, older }
    }

    /// The same page with each row turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(f).collect(), newer: self.newer, older: self.older }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_by_time_leads_back() {
        let at = DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap();
        let id = Uuid::from_u128(7);
        assert_eq!(read_time_key(&time_key(at, id)), Some((at, id)));
        assert_eq!(read_time_key("nonsense"), None);
    }
}
