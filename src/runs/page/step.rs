//! The steps of a run on one time axis, and one of them in full.

use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{Run, RunStatus, RunStep, Shown, StepEvent, clock_text, tokens_text, took_text};
use patchbay_shared::Tone;
use patchbay_ui::*;

/// Where the words of the axis stand, in thousandths of it.
const MARKS: [i64; 5] = [0, 250, 500, 750, 1000];
/// Characters of a message in the list of steps.
const MOST_IN_ROW: usize = 160;

/// All steps in their order. The one that is open is marked.
#[component]
pub(super) fn Steps(run: Arc<Run>, shown: Signal<Shown>, opened: Signal<Option<i32>>) -> impl IntoView {
    let axis = run.axis_ms();
    let counts = [
        (Shown::All, "All", run.steps.len()),
        (Shown::Errors, "Errors", run.failed_steps()),
        (Shown::Tools, "Tools", run.steps.iter().filter(|step| step.event == StepEvent::ToolCall).count()),
    ];
    let chips = move || {
        counts
            .iter()
            .map(|(which, label, count)| {
                let word = match which {
                    Shown::All => None,
                    Shown::Errors => Some("errors"),
                    Shown::Tools => Some("tools"),
                };
                let is_set = shown.get() == *which;
                view! {
                    <a class=if is_set { "chip set" } else { "chip" } href=move || with_query(&[("show", word)]) aria-current=is_set.then_some("true")>
                        {*label}" "<b>{*count}</b>
                    </a>
                }
            })
            .collect_view()
    };
    let marks = MARKS.iter().map(|mark| view! { <span>{clock_text(axis * mark / 1000)}</span> }).collect_view();
    let is_running = run.status == RunStatus::Running;
    let is_cut = run.is_cut;
    let rows = move || {
        let rows: Vec<AnyView> = run
            .steps
            .iter()
            .filter(|step| shown.get().shows(step))
            .map(|step| row(step, axis, opened.get() == Some(step.step)))
            .collect();
        if rows.is_empty() {
            let (title, text) = match shown.get() {
                Shown::All if is_running => ("Waiting for the first step", "Steps appear here as they happen."),
                Shown::All => ("No steps", "Nothing is known of what happened in this run."),
                Shown::Errors => ("No errors", "No step of this run failed."),
                Shown::Tools => ("No tools", "No tool was used in this run."),
            };
            return view! { <EmptyState icon="list" title text small=true/> }.into_any();
        }
        view! { <ol class="wf">{rows}</ol> }.into_any()
    };
    view! {
        <Card title="Steps" flush=true>
            <div class="row wrap wf-top">
                <div class="chips">{chips}</div>
                <Legend items=vec![("Model", "chart-1"), ("Tool", "chart-2"), ("Other side", "chart-3"), ("Failed", "bad")]/>
            </div>
            <div class="wf-hd" aria-hidden="true">
                <span>"Step"</span><span class="wf-ax">{marks}</span><span class="num">"Took"</span>
            </div>
            {rows}
            {is_cut.then(|| view! { <p class="note pad">"The first 500 steps are shown."</p> })}
        </Card>
    }
}

fn kind(step: &RunStep) -> (&'static str, &'static str) {
    match step.event {
        StepEvent::LlmCall => ("bot", "chart-1"),
        StepEvent::ToolCall => ("wrench", "chart-2"),
        StepEvent::UserInput => ("user", "chart-3"),
        StepEvent::System => ("activity", "mute"),
    }
}

fn row(step: &RunStep, axis: i64, is_open: bool) -> AnyView {
    let (icon, paint) = kind(step);
    let is_bad = step.error.is_some();
    let paint = if is_bad { "bad" } else { paint };
    let at = (step.at_ms * 1000 / axis).clamp(0, 1000);
    // What took no time is seen all the same.
    let width = (step.took_ms.unwrap_or(0) * 1000 / axis).clamp(6, 1000);
    let at = at.min(1000 - width.min(1000));
    let number = step.step.to_string();
    let message = short(&step.message, MOST_IN_ROW);
    view! {
        <li>
            <a class="wf-row" href=move || with_query(&[("step", Some(&number))]) aria-current=is_open.then_some("true")>
                <span class="nm">
                    <Icon name=icon small=true/>
                    <span class="sr">{format!("{} at {}: ", step.event.label(), clock_text(step.at_ms))}</span>
                    <span class="tx">{message}</span>
                    {is_bad.then(|| view! { <StatusDot tone=Tone::Bad/><span class="sr">"failed"</span> })}
                </span>
                <svg class="wf-ax" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect x=at y="1" width=width height="8" class=format!("fill-{paint}")></rect>
                </svg>
                <span class="num">{step.took_ms.map(took_text)}</span>
            </a>
        </li>
    }
    .into_any()
}

fn short(text: &str, most: usize) -> String {
    let line: String = text.chars().take(most).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(most).is_some() { format!("{line}…") } else { line }
}

/// One step in full: times, what it took, what went in and what came out.
#[component]
pub(super) fn StepCard(step: RunStep, of: usize) -> impl IntoView {
    let is_text = move || query("as").as_deref() == Some("text");
    let payload = step.payload.clone();
    let parts = move || {
        if is_text() {
            let text = serde_json::to_string_pretty(&payload).unwrap_or_default();
            view! { <pre class="code pre-line" tabindex="0" aria-label="Payload as text">{text}</pre> }.into_any()
        } else {
            view! { <Json value=payload.clone() name="payload" open=2/> }.into_any()
        }
    };
    let form = move |word: Option<&'static str>, label: &'static str| {
        let is_set = is_text() == word.is_some();
        let class = if is_set { "chip set" } else { "chip" };
        view! { <a class=class href=move || with_query(&[("as", word)]) aria-current=is_set.then_some("true")>{label}</a> }
    };
    let tokens = tokens_text(step.read.unwrap_or(0).into(), step.written.unwrap_or(0).into());
    let has_tokens = tokens.is_some();
    let title = short(&step.message, 80);
    view! {
        <Card title=if title.is_empty() { step.event.label().to_owned() } else { title } class="min0">
            {step.error.clone().map(|error| view! { <Callout tone=Tone::Bad><p>{error}</p></Callout> })}
            <Facts>
                <Fact label="Kind">{step.event.label()}</Fact>
                <Fact label="Began">{format!("{}, step {} of {of}", clock_text(step.at_ms), step.step)}</Fact>
                {step.took_ms.map(|ms| view! { <Fact label="Took">{took_text(ms)}</Fact> })}
                {tokens.map(|tokens| view! { <Fact label="Tokens">{tokens}</Fact> })}
                {has_tokens.then(|| view! {
                    <Fact label="Cost">{step.cost.map_or_else(|| "Not priced yet".to_owned(), |cost| cost.text())}</Fact>
                })}
                {step.href.clone().map(|href| view! { <Fact label="Use of the tool"><a class="link" href=href>"What was asked and answered"</a></Fact> })}
            </Facts>
            <div class="chips mt-2">{move || form(None, "JSON")}{move || form(Some("text"), "Text")}</div>
            {parts}
        </Card>
    }
}
