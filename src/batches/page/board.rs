use leptos::prelude::*;

use crate::model::{BatchView, Line, ResultRow};
use patchbay_calls::model::{CallResult, Disposition};
use patchbay_calls::page::Ticking;
use patchbay_shared::Tone;
use patchbay_shared::phone::spaced;
use patchbay_ui::*;

/// Free lines beyond this many are not drawn one by one.
const MOST_FREE: usize = 10;

/// One socket per line: talking, dialling, free.
#[component]
pub(crate) fn LineBoard(lines: Vec<Line>, concurrency: i32) -> impl IntoView {
    let (busy, all) = (lines.len(), concurrency.max(0) as usize);
    let free = all.saturating_sub(busy).min(MOST_FREE);
    let sockets = lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let (class, tone, word) =
                if line.talking { ("line on", Tone::Live, "Talking") } else { ("line", Tone::Info, "Dialling") };
            view! {
                <a class=class href=format!("/calls/{}", line.call_id)>
                    <span class="h">
                        <StatusDot tone=tone on=true/>
                        <span>{format!("Line {:02}", index + 1)}</span>
                        <span class="mono"><Ticking seconds=line.seconds/></span>
                    </span>
                    <b>{line.contact}</b>
                    <p>{word}</p>
                </a>
            }
        })
        .collect_view();
    let idle = (0..free)
        .map(|index| {
            view! {
                <div class="line idle">
                    <span class="h"><StatusDot tone=Tone::Mute on=false/><span>{format!("Line {:02}", busy + index + 1)}</span></span>
                    <b>"Free"</b>
                    <p>"Waiting for a contact"</p>
                </div>
            }
        })
        .collect_view();
    let more = all.saturating_sub(busy + free);
    view! {
        <Card title="Line board" right=move || view! { <span class="sub">{format!("{busy} of {all} lines busy")}</span> }>
            <div class="lines">{sockets}{idle}</div>
            {(more > 0).then(|| view! { <p class="note">{format!("{more} more free lines")}</p> })}
        </Card>
    }
}

/// Calls that ended, minute by minute.
#[component]
pub(crate) fn Pace(pace: Vec<(String, f64)>) -> impl IntoView {
    if pace.is_empty() {
        return view! {
            <Card title="Finished per minute"><EmptyState icon="activity" title="Nothing finished yet" text="The pace shows once calls have ended." small=true/></Card>
        }
        .into_any();
    }
    let now = pace.last().map_or(0.0, |(_, count)| *count);
    let best = pace.iter().cloned().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    let finding = format!("Calls finished per minute. Most at {}: {:.0}.", best.0, best.1);
    let (labels, values): (Vec<String>, Vec<f64>) = pace.into_iter().unzip();
    view! {
        <Card title="Finished per minute" right=move || view! { <span><b>{format!("{now:.0}")}</b>" "<span class="sub">"last minute"</span></span> }>
            <LineChart label="Finished per minute" finding=finding labels=labels series=vec![Series::new("Finished", "chart-1", values)] decimals=0 head="Minute"/>
        </Card>
    }
    .into_any()
}

/// The latest ended calls.
#[component]
pub(crate) fn Results(batch: BatchView) -> impl IntoView {
    let all = format!("/calls?batch={}", batch.id);
    if batch.results.is_empty() {
        return view! {
            <Card title="Latest results"><EmptyState icon="phone-call" title="No results yet" text="Each call shows here when it has ended." small=true/></Card>
        }
        .into_any();
    }
    let rows = batch.results.into_iter().map(|row| view! { <ResultLine row/> }).collect_view();
    view! {
        <Card title="Latest results" right=move || view! { <a class="link" href=all>"All calls"</a> } flush=true>
            <DataTable
                label="Latest results"
                head=|| view! {
                    <th scope="col">"Ended"</th>
                    <th scope="col">"Contact"</th>
                    <th scope="col">"Result"</th>
                    <th scope="col">"Next"</th>
                    <th scope="col" class="num">"Try"</th>
                    <th scope="col" class="num">"Length"</th>
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
    .into_any()
}

#[component]
fn ResultLine(row: ResultRow) -> impl IntoView {
    let is_answered = row.result == Some(CallResult::Answered);
    let (tone, word) =
        match (row.goal_reached, row.outcome.map(|outcome| Disposition::of(outcome, is_answered)), row.result) {
            (Some(true), ..) => (Tone::Ok, "Goal reached"),
            (_, Some(said @ (Disposition::SaidNo | Disposition::CallBack)), _) => (said.tone(), said.label()),
            (.., Some(result)) => (result.tone(), result.label()),
            (.., None) => (Tone::Mute, "Ended"),
        };
    view! {
        <tr>
            <td>{row.ended.map(|stamp| view! { <Time stamp/> })}</td>
            <td><div class="who"><a href=format!("/calls/{}", row.call_id)>{row.contact}</a><small class="mono">{spaced(&row.number)}</small></div></td>
            <td><State tone=tone label=word/></td>
            <td>{row.error.filter(|_| row.outcome.is_none()).unwrap_or(row.next)}</td>
            <td class="num">{row.attempt}</td>
            <td class="num">{row.length.unwrap_or_else(|| "–".into())}</td>
        </tr>
    }
}
