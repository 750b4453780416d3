//! Pages about skills: `/skills`, `/skills/new`, `/skills/{id}`, `/skills/{id}/edit`, `/skills/{id}/file` with `?kind=` and `?name=`,
//! `/skills/imports/new`, `/skills/imports/{id}`, and `/agents/{id}/skills`.

mod agent;
mod detail;
mod file;
mod form;
mod import;
mod list;

pub use agent::agent_skills_page;
pub use detail::skill_page;
pub use file::skill_file_page;
pub use form::{edit_skill_page, new_skill_page};
pub use import::{new_skill_import_page, skill_import_page};
pub use list::skills_page;

use leptos::prelude::*;

use patchbay_access::Action;
use patchbay_shared::{AppError, Reason, Tone};
use patchbay_ui::*;

/// Changing skills.
pub(crate) const MANAGE: Action = Action::ManageSkills;

/// Inside a form that saves a skill: somebody else saved meanwhile. The summary says so; this box says what to do about it.
#[component]
fn Overwrite(#[prop(into)] error: Signal<Option<AppError>>) -> impl IntoView {
    // Without script the refused form comes back with its error in the address.
    let is_refused =
        move || matches!(error.get(), Some(AppError::Conflict(Reason::StalePage, _))) || query("__err").is_some();
    view! {
        <Show when=is_refused>
            <Checkbox
                name="overwrite"
                label="Save my text in the place of theirs"
                hint="Somebody else has saved in the meantime. The history keeps both."
                value="true"
            />
        </Show>
    }
}

/// Names of tools that a skill asks for and an agent has not.
#[component]
fn Missing(tools: Vec<String>) -> impl IntoView {
    (!tools.is_empty()).then(|| {
        let word = if tools.len() == 1 { "Tool" } else { "Tools" };
        let names = tools.join(", ");
        view! { <small class="row wrap"><Tag tone=Tone::Warn>{format!("{word} missing")}</Tag><code class="break">{names}</code></small> }
    })
}
