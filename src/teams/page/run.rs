use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::playground::{Stop, failure};
use super::side::{Limits, Tokens};
use super::tree::{Around, Flow, Why};
use super::{tokens_text, took_text};
use crate::model::views::{RunView, SupervisorRunPage};
use crate::server_fns::{RunSupervisorAgain, get_supervisor_run};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{HistoryLink, refused};
use patchbay_ui::*;

/// One run: the choice, each job and step, and what came of it.
#[lazy]
pub fn supervisor_run_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), get_supervisor_run);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        live::follow(&[format!("supervisor_run:{id}"), "approvals".to_owned()], move || page.refetch());
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: SupervisorRunPage| view! { <Run page again/> }/> }.into_any()
    })
}

#[component]
fn Run(page: SupervisorRunPage, again: Callback<()>) -> impl IntoView {
    let SupervisorRunPage { head, run, engines, others, again: repeats, may_decide } = page;
    let team = head.id.to_string();
    let parents = vec![
        crumb("Teams", "/teams"),
        crumb(head.name.clone(), format!("/teams/{team}")),
        crumb("Runs", format!("/teams/{team}/runs")),
    ];
    let title: String = run.message.chars().take(80).collect();
    let (id, session, is_open, is_stopping) = (run.id.to_string(), run.session, run.is_open(), run.is_stopping);
    let back = format!("/supervisor-runs/{id}");
    let state = match run.waiting().is_empty() {
        false => cell::state_of(Tone::Warn, "Waiting for approval"),
        true if run.asked_back => cell::state_of(Tone::Info, "Asked back"),
        true => cell::state(run.status),
    };
    let acts = {
        let (id, back, team) = (id.clone(), back.clone(), team.clone());
        let (may_run, may_edit) = (head.may_run, head.may_edit);
        move || {
            let stop = (is_open && may_run).then(|| view! { <Stop run=id.clone() back is_stopping again/> });
            let case = (may_edit && !is_open).then(|| {
                view! { <LinkButton href=format!("/teams/{team}/cases/new?run={id}") icon="bookmark">"Save as test case"</LinkButton> }
            });
            view! {
                <HistoryLink id=id.clone()/>
                <LinkButton href=format!("/teams/{team}/playground?session={session}") icon="message-square">"The session"</LinkButton>
                {case}
                {stop}
            }
        }
    };
    let failure = failure(&run, &team);
    let around = Around { may_decide, back, again };
    let can_run = head.may_run && head.rest.is_none() && !is_open;
    let used = run.used.clone();
    let spent = run.spent.clone();
    let change = head.may_edit.then(|| format!("/teams/{team}/limits"));
    let told = run.clone();
    let flow = vec![run.clone()];
    let repeats = repeats
        .into_iter()
        .map(|(id, at)| view! { <li><a class="link" href=format!("/supervisor-runs/{id}")>"Run again "<Time stamp=at/></a></li> })
        .collect::<Vec<_>>();
    let repeats =
        (!repeats.is_empty()).then(|| view! { <Card title="Run again since"><ul class="list">{repeats}</ul></Card> });
    let sub = format!("{} · {}", head.name, run.mode.label());
    view! {
        <PageTitle text=title.clone() parents/>
        <PageHead title sub tags=move || state actions=acts/>
        {failure}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                <Answer run=told/>
                <Card title="Who acts, and why" class="acting"><Flow runs=flow around/></Card>
            </div>
            <div class="stack gap-4 min0">
                <Limits used change/>
                <Tokens spent/>
                <About run/>
                {can_run.then(|| view! { <Again id=id.clone() engines/> })}
                <Beside id others/>
                {repeats}
            </div>
        </div>
    }
}

/// What was asked, and what came of it.
#[component]
fn Answer(run: RunView) -> impl IntoView {
    let output = match run.output {
        Some(output) => view! { <p class="pre-line break">{output}</p> }.into_any(),
        None => view! { <p class="sub">"No answer yet."</p> }.into_any(),
    };
    let choice = run.choice.filter(|choice| choice.worker.is_some() || !choice.fits.is_empty());
    let choice = choice.map(|choice| view! { <h3 class="mt-4">"The newest choice"</h3><Why choice/> });
    view! {
        <Card title="Message"><p class="pre-line break">{run.message}</p></Card>
        <Card title=if run.asked_back { "It asked back" } else { "Answer" }>{output}{choice}</Card>
    }
}

#[component]
fn About(run: RunView) -> impl IntoView {
    let of = run.again_of.map(|id| view! { <Fact label="Repeats"><a class="link" href=format!("/supervisor-runs/{id}")>"another run"</a></Fact> });
    let call = run
        .call
        .map(|id| view! { <Fact label="Call"><a class="link" href=format!("/calls/{id}")>"the call"</a></Fact> });
    let stopped = run.stopped_by.map(|name| view! { <Fact label="Stopped by">{name}</Fact> });
    view! {
        <Card title="About">
            <Facts>
                <Fact label="Asked">{run.source.label()}</Fact>
                {run.by.map(|by| view! { <Fact label="By">{by}</Fact> })}
                <Fact label="At"><Time stamp=run.created/></Fact>
                {run.ended.map(|at| view! { <Fact label="Ended"><Time stamp=at/></Fact> })}
                {run.took_ms.map(|took| view! { <Fact label="Took">{took_text(took)}</Fact> })}
                <Fact label="Tokens">{tokens_text(run.tokens)}</Fact>
                {run.worker.map(|worker| view! { <Fact label="Worker">{worker}</Fact> })}
                <Fact label="Engine">{run.engine.unwrap_or_else(|| "The team’s".to_owned())}</Fact>
                <Fact label="Version">{run.version.to_string()}</Fact>
                {of}
                {call}
                {stopped}
            </Facts>
        </Card>
    }
}

#[component]
fn Again(id: String, engines: Vec<(String, String)>) -> impl IntoView {
    let again = FormAction::of::<RunSupervisorAgain>();
    view! {
        <Card title="Run it again">
            <ServerForm action=again class="form" prefix="again">
                <input type="hidden" name="id" value=id/>
                <Select name="engine" label="With the engine" options=engines prompt="The team’s" mark=false/>
                <FormActs><SubmitButton kind=ButtonKind::Plain icon="refresh-cw">"Run again"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}

#[component]
fn Beside(id: String, others: Vec<(String, String)>) -> impl IntoView {
    (!others.is_empty()).then(|| {
        view! {
            <Card title="Beside another run">
                <GetForm action="/supervisor-runs/compare" class="form" label="Compare">
                    <input type="hidden" name="a" value=id/>
                    <Select name="b" label="Compare with" options=others prompt="Choose a run" mark=false/>
                    <button type="submit" class="btn">"Compare"</button>
                </GetForm>
            </Card>
        }
    })
}
