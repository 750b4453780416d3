//! Pages about prompts: `/prompts`, `/prompts/new`, `/prompts/{id}` with `?version=`, `/prompts/{id}/diff`, `/prompts/{id}/moves` and
//! `/prompts/{id}/merge`.

mod checks;
mod diff;
mod editor;
mod labels;
mod list;
mod outcomes;
mod versions;

pub use diff::{prompt_diff_page, prompt_merge_page};
pub use editor::{PromptConflict, new_prompt_page, prompt_editor_page};
pub use labels::prompt_moves_page;
pub use list::prompts_page;

use patchbay_shared::ids::PromptId;
use patchbay_ui::{TabItem, tab};

/// The tabs of a prompt's pages, with the one at `current` marked.
fn prompt_tabs(id: PromptId, current: &'static str) -> Vec<TabItem> {
    vec![
        tab("Editor", format!("/prompts/{id}"), current == "editor"),
        tab("Differences", format!("/prompts/{id}/diff"), current == "diff"),
        tab("Label history", format!("/prompts/{id}/moves"), current == "moves"),
    ]
}
