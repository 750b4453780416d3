use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{BatchQuery, BatchRow, BatchStatus};
use crate::server_fns::list_batches;
use patchbay_access::Action;
use patchbay_calls::model::term;
use patchbay_shared::money::count_text;
use patchbay_shell::viewer;
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
        List::<BatchRow>::new("Batches")
            .live(&["batches"])
            .export("/batches.csv")
            .add(viewer().may(Action::RunBatches), "plus", "/batches/new", "New batch")
            .above(view! { <Tabs label="State" items=Signal::derive(states)/> })
            .narrowed_by(&["status", "campaign"])
            .no_match_in_card()
            .table("mid")
            .column("Batch", |row| {
                let (name, note) = (row.name.clone(), note(row));
                view! {
                    <div class="who">
                        <a class="link" href=format!("/batches/{}", row.id)>{name}</a>
                        <small>{note}</small>
                    </div>
                }
            })
            .column("State", |row| cell::state(row.status))
            .column("Client", |row| row.client.clone())
            .column("Progress", progress)
            .number("Reached", |row| {
                let href = row.members("&result=reached");
                view! { <a class="link" href=href title=term::REACHED.means>{count_text(row.progress.reached)}</a> }
            })
            .column("Created", |row| cell::time(&row.created))
            .note("25 per page")
            .empty(
                "list-checks",
                "No batches yet",
                "A batch calls the waiting contacts of a campaign, on as many lines as you choose.",
            )
            .first("Start the first batch")
            .page(rows)
    })
}

/// The states that batches can be narrowed to.
fn states() -> Vec<TabItem> {
    let current = query("status");
    [
        ("", "All"),
        ("processing", "Calling"),
        ("scheduled", "Scheduled"),
        ("paused", "Paused"),
        ("completed", "Completed"),
        ("stopped", "Stopped"),
        ("failed", "Failed"),
    ]
    .into_iter()
    .map(|(word, label)| {
        let chosen = Some(word).filter(|word| !word.is_empty());
        tab(label, with_query(&[("status", chosen)]), current.as_deref() == chosen)
    })
    .collect()
}

fn note(row: &BatchRow) -> String {
    match (&row.note, &row.scheduled_for) {
        (Some(note), _) => note.clone(),
        (None, Some(at)) if row.status == BatchStatus::Scheduled => format!("Starts {}", at.when()),
        _ => row.campaign.clone(),
    }
}

fn progress(row: &BatchRow) -> AnyView {
    let progress = &row.progress;
    let label = format!("{} of {}", count_text(progress.done()), count_text(progress.total));
    view! {
        <SegmentBar
            label=label.clone()
            total=progress.total.max(1) as f64
            segments=vec![
                Segment::new(term::REACHED.label, progress.reached as f64, "ok"),
                Segment::new(term::CONTACTS_NOT_REACHED.label, progress.not_reached as f64, "chart-6"),
                Segment::new(term::CONTACTS_FAILED.label, progress.failed as f64, "bad"),
            ]
        />
        <small class="sub"><a class="link plain" href=row.members("&result=done") title=term::DONE.means>{label}" contacts done"</a></small>
    }
    .into_any()
}
