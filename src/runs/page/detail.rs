use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::compare::Compare;
use super::knowledge::KnowledgeCard;
use super::step::{StepCard, Steps};
use crate::model::{CauseRow, CauseState, Run, RunPage, RunStatus, Shown, tokens_text, took_text};
use crate::server_fns::get_run;
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shared::ids::RunId;
use patchbay_shared::money::counted;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// One run: its steps on one time axis, and the one that is looked at.
#[lazy]
pub fn run_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("with"));
    let found = load(asked, |(id, with)| get_run(id, with));
    Arc::new(move || {
        let params = use_params_map();
        // The page stays while the person goes from run to run, so what it listens to follows the address.
        Effect::new(move |_| {
            let id = params.read().get("id").unwrap_or_default();
            live::on_change(&[format!("run:{id}"), format!("call:{id}")], move || found.refetch());
        });
        view! { <PageBoundary data=found view=move |page: RunPage| view! { <Page page/> }/> }.into_any()
    })
}

#[component]
fn Page(page: RunPage) -> impl IntoView {
    let RunPage { run, with, again_of, again, causes, others, knowledge, older, newer } = page;
    let run = Arc::new(run);
    let status = run.status;
    let sub = {
        let run = run.clone();
        move || view! { <Line run=run.clone()/> }
    };
    let acts = viewer().may(Action::ManageAgents).then(|| run.clone());
    let moves = move || {
        view! { {acts.clone().map(|run| view! { <Acts run/> })}<Neighbour href=newer.map(|id| format!("/runs/{id}")) newer=true/><Neighbour href=older.map(|id| format!("/runs/{id}")) newer=false/> }
    };
    let parents = match &run.agent {
        Some((id, name)) => {
            vec![crumb("Runs", format!("/runs?agent={id}")), crumb(name.clone(), format!("/agents/{id}"))]
        }
        None => vec![crumb("Runs", "/runs")],
    };
    let trouble = run.error.clone().map(|error| {
        let tone = if status == RunStatus::Failed { Tone::Bad } else { Tone::Warn };
        let causes = causes.into_iter().map(|cause| view! { <Cause cause/> }).collect_view();
        view! { <Callout tone><p><b>{error}</b></p>{causes}</Callout> }
    });
    let (left, right) = (run.clone(), run.clone());
    let shown = Signal::derive(|| Shown::of(query("show").as_deref()));
    let opened = Signal::derive(move || left.opened(query("step").as_deref()));
    let compare = view! { <Compare run=run.clone() with others/> };
    view! {
        <PageTitle text=run.title.clone() parents/>
        <PageHead
            title=run.title.clone()
            tags=move || view! { <State tone=status.tone() label=status.label() live=status == RunStatus::Running/> }
            sub_view=sub
            actions=moves
        />
        {trouble}
        <Repeats id=run.id.to_string() again_of again/>
        <Figures run=run.clone()/>
        <div class="cols main-side run">
            <div class="cols min0">
                <Steps run=run.clone() shown opened/>
                {compare}
            </div>
            <div class="cols">
                {move || {
                    let step = opened.get().and_then(|opened| right.steps.iter().find(|step| step.step == opened).cloned());
                    step.map(|step| view! { <StepCard step of=right.steps.len()/> })
                }}
                <KnowledgeCard passages=knowledge/>
            </div>
        </div>
    }
}

/// Who ran, when, and where more of it is.
#[component]
fn Line(run: Arc<Run>) -> impl IntoView {
    let agent = run.agent.as_ref().map(|(id, name)| {
        view! { <a class="link" href=format!("/agents/{id}")>{name.clone()}</a>" · " }
    });
    let version = run.prompt_version.map(|version| format!("prompt v{version} · "));
    let client = run.client.as_ref().map(|(id, name)| {
        view! { <a class="link" href=format!("/clients/{id}")>{name.clone()}</a>" · " }
    });
    let by = run.by.as_ref().map(|by| format!(" ({by})"));
    let origin = run.origin.clone().map(|(name, href)| match href {
        Some(href) => view! { ", "<a class="link" href=href>{name}</a> }.into_any(),
        None => view! { ", "{name}", which was removed" }.into_any(),
    });
    let call = run.call.map(|call| view! { " · "<a class="link" href=format!("/calls/{call}")>"Open the call"</a> });
    view! {
        {agent}{version}{client}
        {run.kind.label()}" · Set off by: "{run.trigger.label()}{origin}{by}" · "
        <Time stamp=run.started.clone()/>
        {call}
    }
}

