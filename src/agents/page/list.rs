use std::sync::Arc;

use leptos::prelude::*;

use patchbay_access::Action;
use crate::model::{AgentList, AgentQuery, AgentRow, AgentStatus, LANGUAGES, SyncState, language_name};
use crate::server_fns::list_agents;
use patchbay_shell::viewer;
use patchbay_shared::Tone;
use patchbay_ui::*;

/// The agency's agents.
#[lazy]
pub fn agents_page() -> PageView {
    let asked = || AgentQuery {
        words: query("q"),
        status: query("status"),
        client: query("client"),
        language: query("language"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_agents);
    Arc::new(move || {
        live::on_change(&["agents"], move || rows.refetch());
        let may_add = viewer().may(Action::ManageAgents);
        let mut states = options_of(AgentStatus::ALL.iter().map(|status| (status.as_str(), status.label())));
        states.push(("inactive".into(), "Deleted".into()));
        view! {
            <PageTitle text="Agents"/>
            <PageHead
                title="Agents"
                sub="Who speaks on the phone: prompt, voice and language."
                actions=move || view! {
                    <ExportLink path="/agents/export.csv"/>
                    {may_add.then(|| view! {
                        <LinkButton href="/agents/new" kind=ButtonKind::Primary icon="plus">"New agent"</LinkButton>
                    })}
                }
            />
            <FilterBar
                search="q"
                placeholder="Name or description"
                filters=vec![
                    Filter::new("status", "State", states),
                    Filter::new("language", "Language", options_of(LANGUAGES.iter().copied())),
                ]
                keep=vec!["client"]
            />
            <PageBoundary data=rows view=move |list: AgentList| view! { <Rows list/> }/>
        }
        .into_any()
    })
}

#[component]
fn Rows(list: AgentList) -> impl IntoView {
    let AgentList { page, may_edit, .. } = list;
    if page.rows.is_empty() {
        if ["q", "status", "language", "client", "cursor"].into_iter().any(|key| query(key).is_some()) {
            return view! { <NoMatch what="agents"/> }.into_any();
        }
        return view! {
            <section class="card">
                <EmptyState
                    icon="bot"
                    title="No agents yet"
                    text="An agent holds the conversation: it has a prompt, a voice and a language, and works for your clients."
                >
                    {may_edit.then(|| view! { <LinkButton href="/agents/new" kind=ButtonKind::Primary icon="plus">"Create the first agent"</LinkButton> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Agents"
                class="wide"
                head=|| view! {
                    <th scope="col">"Agent"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Client"</th>
                    <th scope="col">"Language"</th>
                    <th scope="col">"Prompt"</th>
                    <th scope="col">"Voice service"</th>
                    <th scope="col">"Changed"</th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="50 per page"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: AgentRow) -> impl IntoView {
    let prompt = match (row.prompt, row.prompt_version) {
        (Some(name), Some(version)) => format!("{name} v{version}"),
        (Some(name), None) => format!("{name}, none in production"),
        (None, _) => "None".to_owned(),
    };
    let tags = row.tags.into_iter().map(|tag| view! { <Tag class="outline">{tag}</Tag> }).collect_view();
    view! {
        <tr>
            <td>
                <div class="who">
                    <a href=format!("/agents/{}", row.id)>{row.name}</a>
                    <small class="row wrap">{row.llm_model}" "{tags}</small>
                </div>
            </td>
            <td><AgentState status=row.status is_active=row.is_active/></td>
            <td>{row.client.unwrap_or_else(|| "Whole agency".into())}</td>
            <td>{language_name(&row.language)}</td>
            <td>{prompt}</td>
            <td><Sync state=row.sync/></td>
            <td><Time stamp=row.updated/></td>
        </tr>
    }
}

/// Draft, active, paused or deleted.
#[component]
pub fn AgentState(status: AgentStatus, is_active: bool) -> impl IntoView {
    let (tone, label) = if is_active { (status.tone(), status.label()) } else { (Tone::Mute, "Deleted") };
    view! { <State tone label on=is_active/> }
}

/// Whether the voice service holds what was saved.
#[component]
pub fn Sync(state: SyncState) -> impl IntoView {
    view! { <State tone=state.tone() label=state.label() on=state != SyncState::Nothing/> }
}
