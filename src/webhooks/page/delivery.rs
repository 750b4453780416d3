//! One delivery: its tries, and what was sent and came back in one of them.

use leptos::prelude::*;

use super::{BASE, LIST, kept, latency};
use crate::model::{AttemptView, DeliveryRow, DeliveryState, DeliveryView};
use crate::server_fns::ReplayDeliveries;
use patchbay_shared::Stamp;
use patchbay_shared::ids::WebhookEndpointId;
use patchbay_shared::money::counted;
use patchbay_ui::*;

#[component]
pub(super) fn Opened(endpoint: WebhookEndpointId, delivery: DeliveryView, again: Callback<()>) -> impl IntoView {
    let DeliveryView { row, about, body, laid_out, bytes, tries, attempt } = delivery;
    let replay = FormAction::of::<ReplayDeliveries>();
    let address = format!("{BASE}/{endpoint}/deliveries/{}", row.id);
    let close = format!("{BASE}/{endpoint}{}", untrack(|| kept(&LIST)));
    let (tone, said) = row.said();
    let may_replay = !matches!(row.state, DeliveryState::Sending);
    let back = address.clone();
    let replay_now = may_replay.then(|| {
        view! {
            <ServerForm action=replay class="inline" prefix="replay-now" on_done=again no_summary=true said="It is sent again">
                <input type="hidden" name="endpoint" value=endpoint.to_string()/>
                <input type="hidden" name="deliveries[]" value=row.id.to_string()/>
                <input type="hidden" name="back" value=back/>
                <SubmitButton icon="rotate-ccw">"Replay now"</SubmitButton>
            </ServerForm>
        }
    });
    let shown = attempt.as_ref().map(|attempt| attempt.number);
    let tabs = (!tries.is_empty()).then(|| view! { <Tries address tries shown/> });
    let about = about.map(|(words, href)| view! { <a class="link" href=href>{words}</a> });
    let follows = follows(&row);
    let is_last = row.tries == shown.unwrap_or(row.tries);
    view! {
        <section class="card" aria-label="One delivery">
            <header class="ruled endpoint-head">
                <h2 class="mono">{row.event.as_str()}</h2>
                <State tone label=said/>
                <code class="sub text-xs break">{row.message_id.clone()}</code>
                <div class="r">{about}{replay_now}<LinkButton href=close icon="x" square=true kind=ButtonKind::Ghost label="Close this delivery"/></div>
            </header>
            <div class="body stack gap-3">
                {tabs}
                <div class="cols two">
                    <Request at=row.at.clone() body laid_out bytes attempt=attempt.clone()/>
                    <div class="stack">
                        <Answer attempt/>
                        {is_last.then_some(follows)}
                    </div>
                </div>
            </div>
        </section>
    }
}

/// The tries, each a link.
#[component]
fn Tries(address: String, tries: Vec<(i32, Stamp)>, shown: Option<i32>) -> impl IntoView {
    let keys = untrack(|| kept(&LIST));
    let join = if keys.is_empty() { '?' } else { '&' };
    let links = tries
        .into_iter()
        .enumerate()
        .map(|(index, (number, at))| {
            let is_shown = shown == Some(number);
            let words = if index == 0 { format!("Try {number}") } else { number.to_string() };
            let time = is_shown.then(|| view! { " · "<Time stamp=at.clone()/> });
            let href = format!("{address}{keys}{join}attempt={number}");
            view! { <a href=href aria-current=is_shown.then_some("page") title=at.full.clone()>{words}{time}</a> }
        })
        .collect_view();
    view! { <nav class="pick tries" aria-label="Tries">{links}</nav> }
}

#[component]
fn Request(at: Stamp, body: String, laid_out: String, bytes: i64, attempt: Option<AttemptView>) -> impl IntoView {
    let headers = attempt.map(|attempt| attempt.request_headers).unwrap_or_default();
    let whole = as_text(&headers, &body);
    view! {
        <div class="stack">
            <div class="row wrap text-xs sub">
                <b class="ink">"Request"</b>
                <span>"POST, "{counted(bytes, "byte", "bytes")}", frozen "<Time stamp=at/></span>
                <span class="grow"></span>
                <CopyButton text=whole label="Copy the request"/>
            </div>
            <pre class="code wrap" tabindex="0">{lines(headers)}"\n"{laid_out}</pre>
        </div>
    }
}

#[component]
fn Answer(attempt: Option<AttemptView>) -> impl IntoView {
    let Some(attempt) = attempt else {
        return view! { <p class="hint">"It was not tried yet."</p> }.into_any();
    };
    let AttemptView { status, error, ms, remote, response_headers, response_body, .. } = attempt;
    let from = remote.map(|address| format!(" from {address}")).unwrap_or_default();
    let words = match status {
        Some(status) => format!("{status} after {}{from}", latency(ms)),
        None => format!("No answer after {}{from}", latency(ms)),
    };
    let body = response_body.unwrap_or_default();
    let whole = as_text(&response_headers, &body);
    let error = error.map(|error| view! { <p class="err"><Icon name="circle-alert" small=true/>{error}</p> });
    let came = (status.is_some()).then(|| {
        let body = if body.is_empty() { "(no body)".to_owned() } else { body };
        view! { <pre class="code wrap" tabindex="0">{lines(response_headers)}"\n"{body}</pre> }
    });
    view! {
        <div class="row wrap text-xs sub">
            <b class="ink">"Response"</b>
            <span>{words}</span>
            <span class="grow"></span>
            {status.map(|_| view! { <CopyButton text=whole label="Copy the response"/> })}
        </div>
        {error}
        {came}
    }
    .into_any()
}

/// What becomes of the delivery now.
fn follows(row: &DeliveryRow) -> AnyView {
    match (row.state, row.next.clone()) {
        (DeliveryState::Waiting, Some(next)) if row.tries_in_row == 0 => {
            view! { <p class="hint">"It is sent "<Time stamp=next/>"."</p> }.into_any()
        }
        (DeliveryState::Waiting, Some(next)) => {
            let left = counted(i64::from(row.left()), "try is", "tries are");
            view! { <p class="hint">"The next try is "<Time stamp=next/>"; "{left}" left. The pauses grow from 5 seconds to a day."</p> }
                .into_any()
        }
        (DeliveryState::Failed, _) => {
            view! { <p class="hint">"No more tries are made by themselves. Replay it once the receiver works again."</p> }.into_any()
        }
        (DeliveryState::Held, _) => {
            view! { <p class="hint">"It was kept while the endpoint was off. It is sent when you replay it, once the endpoint is on."</p> }.into_any()
        }
        (DeliveryState::Sending, _) => view! { <p class="hint">"It is being sent now."</p> }.into_any(),
        _ => ().into_any(),
    }
}

fn lines(headers: Vec<(String, String)>) -> AnyView {
    headers.into_iter().map(|(name, value)| view! { <b>{name}":"</b>" "{value}"\n" }).collect_view().into_any()
}

fn as_text(headers: &[(String, String)], body: &str) -> String {
    let mut text: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    text.push('\n');
    text.push_str(body);
    text
}
