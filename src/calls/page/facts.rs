use leptos::prelude::*;

use super::keys::Ticking;
use crate::model::{CallDetail, CallSource, term};
use patchbay_shared::money::{counted, length_text};
use patchbay_ui::*;

/// When, how long, why it ended, and what it belongs to.
#[component]
pub(crate) fn CallFacts(call: CallDetail) -> impl IntoView {
    let length = match (call.state.is_open(), call.seconds.filter(|_| call.state.is_open() || call.is_answered)) {
        (true, Some(seconds)) => view! { <Ticking seconds/> }.into_any(),
        (false, Some(seconds)) => length_text(seconds).into_any(),
        (_, None) => "–".into_any(),
    };
    let reviewed =
        call.reviewed.map(|(at, name)| view! { <Fact label="Reviewed">{format!("{name}, ")}<Time stamp=at/></Fact> });
    let attempt = (call.attempt_no > 1).then(|| view! { <Fact label="Attempt">{call.attempt_no.to_string()}</Fact> });
    view! {
        <Card title="Call">
            <Facts>
                <Fact label="Started"><Time stamp=call.started/></Fact>
                {call.answered.map(|answered| view! { <Fact label="Answered"><Time stamp=answered/></Fact> })}
                {call.ended.map(|ended| view! { <Fact label="Ended"><Time stamp=ended/></Fact> })}
                <Fact label="Length">{length}</Fact>
                {call.missed.map(|why| view! { <Fact label="Missed">{why}</Fact> })}
                {call.is_test.then(|| view! { <Fact label="Kind">"Test call"</Fact> })}
                {call.end_words.map(|words| view! { <Fact label="How it ended">{words}</Fact> })}
                {(call.source == Some(CallSource::HistoricalSync)).then(|| view! { <Fact label="Source">{CallSource::HistoricalSync.label()}</Fact> })}
                {call.campaign.map(|(id, name)| view! { <Fact label="Campaign"><a class="link" href=format!("/campaigns/{id}")>{name}</a></Fact> })}
                {call.batch.map(|(id, name)| view! { <Fact label="Batch"><a class="link" href=format!("/batches/{id}")>{name}</a></Fact> })}
                {call.contact_id.map(|id| view! {
                    <Fact label="Contact"><a class="link" href=format!("/contacts/{id}")>{call.title.clone()}</a></Fact>
                    <Fact label="Earlier calls"><a class="link" href=format!("/calls?contact={id}")>"All calls with this contact"</a></Fact>
                })}
                {call.add_contact.map(|href| view! {
                    <Fact label="Contact">"Not a contact. "<a class="link" href=href>"Add as contact"</a></Fact>
                })}
                {attempt}
                {call.run.map(|id| view! { <Fact label="Run"><a class="link" href=format!("/runs/{id}")>"Steps on one time axis"</a></Fact> })}
                {reviewed}
            </Facts>
        </Card>
    }
}

/// What the call cost, by part. What has no price yet says so and is no zero.
#[component]
pub(crate) fn CostCard(call: CallDetail) -> impl IntoView {
    let Some(costs) = call.costs else { return ().into_any() };
    let waits = costs.is_unpriced || call.state.is_open();
    let told = |money: Option<patchbay_shared::Money>| {
        money.map_or_else(|| term::UNPRICED.label.to_owned(), patchbay_shared::Money::column)
    };
    let priced = |money: Option<patchbay_shared::Money>| told(money.filter(|_| !waits));
    let (voice, carrier, total) = (priced(Some(costs.voice)), priced(costs.carrier), priced(Some(costs.total)));
    let model = told(costs.model);
    let left_out = match (costs.carrier, costs.model) {
        _ if waits => None,
        (None, None) => Some("without carrier and model"),
        (None, _) => Some("without carrier"),
        (_, None) => Some("without model"),
        _ => None,
    };
    let tokens = call.analysis_model.map(|(_, read, written)| counted(read + written, "token", "tokens"));
    view! {
        <Card title="Cost" right=move || tokens.map(|text| view! { <span class="sub text-xs">{text}</span> })>
            <Facts>
                <Fact label="Voice" class="num">{voice}</Fact>
                <Fact label="Carrier" class="num">{carrier}</Fact>
                <Fact label="Model" class="num">{model}</Fact>
                <Fact label="Total" class="num"><b>{total}</b>{left_out.map(|words| view! { " "<span class="sub">{words}</span> })}</Fact>
                {costs.billed_seconds.map(|seconds| view! { <Fact label="Billed time" class="num">{length_text(i64::from(seconds))}</Fact> })}
            </Facts>
        </Card>
    }
    .into_any()
}
