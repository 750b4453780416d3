use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{AgentQuery, AgentRow, AgentStatus, LANGUAGES, SyncState, language_name};
use crate::server_fns::list_agents;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The agency's agents.
#[lazy]
pub fn agents_page() -> PageView {
    let asked = || AgentQuery {
        words: query("q"),
        status: query("status"),
        client: query("client"),
        language: query("language"),
        template: query("template"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_agents);
    Arc::new(move || {
        let mut states = options_of(AgentStatus::ALL.iter().map(|status| (status.as_str(), status.label())));
        states.push(("inactive".into(), "Deactivated".into()));
        states.push(("deleted".into(), "Deleted".into()));
        // A client's admin knows the client's agents by name and state.
        let is_workshop = viewer().may(Action::ReadWorkshop);
        let list = List::<AgentRow>::new("Agents")
            .live(&["agents"])
            .filter(Filter::new("status", "State", states))
            .keep(&["client"])
            .narrowed_by(&["client"])
            .table("wide")
            .column("Agent", move |row| {
                if !is_workshop {
                    return row.name.clone().into_any();
                }
                cell::who(format!("/agents/{}", row.id), &row.name, cell::tagged(&row.llm_model, &row.tags)).into_any()
            })
            .column(
                "State",
                |row| view! { <AgentState status=row.status is_active=row.is_active is_deleted=row.is_deleted/> },
            )
            .column("Client", |row| cell::or(&row.client, "Whole agency"))
            .when(is_workshop)
            .column("Language", |row| language_name(&row.language))
            .when(is_workshop)
            .column("Prompt", prompt_text)
            .when(is_workshop)
            .column("Voice service", |row| {
                let draft = row.has_draft.then(|| view! { <Tag class="outline">"Draft not published"</Tag> });
                view! { <Sync state=row.sync/>" "{draft} }
            })
            .when(is_workshop)
            .column("Changed", |row| cell::time(&row.updated))
            .when(is_workshop);
        if !is_workshop {
            return list
                .subtitle("Who speaks on the phone for you.")
                .search("q", "Name")
                .empty("bot", "No agents yet", "The agency sets up the agents that call for you.")
                .page_of(rows, |list| list.page);
        }
        list.subtitle("Who speaks on the phone: prompt, voice and language.")
            .export("/agents/export.csv")
            .add(viewer().may(Action::ManageAgents), "plus", "/agents/new", "New agent")
            .action(view! { <LinkButton href="/agents/templates" icon="copy">"Templates"</LinkButton> })
            .action(
                viewer()
                    .may(Action::ManageAgents)
                    .then(|| view! { <LinkButton href="/agents/adopt" icon="download">"Adopt"</LinkButton> }),
            )
            .search("q", "Name or description")
            .filter(Filter::new("language", "Language", options_of(LANGUAGES.iter().copied())))
            .empty(
                "bot",
                "No agents yet",
                "An agent holds the conversation: it has a prompt, a voice and a language, and works for your clients.",
            )
            .first("Create the first agent")
            .page_of(rows, |list| (list.page, template_filter(list.templates)))
    })
}

/// The agency's templates, if there are any.
fn template_filter(templates: Vec<(String, String)>) -> Vec<Filter> {
    if templates.is_empty() {
        return Vec::new();
    }
    vec![Filter::new("template", "Template", templates)]
}

fn prompt_text(row: &AgentRow) -> String {
    match (&row.prompt, row.prompt_version) {
        (Some(name), Some(version)) => format!("{name} v{version}"),
        (Some(name), None) => name.clone(),
        (None, _) => "None".to_owned(),
    }
}

/// Draft, active, paused, deactivated or deleted.
#[component]
pub(crate) fn AgentState(status: AgentStatus, is_active: bool, is_deleted: bool) -> impl IntoView {
    let (tone, label) = match (is_deleted, is_active) {
        (true, _) => (Tone::Mute, "Deleted"),
        (false, false) => (Tone::Mute, "Deactivated"),
        _ => (status.tone(), status.label()),
    };
    view! { <State tone label on=is_active/> }
}

/// Whether the voice service holds what was saved.
#[component]
pub(crate) fn Sync(state: SyncState) -> impl IntoView {
    view! { <State tone=state.tone() label=state.label() on=state != SyncState::Nothing/> }
}
