use std::sync::Arc;

use leptos::prelude::*;

use patchbay_access::Action;
use patchbay_shell::viewer;
use crate::model::{BatchPage as Rows, BatchQuery, BatchRow, BatchStatus};
use crate::server_fns::list_batches;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// Batches, newest first.
#[lazy]
pub fn batches_page() -> PageView {
    let asked = || BatchQuery {
        status: query("status"),
        campaign: query("campaign"),
        client: query("client"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_batches);
    Arc::new(move || {
        live::on_change(&["batches"], move || rows.refetch());
        let may_run = viewer().may(Action::RunBatches);
        let tabs = move || {
            let current = query("status");
            let words = [
                ("", "All"),
                ("processing", "Calling"),
                ("scheduled", "Scheduled"),
                ("paused", "Paused"),
                ("completed", "Completed"),
                ("failed", "Failed"),
            ];
            let items = words
                .into_iter()
                .map(|(word, label)| {
                    let chosen = Some(word).filter(|word| !word.is_empty());
                    tab(label, with_query(&[("status", chosen)]), current.as_deref() == chosen)
                })
                .collect::<Vec<_>>();
            view! { <Tabs label="State" items=items/> }
        };
        view! {
            <PageTitle text="Batches"/>
            <PageHead
                title="Batches"
                actions=move || view! {
                    <ExportLink path="/batches.csv"/>
                    {may_run.then(|| view! {
                        <LinkButton href="/batches/new" kind=ButtonKind::Primary icon="plus">"New batch"</LinkButton>
                    })}
                }
            />
            {tabs}
            <PageBoundary data=rows view=move |page: Rows| view! { <List page may_run/> }/>
        }
        .into_any()
    })
}

#[component]
fn List(page: Rows, may_run: bool) -> impl IntoView {
    if page.rows.is_empty() {
        if ["status", "campaign", "cursor"].into_iter().any(|key| query(key).is_some()) {
            return view! { <section class="card"><NoMatch what="batches"/></section> }.into_any();
        }
        return view! {
            <section class="card">
                <EmptyState icon="list-checks" title="No batches yet" text="A batch calls the waiting contacts of a campaign, on as many lines as you choose.">
                    {may_run.then(|| view! { <LinkButton href="/batches/new" kind=ButtonKind::Primary icon="plus">"Start the first batch"</LinkButton> })}
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let rows = page.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Batches"
                class="mid"
                head=|| view! {
                    <th scope="col">"Batch"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Client"</th>
                    <th scope="col">"Progress"</th>
                    <th scope="col" class="num">"Answered"</th>
                    <th scope="col">"Created"</th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer=page.newer older=page.older note="25 per page"/>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: BatchRow) -> impl IntoView {
    let progress = row.progress;
    let label = format!("{} of {}", count_text(progress.done()), count_text(progress.total));
    let note = match (&row.note, &row.scheduled_for) {
        (Some(note), _) => Some(note.clone()),
        (None, Some(at)) if row.status == BatchStatus::Scheduled => Some(format!("Starts {}", at.text)),
        _ => None,
    };
    view! {
        <tr>
            <td>
                <div class="who">
                    <a class="link" href=format!("/batches/{}", row.id)>{row.name}</a>
                    <small>{note.unwrap_or(row.campaign)}</small>
                </div>
            </td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
            <td>{row.client}</td>
            <td>
                <SegmentBar
                    label=label.clone()
                    total=progress.total.max(1) as f64
                    segments=vec![
                        Segment::new("Answered", progress.answered as f64, "ok"),
                        Segment::new("Not reached", progress.unreached as f64, "chart-6"),
                        Segment::new("Failed", progress.failed as f64, "bad"),
                    ]
                />
                <small class="sub">{label}</small>
            </td>
            <td class="num">{count_text(progress.answered)}</td>
            <td><Time stamp=row.created/></td>
        </tr>
    }
}
