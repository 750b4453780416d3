//! Pages about prompts: `/prompts`, `/prompts/new`, `/prompts/{id}` with `?version=`.

mod editor;
mod list;
mod versions;

pub use editor::{NewPromptPage, PromptConflict, PromptEditorPage};
pub use list::PromptsPage;
