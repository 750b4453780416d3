use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{above, at_rest, export_address, works_for};
use crate::model::{ListQuery, Switched, TriggerRow, TriggersPage};
use crate::server_fns::list_agent_triggers;
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// An agent's triggers.
#[lazy]
pub fn triggers_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked =
            ListQuery { words: query("q"), state: query("state"), sort: query("sort"), cursor: query("cursor") };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let page = load(asked, |(agent, query)| list_agent_triggers(agent, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("triggers:{id}"), &format!("agent:{id}")], move || page.refetch());
        view! { <PageBoundary data=page view=move |page: TriggersPage| view! { <Triggers page/> }/> }.into_any()
    })
}

#[component]
fn Triggers(page: TriggersPage) -> impl IntoView {
    let TriggersPage { agent, page, rest, may_edit } = page;
    let base = format!("/agents/{}/triggers", agent.id);
    let (add, first, file) = (format!("{base}/new"), format!("{base}/new"), format!("{base}/export.csv"));
    let rows = List::<TriggerRow>::new("Triggers")
        .search("q", "Part of the name")
        .filter(Filter::words("state", "State", Switched::ALL))
        .keep(&["sort"])
        .sorted("name")
        .table("mid wrap")
        .column("Trigger", move |row: &TriggerRow| {
            let note = view! { <small class="mono break">{row.address.clone()}</small> };
            cell::who(format!("{base}/{}", row.id), &row.name, note)
        })
        .sort("name")
        .column("State", |row: &TriggerRow| cell::state(Switched::of(row.enabled)))
        .column("Last call", |row: &TriggerRow| match &row.last {
            Some((at, run)) => {
                view! { <Time stamp=at.clone()/>" "<a class="link" href=format!("/runs/{run}")>"the run"</a> }.into_any()
            }
            None => view! { <span class="sub">"Not yet"</span> }.into_any(),
        })
        .column("Runs", |row: &TriggerRow| cell::link(format!("/runs?trigger={}", row.id), "Its runs"))
        .empty_view(move || {
            let href = first.clone();
            view! {
                <EmptyState
                    icon="webhook"
                    title="No triggers yet"
                    text="A trigger is an address of this agent. Another system calls it with a signed request, and the agent does something with what was sent."
                >
                    {may_edit.then(|| view! { <LinkButton href kind=ButtonKind::Primary icon="plus">"Add the first trigger"</LinkButton> })}
                </EmptyState>
            }
        })
        .show(page);
    view! {
        <PageTitle text="Triggers" parents=above(&agent, None)/>
        <PageHead
            title=agent.name.clone()
            sub=works_for(&agent)
            tags=move || (!agent.is_active).then(|| view! { <Tag>"Deactivated"</Tag> })
            actions=move || {
                let file = file.clone();
                view! {
                    <LinkButton href=Signal::derive(move || export_address(file.clone())) icon="download" external=true>"Export"</LinkButton>
                    {may_edit.then(|| view! { <LinkButton href=add kind=ButtonKind::Primary icon="plus">"Add a trigger"</LinkButton> })}
                }
            }
        />
        <Tabs label="Agent" items=agent_tabs(agent.id, "triggers")/>
        {at_rest(rest)}
        {rows}
    }
}
