use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::changes::ChangeTable;
use crate::model::{AgentVersionRow, AgentVersions, FieldChange, VersionQuery};
use crate::server_fns::{RestoreAgentVersion, list_agent_versions};
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// What was published of an agent, with who and when; one version beside what is published now.
#[lazy]
pub fn agent_versions_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked =
            VersionQuery { words: query("q"), version: query("version"), sort: query("sort"), cursor: query("cursor") };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let versions = load(asked, |(id, query)| list_agent_versions(id, query));
    Arc::new(move || {
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("agent:{id}")], move || versions.refetch());
        view! { <PageBoundary data=versions view=move |versions: AgentVersions| view! { <Versions versions/> }/> }
            .into_any()
    })
}

#[component]
fn Versions(versions: AgentVersions) -> impl IntoView {
    let AgentVersions { id, name, client, page, compared, published, may_edit } = versions;
    let path = format!("/agents/{id}/versions");
    let export_path = format!("{path}/export.csv");
    let export = move || {
        let here = with_query(&[]);
        format!("{export_path}{}", here.find('?').map_or("", |at| &here[at..]))
    };
    let compare = path.clone();
    let back = format!("/agents/{id}");
    let rows = List::<AgentVersionRow>::new("Versions")
        .search("q", "What was published")
        .keep(&["version"])
        .table("mid wrap")
        .sorted("-version")
        .column("Version", move |row: &AgentVersionRow| {
            let href = format!("{compare}?version={}", row.version);
            let note = row.is_published.then(|| view! { <Tag>"Published"</Tag> });
            view! { <a class="link" href=href>{format!("Version {}", row.version)}</a>" "{note} }
        })
        .sort("version")
        .column("What was published", |row: &AgentVersionRow| row.note.clone())
        .column("Changed", |row: &AgentVersionRow| row.changed.join(", "))
        .column("By", |row: &AgentVersionRow| cell::or(&row.author, "Patchbay"))
        .column("At", |row: &AgentVersionRow| cell::time(&row.at))
        .empty_view(move || {
            let href = back.clone();
            view! {
                <EmptyState icon="history" title="No versions" text="Each time an agent is published, a version of it is kept here.">
                    <LinkButton href>"The agent"</LinkButton>
                </EmptyState>
            }
        })
        .show(page);
    let compared =
        compared.map(|(version, changes)| view! { <Compared id=id.to_string() version changes published may_edit/> });
    view! {
        <PageTitle text="Versions" parents=vec![crumb("Agents", "/agents"), crumb(name.clone(), format!("/agents/{id}"))]/>
        <PageHead
            title=name
            sub=match client { Some(client) => format!("Works for {client}"), None => "Works for every client".to_owned() }
            actions=move || view! { <a class="btn" rel="external" href=export><Icon name="download" small=true/>"Export"</a> }
        />
        <Tabs label="Agent" items=agent_tabs(id, "versions")/>
        <div class="stack gap-4">
            {compared}
            {rows}
        </div>
    }
}

#[component]
fn Compared(id: String, version: i32, changes: Vec<FieldChange>, published: i32, may_edit: bool) -> impl IntoView {
    let restore = FormAction::of::<RestoreAgentVersion>();
    let title = format!("Version {version} beside version {published}");
    if changes.is_empty() {
        return view! { <Card title><p class="sub">"They are the same."</p></Card> }.into_any();
    }
    view! {
        <Card title flush=true>
            <ChangeTable changes before=format!("Published: {published}") after=format!("Version {version}")/>
            {may_edit.then(|| view! {
                <div class="pad">
                    <ServerForm action=restore class="inline" prefix="restore">
                        <input type="hidden" name="id" value=id/>
                        <input type="hidden" name="version" value=version.to_string()/>
                        <SubmitButton kind=ButtonKind::Plain icon="rotate-ccw" small=true>"Put into the draft"</SubmitButton>
                    </ServerForm>
                </div>
            })}
        </Card>
    }
    .into_any()
}
