use std::sync::Arc;

use leptos::prelude::*;

use super::parts::execution_tabs;
use crate::model::EngineType;
use crate::model::control::TabCounts;
use crate::model::setup::{EngineRow, EnginesPage, SetupQuery};
use crate::server_fns_setup::{AddUsualExecution, list_execution_engines};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// What lists of engines and targets are narrowed to, from the address.
pub(super) fn asked() -> SetupQuery {
    SetupQuery {
        words: query("q"),
        kind: query("type"),
        state: query("state"),
        sort: query("sort"),
        cursor: query("cursor"),
    }
}

pub(super) fn states() -> Filter {
    Filter::new("state", "State", options_of([("inactive", "Deactivated"), ("all", "All")]))
}

/// The agency's engines.
#[lazy]
pub fn engines_page() -> PageView {
    let rows = load(asked, list_execution_engines);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let may_edit = viewer().may(Action::ManageExecution);
        List::<EngineRow>::new("Engines")
            .under(crumb("Teams", "/teams"))
            .under(crumb("Execution", "/execution"))
            .subtitle("How jobs are done: by a model with tools, or by a command in a sandbox.")
            .live(&["execution_engines"])
            .export("/execution/engines/export.csv")
            .add(may_edit, "plus", "/execution/engines/new", "New engine")
            .above(view! { <Tabs label="Execution" items=execution_tabs("engines", &TabCounts::default())/> })
            .search("q", "Name or description")
            .filter(Filter::words("type", "Type", EngineType::ALL))
            .filter(states())
            .sorted("name")
            .keep(&["client", "sort"])
            .table("mid wrap")
            .column("Engine", |row: &EngineRow| {
                let note = view! { <small>{row.description.clone()}</small> };
                cell::who(format!("/execution/engines/{}", row.id), &row.name, note)
            })
            .sort("name")
            .column("Type", |row: &EngineRow| cell::state(row.kind))
            .column("Works with", |row: &EngineRow| row.about.clone())
            .number("At most", |row: &EngineRow| row.limit.clone())
            .number("Open jobs", |row: &EngineRow| count_text(row.open_jobs))
            .column("State", |row: &EngineRow| {
                let (tone, label) = if row.is_active { (Tone::Ok, "Active") } else { (Tone::Mute, "Deactivated") };
                view! {
                    <span class="row wrap">
                        <State tone label on=row.is_active/>
                        {row.is_default.then(|| view! { <Tag tone=Tone::Info>"Default"</Tag> })}
                    </span>
                }
            })
            .empty_view(move || view! { <NoneYet what="engines" may_edit/> })
            .page_of(rows, |page: EnginesPage| page.page)
    })
}

/// Nothing is set up: one press makes what most agencies begin with.
#[component]
pub(super) fn NoneYet(what: &'static str, may_edit: bool) -> impl IntoView {
    let (title, text, href, add) = match what {
        "engines" => (
            "No engines yet",
            "An engine says how jobs are done. The usual two are a model with the agent’s tools, and a shell for scripts of skills.",
            "/execution/engines/new",
            "New engine",
        ),
        _ => (
            "No targets yet",
            "A target says where jobs run: on this machine, in a Docker engine, or in a Kubernetes cluster.",
            "/execution/targets/new",
            "New target",
        ),
    };
    let usual = FormAction::of::<AddUsualExecution>();
    view! {
        <EmptyState icon="server" title text>
            {may_edit.then(|| view! {
                <div class="row wrap">
                    <ServerForm action=usual class="inline" prefix="usual" no_summary=true>
                        <SubmitButton icon="plus">"Add the usual ones"</SubmitButton>
                    </ServerForm>
                    <LinkButton href>{add}</LinkButton>
                </div>
            })}
        </EmptyState>
    }
}
