//! The agency's parts of a call: steps with their times, the provider's events, raw data.

use std::sync::Arc;

use leptos::prelude::*;

use super::transcript::When;
use crate::model::{CallDetail, EventRow, Said, Turn};
use patchbay_shared::Tone;
use patchbay_shared::decimals::fixed;
use patchbay_ui::*;

/// Everything in time: who spoke how long, how long the other side waited for an answer, what tools took.
#[component]
pub(crate) fn Steps(turns: Vec<Turn>, unanswered: Option<&'static str>) -> impl IntoView {
    if turns.is_empty() {
        let text = unanswered.unwrap_or("Steps appear together with the transcript.");
        return view! { <EmptyState icon="list" title="No steps" text small=true/> }.into_any();
    }
    let mut caller_end: Option<i32> = None;
    let rows = turns
        .into_iter()
        .map(|turn| {
            let length = match &turn.tool {
                Some(tool) => tool.took_ms,
                None => turn.end_ms.zip(turn.start_ms).map(|(end, start)| (end - start).max(0)),
            };
            // From the end of what the caller said to the first word of the agent.
            let reply = match turn.by {
                Said::Agent => turn.start_ms.zip(caller_end.take()).map(|(start, end)| (start - end).max(0)),
                Said::Caller => {
                    caller_end = turn.end_ms;
                    None
                }
                Said::Tool => None,
            };
            let (icon, name) = match (turn.by, &turn.tool) {
                (_, Some(tool)) => ("wrench", tool.name.clone()),
                (Said::Agent, None) => ("bot", "Agent speaks".to_owned()),
                _ => ("user", "Caller speaks".to_owned()),
            };
            let tag = turn
                .tool
                .as_ref()
                .filter(|tool| tool.error.is_some())
                .map(|_| view! { <Tag tone=Tone::Bad>"Failed"</Tag> });
            let more = turn.tool.as_ref().map(|tool| {
                let all = [&tool.arguments, tool.result.as_ref().unwrap_or(&tool.arguments)];
                let text = if tool.result.is_some() { format!("{}\n\n{}", all[0], all[1]) } else { all[0].clone() };
                view! { <details class="more"><summary>"Data"</summary><pre class="code">{text}</pre></details> }
            });
            let anchor = turn.anchor();
            view! {
                <tr>
                    <td class="num"><When turn=turn anchor=anchor/></td>
                    <td><span class="row"><Icon name=icon small=true/>{name}{tag}</span>{more}</td>
                    <td class="num">{length.map(took)}</td>
                    <td class="num">{reply.map(took)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="Steps"
            class="wrap top"
            head=|| view! {
                <th scope="col" class="num">"At"</th>
                <th scope="col">"Step"</th>
                <th scope="col" class="num">"Took"</th>
                <th scope="col" class="num">"Reply after"</th>
            }
        >
            {rows}
        </DataTable>
    }
    .into_any()
}

#[component]
pub(crate) fn Events(events: Vec<EventRow>) -> impl IntoView {
    if events.is_empty() {
        return view! { <EmptyState icon="activity" title="No events" text="What the provider reports about this call appears here." small=true/> }
            .into_any();
    }
    let rows = events
        .into_iter()
        .map(|event| {
            view! {
                <tr>
                    <td class="nowrap"><Time stamp=event.at/></td>
                    <td><b class="medium">{event.kind}</b><details class="more"><summary>"Data"</summary><Json value=event.payload name="event" open=1/></details></td>
                    <td>{event.provider}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable
            label="Events"
            class="wrap top"
            head=|| view! { <th scope="col">"When"</th><th scope="col">"Event"</th><th scope="col">"From"</th> }
        >
            {rows}
        </DataTable>
    }
    .into_any()
}

/// What the provider said last, as it said it.
#[component]
pub(crate) fn Raw(call: Arc<CallDetail>) -> impl IntoView {
    let id = call.provider_call_id.clone();
    let known = id.map(|id| view! {
        <p class="row"><span class="sub">{format!("{} id", call.provider)}</span><code class="mono">{id.clone()}</code><CopyButton text=id label="Copy the id"/></p>
    });
    let last = match call.events.last() {
        Some(event) => view! { <Json value=event.payload.clone() name=event.kind.clone() open=3/> }.into_any(),
        None => view! { <p class="sub">"The provider has not reported anything about this call yet."</p> }.into_any(),
    };
    view! { <div class="body pad stack gap-3">{known}{last}</div> }
}

/// `412 ms`, `1.4 s`.
pub(crate) fn took(ms: i32) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{} s", fixed(f64::from(ms) / 1000.0, 1)) }
}
