use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlTextAreaElement;
use leptos_router::hooks::use_params_map;

use super::side::{Limits, Tokens};
use super::tree::{Around, Flow};
use super::{cost_text, top};
use crate::model::form::MOST_MESSAGES;
use crate::model::views::{Node, PlaygroundHead, PlaygroundPage, RunView, SessionRow};
use crate::model::{LONGEST_MESSAGE, SupervisorRunStatus, TeamMode};
use crate::server_fns::{AskTeam, CancelSupervisorRun, get_playground, get_playground_head};
use patchbay_access::Action;
use patchbay_execution::model::JobStatus;
use patchbay_shared::Tone;
use patchbay_shared::money::counted;
use patchbay_shell::{refused, viewer};
use patchbay_ui::*;

/// A team at work: the conversation, who acts and why, and what it comes to.
#[lazy]
pub fn playground_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("session"));
    let head = load(asked, |(id, session)| get_playground_head(id, session));
    let data = load(asked, |(id, session)| get_playground(id, session));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let id = use_params_map().read_untracked().get("id").unwrap_or_default();
        // What is being typed stays: the head with the form is asked for again only after it was sent.
        live::follow(&[format!("team_runs:{id}"), "approvals".to_owned()], move || data.refetch());
        let again = Callback::new(move |()| {
            head.refetch();
            data.refetch();
        });
        view! { <PageBoundary data=head view=move |page: PlaygroundHead| view! { <Playground page data again/> }/> }
            .into_any()
    })
}

#[component]
fn Playground(page: PlaygroundHead, data: Loaded<PlaygroundPage>, again: Callback<()>) -> impl IntoView {
    let base = format!("/teams/{}/playground", page.head.id);
    let acts = view! { <Acts data base=base.clone() again/> }.into_any();
    let top = top(&page.head, "playground", "Playground", acts, None);
    let may_ask = page.head.may_run && page.head.rest.is_none();
    let composer = may_ask.then(|| view! { <Composer page=page.clone() again/> });
    view! {
        {top}
        <div class="desk play3">
            <section class="card chat-card" aria-labelledby="chat-title">
                <header><h2 id="chat-title">"Chat"</h2><div class="r sub text-sm">{format!("as {}", viewer().name)}</div></header>
                <BlockBoundary data view=move |page: PlaygroundPage| view! { <Says page/> }/>
                {composer}
            </section>
            <BlockBoundary data view=move |page: PlaygroundPage| view! { <Acting page again/> }/>
            <BlockBoundary data view=move |page: PlaygroundPage| view! { <Side page/> }/>
        </div>
    }
}

/// Where the session stands, and what can be done with all of it.
#[component]
fn Acts(data: Loaded<PlaygroundPage>, base: String, again: Callback<()>) -> impl IntoView {
    view! {
        <BlockBoundary data view=move |page: PlaygroundPage| {
            let last = page.runs.last().cloned();
            let state = last.as_ref().map(state);
            let back = page.session.map(|session| format!("{base}?session={session}")).unwrap_or_else(|| base.clone());
            let stop = last.as_ref().filter(|run| run.is_open() && page.head.may_run).map(|run| {
                view! { <Stop run=run.id.to_string() back is_stopping=run.is_stopping again/> }
            });
            let case = last.as_ref().filter(|run| !run.is_open() && page.head.may_edit && page.case.is_none()).map(|run| {
                let href = format!("/teams/{}/cases/new?run={}", page.head.id, run.id);
                view! { <LinkButton href kind=ButtonKind::Primary icon="bookmark">"Save as test case"</LinkButton> }
            });
            let reset = page.session.is_some().then(|| {
                view! { <LinkButton href=base.clone() icon="rotate-ccw">"Reset"</LinkButton> }
            });
            view! { {state}{reset}{stop}{case} }
        }/>
    }
}

fn state(run: &RunView) -> AnyView {
    let (tone, label) = match run.waiting().is_empty() {
        false => (Tone::Warn, "Waiting for approval"),
        true if run.limit.is_some() => (Tone::Warn, "Limit reached"),
        true if run.asked_back => (Tone::Info, "Asked back"),
        true => (run.status.tone(), run.status.label()),
    };
    cell::state_of(tone, label)
}

/// Ends a run with everything that is done for it.
#[component]
pub(super) fn Stop(run: String, back: String, is_stopping: bool, again: Callback<()>) -> impl IntoView {
    let stop = FormAction::of::<CancelSupervisorRun>();
    if is_stopping {
        return cell::state_of(Tone::Warn, "Being stopped");
    }
    view! {
        <ServerForm action=stop class="inline" prefix="stop" on_done=again no_summary=true said="Stopped">
            <input type="hidden" name="id" value=run/>
            <input type="hidden" name="back" value=back/>
            <SubmitButton kind=ButtonKind::Danger icon="square">"Stop"</SubmitButton>
        </ServerForm>
    }
    .into_any()
}

