use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{PromptQuery, PromptRow};
use crate::server_fns::list_prompts;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The agency's prompts.
#[lazy]
pub fn prompts_page() -> PageView {
    let asked = || PromptQuery {
        words: query("q"),
        tag: query("tag"),
        state: query("state"),
        waiting: query("waiting"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_prompts);
    Arc::new(move || {
        List::<PromptRow>::new("Prompts")
            .subtitle("The instructions of your agents. Every saved version is kept.")
            .live(&["prompts"])
            .export("/prompts/export.csv")
            .add(viewer().may(Action::ManagePrompts), "plus", "/prompts/new", "New prompt")
            .search("q", "Name or description")
            .filter(Filter::new("state", "State", options_of([("inactive", "Deactivated"), ("all", "All")])))
            .filter(Filter::new("waiting", "Production", options_of([("yes", "To approve"), ("no", "Nothing to approve")])))
            .keep(&["client"])
            .narrowed_by(&["tag"])
            .table("mid")
            .column("Prompt", |row| cell::who(format!("/prompts/{}", row.id), &row.name, cell::tagged(&row.description, &row.tags)))
            .column("In production", |row| {
                let said = row.production.map_or_else(|| "The newest".to_owned(), |version| format!("v{version}"));
                let waiting = row.is_waiting.then(|| view! { " "<Tag tone=Tone::Warn>"to approve"</Tag> });
                view! { {said}{waiting} }
            })
            .number("Newest", |row| format!("v{}", row.version))
            .number("Agents", |row| row.agents)
            .column("Changed", |row| cell::time(&row.updated))
            .column("State", |row| {
                let (tone, label) = if row.is_active { (Tone::Ok, "Active") } else { (Tone::Mute, "Deactivated") };
                view! { <State tone label on=row.is_active/> }
            })
            .empty(
                "file-text",
                "No prompts yet",
                "A prompt holds an agent's instructions: its task, tone and limits. Variables fill in the contact's details.",
            )
            .first("Write the first prompt")
            .page_of(rows, |list| (list.page, tag_filter(list.tags)))
    })
}

/// The tags in use, if there are any.
fn tag_filter(tags: Vec<String>) -> Vec<Filter> {
    if tags.is_empty() {
        return Vec::new();
    }
    vec![Filter::new("tag", "Tag", options_of(tags.into_iter().map(|tag| (tag.clone(), tag))))]
}
