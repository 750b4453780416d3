use leptos::prelude::*;

use crate::model::{ClientFigures, LiveCall, Need, NeedList, RunningBatch, StartStep};
use patchbay_calls::model::figures::{Term, share_text};
use patchbay_calls::model::{CallQuery, CallView, ResultFilter, term};
use patchbay_calls::page::Ticking;
use patchbay_shared::Tone;
use patchbay_shared::money::count_text;
use patchbay_shell::viewer;
use patchbay_ui::*;
use patchbay_usage::model::unpriced_answers_text;
use patchbay_usage::page::amount;

/// Who is on the line now.
#[component]
pub(crate) fn Live(calls: Vec<LiveCall>, total: i64, client: Option<String>) -> impl IntoView {
    let all = CallQuery { view: Some(CallView::Live.to_string()), client, ..CallQuery::default() }.address();
    let more = total - calls.len() as i64;
    let rows = calls
        .into_iter()
        .map(|call| {
            let tone = if call.talking { Tone::Live } else { Tone::Info };
            let note = [call.agent, call.client].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
            let state = if call.talking { "Talking" } else { "Dialling" };
            view! {
                <li>
                    <StatusDot tone=tone on=true/>
                    <div class="min0 grow"><b><a href=format!("/calls/{}", call.id)>{call.contact}</a></b><small>{note}</small></div>
                    <div class="right"><Ticking seconds=call.seconds/><small class="sub">{state}</small></div>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card
            title="On the line now"
            right=move || view! {
                {(total > 0).then(|| view! { <span title=term::LIVE.means><Tag tone=Tone::Live>{format!("{total} live")}</Tag></span> })}
                <a class="link" href=all>"All live calls"</a>
            }
        >
            {if total == 0 {
                view! { <EmptyState icon="phone-off" title="Nobody is on the line" text="Calls in progress appear here." small=true/> }.into_any()
            } else {
                view! { <ul class="list">{rows}</ul> {(more > 0).then(|| view! { <p class="note mt-2">{format!("{more} more in progress")}</p> })} }.into_any()
            }}
        </Card>
    }
}

/// How many of the things that need a person stand open; the others are one press away.
const SHOWN_NEEDS: usize = 8;

/// What a person must look at, each with the one action that helps.
#[component]
pub(crate) fn Needs(needs: Vec<Need>, lists: Vec<NeedList>) -> impl IntoView {
    let count = needs.len() as i64;
    let number = if lists.is_empty() { count_text(count) } else { format!("{}+", count_text(count)) };
    let lists = lists.into_iter().map(|list| view! { <a class="link" href=list.href>{list.text}</a> }).collect_view();
    let mut rows: Vec<AnyView> = needs
        .into_iter()
        .map(|need| {
            let icon: &'static str = match need.icon.as_str() {
                "plug" => "plug",
                "bot" => "bot",
                "headphones" => "headphones",
                "webhook" => "webhook",
                "file-text" => "file-text",
                "file-spreadsheet" => "file-spreadsheet",
                "gauge" => "gauge",
                "shield-check" => "shield-check",
                "zap" => "zap",
                "workflow" => "workflow",
                _ => "triangle-alert",
            };
            view! {
                <li>
                    <span class=format!("ibox {}", need.tone)><Icon name=icon/></span>
                    <div class="min0"><b>{need.title}</b><small>{need.note}</small></div>
                    <a class="x link" href=need.href>{need.action}</a>
                </li>
            }
            .into_any()
        })
        .collect();
    // All that are named are here; more than fit beside the other blocks open on demand.
    let rest = rows.split_off(rows.len().min(SHOWN_NEEDS));
    let rest = (!rest.is_empty()).then(|| {
        let words = format!("Show {} more", rest.len());
        view! { <details class="more"><summary>{words}</summary><ul class="list">{rest}</ul></details> }
    });
    view! {
        <Card title="Needs a person" count=number right=move || view! { {lists} }>
            {if count == 0 {
                view! { <EmptyState icon="circle-check" title="Nothing needs you" text="People who asked for a person, failing connections, paused batches and failed work appear here." small=true/> }.into_any()
            } else {
                view! { <ul class="list">{rows}</ul>{rest} }.into_any()
            }}
        </Card>
    }
}

/// Running, waiting and just ended batches.
#[component]
pub(crate) fn Batches(batches: Vec<RunningBatch>) -> impl IntoView {
    let empty = batches.is_empty();
    let rows = batches
        .into_iter()
        .map(|batch| {
            let done = batch.reached + batch.not_reached + batch.failed;
            let label = format!("{} of {}", count_text(done), count_text(batch.total));
            let segments = vec![
                Segment::new(term::REACHED.label, batch.reached as f64, "chart-1"),
                Segment::new(term::CONTACTS_NOT_REACHED.label, batch.not_reached as f64, "chart-6"),
                Segment::new(term::CONTACTS_FAILED.label, batch.failed as f64, "bad"),
            ];
            let done_href = format!("/campaigns/{}?tab=contacts&batch={}&result=done", batch.campaign, batch.id);
            view! {
                <li class="col">
                    <div class="row between"><b><a href=format!("/batches/{}", batch.id)>{batch.name}</a></b><Tag tone=batch.status.tone()>{batch.status.label()}</Tag></div>
                    <SegmentBar label=label.clone() total=batch.total.max(1) as f64 segments=segments/>
                    <div class="row between wrap"><small><span>{batch.client}" ·\u{a0}"<a class="link" href=done_href title=term::DONE.means>{label}" contacts done"</a></span></small><small>{batch.note}</small></div>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Batches" right=|| view! { <a class="link" href="/batches">"All batches"</a> }>
            {if empty {
                view! { <EmptyState icon="list-checks" title="No batch is running" text="Batches that are running, waiting or ended today appear here." small=true/> }.into_any()
            } else {
                view! { <ul class="list">{rows}</ul> }.into_any()
            }}
        </Card>
    }
}

/// By client. `listed`: where the calls are listed; `when`: the days in words.
#[component]
pub(crate) fn Clients(rows: Vec<ClientFigures>, listed: CallQuery, when: String) -> impl IntoView {
    let costs = viewer().sees_cost();
    let head = |term: Term| view! { <th scope="col" class="num" title=term.means>{term.label}</th> };
    let rows = rows
        .into_iter()
        .map(|row| {
            let figures = row.figures;
            let calls = CallQuery { client: Some(row.id.clone()), ..listed.clone() };
            let count = |count: i64, query: CallQuery| view! { <a class="link" href=query.address()>{count_text(count)}</a> };
            let unpriced = (figures.unpriced > 0).then(|| {
                let text = format!("{} not priced yet", count_text(figures.unpriced));
                view! { " "<a class="sub text-xs" href=calls.of_unpriced().address() title=term::UNPRICED.means>{text}</a> }
            });
            let unpriced_answers = unpriced_answers_text(figures.unpriced_answers)
                .map(|text| view! { " "<a class="sub text-xs" href=format!("/usage?client={}", row.id)>{text}</a> });
            view! {
                <tr>
                    <td><a class="link" href=format!("/clients/{}", row.id)>{row.name}</a></td>
                    <td class="num">{count(figures.calls, calls.clone())}</td>
                    <td class="num">{count(figures.answered, calls.of_result(ResultFilter::Answered))}</td>
                    <td class="num">{share_text(figures.answered, figures.ended)}</td>
                    <td class="num">{count(figures.goals, calls.of_goals())}</td>
                    <td class="num">{share_text(figures.goals, figures.answered)}</td>
                    {figures.spend.map(|spend| view! { <td class="num">{if spend.0.is_zero() && unpriced.is_some() { ().into_any() } else { amount(spend, figures.unpriced_answers) }}{unpriced}{unpriced_answers}</td> })}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="Clients" right=move || view! { <span class="sub">{when}</span> } flush=true>
            <DataTable
                label="Clients"
                head=move || view! {
                    <th scope="col">"Client"</th>
                    {[term::CALLS, term::ANSWERED, term::ANSWER_RATE, term::GOALS, term::GOAL_RATE].map(head).into_iter().collect_view()}
                    {costs.then(|| head(term::SPEND))}
                }
            >
                {rows}
            </DataTable>
        </Card>
    }
}

/// First steps, which tick themselves off.
#[component]
pub(crate) fn StartList(steps: Vec<StartStep>) -> impl IntoView {
    let rows = steps
        .into_iter()
        .map(|step| {
            let icon = if step.done { "circle-check" } else { "circle" };
            view! { <li class=if step.done { "done" } else { "" }><Icon name=icon/><a class="link" href=step.href>{step.text}</a></li> }
        })
        .collect_view();
    view! { <Card title="From here to the first call"><ol class="checklist">{rows}</ol></Card> }
}
