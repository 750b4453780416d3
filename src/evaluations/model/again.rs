use serde::{Deserialize, Serialize};

use patchbay_shared::ids::RunId;

/// What would be run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgainPage {
    pub run: RunId,
    pub title: String,
    /// Label and value of what is the same.
    pub facts: Vec<(String, String)>,
    pub budget: String,
    /// Why it cannot be run again, and where to go on: an address and its words.
    pub why_not: Option<String>,
    pub next: Option<(String, String)>,
}
