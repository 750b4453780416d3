use leptos::prelude::*;

use super::address;
use crate::model::{SyncAgent, SyncDay, SyncJobStatus, SyncView, duration_text, some_text};
use crate::server_fns::CancelHistoryImport;
use patchbay_connections::model::Provider;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_ui::*;

/// How an import goes, or went. What it says is also heard.
#[component]
pub(super) fn SyncCard(sync: SyncView, #[prop(optional)] is_own_page: bool) -> impl IntoView {
    let status = sync.status;
    let title = sync.title.clone();
    let when = match (&sync.started, &sync.completed) {
        (_, Some(at)) => format!("{} {}", status.label().to_lowercase(), at.when()),
        (Some(at), None) => format!("started {}", at.when()),
        (None, None) => format!("asked for {}", sync.created.when()),
    };
    let by = match (status, &sync.cancelled_by, &sync.started_by) {
        (SyncJobStatus::Cancelled, Some(name), _) | (_, _, Some(name)) => format!(" by {name}"),
        _ => String::new(),
    };
    let id = sync.id;
    let href = address(&format!("/imports/{id}"));
    let may_cancel = sync.may_cancel;
    let head = move || {
        let more = (!is_own_page).then(|| view! { <a class="link" href=href>"Details"</a> });
        view! {
            <Tag tone=status.tone()><StatusDot tone=status.tone() on=status == SyncJobStatus::InProgress/>{status.label()}</Tag>
            {more}
            {may_cancel.then(|| view! { <Cancel id=id.to_string()/> })}
        }
    };
    view! {
        <Card title right=head>
            <div class="stack gap-3">
                <p class="sub text-xs">{when}{by}</p>
                <Figures sync=sync.clone()/>
                <Remarks sync=sync.clone()/>
                <Days days=sync.days zone=sync.zone/>
            </div>
        </Card>
    }
}

#[component]
fn Figures(sync: SyncView) -> impl IntoView {
    let looked = sync.looked_at();
    // The service's count is a guess at what is to come, and once the import is complete nothing is.
    let found = sync.found.filter(|_| sync.status != SyncJobStatus::Completed);
    let of = found.map(|found| format!(" of {}", count_text(found.max(looked))));
    let failures = address(&format!("/imports/{}#failed", sync.id));
    let failed =
        Segment::new("Failed", sync.failed as f64, "bad").means("Calls that could not be taken. Each says why.");
    let segments = vec![
        Segment::new("Imported", sync.imported as f64, "chart-1")
            .means("New here, or completed with what was missing."),
        Segment::new("Skipped, here already", sync.skipped as f64, "mute")
            .means("Known with everything that the service says."),
        if sync.failed > 0 { failed.href(failures) } else { failed },
    ];
    let total = found.unwrap_or(looked).max(looked) as f64;
    let ends = sync.ends.clone().zip(sync.left_seconds).map(|(at, left)| {
        view! {
            <div class="push right mid"><span class="lbl">"Ends about"</span><span class="big">{at.text}<small>" "{duration_text(left).trim_start_matches("about ").to_owned()}</small></span></div>
        }
    });
    view! {
        <div class="figures">
            <div><span class="lbl">"Looked at"</span><span class="big">{count_text(looked)}<small>{of}</small></span></div>
            <div class="mid"><span class="lbl">"Imported"</span><span class="big">{count_text(sync.imported)}</span></div>
            <div class="mid"><span class="lbl">"Skipped"</span><span class="big">{count_text(sync.skipped)}</span></div>
            <div class="mid"><span class="lbl">"Failed"</span><span class="big">{count_text(sync.failed)}</span></div>
            {ends}
        </div>
        <SegmentBar segments total label=format!("Calls looked at: {}", sync.progress_text()) large=true legend=true/>
        <span class="sr" role="status">{format!("{}: {}", sync.status.label(), sync.progress_text())}</span>
    }
}

