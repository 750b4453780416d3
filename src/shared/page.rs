use serde::{Deserialize, Serialize};

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
/// As text: `<` or `>` and the key, for example `<2026-11-20T16:42:08.123456Z_0193…`.
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
