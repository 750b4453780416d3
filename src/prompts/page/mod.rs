//! Pages about prompts: `/prompts`, `/prompts/new`, `/prompts/{id}` with `?version=`.

mod editor;
mod list;
mod versions;

pub use editor::{PromptConflict, new_prompt_page, prompt_editor_page};
pub use list::prompts_page;
