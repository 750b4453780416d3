use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{QueueHealth, WorkspaceQuery, WorkspaceRow};
use patchbay_workspaces::model::WorkspaceStatus;
use crate::server_fns::{list_workspaces, platform_queues};
use patchbay_shared::Page;
use patchbay_ui::*;

/// The platform admin's page: agencies, and how the queues are doing.
#[lazy]
pub fn platform_page() -> PageView {
    let asked = || WorkspaceQuery { words: query("q"), status: query("status"), cursor: query("cursor") };
    let rows = load(asked, list_workspaces);
    let queues = load(|| (), |()| platform_queues());
    Arc::new(move || {
        let states = options_of(WorkspaceStatus::ALL.iter().map(|status| (status.as_str(), status.label())));
        view! {
            <PageTitle text="Workspaces"/>
            <PageHead
                title="Workspaces"
                sub="Agencies on this installation. Their data is theirs: it is not shown here."
                actions=|| view! { <LinkButton href="/platform/new" kind=ButtonKind::Primary icon="plus">"New workspace"</LinkButton> }
            />
            <BlockBoundary data=queues view={|queues: Vec<QueueHealth>| view! { <Queues queues/> }}/>
            <FilterBar search="q" placeholder="Name" filters=vec![Filter::new("status", "State", states)]/>
            <PageBoundary data=rows view={|page: Page<WorkspaceRow>| view! { <Rows page/> }}/>
        }
        .into_any()
    })
}

/// How the queues are doing.
#[component]
pub fn Queues(queues: Vec<QueueHealth>) -> impl IntoView {
    let figures = queues
        .into_iter()
        .map(|queue| {
            let oldest = queue.oldest_seconds.map_or_else(|| "nothing waits".to_owned(), |seconds| format!("oldest waits {seconds} s"));
            view! { <Kpi label=queue.name value=queue.waiting.to_string() unit="waiting" versus=format!("{oldest} · {} failed", queue.failed)/> }
        })
        .collect_view();
    view! { <Kpis count=3>{figures}</Kpis> }
}

#[component]
fn Rows(page: Page<WorkspaceRow>) -> impl IntoView {
    if page.rows.is_empty() {
        return view! { <NoMatch what="workspaces"/> }.into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Workspaces"
                head=|| view! {
                    <th scope="col">"Agency"</th>
                    <th scope="col">"Owner"</th>
                    <th scope="col">"Plan"</th>
                    <th scope="col" class="num">"People"</th>
                    <th scope="col" class="num">"Failed work"</th>
                    <th scope="col">"Since"</th>
                    <th scope="col">"State"</th>
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
fn Row(row: WorkspaceRow) -> impl IntoView {
    view! {
        <tr>
            <td>
                <div class="who">
                    <a class="link" href=format!("/platform/{}", row.id)><b>{row.name}</b></a>
                    <small class="mono">{row.slug}</small>
                </div>
            </td>
            <td>{row.owner.unwrap_or_else(|| "Nobody yet".into())}</td>
            <td>{row.plan.label()}</td>
            <td class="num">{row.users}</td>
            <td class="num">{row.failed_work}</td>
            <td><Time stamp=row.created/></td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
        </tr>
    }
}
