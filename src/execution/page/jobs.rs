use std::sync::Arc;

use leptos::prelude::*;

use super::job_parts::reason_now;
use super::parts::{execution_tabs, memory_text};
use crate::model::JobStatus;
use crate::model::control::TabCounts;
use crate::model::job::{JobList, JobQuery, JobRow, took_text};
use crate::server_fns::list_execution_jobs;
use patchbay_access::Action;
use patchbay_shared::Money;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// All jobs, newest first.
#[lazy]
pub fn jobs_page() -> PageView {
    let asked = || JobQuery {
        q: query("q"),
        status: query("status"),
        target: query("target"),
        engine: query("engine"),
        pool: query("pool"),
        team: query("team"),
        client: query("client"),
        from: query("from"),
        to: query("to"),
        ended: query("ended"),
        sort: query("sort"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_execution_jobs);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let may_run = viewer().may(Action::ManageExecution);
        List::<JobRow>::new("Jobs")
            .under(crumb("Teams", "/teams"))
            .under(crumb("Execution", "/execution"))
            .subtitle("Work that engines do on targets: for teams, or because somebody asked for it here.")
            .live(&["execution"])
            .export("/jobs/export.csv")
            .add(may_run, "plus", "/execution/new", "Run a job")
            .above(view! { <Tabs label="Execution" items=execution_tabs("jobs", &TabCounts::default())/> })
            .search("q", "Words of the job or of its reason")
            .sorted("-made")
            .keep(&["client", "sort"])
            .narrowed_by(&["client"])
            .table("wide wrap cards brief")
            .column("Job", |row: &JobRow| {
                let note = view! { <small>{reason_now(row.reason.clone(), row.status)}</small> };
                cell::who(format!("/jobs/{}", row.id), &row.title, note)
            })
            .column("Status", |row: &JobRow| state(row.status))
            .column("Worker", |row| {
                view! { <div class="who"><span>{cell::or(&row.agent, "–")}</span><small>{row.team.clone()}</small></div> }
            })
            .column("Engine", |row| row.engine.clone())
            .column("Target", |row| {
                view! { <div class="who"><span>{row.target.clone()}</span><small>{format!("pool {}", row.pool)}</small></div> }
            })
            .number("Tries", |row| row.tries)
            .number("Memory", |row| match row.peak_memory_mb {
                Some(peak) => format!("{} of {}", memory_text(peak.into()), memory_text(row.memory_limit_mb.into())),
                None => memory_text(row.memory_limit_mb.into()),
            })
            .number("Took", |row| row.took_ms.map(took_text))
            .number("Cost", |row| row.cost.map_or_else(|| "–".to_owned(), Money::column))
            .column("Made", |row| cell::time(&row.made))
            .sort("made")
            .empty("workflow", "No jobs yet", "A job is a piece of work that an engine does on a target. Teams make them when they work, and you can run one by hand.")
            .page_of(rows, |list: JobList| {
                let filters = vec![
                    Filter::words("status", "Status", JobStatus::ALL),
                    Filter::new("target", "Target", list.targets),
                    Filter::new("engine", "Engine", list.engines),
                    Filter::new("team", "Team", list.teams),
                    Filter::new("pool", "Pool", list.pools).rare(),
                    Filter::date("from", "Made from").rare(),
                    Filter::date("to", "to").rare(),
                    Filter::date("ended", "Ended on").rare(),
                ];
                (list.page, filters)
            })
    })
}

/// A job's status; what runs is live.
pub(super) fn state(status: JobStatus) -> AnyView {
    view! { <State tone=status.tone() label=status.label() live=status == JobStatus::Running/> }.into_any()
}
