use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::progress::{Agents, SyncCard};
use super::{above, address};
use crate::model::{FailureQuery, FailureRow, SyncJobStatus, SyncPage, SyncQuery, SyncRow};
use crate::server_fns::{get_history_import, list_history_imports};
use patchbay_access::Action;
use patchbay_shared::money::count_text;
use patchbay_shell::{HistoryLink, refused, viewer};
use patchbay_ui::address::query_string;
use patchbay_ui::*;

/// All imports of past calls, newest first.
#[lazy]
pub fn history_imports_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let asked = SyncQuery { status: query("status"), sort: query("sort"), cursor: query("cursor") };
        (params.read().get("provider").unwrap_or_default(), asked)
    };
    let rows = load(asked, |(provider, query)| list_history_imports(provider, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let mut list = List::<SyncRow>::new("Earlier imports");
        for parent in above(true) {
            list = list.under(parent);
        }
        list.subtitle("Which days of the past were brought in, what became of their calls, and who did it.")
            .live(&["history"])
            .export("/connections/ultravox/history/imports.csv")
            .add(viewer().may(Action::ManageConnections), "download", address(""), "New import")
            .filter(Filter::words("status", "State", SyncJobStatus::ALL))
            .keep(&["sort"])
            .sorted("-asked")
            .what("imports")
            .column("Calls", |row| cell::link(address(&format!("/imports/{}", row.id)), &row.title))
            .column("State", |row| cell::state(row.status))
            .number("Imported", |row| count_text(row.imported))
            .sort("imported")
            .number("Skipped", |row| count_text(row.skipped))
            .sort("skipped")
            .number("Failed", |row| count_text(row.failed))
            .sort("failed")
            .column("By", |row| row.started_by.clone())
            .newest("Asked for", |row| cell::time(&row.created))
            .sort("asked")
            .no_match_in_card()
            .empty(
                "history",
                "No imports yet",
                "An import brings in the calls that Ultravox had before it was connected.",
            )
            .first("Import past calls")
            .page(rows)
    })
}

/// One import: how it went, and which calls could not be taken.
#[lazy]
pub fn history_import_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let params = params.read();
        let asked = FailureQuery { agent: query("agent"), sort: query("sort"), cursor: query("cursor") };
        (params.get("provider").unwrap_or_default(), params.get("id").unwrap_or_default(), asked)
    };
    let page = load(asked, |(provider, id, query)| get_history_import(provider, id, query));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        live::on_change(&["history"], move || page.refetch());
        view! { <PageBoundary data=page view=move |page: SyncPage| view! { <Shown page/> }/> }.into_any()
    })
}

#[component]
fn Shown(page: SyncPage) -> impl IntoView {
    let sync = page.sync;
    let (id, agents) = (sync.id.to_string(), sync.agents.clone());
    let mut parents = above(true);
    parents.push(crumb("Earlier imports", address("/imports")));
    let has_failed = sync.failed > 0;
    let asked: Vec<(String, String)> =
        ["agent", "sort"].iter().filter_map(|key| Some(((*key).to_owned(), query(key)?))).collect();
    let file = address(&format!("/imports/{id}/failures.csv{}", query_string(&asked)));
    let failures = has_failed.then(|| {
        view! {
            <section id="failed" class="stack gap-3">
                <div class="row between"><h2>"Calls that failed"</h2><LinkButton href=file icon="download" external=true>"Export"</LinkButton></div>
                {failures(page.failures, page.failed_agents)}
            </section>
        }
    });
    view! {
        <PageTitle text=sync.title.clone() parents/>
        <PageHead
            title=sync.title.clone()
            sub=format!("Past calls of {}", page.service)
            actions=move || view! { <HistoryLink id/> }
        />
        <SyncCard sync is_own_page=true/>
        <Agents agents/>
        {failures}
    }
}

fn failures(page: patchbay_shared::Page<FailureRow>, agents: Vec<(String, String)>) -> AnyView {
    let mut list = List::<FailureRow>::new("Calls that failed").keep(&["sort"]).sorted("-began").what("failed calls");
    if agents.len() > 1 {
        list = list.filter(Filter::new("agent", "Agent", agents));
    }
    list.table("mid")
        .column("Began", |row| cell::time_or(row.started.as_ref(), "Not known"))
        .class("nowrap")
        .sort("began")
        .column("Agent", |row| cell::or(&row.agent, "Not known here"))
        .column("Call at Ultravox", |row| cell::or(&row.provider_call_id, "No id that can be read"))
        .class("mono break")
        .column("Why", |row| row.why.clone())
        .class("wrap-text")
        .show(page)
}