/// Speed, waits, trouble, and what follows.
#[component]
fn Remarks(sync: SyncView) -> impl IntoView {
    let is_running = sync.status == SyncJobStatus::InProgress;
    let mut pace: Vec<String> = Vec::new();
    if let Some(speed) = sync.per_second.filter(|_| is_running) {
        pace.push(format!("{} a second", patchbay_shared::money::counted(speed, "call", "calls")));
    }
    pace.extend(sync.waited_text());
    let pace =
        (!pace.is_empty()).then(|| view! { <p class="note"><Icon name="gauge" small=true/>{pace.join(", ")}</p> });
    let trouble = sync.error.clone().map(|error| {
        let tone = if sync.status == SyncJobStatus::Failed { Tone::Bad } else { Tone::Warn };
        let next = sync.waits_until.clone().map(|at| format!(" It goes on {}.", at.when()));
        view! { <Callout tone><p>{error}{next}</p></Callout> }
    });
    let after = match sync.status {
        SyncJobStatus::Pending => Some("It begins when the running import ends.".to_owned()),
        SyncJobStatus::InProgress => Some("A restart goes on from here, and nothing comes twice. Calls show up in lists at once; what was said and its sound follow when the import is done.".to_owned()),
        _ if sync.words_waiting > 0 => Some(format!(
            "Transcripts of {} imported calls are still to be fetched. Calls of today come first.",
            some_text(sync.words_waiting)
        )),
        _ if sync.recordings_waiting > 0 => Some(format!(
            "Recordings of {} imported calls are still to be fetched.",
            some_text(sync.recordings_waiting)
        )),
        _ if sync.imported > 0 => sync.left_out().map(|left| format!("Without {left}, as asked. The page of a call can fetch its own.")),
        _ => None,
    };
    let calls = (sync.imported > 0)
        .then(|| view! { " "<a class="link" href="/calls?source=historical_sync">"Imported calls"</a> });
    let after = (after.is_some() || calls.is_some()).then(|| view! { <p class="sub text-xs">{after}{calls}</p> });
    view! { {pace} {trouble} {after} }
}

#[component]
fn Cancel(id: String) -> impl IntoView {
    let cancel = FormAction::of::<CancelHistoryImport>();
    view! {
        <ServerForm action=cancel class="inline" prefix="cancel" said="Import cancelled" no_summary=true>
            <input type="hidden" name="provider" value=Provider::Ultravox.as_str()/>
            <input type="hidden" name="id" value=id/>
            <SubmitButton kind=ButtonKind::Danger small=true icon="square">"Cancel"</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn Days(days: Vec<SyncDay>, zone: String) -> impl IntoView {
    if days.len() < 2 {
        return ().into_any();
    }
    let most = days.iter().max_by_key(|day| day.imported + day.skipped + day.failed);
    let finding = most.map_or_else(String::new, |day| {
        let calls = patchbay_shared::money::counted(day.imported + day.skipped + day.failed, "call", "calls");
        format!("Most on {}: {calls}. Days in {zone}.", day.label)
    });
    let values = |part: fn(&SyncDay) -> i64| days.iter().map(|day| part(day) as f64).collect::<Vec<f64>>();
    let series = vec![
        Series::new("Imported", "chart-1", values(|day| day.imported)),
        Series::new("Skipped", "mute", values(|day| day.skipped)),
        Series::new("Failed", "bad", values(|day| day.failed)),
    ];
    let labels = days.iter().map(|day| day.label.clone()).collect();
    view! { <BarChart label="Calls looked at by day" finding labels series head="Day" class="short"/> }.into_any()
}

/// How far the import is with each agent.
#[component]
pub(super) fn Agents(agents: Vec<SyncAgent>) -> impl IntoView {
    if agents.is_empty() {
        return ().into_any();
    }
    let rows = agents
        .into_iter()
        .map(|agent| {
            let looked = agent.imported + agent.skipped + agent.failed;
            let found = agent.found.map_or(looked, |found| found.max(looked));
            let label = format!("{}: {} of {}", agent.name, count_text(looked), count_text(found));
            view! {
                <li class="stack gap-1">
                    <span class="row between"><span class="clip">{agent.name}</span><span class="nowrap"><b>{count_text(looked)}</b>" of "{count_text(found)}</span></span>
                    <Progress value=looked as f64 max=found as f64 label quiet=true/>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="By agent" right=|| view! { <span class="sub text-xs">"newest calls first"</span> }>
            <ul class="cols two">{rows}</ul>
        </Card>
    }
    .into_any()
}
