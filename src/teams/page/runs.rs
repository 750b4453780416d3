use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{cost_text, export_address, took_text, top};
use crate::model::views::{SupervisorRunList, SupervisorRunQuery, SupervisorRunRow, TeamHead};
use crate::model::{RunSource, SupervisorRunStatus};
use crate::server_fns::list_supervisor_runs;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::refused;
use patchbay_ui::*;

fn asked() -> SupervisorRunQuery {
    SupervisorRunQuery {
        words: query("q"),
        team: query("team"),
        client: query("client"),
        status: query("status"),
        engine: query("engine"),
        source: query("source"),
        waiting: query("waiting"),
        from: query("from"),
        to: query("to"),
        sort: query("sort"),
        cursor: query("cursor"),
    }
}

/// Runs of all teams, newest first.
#[lazy]
pub fn supervisor_runs_page() -> PageView {
    let rows = load(asked, |query| list_supervisor_runs(None, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let list = List::<SupervisorRunRow>::new("Team runs")
            .subtitle("Every message to a team: who worked on it and why, on what, and what came of it.")
            .under(crumb("Teams", "/teams"))
            .live(&["supervisor_runs"])
            .export("/supervisor-runs/export.csv")
            .action(view! { <LinkButton href="/execution" icon="server">"Execution"</LinkButton> })
            .keep(&["client", "sort"])
            .narrowed_by(&["client"]);
        columns(list, true).page_of(rows, |list: SupervisorRunList| {
            let mut filters = filters(list.engines);
            filters.insert(0, Filter::new("team", "Team", list.teams));
            (list.page, filters)
        })
    })
}

/// The same of one team.
#[lazy]
pub fn team_runs_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), asked());
    let rows = load(asked, |(team, query)| list_supervisor_runs(Some(team), query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::on_change(&[&format!("team_runs:{id}")], move || rows.refetch());
        view! { <PageBoundary data=rows view=move |list: SupervisorRunList| view! { <OfTeam list/> }/> }.into_any()
    })
}

#[component]
fn OfTeam(list: SupervisorRunList) -> impl IntoView {
    let SupervisorRunList { head, page, engines, .. } = list;
    let Some(head) = head else { return ().into_any() };
    let keys = &["q", "status", "engine", "source", "waiting", "from", "to", "sort"];
    let file = export_address(format!("/teams/{}/runs/export.csv", head.id), keys);
    let acts = view! { <LinkButton href=file icon="download" external=true>"Export"</LinkButton> }.into_any();
    let top = top(&head, "runs", "Runs", acts, None);
    let TeamHead { id, may_run, .. } = head;
    let list = List::<SupervisorRunRow>::new("Team runs").keep(&["sort"]);
    let mut list = columns(list, false).empty_view(move || empty(may_run.then(|| format!("/teams/{id}/playground"))));
    for filter in filters(engines) {
        list = list.filter(filter);
    }
    view! { {top}{list.show(page)} }.into_any()
}

fn filters(engines: Vec<(String, String)>) -> Vec<Filter> {
    vec![
        Filter::words("status", "Status", SupervisorRunStatus::ALL),
        Filter::new("waiting", "Waits for", options_of([("person", "A person")])),
        Filter::new("engine", "Engine", engines).rare(),
        Filter::words("source", "Asked by", RunSource::ALL).rare(),
        Filter::date("from", "From").rare(),
        Filter::date("to", "To").rare(),
    ]
}

fn columns(list: List<SupervisorRunRow>, has_team: bool) -> List<SupervisorRunRow> {
    list.search("q", "Message, answer or what went wrong")
        .sorted("-started")
        .table("wide wrap")
        .column("Message", message)
        .column("Team", |row| cell::link(format!("/teams/{}", row.team), &row.team_name))
        .when(has_team)
        .column("Status", status)
        .column("Worker", |row| cell::or(&row.worker, "–"))
        .column("Engine", |row| cell::or(&row.engine, "–"))
        .column("Asked by", |row| row.source.label())
        .number("Steps", |row| row.steps.to_string())
        .number("Took", |row| row.took_ms.map(took_text))
        .number("Cost", |row| cost_text(row.cost, row.is_unpriced))
        .column("Asked", |row| cell::time(&row.created))
        .sort("started")
        .empty_view(|| empty(Some("/teams".to_owned())))
}

fn message(row: &SupervisorRunRow) -> AnyView {
    let failure = row.failure.clone().map(|failure| view! { <small class="why break">{failure}</small> });
    cell::who(format!("/supervisor-runs/{}", row.id), &row.message, failure)
}

fn status(row: &SupervisorRunRow) -> AnyView {
    match (row.waiting, row.asked_back) {
        (1.., _) => cell::state_of(Tone::Warn, "Waits for a person"),
        (_, true) => cell::state_of(Tone::Info, "Asked back"),
        _ => cell::state(row.status),
    }
}

fn empty(href: Option<String>) -> AnyView {
    view! {
        <EmptyState icon="workflow" title="No runs yet" text="Each message to a team is a run: from the playground, over the API, or handed over by an agent.">
            {href.map(|href| view! { <LinkButton href kind=ButtonKind::Primary icon="message-square">"Ask a team"</LinkButton> })}
        </EmptyState>
    }
    .into_any()
}
