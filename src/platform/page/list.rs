use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{QueueHealth, WorkspaceQuery, WorkspaceRow};
use crate::server_fns::{list_workspaces, platform_queues};
use patchbay_ui::*;
use patchbay_workspaces::model::WorkspaceStatus;

/// The platform admin's page: agencies, and how the queues are doing.
#[lazy]
pub fn platform_page() -> PageView {
    let asked = || WorkspaceQuery { words: query("q"), status: query("status"), cursor: query("cursor") };
    let rows = load(asked, list_workspaces);
    let queues = load(|| (), |()| platform_queues());
    Arc::new(move || {
        List::<WorkspaceRow>::new("Workspaces")
            .subtitle("Agencies on this installation. Their data is theirs: it is not shown here.")
            .action(view! { <LinkButton href="/platform/log" icon="history">"Platform log"</LinkButton> })
            .add(true, "plus", "/platform/new", "New workspace")
            .above(view! { <BlockBoundary data=queues view={|queues: Vec<QueueHealth>| view! { <Queues queues/> }}/> })
            .search("q", "Name")
            .filter(Filter::words("status", "State", WorkspaceStatus::ALL))
            .column("Agency", |row| {
                let (name, slug) = (row.name.clone(), row.slug.clone());
                view! {
                    <div class="who">
                        <a class="link" href=format!("/platform/{}", row.id)><b>{name}</b></a>
                        <small class="mono">{slug}</small>
                    </div>
                }
            })
            .column("Owner", |row| cell::or(&row.owner, "Nobody yet"))
            .column("Plan", |row| row.plan.label())
            .number("People", |row| row.users)
            .number("Failed work", |row| row.failed_work)
            .column("Since", |row| cell::time(&row.created))
            .column("State", |row| cell::state(row.status))
            .page(rows)
    })
}

/// How the queues are doing.
#[component]
pub(crate) fn Queues(queues: Vec<QueueHealth>) -> impl IntoView {
    let figures = queues
        .into_iter()
        .map(|queue| {
            let oldest = queue.oldest_seconds.map_or_else(|| "nothing waiting".to_owned(), |seconds| format!("oldest waiting {seconds} s"));
            view! { <Kpi label=queue.name value=queue.waiting.to_string() unit="waiting" versus=format!("{oldest} · {} failed", queue.failed)/> }
        })
        .collect_view();
    view! { <Kpis count=3>{figures}</Kpis> }
}
