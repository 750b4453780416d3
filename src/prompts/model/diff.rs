//! What differs between two texts, ready to be shown.

use serde::{Deserialize, Serialize};

use super::{LabelState, VersionRow};
use patchbay_shared::ids::PromptId;

/// A line of one text: its number, and its pieces, of which those marked are not in the other text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffSide {
    pub line: usize,
    pub pieces: Vec<(bool, String)>,
}

/// One row: what stands there in the one text and in the other, or how many equal lines are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffRow {
    Same(DiffSide, usize),
    /// Left out, taken in, or both: the line has changed.
    Changed(Option<DiffSide>, Option<DiffSide>),
    Gap(usize),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    pub rows: Vec<DiffRow>,
    /// Lines that are not the same.
    pub lines: usize,
    pub words_in: usize,
    pub words_out: usize,
    /// More lines have changed than are shown.
    pub is_cut: bool,
}

/// The page that compares two versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiffPage {
    pub id: PromptId,
    pub name: String,
    pub is_active: bool,
    /// The newest version.
    pub version: i32,
    pub from: i32,
    pub to: i32,
    pub versions: Vec<VersionRow>,
    pub labels: Vec<LabelState>,
    /// The version that agents say.
    pub spoken: i32,
    /// A move of `production` waits for a second person.
    pub is_waiting: bool,
    pub needs_second_person: bool,
    pub diff: Diff,
    pub may_edit: bool,
}

/// The page that merges a text which could not be saved with the newest version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergePage {
    pub id: PromptId,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    pub tools: Vec<String>,
    /// The newest version, which the merged text comes after.
    pub version: i32,
    /// Who saved it.
    pub author: String,
    pub theirs: String,
    /// None: nothing of the viewer's waits.
    pub mine: Option<Unsaved>,
    /// The prompt is in use, and not deactivated.
    pub is_active: bool,
}

/// A text that could not be saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsaved {
    pub template: String,
    /// The version that it started from.
    pub base: i32,
    /// What differs between the newest version and it.
    pub diff: Diff,
}
