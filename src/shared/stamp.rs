use serde::{Deserialize, Serialize};

/// A moment ready for a page: text in the viewer's zone, the full form for the title, and UTC for `<time datetime>`.
/// Made on the server (`shared::zone::stamp`), because only the server knows time zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub text: String,
    pub full: String,
    /// RFC 3339, in UTC. As text, so that no page carries the code that reads dates.
    pub utc: String,
}

impl Stamp {
    /// The moment inside a sentence: `at 08:28` today, `Mon 30 Nov, 09:00` on another day.
    pub fn when(&self) -> String {
        let time = self.text.strip_prefix("Today ").unwrap_or(&self.text);
        let is_time = time.as_bytes().get(2) == Some(&b':');
        if is_time { format!("at {time}") } else { self.text.clone() }
    }
}
