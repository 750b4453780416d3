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
