use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{above, at_rest, export_address, works_for};
use crate::model::{ListQuery, ScheduleRow, SchedulesPage, Switched};
use crate::server_fns::list_agent_schedules;
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

/// An agent's schedules.
#[lazy]
pub fn schedules_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked =
            ListQuery { words: query("q"), state: query("state"), sort: query("sort"), cursor: query("cursor") };
        (params.read().get("id").unwrap_or_default(), asked)
    };
    let page = load(asked, |(agent, query)| list_agent_schedules(agent, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("schedules:{id}"), &format!("agent:{id}")], move || page.refetch());
        view! { <PageBoundary data=page view=move |page: SchedulesPage| view! { <Schedules page/> }/> }.into_any()
    })
}

#[component]
fn Schedules(page: SchedulesPage) -> impl IntoView {
    let SchedulesPage { agent, page, rest, may_edit } = page;
    let base = format!("/agents/{}/schedules", agent.id);
    let (add, first, file) = (format!("{base}/new"), format!("{base}/new"), format!("{base}/export.csv"));
    let rows = List::<ScheduleRow>::new("Schedules")
        .search("q", "Name or words")
        .filter(Filter::words("state", "State", Switched::ALL))
        .keep(&["sort"])
        .sorted("name")
        .table("mid wrap")
        .column("Schedule", move |row: &ScheduleRow| {
            let note = view! { <small>{row.said.clone()}" · "{row.timezone.replace('_', " ")}</small> };
            cell::who(format!("{base}/{}", row.id), &row.name, note)
        })
        .sort("name")
        .column("Line", |row: &ScheduleRow| view! { <code>{row.cron.clone()}</code> })
        .column("State", |row: &ScheduleRow| cell::state(Switched::of(row.enabled)))
        .column("Next", |row: &ScheduleRow| cell::time_or(row.next.as_ref(), "–"))
        .column("Last", last)
        .column("Runs", |row: &ScheduleRow| cell::link(format!("/runs?schedule={}", row.id), "Its runs"))
        .empty_view(move || {
            let href = first.clone();
            view! {
                <EmptyState
                    icon="calendar-clock"
                    title="No schedules yet"
                    text="At the times of a schedule the agent is told something and does it, without a call: a report in the morning, a look at the calendar every hour."
                >
                    {may_edit.then(|| view! { <LinkButton href kind=ButtonKind::Primary icon="plus">"Add the first schedule"</LinkButton> })}
                </EmptyState>
            }
        })
        .show(page);
    view! {
        <PageTitle text="Schedules" parents=above(&agent, None)/>
        <PageHead
            title=agent.name.clone()
            sub=works_for(&agent)
            tags=move || (!agent.is_active).then(|| view! { <Tag>"Deactivated"</Tag> })
            actions=move || {
                let file = file.clone();
                view! {
                    <LinkButton href=Signal::derive(move || export_address(file.clone())) icon="download" external=true>"Export"</LinkButton>
                    {may_edit.then(|| view! { <LinkButton href=add kind=ButtonKind::Primary icon="plus">"Add a schedule"</LinkButton> })}
                }
            }
        />
        <Tabs label="Agent" items=agent_tabs(agent.id, "schedules")/>
        {at_rest(rest)}
        {rows}
    }
}

/// How the last time was dealt with.
fn last(row: &ScheduleRow) -> AnyView {
    let Some(last) = row.last.clone() else { return view! { <span class="sub">"Not yet"</span> }.into_any() };
    let run = last.run.map(|run| view! { " "<a class="link" href=format!("/runs/{run}")>"the run"</a> });
    let note = last.note.map(|note| view! { <small class="sub">{note}</small> });
    view! { <div class="who"><span>{cell::state(last.result)}" "<Time stamp=last.at/>{run}</span>{note}</div> }
        .into_any()
}