/// The conversation.
#[component]
fn Says(page: PlaygroundPage) -> impl IntoView {
    if page.runs.is_empty() {
        let text = match page.head.mode {
            TeamMode::Supervisor => {
                "Write what a caller would say. The supervisor picks who works on it, and says why."
            }
            TeamMode::Coordinate => "Write what is to be done. The members work on it in their order.",
        };
        return view! { <EmptyState icon="message-square" title="A new session" text small=true/> }.into_any();
    }
    let runs = page.runs.into_iter().map(|run| view! { <Exchange run team=page.head.id.to_string()/> }).collect_view();
    view! { <div class="says" tabindex="0" role="region" aria-label="The conversation">{runs}</div> }.into_any()
}

/// One message and what came of it.
#[component]
fn Exchange(run: RunView, team: String) -> impl IntoView {
    let me = run.by.clone().unwrap_or_else(|| run.source.label().to_owned());
    let waits = !run.waiting().is_empty();
    let answers: Vec<(String, String, Option<patchbay_shared::Stamp>)> = run
        .nodes
        .iter()
        .filter_map(|node| match node {
            Node::Job(job) if job.status == JobStatus::Completed => {
                Some((job.who.clone(), job.output.clone()?, job.ended.clone()))
            }
            _ => None,
        })
        .collect();
    let is_told = |text: &String| answers.iter().any(|(_, said, _)| said == text);
    let who = if run.nodes.is_empty() { run.worker.clone() } else { None }.unwrap_or_else(|| "Supervisor".to_owned());
    let last = run.output.clone().filter(|text| !is_told(text)).map(|text| (who, text, run.ended.clone()));
    let said = answers
        .iter()
        .cloned()
        .chain(last)
        .map(|(who, text, at)| {
            let at = at.map(|stamp| view! { " "<Time stamp/> });
            view! { <div class="say"><div class="nm">{who}{at}</div><p class="pre-line break">{text}</p></div> }
        })
        .collect_view();
    let wait = match (waits, run.is_open()) {
        (true, _) => Some((Tone::Warn, "The answer goes on when someone approves")),
        (false, true) => Some((Tone::Live, "The team is at work")),
        _ => None,
    };
    let wait = wait.map(|(tone, text)| {
        view! { <div class="say wait"><p role="status"><StatusDot tone/>{text}</p></div> }
    });
    let failure = failure(&run, &team);
    view! {
        <div class="say me"><div class="nm">{me}" "<Time stamp=run.created/></div><p class="pre-line break">{run.message}</p></div>
        {said}
        {wait}
        {failure}
    }
}

/// Why a run failed, and what to do next.
pub(super) fn failure(run: &RunView, team: &str) -> Option<AnyView> {
    let failure = run.failure.clone().or_else(|| {
        (run.status == SupervisorRunStatus::Failed).then(|| "It failed, and left no word why.".to_owned())
    })?;
    let next = run.limit.map(|limit| {
        let href = format!("/teams/{team}/limits");
        let word = limit.label().to_lowercase();
        view! { " "<a class="link" href=href>{format!("Raise the limit of {word}")}</a> }
    });
    let href = format!("/supervisor-runs/{}", run.id);
    Some(
        view! { <Callout tone=Tone::Bad><p class="pre-line break">{failure}{next}" "<a class="link" href=href>"The run"</a></p></Callout> }
            .into_any(),
    )
}

#[component]
fn Composer(page: PlaygroundHead, again: Callback<()>) -> impl IntoView {
    let ask = FormAction::of::<AskTeam>();
    let session = page.session.map(|session| session.to_string()).unwrap_or_default();
    // Ctrl and Enter send, as the words below say.
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Enter"
            && (event.ctrl_key() || event.meta_key())
            && let Some(form) = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok())
                .and_then(|area| area.form())
        {
            event.prevent_default();
            let _ = form.request_submit();
        }
    };
    view! {
        <div class="composer-box" on:keydown=keys>
            <ServerForm action=ask class="form" prefix="ask" on_done=again draft_of=viewer().user_id.to_string()>
                <input type="hidden" name="team" value=page.head.id.to_string()/>
                <input type="hidden" name="session" value=session/>
                <input type="hidden" name="key" value=page.key.to_string()/>
                <TextArea name="message" label="Message" rows=3 mark=false maxlength=LONGEST_MESSAGE as u32/>
                <div class="row between">
                    <span class="note js-only"><kbd>"Ctrl"</kbd><kbd>"Enter"</kbd></span>
                    <SubmitButton icon="send" small=true>"Send"</SubmitButton>
                </div>
            </ServerForm>
        </div>
    }
}

