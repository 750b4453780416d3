use std::sync::Arc;

use leptos::prelude::*;

use super::tree::{Around, Flow};
use super::{cost_text, part_text, took_text};
use crate::model::views::{RunView, SupervisorComparePage};
use crate::server_fns::compare_supervisor_runs;
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Two runs of one team, side by side.
#[lazy]
pub fn compare_supervisor_runs_page() -> PageView {
    let asked = || (query("a").unwrap_or_default(), query("b"));
    let page = load(asked, |(a, b)| compare_supervisor_runs(a, b));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: SupervisorComparePage| view! { <Compared page again/> }/> }
            .into_any()
    })
}

#[component]
fn Compared(page: SupervisorComparePage, again: Callback<()>) -> impl IntoView {
    let SupervisorComparePage { head, a, b, mut others } = page;
    let team = head.id.to_string();
    let parents = vec![
        crumb("Teams", "/teams"),
        crumb(head.name.clone(), format!("/teams/{team}")),
        crumb("Runs", format!("/teams/{team}/runs")),
    ];
    let (first, second) = (a.id.to_string(), b.as_ref().map(|b| b.id.to_string()).unwrap_or_default());
    if let Some(b) = b.as_ref().filter(|b| others.iter().all(|(id, _)| *id != b.id.to_string())) {
        others.push((b.id.to_string(), b.message.chars().take(60).collect()));
    }
    let found = match b {
        Some(b) => view! { <Both a b again/> }.into_any(),
        None => view! { <EmptyState icon="git-compare" title="Choose the other run" text="Any two runs of the team can stand beside each other."/> }.into_any(),
    };
    view! {
        <PageTitle text="Two runs" parents/>
        <PageHead title="Two runs" sub=format!("What {} did with two messages, or twice with one.", head.name)/>
        <GetForm action="/supervisor-runs/compare" class="chips" label="Runs">
            <input type="hidden" name="a" value=first/>
            <Select name="b" label="Compare with" options=others value=second prompt="Choose a run" mark=false/>
            <button type="submit" class="btn">"Compare"</button>
        </GetForm>
        {found}
    }
}

#[component]
fn Both(a: RunView, b: RunView, again: Callback<()>) -> impl IntoView {
    let rows = facts(&a)
        .into_iter()
        .zip(facts(&b))
        .map(|((what, one), (_, other))| {
            let differs = (one != other).then(|| view! { " "<Tag>"Differs"</Tag> });
            view! { <tr><th scope="row">{what}{differs}</th><td class="pre-line break">{one}</td><td class="pre-line break">{other}</td></tr> }
        })
        .collect_view();
    let name = |run: &RunView| run.created.text.clone();
    let (first, second) = (name(&a), name(&b));
    view! {
        <Card title="Side by side" flush=true>
            <DataTable
                label="Side by side"
                class="mid wrap"
                head=move || view! { <th scope="col">"What"</th><th scope="col">{first.clone()}</th><th scope="col">{second.clone()}</th> }
            >
                {rows}
            </DataTable>
        </Card>
        <div class="cols two"><Side run=a again/><Side run=b again/></div>
    }
}

/// What can be compared of a run.
fn facts(run: &RunView) -> Vec<(&'static str, String)> {
    let choice = run.choice.as_ref();
    let tools: Vec<String> = run
        .jobs()
        .iter()
        .flat_map(|job| &job.steps)
        .filter(|step| step.kind == patchbay_execution::model::StepKind::Tool)
        .map(|step| step.title.clone())
        .collect();
    vec![
        ("Message", run.message.clone()),
        ("Status", run.status.label().to_owned()),
        ("Worker", run.worker.clone().unwrap_or_default()),
        ("Confidence", choice.map(|choice| part_text(choice.mille)).unwrap_or_default()),
        ("Reason", choice.map(|choice| choice.reason.clone()).unwrap_or_default()),
        ("Engine", run.engine.clone().unwrap_or_else(|| "The team’s".to_owned())),
        ("Version", run.version.to_string()),
        ("Answer", run.output.clone().unwrap_or_default()),
        ("What went wrong", run.failure.clone().unwrap_or_default()),
        ("Tools", tools.join("\n")),
        ("Steps", run.used.steps.to_string()),
        ("Took", run.took_ms.map(took_text).unwrap_or_default()),
        ("Cost", cost_text(run.used.cost, run.used.is_unpriced)),
    ]
}

#[component]
fn Side(run: RunView, again: Callback<()>) -> impl IntoView {
    let href = format!("/supervisor-runs/{}", run.id);
    let around = Around { may_decide: false, back: href.clone(), again };
    let title = run.created.text.clone();
    let label = format!("The run of {title}");
    view! {
        <Card title class="acting" right=move || view! { <a class="link" href=href aria-label=label>"The run"</a> }>
            <Flow runs=vec![run] around/>
        </Card>
    }
}
