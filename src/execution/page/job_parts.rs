//! Parts of a job that its page and the control room show.

use leptos::prelude::*;

use super::jobs::state;
use super::parts::{MoreMemory, target_icon};
use crate::model::job::{ArtefactRow, Job, JobPage, LogLine, bytes_text};
use crate::model::{EngineType, JobStatus};
use patchbay_shared::Tone;
use patchbay_shared::money::{count_text, counted, length_text};
use patchbay_ui::*;

/// Lines of the log in the control room.
const FEW_LINES: usize = 12;

/// A job in short, below the targets.
#[component]
pub(super) fn JobPanel(page: JobPage) -> impl IntoView {
    let id = page.job.id.to_string();
    let job = page.job.clone();
    let (title, status, more, may_manage) = (job.title.clone(), job.status, page.more_memory_mb, page.may_manage);
    let run = job.run.map(|run| format!("/supervisor-runs/{run}"));
    let own = id.clone();
    let right = move || {
        let more = more.filter(|_| may_manage && status == JobStatus::Oom);
        view! {
            {state(status)}
            {run.map(|href| view! { <LinkButton href icon="external-link" small=true>"Open the run"</LinkButton> })}
            <LinkButton href=format!("/jobs/{own}") small=true>"Open the job"</LinkButton>
            {more.map(|memory_mb| view! { <MoreMemory id=format!("{own}") memory_mb back=with_query(&[]) primary=true/> })}
        }
    };
    let lines: Vec<LogLine> = page.log.iter().rev().take(FEW_LINES).rev().cloned().collect();
    let has_memory = page.memory.len() > 1;
    view! {
        <Card title right ruled=true>
            <RouteChain nodes=path(&job) live=status == JobStatus::Running/>
            {reason_now(job.reason.clone(), status).map(|reason| view! { <p class="mt-2 break">{reason}</p> })}
            <p class="sub mt-2">{job.next.clone()}</p>
            <div class="cols two mt-4">
                <Log lines/>
                <div class="stack gap-3 min0">
                    {has_memory.then(|| view! { <Memory samples=page.memory limit=job.memory_limit_mb/> })}
                    <Files id=id.clone() rows=page.artefacts lines=page.log_lines attempt=page.shown/>
                </div>
            </div>
        </Card>
    }
}

/// What a job goes through: run, worker, engine, target.
pub(super) fn path(job: &Job) -> Vec<RouteNode> {
    let mut nodes = Vec::new();
    if let Some(run) = job.run {
        nodes.push(RouteNode::new("Run").icon("activity").href(format!("/supervisor-runs/{run}")));
    }
    if let Some((id, name)) = &job.agent {
        nodes.push(RouteNode::new(name.clone()).icon("bot").href(format!("/agents/{id}")));
    }
    let engine = if job.kind == EngineType::Model { "wand-sparkles" } else { "workflow" };
    nodes.push(RouteNode::new(job.engine.1.clone()).icon(engine).href(format!("/execution/engines/{}", job.engine.0)));
    let target = RouteNode::new(job.target.1.clone())
        .icon(target_icon(job.target_kind))
        .href(format!("/execution/targets/{}", job.target.0));
    nodes.push(target);
    if let Some(container) = &job.container {
        let name: String = container.chars().take(24).collect();
        nodes.push(RouteNode::new(name).mono());
    }
    nodes
}

/// Lines of a log. What the job wrote is text and nothing but text.
#[component]
pub(super) fn Log(lines: Vec<LogLine>) -> impl IntoView {
    if lines.is_empty() {
        return view! { <EmptyState icon="list" title="Nothing written yet" text="What the job writes appears here as it comes." small=true/> }
            .into_any();
    }
    let rows = lines
        .into_iter()
        .map(|line| {
            let class = match line.stream.as_str() {
                "err" => Some("err"),
                "system" => Some("system"),
                _ => None,
            };
            let says = class.map(|_| view! { <span class="sr">{format!("{}: ", line.stream)}</span> });
            view! { <div class=class><span>{line.at}</span><code>{says}{line.line}</code></div> }
        })
        .collect_view();
    view! { <div class="log" tabindex="0" role="region" aria-label="Log of the job">{rows}</div> }.into_any()
}

/// Memory over time, with the limit as a line.
#[component]
pub(super) fn Memory(samples: Vec<(i64, i64)>, limit: i32) -> impl IntoView {
    let peak = samples.iter().map(|(_, memory)| *memory).max().unwrap_or_default();
    let end = samples.last().map(|(at, _)| *at).unwrap_or_default();
    let finding = format!(
        "It rose to {} MB of {} MB in {}.",
        count_text(peak),
        count_text(limit.into()),
        length_text(end / 1000)
    );
    let labels: Vec<String> = samples.iter().map(|(at, _)| length_text(at / 1000)).collect();
    let limits = vec![f64::from(limit); samples.len()];
    let memory = samples.iter().map(|(_, memory)| *memory as f64).collect();
    let series = vec![Series::new("Memory", "chart-3", memory), Series::new("Limit", "bad", limits)];
    view! {
        <div>
            <Legend items=vec![("Memory", "chart-3"), ("Limit", "bad")]/>
            <LineChart label="Memory of the job" finding labels series after=" MB" class="short" head="After"/>
        </div>
    }
}

/// Files that a job gave back, and its whole log.
#[component]
pub(super) fn Files(id: String, rows: Vec<ArtefactRow>, lines: i64, attempt: i32) -> impl IntoView {
    let files = rows
        .into_iter()
        .map(|row| {
            let href = format!("/jobs/{id}/files/{}", row.id);
            view! {
                <li>
                    <Icon name="file-text" small=true/>
                    <a class="link break" href=href rel="external" download>{row.name}</a>
                    <small>{bytes_text(row.bytes)}</small>
                </li>
            }
        })
        .collect_view();
    let log = (lines > 0).then(|| {
        let href = format!("/jobs/{id}/log.txt?attempt={attempt}");
        view! {
            <li>
                <Icon name="list" small=true/>
                <a class="link" href=href rel="external" download>"full log"</a>
                <small>{counted(lines, "line", "lines")}</small>
            </li>
        }
    });
    view! { <ul class="files">{files}{log}</ul> }
}

/// The tone of a callout about a job.
pub(super) fn tone(status: JobStatus) -> Tone {
    match status {
        JobStatus::Completed => Tone::Ok,
        JobStatus::AwaitingApproval => Tone::Warn,
        JobStatus::Queued | JobStatus::Running => Tone::Info,
        JobStatus::Failed | JobStatus::Oom | JobStatus::FailedCircuitOpen => Tone::Bad,
    }
}

/// Why it stands so. What went wrong in an earlier try says nothing of a job that runs or is done.
pub(super) fn reason_now(reason: Option<String>, status: JobStatus) -> Option<String> {
    reason.filter(|_| !matches!(status, JobStatus::Completed | JobStatus::Running))
}
