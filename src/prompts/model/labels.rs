//! Labels of versions, where they were moved, and moves of `production` that wait for a second person.

use serde::{Deserialize, Serialize};

use super::{PRODUCTION, STAGING};
use patchbay_shared::ids::{PromptId, PromptMoveId};
use patchbay_shared::{Page, Stamp};

/// The most labels of one prompt.
pub const MOST_LABELS: usize = 12;

patchbay_shared::words! {
    /// What became of a move: the column `prompt_label_moves.status`.
    pub MoveStatus: "text" {
        Waiting = "waiting", "To approve", Warn;
        Done = "done", "Moved", Ok;
        Refused = "refused", "Refused", Bad;
        Withdrawn = "withdrawn", "Withdrawn", Mute;
    }
}

/// Where a label is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelState {
    pub label: String,
    pub version: i32,
    /// Where it was before, for going back. None: it has not been moved.
    pub before: Option<i32>,
    /// When it was moved there, and by whom. None: before moves were written down.
    pub moved: Option<Stamp>,
    pub by: Option<String>,
}

/// A move of `production` that waits for a second person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingMove {
    pub id: PromptMoveId,
    pub from: Option<i32>,
    pub to: i32,
    pub note: String,
    pub asked_by: String,
    pub asked: Stamp,
    /// The viewer asked for it: somebody else approves it, and the viewer can withdraw it.
    pub is_own: bool,
}

/// What the history of moves is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MoveQuery {
    pub label: Option<String>,
    /// A `MoveStatus`.
    pub status: Option<String>,
    /// `at`: the oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveRow {
    pub id: PromptMoveId,
    pub label: String,
    pub from: Option<i32>,
    /// None: the label was taken away.
    pub to: Option<i32>,
    pub note: String,
    pub status: MoveStatus,
    pub by: Option<String>,
    /// Whoever approved, refused or withdrew it, and what they said.
    pub decided_by: Option<String>,
    pub answer: String,
    pub at: Stamp,
}

impl MoveRow {
    /// `v2 → v3`.
    pub fn way(&self) -> String {
        let version = |version: Option<i32>| version.map_or_else(|| "none".to_owned(), |version| format!("v{version}"));
        format!("{} → {}", version(self.from), version(self.to))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveList {
    pub id: PromptId,
    pub name: String,
    pub labels: Vec<String>,
    pub page: Page<MoveRow>,
}

/// A label as it is stored. A number, or what reads like one of a version, is none: it would be taken for the version. Errors: a sentence for
/// the field.
pub fn read_label(text: &str) -> Result<String, String> {
    let label = text.trim().to_lowercase();
    let fits = label.len() <= 30
        && label.starts_with(|c: char| c.is_ascii_lowercase())
        && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
    let version = label.strip_prefix('v').unwrap_or_default();
    let is_taken = (!version.is_empty() && version.chars().all(|c| c.is_ascii_digit()))
        || matches!(label.as_str(), "latest" | "newest");
    match (fits, is_taken) {
        (true, false) => Ok(label),
        (true, true) => Err(format!("“{label}” would be taken for a version. Choose another word, for example ready.")),
        _ => Err(
            "Name the label with at most 30 plain letters, digits, - and _, for example ready. It begins with a letter."
                .to_owned(),
        ),
    }
}

/// The two labels that every prompt has a place for come first, then the others by name.
pub fn in_order(label: &str) -> (u8, &str) {
    let place = match label {
        PRODUCTION => 0,
        STAGING => 1,
        _ => 2,
    };
    (place, label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_plain_words() {
        assert_eq!(read_label(" Ready-2 "), Ok("ready-2".to_owned()));
        assert_eq!(read_label("v"), Ok("v".to_owned()));
        for wrong in ["", "-a", "zwei wörter", "naïve", "a\nb", "3", "v3", "Latest", &"a".repeat(31)] {
            assert!(read_label(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn production_comes_first() {
        let mut labels = ["ready", "staging", "a", "production"];
        labels.sort_by_key(|label| in_order(label));
        assert_eq!(labels, ["production", "staging", "a", "ready"]);
    }
}