/// What can be made of a run.
#[component]
fn Acts(run: Arc<Run>) -> impl IntoView {
    let id = run.id;
    let case = run.agent.as_ref().filter(|_| run.status != RunStatus::Running).map(|(agent, _)| {
        view! { <LinkButton href=format!("/agents/{agent}/tests/new?run={id}") icon="list-checks">"Make test case"</LinkButton> }
    });
    view! { {case}<LinkButton href=format!("/runs/{id}/again") icon="rotate-ccw">"Run again"</LinkButton> }
}

/// The run that this one repeats, and those that repeat it.
#[component]
fn Repeats(id: String, again_of: Option<(RunId, String)>, again: Vec<(RunId, String)>) -> impl IntoView {
    let before = again_of.map(|(before, title)| {
        view! {
            <p class="sub">
                "Run again of "<a class="link" href=format!("/runs/{before}")>{title}</a>". "
                <a class="link" href=format!("/runs/{id}?with={before}#compare")>"Compare the two"</a>
            </p>
        }
    });
    let after = again
        .into_iter()
        .map(|(after, title)| view! { <p class="sub">"Was run again: "<a class="link" href=format!("/runs/{after}")>{title}</a></p> })
        .collect_view();
    view! { {before}{after} }
}

/// One of the causes of what went wrong.
#[component]
fn Cause(cause: CauseRow) -> impl IntoView {
    let times = counted(cause.count, "time", "times");
    let state = (cause.state == CauseState::Resolved).then_some(", resolved");
    view! {
        <p>
            {cause.message}" "
            <a class="link" href=format!("/errors/{}", cause.id)>{format!("Seen {times} since {}", cause.first_seen.text)}{state}</a>
        </p>
    }
}

#[component]
fn Figures(run: Arc<Run>) -> impl IntoView {
    let failed = run.failed_steps();
    let cost = match (run.status, run.is_unpriced) {
        (RunStatus::Running, _) => "When it has ended".to_owned(),
        (_, true) if run.cost.0.is_zero() => "Not priced yet".to_owned(),
        (_, true) => format!("{} without what is not priced yet", run.cost.text()),
        (_, false) => run.cost.text(),
    };
    view! {
        <Card>
            <dl class="stat">
                <div><dt>"Length"</dt><dd>{run.took_ms.map_or_else(|| "–".to_owned(), took_text)}</dd></div>
                <div>
                    <dt>"Steps"</dt>
                    <dd>{run.steps.len()}{run.is_cut.then_some("+")}{(failed > 0).then(|| view! { " "<small>{format!("{failed} failed")}</small> })}</dd>
                </div>
                <div><dt>"Tokens"</dt><dd>{tokens_text(run.read, run.written).unwrap_or_else(|| "–".to_owned())}</dd></div>
                <div><dt>"Cost"</dt><dd>{cost}</dd></div>
            </dl>
        </Card>
    }
}

#[component]
fn Neighbour(href: Option<String>, newer: bool) -> impl IntoView {
    let (icon, label) =
        if newer { ("chevron-left", "Newer run of this agent") } else { ("chevron-right", "Older run of this agent") };
    match href {
        Some(href) => view! { <LinkButton href icon label square=true/> }.into_any(),
        None => view! { <span class="btn sq" aria-disabled="true" title=label><Icon name=icon small=true/><span class="sr">{label}</span></span> }
            .into_any(),
    }
}