/// Who acts, and why.
#[component]
fn Acting(page: PlaygroundPage, again: Callback<()>) -> impl IntoView {
    let back = match page.session {
        Some(session) => format!("/teams/{}/playground?session={session}", page.head.id),
        None => format!("/teams/{}/playground", page.head.id),
    };
    let around = Around { may_decide: page.may_decide, back, again };
    let next = next(&page);
    let key = |tone: Tone, on: bool, word: &'static str| view! { <span class="key"><StatusDot tone on/>{word}</span> };
    let right = move || view! { {key(Tone::Ok, true, "Done")}{key(Tone::Warn, true, "Waiting")}{key(Tone::Mute, false, "Next")} };
    let body = match page.runs.is_empty() {
        true => {
            view! { <p class="sub">"Each choice stands here with its reason, and each step with what came of it."</p> }
                .into_any()
        }
        false => match next {
            Some(next) => view! { <Flow runs=page.runs around next/> }.into_any(),
            None => view! { <Flow runs=page.runs around/> }.into_any(),
        },
    };
    let class = "acting";
    view! { <Card title="Who acts, and why" right class>{body}</Card> }
}

/// In order, the member that comes after those that have begun.
fn next(page: &PlaygroundPage) -> Option<String> {
    let run = page.runs.last().filter(|run| run.is_open() && run.mode == TeamMode::Coordinate)?;
    let begun: Vec<&str> = run.jobs().iter().map(|job| job.who.as_str()).collect();
    page.members.iter().find(|name| !begun.contains(&name.as_str())).cloned()
}

#[component]
fn Side(page: PlaygroundPage) -> impl IntoView {
    let used = page.runs.last().map_or_else(|| page.allowed.clone(), |run| run.used.clone());
    let change = page.head.may_edit.then(|| format!("/teams/{}/limits", page.head.id));
    let spent = page.spent;
    let base = format!("/teams/{}", page.head.id);
    let case = match &page.case {
        Some((id, name)) => view! {
            <p><a class="link break" href=format!("{base}/cases/{id}")>{name.clone()}</a></p>
        }
        .into_any(),
        None if page.runs.is_empty() => {
            view! { <p class="hint">"A session can be kept: its messages, and what must come of them."</p> }.into_any()
        }
        None => view! { <Expected runs=page.runs.clone()/> }.into_any(),
    };
    let tag = match page.case {
        Some(_) => view! { <Tag tone=Tone::Ok>"Saved"</Tag> },
        None => view! { <Tag>"Not saved"</Tag> },
    };
    let current = page.session;
    let earlier: Vec<SessionRow> = page.sessions.into_iter().filter(|row| Some(row.session) != current).collect();
    let sessions = match earlier.is_empty() {
        true => view! { <p class="sub">"None yet."</p> }.into_any(),
        false => {
            let rows = earlier.into_iter().map(|row| view! { <Session row base=base.clone()/> }).collect_view();
            view! { <ul class="list">{rows}</ul> }.into_any()
        }
    };
    let all = format!("{base}/runs");
    view! {
        <div class="stack gap-4 min0">
            <Limits used change/>
            <Tokens spent/>
            <Card title="Test case" right=move || tag>{case}</Card>
            <Card title="Earlier sessions" right=move || view! { <a class="link" href=all>"All"</a> }>{sessions}</Card>
        </div>
    }
}

/// What a case of this session would keep and expect.
#[component]
fn Expected(runs: Vec<RunView>) -> impl IntoView {
    let count = runs.len().min(MOST_MESSAGES) as i64;
    let worker = runs.last().and_then(|run| run.worker.clone());
    let asks = runs.last().is_some_and(|run| run.jobs().iter().any(|job| !job.approvals.is_empty()));
    let words = [worker.map(|name| format!("worker is {name}")), asks.then(|| "approval is asked".to_owned())];
    let tags = words.into_iter().flatten().map(|word| view! { <Tag tone=Tone::Info>{word}</Tag> }).collect_view();
    view! {
        <p class="hint">{format!("Saving keeps {} and expects:", counted(count, "message", "messages"))}</p>
        <div class="row wrap mt-2">{tags}</div>
    }
}

#[component]
fn Session(row: SessionRow, base: String) -> impl IntoView {
    let href = format!("{base}/playground?session={}", row.session);
    let what = match row.limit {
        Some(limit) => format!("stopped: {}", limit.label().to_lowercase()),
        None => format!("{} · {}", counted(row.steps, "step", "steps"), cost_text(row.cost, row.is_unpriced)),
    };
    view! {
        <li>
            <StatusDot tone=row.status.tone()/>
            <div class="min0"><a class="link cut" href=href>{row.message}</a><small><Time stamp=row.at/>" · "{what}" · "{row.status.label()}</small></div>
        </li>
    }
}
