use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{RunQuery, RunRow, RunStatus, RunType, took_text};
use crate::server_fns::list_runs;
use patchbay_access::Action;
use patchbay_shared::Money;
use patchbay_shell::refused;
use patchbay_ui::*;

/// What agents did, newest first.
#[lazy]
pub fn runs_page() -> PageView {
    let asked = || RunQuery {
        q: query("q"),
        from: query("from"),
        to: query("to"),
        agent: query("agent"),
        client: query("client"),
        kind: query("kind"),
        status: query("status"),
        schedule: query("schedule"),
        trigger: query("trigger"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_runs);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        List::<RunRow>::new("Runs")
            .subtitle("What agents did in calls and in tests, step by step.")
            .live(&["runs"])
            .export("/runs/export.csv")
            .action(view! { <LinkButton href="/errors" icon="triangle-alert">"Errors"</LinkButton> })
            .search("q", "Words, name or what went wrong")
            .sorted("-started")
            .keep(&["client", "sort", "schedule", "trigger"])
            .narrowed_by(&["client", "schedule", "trigger"])
            .above(view! { {move || narrowed()} })
            .table("wide wrap")
            .column("Run", run)
            .column("Status", |row: &RunRow| cell::state(row.status))
            .column("Agent", |row| match &row.agent {
                Some((id, name)) => cell::link(format!("/agents/{id}"), name),
                None => "–".into_any(),
            })
            .column("Client", |row| cell::or(&row.client, "–"))
            .column("Set off by", |row| row.trigger.label())
            .number("Took", |row| row.took_ms.map(took_text))
            .number("Cost", cost)
            .column("Started", |row| cell::time(&row.started))
            .sort("started")
            .empty_view(|| view! {
                <EmptyState icon="activity" title="No runs yet" text="Every call and every test of an agent is a run. Its steps, its cost and what went wrong stand here.">
                    <LinkButton href="/agents" icon="bot">"Agents"</LinkButton>
                </EmptyState>
            })
            .page_of(rows, |list| {
                let filters = vec![
                    Filter::new("agent", "Agent", list.agents),
                    Filter::words("kind", "Type", RunType::ALL),
                    Filter::words("status", "Status", RunStatus::ALL),
                    Filter::date("from", "From"),
                    Filter::date("to", "To"),
                ];
                (list.page, filters)
            })
    })
}

/// Says that only the runs of one schedule or trigger are listed.
fn narrowed() -> Option<AnyView> {
    let what = match (query("schedule"), query("trigger")) {
        (Some(_), _) => "schedule",
        (None, Some(_)) => "trigger",
        (None, None) => return None,
    };
    let all = with_query(&[("schedule", None), ("trigger", None)]);
    Some(
        view! { <p class="sub">"Runs of one "{what}" only. "<a class="link" href=all>"Show all runs"</a></p> }
            .into_any(),
    )
}

fn run(row: &RunRow) -> AnyView {
    let note = row.error.clone().unwrap_or_else(|| row.kind.label().to_owned());
    let class = row.error.is_some().then_some("why");
    cell::who(format!("/runs/{}", row.id), &row.title, view! { <small class=class>{note}</small> })
}

fn cost(row: &RunRow) -> String {
    match row.cost {
        Some(cost) => Money::column(cost),
        None if row.status == RunStatus::Running => String::new(),
        None => "Not priced yet".to_owned(),
    }
}
